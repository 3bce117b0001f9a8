"""What the search for checks comes to: a check that can be run, or one that is missing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from project import Project


def found(name: str, tool: str, argv: list[str], **env: str) -> dict[str, Any]:
    """A check that is there."""
    return {"name": name, "tool": tool, "argv": argv, "env": env}


def missing(name: str, tool: str, detail: str) -> dict[str, Any]:
    """A check that is not there, and why."""
    return {"name": name, "tool": tool, "detail": detail}


class Tool(NamedTuple):
    """How a project shows that it uses a tool."""

    name: str
    tool: str
    files: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()  # of pyproject.toml
    sections: tuple[str, ...] = ()  # of setup.cfg and tox.ini
    phrases: tuple[str, ...] = ()  # in scripts, Makefile, workflows
    requirement: str = ""

    def sign(self, project: Project) -> str:
        """By what one can tell that the project uses it; empty when it does not."""
        for file in self.files:
            if project.has(file):
                return file
        for table in self.tables:
            if project.table(table) is not None:
                return f"[{table}] in pyproject.toml"
        for section in self.sections:
            if section in project.sections:
                return f"[{section}] in setup.cfg or tox.ini"
        if self.requirement in project.requirements:
            return "its requirements"
        for phrase in self.phrases:
            # As whole words: `id: black` is not said by `id: blacken-docs`.
            if re.search(rf"(?<![\w-]){re.escape(phrase)}(?![\w-])", project.recipes):
                return f"{phrase!r} in its scripts"
        return ""
