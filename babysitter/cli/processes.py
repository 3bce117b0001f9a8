"""``process``: what can be run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.beginning import new
from babysitter.cli.graphing import graph
from babysitter.cli.options import complete_process, json_option, settings
from babysitter.cli.output import as_json, line
from babysitter.cli.process_checks import check
from babysitter.cli.process_inputs import input_lines, schema_of
from babysitter.cli.process_tests import test
from babysitter.cli.trying import try_process
from babysitter.errors import BabysitterError
from babysitter.library import describe, list_all, resolve
from babysitter.paths import project_dir

if TYPE_CHECKING:
    from babysitter.library import Entry


@click.group(
    epilog="""\b
Example:
  babysitter process list
  babysitter process show quality-checks
  babysitter process check ./release.py -i version=1.2.0
  babysitter process test quality-checks"""
)
def process() -> None:
    """Find processes: in the project, in your own folder, in the plugin."""


@process.command(
    "list",
    epilog="""\b
Example:
  babysitter process list --json""",
)
@json_option
def list_processes(as_json: bool) -> None:
    """List the processes that a name can stand for."""
    listed = [_shown(entry, _description(entry)) for entry in list_all(project_dir())]
    if as_json:
        _json({"processes": listed})
        return
    width = max((len(told["name"]) for told in listed), default=0)
    for told in listed:
        line(f"{told['name']:<{width}}  {told['origin']:<7}  {told['description']}")


def _shown(entry: Entry, description: str) -> dict[str, str]:
    return {"name": entry.process_id, "description": description, "origin": entry.origin, "file": entry.file}


def _description(entry: Entry) -> str:
    """What a list says of a process; when that cannot be read, the others are listed all the same."""
    try:
        return str(describe(entry).get("description", ""))
    except (BabysitterError, OSError) as error:
        return f"(cannot be read: {error})"


@process.command(
    epilog="""\b
Example:
  babysitter process show quality-checks
  babysitter process show ./release.py --json"""
)
@click.argument("name", shell_complete=complete_process)
@json_option
def show(name: str, as_json: bool) -> None:
    """Show what a process does, and its inputs."""
    from babysitter.runs.creation import ask_author, load_new

    entry, limits = resolve(name), settings().limits
    source = load_new(entry, limits)
    told = describe(entry)
    description = told.get("description") or (source.process.__doc__ or source.module.__doc__ or "").strip()
    schema = ask_author(entry, limits, "describes its inputs", lambda: schema_of(source))
    if as_json:
        _json({**_shown(entry, description), "inputs": schema, "body": told.get("body", "")})
        return
    line(f"{entry.process_id} ({entry.origin}: {entry.file})")
    for text in description.splitlines():
        line(f"  {text}")
    for text in input_lines(schema if isinstance(schema, dict) else {}):
        line(text)


def _json(value: Any) -> None:
    as_json(value)


process.add_command(check)
process.add_command(new)
process.add_command(graph)
process.add_command(test)
process.add_command(try_process)
commands = {"process": process}
