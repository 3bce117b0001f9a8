"""Lifecycle hooks of what a command writes: called at its end, or beside its work if it takes long."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.output import complain
from babysitter.executors.hook_calls import Calls
from babysitter.executors.lifecycle import Lifecycle

if TYPE_CHECKING:
    from babysitter.executors.pool import Pool
    from babysitter.runs.run import Run


def watch(run: Run) -> None:
    """Have hooks called for what is written in this run from now on, at the latest when the command ends."""
    context = click.get_current_context(silent=True)
    if context is not None:  # else a shell completes a command line
        calls = Lifecycle(run, Calls(_warn)).calls
        context.call_on_close(lambda: _finish(calls))


def attend(run: Run, pool: Pool, view: Any) -> None:
    """Have the hooks of a run that is watched called beside the work of a pool."""
    assert isinstance(run.observer, Lifecycle)
    run.observer.calls.tell = view.message
    run.observer.calls.attend(pool)


def _finish(calls: Calls) -> None:
    # Whoever waits for the answer has it before hooks take their time.
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    calls.tell = _warn
    # Whoever is tired of waiting for them: the answer is out, and it stands.
    with suppress(KeyboardInterrupt):
        calls.finish()


def _warn(text: str) -> None:
    complain(f"warning: {text}")
