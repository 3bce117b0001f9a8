"""``process``: what can be run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.beginning import new
from babysitter.cli.graphing import graph
from babysitter.cli.options import (
    complete_process,
    input_options,
    json_option,
    read_inputs,
    read_pairs,
    settings,
)
from babysitter.cli.output import as_json, line
from babysitter.cli.process_tests import test
from babysitter.errors import BabysitterError
from babysitter.jsontext import compact
from babysitter.library import describe, list_all, resolve
from babysitter.paths import project_dir

if TYPE_CHECKING:
    from babysitter.engine.tasks import Task
    from babysitter.library import Entry
    from babysitter.runs.source import Source


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
    schema = ask_author(entry, limits, "describes its inputs", lambda: _schema_of(source))
    if as_json:
        _json({**_shown(entry, description), "inputs": schema, "body": told.get("body", "")})
        return
    line(f"{entry.process_id} ({entry.origin}: {entry.file})")
    for text in description.splitlines():
        line(f"  {text}")
    for text in _input_lines(schema if isinstance(schema, dict) else {}):
        line(text)


@process.command(
    epilog="""\b
Example:
  babysitter process check ./release.py
  babysitter process check ./release.py -i version=1.2.0 --json"""
)
@click.argument("name", shell_complete=complete_process)
@input_options
@json_option
def check(name: str, inputs_file: str | None, pairs: tuple[str, ...], as_json: bool) -> None:
    """Check a process and its inputs as `create` does, without making a run."""
    from babysitter.runs.creation import ask_author, check_new

    entry, limits = resolve(name), settings().limits
    source, completed = check_new(entry, read_inputs(inputs_file, pairs, limits), read_pairs(pairs), limits)
    schema = ask_author(entry, limits, "describes its inputs", lambda: _schema_of(source))
    told = {
        "name": entry.process_id,
        "file": entry.file,
        "checked": _checked(source),
        "inputs": schema,
        "given": completed,
        "tasks": _tasks_of(source),
    }
    if as_json:
        _json(told)
        return
    for text in _check_lines(told):
        line(text)


def _checked(source: Source) -> list[str]:
    """What is known of a process that was not refused."""
    files = ", ".join(sorted(source.digests))
    return [
        f"it can be imported ({files}), and `{source.process.__name__}` is an async function",
        "no branch that is made in a loop sees only the last item",
        "the inputs fit" if hasattr(source.module, "Inputs") else "it has no `Inputs`: any inputs fit",
    ]


def _tasks_of(source: Source) -> list[dict[str, str]]:
    """The tasks that the process file can name; those that it makes while it runs are not seen."""
    from babysitter.engine.tasks import Task

    found = {each.id: each for each in vars(source.module).values() if isinstance(each, Task)}
    return [{"task": each.id, "kind": each.kind, "title": _title(each)} for each in found.values()]


def _title(task: Task[..., Any]) -> str:
    lines = (task.function.__doc__ or "").strip().splitlines()
    return str(task.options.get("title") or (lines[0].strip() if lines else task.id))


def _check_lines(told: dict[str, Any]) -> list[str]:
    tasks = [f"  {task['kind']:<10} {task['task']}: {task['title']}" for task in told["tasks"]]
    return [
        f"{told['name']} ({told['file']}) can be run",
        *(f"  ok  {text}" for text in told["checked"]),
        *_input_lines(told["inputs"] if isinstance(told["inputs"], dict) else {}),
        *(["tasks:", *tasks] if tasks else []),
    ]


def _schema_of(source: Source) -> Any:
    wanted = getattr(source.module, "Inputs", None)
    make_schema = getattr(wanted, "model_json_schema", None)
    return wanted if make_schema is None else make_schema()


def _input_lines(schema: dict[str, Any]) -> list[str]:
    needed = schema.get("required", [])
    lines = []
    for name, rule in schema.get("properties", {}).items():
        told = rule if isinstance(rule, dict) else {}
        default = f" (default: {compact(told['default'])})" if "default" in told else ""
        mark = " (needed)" if name in needed else default
        lines.append(f"  {name}: {told.get('description', told.get('type', ''))}{mark}")
    return ["inputs:", *lines] if lines else []


def _json(value: Any) -> None:
    as_json(value)


process.add_command(new)
process.add_command(graph)
process.add_command(test)
commands = {"process": process}
