"""``process show``: what a process is for, what it takes and does, and how to run it."""

from __future__ import annotations

import os
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import complete_process, json_option, settings
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import line
from babysitter.cli.process_inputs import input_lines, needed_inputs
from babysitter.errors import BabysitterError
from babysitter.hosts.claude import skills_folder
from babysitter.library import DEFAULT_EXPORT, find_all, resolve
from babysitter.paths import project_dir
from babysitter.skills import read_skill

if TYPE_CHECKING:
    from babysitter.library import Entry
    from babysitter.limits import Limits
    from babysitter.runs.source import Source

AGENT = "agent"


@click.command(
    epilog="""\b
Example:
  babysitter process show quality-checks
  babysitter process show ./release.py --json"""
)
@click.argument("name", shell_complete=complete_process)
@json_option
def show(name: str, as_json: bool) -> None:
    """Show what a process is for, its inputs, its steps, and how to run it.

    The steps are those of a dry run in memory with stub results, in which nothing is performed; what
    that did not come to is marked with ~ and comes from the source.
    """
    told = _look(name, resolve(name), settings().limits)
    if as_json:
        print_json(told)
        return
    for text in _lines(told):
        line(text)


def _look(name: str, entry: Entry, limits: Limits) -> dict[str, Any]:
    from babysitter.runs.creation import ask_author, load_new
    from babysitter.runs.inputs import schema_of

    source, skill = load_new(entry, limits), read_skill(entry.folder)
    documented = (source.process.__doc__ or source.module.__doc__ or "").strip()
    told: dict[str, Any] = {"name": entry.process_id, **entry.as_json()}
    told["description"] = (skill.description if skill else "") or documented
    told["whenToUse"] = skill.when_to_use if skill else ""
    told |= {"tags": skill.tags, "effects": skill.effects} if skill else {"tags": [], "effects": []}
    told["shadows"] = _shadowed(entry)
    told["inputs"] = ask_author(entry, limits, "describes its inputs", lambda: schema_of(source))
    told |= _steps(entry, limits, source)
    told["run"] = _how_to_run(name, told)
    told["command"] = _command(entry, skill.argument_hint if skill else "")
    told["body"] = skill.body if skill else ""
    return told


def _shadowed(entry: Entry) -> list[dict[str, str]]:
    """The processes of this name that it takes the place of."""
    if entry.origin == "file":
        return []
    return [each.as_json() for each in find_all(entry.process_id, project_dir()) if each.file != entry.file]


def _steps(entry: Entry, limits: Limits, source: Source) -> dict[str, Any]:
    """The steps; what is known of a process is shown also when its dry run cannot begin."""
    from babysitter.cli.graphing import drawn_with_stubs
    from babysitter.graphs.outline import outline

    try:
        drawn = drawn_with_stubs(entry, limits, {}, {}, source)
    except BabysitterError as error:
        return {"steps": [], "notes": [f"no dry run could be made: {error.message}"]}
    return {"steps": outline(drawn), "notes": drawn.notes}


def _how_to_run(name: str, told: dict[str, Any]) -> str:
    """The command line, with the inputs that are needed."""
    needed = [f"-i {quote(each)}=…" for each in needed_inputs(told["inputs"])]
    words = ["babysitter run", quote(name), *needed]
    return " ".join([*words, *(["--agent-command 'claude -p'"] if AGENT in told["effects"] else [])])


def _command(entry: Entry, hint: str) -> str:
    """What people type in a session of the agent host."""
    if entry.export != DEFAULT_EXPORT or entry.origin == "file":
        return f"/babysitter:call {entry.file}{'' if entry.export == DEFAULT_EXPORT else f'#{entry.export}'}"
    if entry.origin == "plugin":
        return f"/babysitter:{entry.process_id} {hint}".strip()
    linked = [os.path.join(skills_folder(place), entry.process_id) for place in (project_dir(), None)]
    if any(os.path.realpath(each) == os.path.realpath(entry.folder) for each in linked):
        return f"/{entry.process_id} {hint}".strip()
    return f"/babysitter:call {entry.process_id} {hint}".strip()


def _lines(told: dict[str, Any]) -> list[str]:
    where = told.get("package") or told["origin"]
    facts = [("tags", ", ".join(told["tags"])), ("effects", ", ".join(told["effects"]))]
    return [
        f"{told['name']} ({where}: {told['file']})",
        *(f"  {text}" for text in told["description"].splitlines()),
        *([f"  {told['whenToUse']}"] if told["whenToUse"] else []),
        *(f"it takes the place of {each['file']} ({each['origin']})" for each in told["shadows"]),
        *(f"{name}: {text}" for name, text in facts if text),
        *input_lines(told["inputs"]),
        *(
            ["steps, by a dry run with stub results:", *(f"  {text}" for text in told["steps"])]
            if told["steps"]
            else []
        ),
        *(f"note: {text}" for text in told["notes"]),
        "run it:",
        f"  {told['run']}",
        f"  {told['command']}   in a session of the agent host",
    ]
