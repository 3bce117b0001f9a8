"""The checks that a project declares itself, in pyproject.toml or package.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from findings import found

if TYPE_CHECKING:
    from project import Project


def declared(name: str, project: Project) -> list[dict[str, Any]] | None:
    """The check that the project wants under this name, none for ``false``; None when it says nothing.

    A text goes to ``sh``, a list is the words of a command; both run in the project's folder.
    """
    told = checks_of(project).get(name)
    if told is False:
        return []
    if isinstance(told, str) and told.strip():
        return [found(name, told, ["sh", "-c", told])]
    if isinstance(told, list) and told and all(isinstance(word, str) for word in told):
        return [found(name, " ".join(told), told)]
    return None


def checks_of(project: Project) -> dict[str, Any]:
    """The whole table, from whichever file has it."""
    table = project.table("tool.babysitter.checks")
    if table is None:
        package = project.package.get("babysitter")
        table = package.get("checks") if isinstance(package, dict) else None
    return table if isinstance(table, dict) else {}
