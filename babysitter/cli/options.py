"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from babysitter import config
from babysitter.errors import InvalidInput
from babysitter.paths import project_dir, runs_dir
from babysitter.runs.folder import LATEST, open_run

if TYPE_CHECKING:
    from babysitter.runs.run import Run

Command = Callable[..., Any]


def runs_dir_option(command: Command) -> Command:
    return click.option(
        "--runs-dir", metavar="DIR", help="Folder of runs (default: .a5c/runs of the project)."
    )(command)


def json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON value.")(command)


def run_argument(required: bool = False) -> Callable[[Command], Command]:
    """RUN: an id, a unique beginning of it, a folder, or ``latest``."""
    if required:
        return click.argument("run", metavar="RUN", shell_complete=complete_run)
    return click.argument("run", metavar="[RUN]", default=LATEST, shell_complete=complete_run)


def complete_run(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Run ids for shell completion."""
    from babysitter.runs.folder import run_ids

    folder = runs_dir(ctx.params.get("runs_dir"))
    return [name for name in [*sorted(run_ids(folder)), LATEST] if name.startswith(incomplete)]


def complete_effect(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Pending effects of the run, for shell completion."""
    run = opened(ctx.params.get("run") or LATEST, ctx.params.get("runs_dir"))
    return [effect for effect in run.state.pending if effect.startswith(incomplete)]


def complete_process(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
    """Process names for shell completion; with a path in it, files."""
    from click.shell_completion import CompletionItem

    from babysitter.library import list_all

    if "/" in incomplete or incomplete.endswith(".py"):
        return [CompletionItem(incomplete, type="file")]
    return [
        CompletionItem(e.process_id) for e in list_all(project_dir()) if e.process_id.startswith(incomplete)
    ]


def settings() -> config.Settings:
    """The configuration of this project and user."""
    return config.load(project_dir())


def opened(run: str, folder: str | None) -> Run:
    """The run of that name, its journal read."""
    return open_run(run, runs_dir(folder), settings().limits).load()


def input_options(command: Command) -> Command:
    command = click.option(
        "--inputs", "inputs_file", metavar="FILE", help="Inputs as a JSON file ('-': standard input)."
    )(command)
    return click.option(
        "--input",
        "-i",
        "pairs",
        metavar="NAME=VALUE",
        multiple=True,
        help="One input; VALUE is JSON, or else text.",
    )(command)


def read_inputs(inputs_file: str | None, pairs: tuple[str, ...], limits: Any) -> Any:
    """The inputs that a command line gives: a file, with single ones on top.

    Raises:
        InvalidInput: not JSON, or a pair without '='.
    """
    given: Any = {} if inputs_file is None else read_json(inputs_file, limits)
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise InvalidInput(f"--input {pair!r} is not NAME=VALUE")
        if not isinstance(given, dict):
            raise InvalidInput(f"--input {name!r} needs inputs that are an object; {inputs_file!r} is not")
        given = {**given, name: value_of(text, limits)}
    return given


def value_of(text: str, limits: Any) -> Any:
    """A value as JSON where it is JSON, else as text."""
    from babysitter.jsontext import parse_strict

    try:
        return parse_strict(text, limits=limits)
    except InvalidInput:
        return text


def read_bytes(name: str, limit: int) -> bytes:
    """A file's content, or that of standard input for ``-``.

    Raises:
        InvalidInput: there is no such file, or it is too large.
        UnsafePath: it is a link, a device or a pipe.
    """
    if name == "-":
        content = click.get_binary_stream("stdin").read(limit + 1)
        if len(content) > limit:
            raise InvalidInput(f"standard input has more than {limit} bytes")
        return content
    from babysitter.files import read_regular

    try:
        return read_regular(name, limit)
    except FileNotFoundError:
        raise InvalidInput(f"there is no file {name!r}") from None


def read_json(name: str, limits: Any) -> Any:
    """A JSON file, or standard input for ``-``, read strictly.

    Raises:
        InvalidInput: it is not JSON; says where.
    """
    from babysitter.jsontext import parse_strict

    content = read_bytes(name, limits.result_bytes)
    try:
        return parse_strict(content, limits=limits)
    except InvalidInput as error:
        raise InvalidInput(f"{name!r}: {error.message}", hint=error.hint) from None
