"""``process link``: make a process a command of the agent host."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import complete_process, json_option
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import line
from babysitter.errors import InvalidInput, UsageError
from babysitter.hosts.claude import skills_folder
from babysitter.library import resolve
from babysitter.paths import project_dir
from babysitter.skills import read_skill

if TYPE_CHECKING:
    from babysitter.library import Entry


@click.command(
    epilog="""\b
Example:
  babysitter process link release
  babysitter process link release --user
  babysitter process link release --remove --json"""
)
@click.argument("name", shell_complete=complete_process)
@click.option("--user", is_flag=True, help="For all projects of yours, not for this one alone.")
@click.option("--remove", is_flag=True, help="Take the command away; the process stays.")
@json_option
def link(name: str, user: bool, remove: bool, as_json: bool) -> None:
    """Make a process a command of Claude Code: /NAME, or with --user /NAME in every project.

    Its folder is linked from `.claude/skills` of the project (or of your home), so what its SKILL.md
    says is what the command does. Shipped processes are commands already: /babysitter:NAME.
    """
    entry, project = resolve(name), project_dir()
    place = os.path.join(skills_folder(None if user else project), entry.process_id)
    changed = _remove(place, entry) if remove else _link(place, entry, "" if user else project)
    told: dict[str, Any] = {"name": entry.process_id, "link": place, "changed": changed}
    told["command"] = None if remove else f"/{entry.process_id}"
    if as_json:
        print_json(told)
    elif remove:
        line(f"removed {place}" if changed else f"{place} is not there")
    else:
        line(f"{'linked' if changed else 'linked already'}: {place}")
        line(f"in a session of this {'user' if user else 'project'}: /{entry.process_id}")


def _link(place: str, entry: Entry, project: str) -> bool:
    """Make the link; gives whether there was anything to do.

    Raises:
        UsageError: the host has the process as a command already.
        InvalidInput: it has no description, something else is there, or the link cannot be made.
    """
    if entry.origin == "plugin":
        raise UsageError(
            f"{entry.process_id!r} is shipped, and a command already",
            hint=f"/babysitter:{entry.process_id}, or copy it and link the copy",
        )
    skill = read_skill(entry.folder)
    if skill is None or not skill.description:
        raise InvalidInput(
            f"{entry.folder!r} has no SKILL.md with a `description`, by which a host knows a command",
            hint="write one: `babysitter process new` shows how they look",
        )
    if os.path.lexists(place):
        _check_same(place, entry)
        return False
    parent = os.path.dirname(place)
    # Relative within the project, so that both can move, and be committed, together.
    inside = project and entry.folder.startswith(project + os.sep)
    target = os.path.relpath(entry.folder, os.path.realpath(parent)) if inside else entry.folder
    try:
        os.makedirs(parent, exist_ok=True)
        os.symlink(target, place)
    except OSError as error:
        raise InvalidInput(f"{place!r} cannot be made: {error.strerror}") from None
    return True


def _remove(place: str, entry: Entry) -> bool:
    if not os.path.lexists(place):
        return False
    _check_same(place, entry)
    os.unlink(place)
    return True


def _check_same(place: str, entry: Entry) -> None:
    if not os.path.islink(place) or os.path.realpath(place) != os.path.realpath(entry.folder):
        raise InvalidInput(
            f"{place!r} is there already, and is no link to {entry.folder!r}",
            hint="move it away, or give the process another name",
        )
