"""``trust``: what a repository suggests, and whether it may be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from babysitter import trust as trusting
from babysitter.cli.options import json_option
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import complain, line
from babysitter.errors import PersonNeeded
from babysitter.paths import project_dir

if TYPE_CHECKING:
    from collections.abc import Mapping

TRUSTED, CHANGED, NEW, GONE = "trusted", "changed", "new", "gone"


@click.group(
    epilog="""\b
Example:
  babysitter trust list
  babysitter trust add"""
)
def trust() -> None:
    """Say whether what this project's repository suggests may be done: commands of agents, and hooks.

    It counts only once you have trusted exactly these files, and not any more when one changes.
    """


@trust.command("list", epilog="\b\nExample:\n  babysitter trust list --json")
@json_option
def list_suggested(as_json: bool) -> None:
    """List what this project suggests, and what of it is trusted."""
    project = project_dir()
    _tell(project, trusting.suggested(project), as_json)


@trust.command("add", epilog="\b\nExample:\n  babysitter trust add\n  babysitter trust add --yes")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def add(yes: bool, as_json: bool) -> None:
    """Trust what this project suggests, as it is now. Look at the files first."""
    from babysitter.approvals.place import level_here

    level = level_here("nobody trusts a repository", "in a terminal of your own: babysitter trust add")
    project = project_dir()
    files = trusting.suggested(project)
    if not yes and files:
        if level != "terminal":
            raise PersonNeeded("trusting asks first, and there is nobody to ask", hint="--yes does not ask")
        for text in _lines(files, trusting.trusted(project)):
            (complain if as_json else line)(text)
        if not click.confirm("trust these files?", err=as_json):
            raise PersonNeeded("it was not confirmed, so nothing is trusted")
    trusting.trust(project, files)
    _tell(project, files, as_json)


@trust.command("revoke", epilog="\b\nExample:\n  babysitter trust revoke")
@json_option
def revoke(as_json: bool) -> None:
    """Trust nothing of this project any more."""
    project = project_dir()
    was = trusting.revoke(project)
    if as_json:
        print_json({"project": project, "revoked": was})
    else:
        line(f"{project}: {'nothing is trusted any more' if was else 'nothing was trusted'}")


def _tell(project: str, files: Mapping[str, str], wants_json: bool) -> None:
    known = trusting.trusted(project)
    if wants_json:
        told = [
            {"file": name, "status": status, "sha256": digest}
            for name, status, digest in _compared(files, known)
        ]
        print_json({"project": project, "files": told})
        return
    for text in _lines(files, known) or [f"{project}: nothing is suggested"]:
        line(text)


def _lines(files: Mapping[str, str], known: Mapping[str, str]) -> list[str]:
    return [f"{status:<8} {digest[:12]:<12}  {name}" for name, status, digest in _compared(files, known)]


def _compared(files: Mapping[str, str], known: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Name, status and present digest of each file; of one that is gone the digest that was trusted."""
    found = []
    for name in sorted({*files, *known}):
        status: Any = TRUSTED if files.get(name) == known.get(name) else CHANGED
        if name not in known:
            status = NEW
        elif name not in files:
            status = GONE
        found.append((name, status, files.get(name) or known[name]))
    return found


commands = {"trust": trust}
