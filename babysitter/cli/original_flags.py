"""Flags of the original's commands that do nothing here, and do no harm by that: taken, with a note."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.output import complain

if TYPE_CHECKING:
    from collections.abc import Callable

    Option = Callable[[Any], Any]

NO_OUTPUT = "only the value is kept; long output belongs into a file, and its name into the value"


def ignored(name: str, why: str, *, is_flag: bool = False) -> Option:
    """An option that is taken and does nothing; a note on standard error says why."""

    def note(ctx: click.Context, _: click.Parameter, given: Any) -> None:
        if given and not ctx.resilient_parsing:
            complain(f"note: {name} is taken and does nothing: {why}")

    shape: dict[str, Any] = {"is_flag": True} if is_flag else {"metavar": "TEXT"}
    return click.option(
        name, **shape, callback=note, expose_value=False, help=f"Taken and does nothing: {why}."
    )


VERBOSE = ignored("--verbose", "there is nothing more to tell", is_flag=True)
READS_ONLY = ignored("--dry-run", "the command writes nothing anyway", is_flag=True)
HARNESS = ignored("--harness", "the environment says which host calls")
SESSION_ID = ignored("--session-id", "the environment says which session calls")
PLUGIN_ROOT = ignored("--plugin-root", "the plugin knows where it is")
STATE_DIR = ignored("--state-dir", "sessions are kept in $BABYSITTER_HOME, by default ~/.a5c")


def together(*options: Option) -> Option:
    """One decorator for several options, in this order."""

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


READING = together(VERBOSE, READS_ONLY)
CREATING = together(
    PLUGIN_ROOT,
    STATE_DIR,
    ignored("--process-revision", "the journal has the digests of the process's files"),
    ignored("--request", "what was asked for is kept with --prompt"),
    ignored(
        "--non-interactive",
        "breakpoints still wait for an answer; rules answer them, or `babysitter create --yolo`",
        is_flag=True,
    ),
    VERBOSE,
)
ITERATING = together(HARNESS, SESSION_ID, PLUGIN_ROOT, STATE_DIR, VERBOSE)
POSTING = together(
    ignored("--stdout-ref", NO_OUTPUT),
    ignored("--stderr-ref", NO_OUTPUT),
    ignored("--stdout-file", NO_OUTPUT),
    ignored("--stderr-file", NO_OUTPUT),
    ignored("--metadata", "a result has a value, and the times that are given"),
    ignored("--invocation-key", "the effect's id says which request is answered"),
    VERBOSE,
)
