"""``process link``: make a process a command of the agent host."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.approvals.place import demand_no_agent
from babysitter.cli.options import complete_process, json_option
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import line
from babysitter.errors import InvalidInput, UsageError
from babysitter.hosts.claude import skills_folder
from babysitter.ids import valid_id
from babysitter.library import PROCESS_FILE, resolve
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
    if user:
        # What a SKILL.md says is said to an agent in every session, hooks of it included.
        demand_no_agent("the commands of all projects are not changed")
    project = project_dir()
    folder = skills_folder(None if user else project)
    if remove:
        told = {"name": name, "link": os.path.join(folder, name), "changed": _remove(folder, name)}
        told["command"] = None
    else:
        entry = resolve(name)
        place = os.path.join(folder, entry.process_id)
        told = {
            "name": entry.process_id,
            "link": place,
            "changed": _link(place, entry, "" if user else project),
        }
        told["command"] = f"/{entry.process_id}"
    if as_json:
        print_json(told)
    else:
        _tell(told, "user" if user else "project")


def _tell(told: dict[str, Any], whose: str) -> None:
    if told["command"] is None:
        line(f"removed {told['link']}" if told["changed"] else f"{told['link']} is not there")
        return
    line(f"{'linked' if told['changed'] else 'linked already'}: {told['link']}")
    line(f"in a session of this {whose}: {told['command']}")


def _link(place: str, entry: Entry, project: str) -> bool:
    """Make the link; gives whether there was anything to do.

    Raises:
        UsageError: the host has the process as a command already.
        InvalidInput: it cannot be a command, something else is there, or the link cannot be made.
    """
    _check(entry)
    parent = os.path.dirname(place)
    # Relative within the project, so that both can move, and be committed, together.
    is_inside = bool(project) and entry.folder.startswith(project + os.sep)
    target = os.path.relpath(entry.folder, os.path.realpath(parent)) if is_inside else entry.folder
    try:
        os.makedirs(parent, exist_ok=True)
        os.symlink(target, place)
    except FileExistsError:
        _check_link(place, entry.folder)
        return False
    except OSError as error:
        raise InvalidInput(f"{place!r} cannot be made: {error.strerror}") from None
    return True


def _check(entry: Entry) -> None:
    """Refuse what cannot be a command, or is one."""
    if entry.origin == "plugin":
        raise UsageError(
            f"{entry.process_id!r} is shipped, and a command already",
            hint=f"/babysitter:{entry.process_id}, or copy it and link the copy",
        )
    if os.path.basename(entry.file) != PROCESS_FILE or not os.path.isfile(entry.file):
        raise InvalidInput(
            f"{entry.file!r} is no process in a folder of its own",
            hint=f"a command is a folder with {PROCESS_FILE} and SKILL.md, as `babysitter process new` makes",
        )
    skill = read_skill(entry.folder)
    if skill is None or not skill.description:
        raise InvalidInput(
            f"{entry.folder!r} has no SKILL.md with a `description`, by which a host knows a command",
            hint="write one: `babysitter process new` shows how they look",
        )
    if not valid_id(entry.process_id) or skill.name not in ("", entry.process_id):
        raise InvalidInput(
            f"{entry.folder!r} cannot be called by one name",
            hint="the folder and `name` in SKILL.md have to be the same: letters, digits, '-' and '_'",
        )


def _remove(folder: str, name: str) -> bool:
    """Remove the link of a process, whether that is still there or not.

    Raises:
        InvalidInput: it is no name, or no link to a process.
    """
    place = os.path.join(folder, name)
    if not valid_id(name):
        raise InvalidInput(f"{name!r} is no name of a process", hint=f"those that are linked are in {folder}")
    if not os.path.lexists(place):
        return False
    is_ours = not os.path.exists(place) or os.path.isfile(os.path.join(place, PROCESS_FILE))
    if not os.path.islink(place) or not is_ours:
        raise _in_the_way(place)
    os.unlink(place)
    return True


def _check_link(place: str, folder: str) -> None:
    if not os.path.islink(place) or os.path.realpath(place) != os.path.realpath(folder):
        raise _in_the_way(place)


def _in_the_way(place: str) -> InvalidInput:
    return InvalidInput(
        f"{place!r} is there, and is no link to this process",
        hint="move it away, or give the process another name",
    )
