"""``process new``: the beginning of a process, from a template."""

from __future__ import annotations

import os
from typing import Any

import click

from babysitter.cli.options import json_option
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import line
from babysitter.errors import InvalidInput
from babysitter.ids import valid_id
from babysitter.library import find, places
from babysitter.paths import PACKAGE, project_dir

TEMPLATES = {
    "checks": "commands side by side, and which of them failed",
    "fan-out": "the same for many files, some at a time",
    "convergence": "better round by round, until a measure is reached",
    "approval": "a draft that a person approves, or sends back with feedback",
    "forever": "look for work, do it, sleep, begin again",
}
FILES = ("SKILL.md", "process.py", "test_process.py")
# Stands in the templates for the name.
NAME = "PROCESS-NAME"


@click.command(
    epilog="""\b
Example:
  babysitter process new my-checks
  babysitter process new release-notes --template approval
  babysitter process new watch-issues --template forever --user --json"""
)
@click.argument("name")
@click.option(
    "--template",
    type=click.Choice(list(TEMPLATES)),
    default="checks",
    show_default=True,
    help="; ".join(f"{name}: {told}" for name, told in TEMPLATES.items()) + ".",
)
@click.option("--user", is_flag=True, help="In your own folder of processes, for all projects.")
@json_option
def new(name: str, template: str, user: bool, as_json: bool) -> None:
    """Write the beginning of a process NAME: a process that works, its SKILL.md and its tests.

    They go to `.a5c/processes/NAME` of the project, or with --user of your own folder. What is there
    already is never written over.
    """
    _check(name)
    project = project_dir()
    folder = os.path.join(dict(places(project))["user" if user else "project"], name)
    shadowed = find(name, project)
    files = _write(folder, name, template)
    found = find(name, project)
    told: dict[str, Any] = {
        "name": name,
        "template": template,
        "folder": folder,
        "files": files,
        "next": _next(name),
    }
    if shadowed is not None:
        told["shadows" if found is not None and found.folder == folder else "shadowedBy"] = shadowed.file
    if as_json:
        print_json(told)
    else:
        _tell(told)


def _check(name: str) -> None:
    if not valid_id(name):
        raise InvalidInput(
            f"{name!r} cannot name a process: letters, digits, '-' and '_', at most 64",
            hint="babysitter process new my-process",
        )


def _write(folder: str, name: str, template: str) -> list[str]:
    """Write the files of a template into a folder that is not there yet.

    Raises:
        InvalidInput: something is there, or it cannot be written.
    """
    texts = {file: _text(template, file).replace(NAME, name) for file in FILES}
    try:
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        os.mkdir(folder)
    except FileExistsError:
        raise InvalidInput(
            f"{folder!r} is there already", hint="choose another name; what is there is never written over"
        ) from None
    except OSError as error:
        raise InvalidInput(f"{folder!r} cannot be made: {error.strerror}") from None
    return [_put(os.path.join(folder, file), text) for file, text in texts.items()]


def _text(template: str, file: str) -> str:
    # Not as .py: they are no part of the package, and nothing may import them.
    with open(os.path.join(PACKAGE, "templates", template, f"{file}.txt"), encoding="utf-8") as opened:
        return opened.read()


def _put(path: str, text: str) -> str:
    try:
        with open(path, "x", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        raise InvalidInput(f"{path!r} cannot be written: {error.strerror}") from None
    return path


def _next(name: str) -> list[str]:
    """The commands that come after it."""
    looks = [f"babysitter process {command} {name}" for command in ("show", "check", "test", "try", "graph")]
    return [*looks, f"babysitter run {name}"]


def _tell(told: dict[str, Any]) -> None:
    for file in told["files"]:
        line(f"wrote {file}")
    if "shadows" in told:
        line(f"it takes the place of {told['shadows']}")
    if "shadowedBy" in told:
        line(f"here its name stands for {told['shadowedBy']}, which is nearer")
    line("Write in process.py what is to happen, and in the tests what must hold. Then:")
    for command in told["next"]:
        line(f"  {command}")
