"""Options and arguments that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from babysitter import config
from babysitter.errors import BabysitterError, InvalidInput, RunPacked, UnsafePath
from babysitter.paths import has_hooks, project_dir, runs_dir
from babysitter.runs.folder import LATEST, open_run

if TYPE_CHECKING:
    from babysitter.runs.run import Run

Command = Callable[..., Any]
# How an edit that does not fit what was done can be accepted.
EDIT_RULES = click.Choice(["redo", "keep"])
AMOUNT = "[SCOPE:]WHAT=AMOUNT"
STANDARD_INPUT = ("-", "/dev/stdin")


def runs_dir_option(command: Command) -> Command:
    return click.option(
        "--runs-dir", metavar="DIR", help="Folder of runs (default: .a5c/runs of the project)."
    )(command)


def budget_option(command: Command) -> Command:
    return click.option(
        "--budget",
        "budgets",
        multiple=True,
        metavar=AMOUNT,
        help="What the run may spend: tokens, money, wall, effects or iterations, as in tokens=1M.",
    )(command)


def json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON value.")(command)


def run_argument(
    required: bool = False, *, only_looks: bool = False, default: str | None = LATEST
) -> Callable[[Command], Command]:
    """RUN: an id, a unique beginning of it, a folder, or ``latest``; also a packed one if it only looks."""
    complete = complete_any_run if only_looks else complete_run
    if required:
        return click.argument("run", metavar="RUN", shell_complete=complete)
    return click.argument("run", metavar="[RUN]", required=False, default=default, shell_complete=complete)


def complete_run(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Run ids for shell completion."""
    from babysitter.runs.folder import run_ids

    with quiet():
        folder = runs_dir(ctx.params.get("runs_dir"))
        return [name for name in [*sorted(run_ids(folder)), LATEST] if name.startswith(incomplete)]
    return []


def complete_packed(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Ids of packed runs for shell completion."""
    from babysitter.runs.folder import packed_ids

    with quiet():
        folder = runs_dir(ctx.params.get("runs_dir"))
        return [name for name in sorted(packed_ids(folder)) if name.startswith(incomplete)]
    return []


def complete_any_run(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Ids of runs, packed ones too, for shell completion."""
    return list(
        dict.fromkeys([*complete_run(ctx, param, incomplete), *complete_packed(ctx, param, incomplete)])
    )


def complete_effect(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Pending effects of the run, for shell completion."""
    with quiet():
        run = opened(ctx.params.get("run") or LATEST, ctx.params.get("runs_dir"))
        return [
            effect for effect in run.state.pending if effect.startswith(incomplete) and effect.isprintable()
        ]
    return []


def complete_process(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
    """Process names and files here for shell completion; with a path in it, files."""
    from click.shell_completion import CompletionItem

    from babysitter.library import list_all

    if os.sep in incomplete:
        return [CompletionItem(incomplete, type="file")]
    with quiet():
        names = [entry.process_id for entry in list_all(project_dir())]
        names += sorted(name for name in os.listdir() if name.endswith(".py"))
        # The shell prints what it is given as it is.
        return [CompletionItem(name) for name in names if name.startswith(incomplete) and name.isprintable()]
    return []


def quiet() -> AbstractContextManager[None]:
    """Nothing that goes wrong may end up on the line that somebody is typing."""
    return suppress(BabysitterError, OSError)


def settings() -> config.Settings:
    """The configuration of this project and user."""
    return config.load(project_dir())


def opened(run: str, folder: str | None) -> Run:
    """The run of that name, its journal read."""
    return watched(open_run(run, runs_dir(folder), settings().limits)).load()


def watched(run: Run) -> Run:
    """The run; hooks are called for what this command writes in it, when everything else is done."""
    # What a hook starts calls none, or one could go on calling itself.
    if run.observer is None and has_hooks(run.project) and "BABYSITTER_HOOK" not in os.environ:
        from babysitter.cli.watching import watch

        watch(run)
    return run


@contextmanager
def to_look_at(run: str, folder: str | None) -> Iterator[Run]:
    """The run of that name, its journal not yet read; of a packed one a copy, which is gone afterwards."""
    where, limits = runs_dir(folder), settings().limits
    try:
        found = open_run(run, where, limits)
    except RunPacked as error:
        packed = error
    else:
        yield found
        return
    from babysitter.runs.unpacking import copied

    with copied(packed, limits) as copy:
        yield copy


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
    for name, text in read_pairs(pairs).items():
        if not isinstance(given, dict):
            raise InvalidInput(f"--input {name!r} needs inputs that are an object; {inputs_file!r} is not")
        given = {**given, name: value_of(text, limits)}
    return given


def read_pairs(pairs: tuple[str, ...]) -> dict[str, str]:
    """Inputs as they were typed: name and text.

    Raises:
        InvalidInput: one without '='.
    """
    typed = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise InvalidInput(f"--input {pair!r} is not NAME=VALUE")
        typed[name] = text
    return typed


def value_of(text: str, limits: Any) -> Any:
    """A value as JSON where it is JSON, else as text."""
    from babysitter.jsontext import parse_strict

    try:
        return parse_strict(text, limits=limits)
    except InvalidInput:
        return text


def open_given(name: str) -> BinaryIO:
    """The file that a command line names, or standard input for ``-``, open for reading.

    Raises:
        InvalidInput: there is no such file.
        UnsafePath: it is a link, a device or a pipe.
    """
    from babysitter.disk import check_regular, open_to_read

    if name in STANDARD_INPUT:
        return open(0, "rb", closefd=False)
    # What the shell makes of <(command); any other path through there leads anywhere.
    if name.startswith("/dev/fd/") and name[8:].isdecimal():
        return open(name, "rb")
    try:
        fd = open_to_read(name)
    except FileNotFoundError:
        raise InvalidInput(f"there is no file {name!r}") from None
    except UnsafePath as error:
        raise _name_the_file(error) from None
    try:
        check_regular(fd, name)
    except UnsafePath as error:
        os.close(fd)
        raise _name_the_file(error) from None
    return open(fd, "rb")


def _name_the_file(error: UnsafePath) -> UnsafePath:
    return UnsafePath(error.message, hint="name the file itself, or '-' for standard input")


@contextmanager
def reading(name: str) -> Iterator[BinaryIO]:
    """What ``open_given`` gives; a failure to read from it is invalid input."""
    try:
        with open_given(name) as file:
            yield file
    except OSError as error:
        raise InvalidInput(f"{name!r} cannot be read: {error.strerror}") from None


def read_bytes(name: str, limit: int) -> bytes:
    """The content of a file, or of standard input for ``-``.

    Raises:
        InvalidInput: there is no such file, or it is too large; else as ``open_given``.
    """
    with reading(name) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise InvalidInput(f"{name!r} has more than {limit} bytes")
    return content


def read_json(name: str, limits: Any) -> Any:
    """A JSON file, or standard input for ``-``, read strictly.

    Raises:
        InvalidInput: it is not JSON; says where.
    """
    from babysitter.jsontext import parse_strict

    # Handed over, not kept: what is read from it is large enough.
    content = [read_bytes(name, limits.result_bytes)]
    try:
        return parse_strict(content.pop(), limits=limits)
    except InvalidInput as error:
        raise InvalidInput(f"{name!r}: {error.message}", hint=error.hint) from None
