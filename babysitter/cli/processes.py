"""``process``: what can be run."""

from __future__ import annotations

from typing import Any

import click

from babysitter.cli.options import complete_process, json_option
from babysitter.cli.output import as_json, line
from babysitter.library import describe, list_all, resolve
from babysitter.paths import project_dir


@click.group(
    epilog="""\b
Example:
  babysitter process list
  babysitter process show quality-checks"""
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
    listed = []
    for entry in list_all(project_dir()):
        told = describe(entry)
        listed.append(
            {
                "name": entry.process_id,
                "description": told.get("description", ""),
                "origin": entry.origin,
                "file": entry.file,
            }
        )
    if as_json:
        _json({"processes": listed})
        return
    width = max((len(told["name"]) for told in listed), default=0)
    for told in listed:
        line(f"{told['name']:<{width}}  {told['origin']:<7}  {told['description']}")


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
    from babysitter.runs.creation import load_new

    entry = resolve(name)
    source = load_new(entry)
    told = describe(entry)
    description = told.get("description") or (source.process.__doc__ or source.module.__doc__ or "").strip()
    schema = getattr(source.module, "Inputs", None)
    make_schema = getattr(schema, "model_json_schema", None)
    if make_schema is not None:
        schema = make_schema()
    shown = {"name": entry.process_id, "description": description, "origin": entry.origin, "file": entry.file}
    if as_json:
        _json({**shown, "inputs": schema, "body": told.get("body", "")})
        return
    line(f"{entry.process_id} ({entry.origin}: {entry.file})")
    for text in description.splitlines():
        line(f"  {text}")
    for text in _input_lines(schema or {}):
        line(text)


def _input_lines(schema: dict[str, Any]) -> list[str]:
    needed = schema.get("required", [])
    lines = []
    for name, rule in schema.get("properties", {}).items():
        default = f" (default: {rule['default']!r})" if "default" in rule else ""
        mark = " (needed)" if name in needed else default
        lines.append(f"  {name}: {rule.get('description', rule.get('type', ''))}{mark}")
    return ["inputs:", *lines] if lines else []


def _json(value: Any) -> None:
    as_json(value)


commands = {"process": process}
