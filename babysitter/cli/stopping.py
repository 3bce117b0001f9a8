"""``cancel`` and ``halt``: a person gives an effect or a run up."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

from babysitter.approvals.permits import demand
from babysitter.approvals.place import person
from babysitter.cli.iterating import EXIT_CODES, tell
from babysitter.cli.options import complete_effect, json_option, opened, run_argument, runs_dir_option
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import line
from babysitter.engine.state import CONTINUED, SUBPROCESS
from babysitter.errors import RunBusy, RunFinished
from babysitter.runs.children import living_child
from babysitter.runs.iterate import iterate as iterate_run
from babysitter.runs.results import find_effect
from babysitter.runs.stopping import (
    cancel_effect,
    cancel_run,
    check_going_on,
    check_pending,
    halt_run,
    living,
)
from babysitter.runs.succession import newest, newest_there

if TYPE_CHECKING:
    from collections.abc import Callable

    from babysitter.runs.run import Run

T = TypeVar("T")
# So often a run may go on as another while this is about to end it.
MOST_CONTINUED = 100
NO_REASON = "given up by a person"
reason_option = click.option("--reason", metavar="TEXT", help="Why; kept in the journal.")


@click.command(
    epilog="""\b
Example:
  babysitter cancel release-1-2-0 --reason 'not this week'
  babysitter cancel release-1-2-0 4f9k2m --json"""
)
@run_argument(required=True)
@click.argument("effect", required=False, shell_complete=complete_effect)
@reason_option
@runs_dir_option
@json_option
def cancel(run: str, effect: str | None, reason: str | None, runs_dir: str | None, as_json: bool) -> int:
    """Give RUN up, or one EFFECT of it.

    A run that is given up cancels what is pending, cleans up, and is halted; what its cleanup still
    needs is printed. Of a cancelled effect the process sees TaskCancelled, which it can catch.

    Of a run that an agent's session works on, a person has to permit it. A run that was continued as
    new is the one in which it goes on.
    """
    found = opened(run, runs_dir)
    if effect is not None:
        return _cancel_effect(found, effect, reason or "", as_json)
    iteration = iterate_run(_of_the_newest(found, lambda each: _give_up(each, reason or NO_REASON)))
    tell(iteration, as_json)
    # That it is halted now is what was wanted.
    return 0 if iteration.status == "halted" else EXIT_CODES.get(iteration.status, 0)


def _give_up(run: Run, reason: str) -> Run:
    # First, so that nobody is asked for nothing.
    check_going_on(run)
    for each in _to_be_permitted(run):
        demand(each, "cancel", {"run": each.run_id})
    cancel_run(run, by=person(), reason=reason)
    return run


def _of_the_newest(run: Run, end: Callable[[Run], T]) -> T:
    """Do something with the run in which a run goes on by now, whatever it is called by.

    That changes all the time when it does little before it is continued.
    """
    for _ in range(MOST_CONTINUED):
        run = newest(run)
        try:
            return end(run)
        except RunFinished:
            if run.state.status != CONTINUED:
                raise
    raise RunBusy(f"run {run.run_id!r} goes on as another one all the time", hint="try again in a moment")


def _cancel_effect(named: Run, name: str, why: str, wants_json: bool) -> int:
    # What is its own is over when it has gone on as another, and that is what is to be said.
    run = named if name in named.state.effects else newest_there(named)
    effect = find_effect(run, name)
    # First, so that nobody is asked for nothing.
    check_pending(run, effect)
    demand(run, "cancel", {"effect": effect.id})
    child = living_child(run, effect) if effect.kind == SUBPROCESS and not run.is_guarded else None
    for each in living(child) if child else ():
        demand(each, "cancel", {"run": each.run_id})
    cancel_effect(run, effect, by=person(), why=why)
    if wants_json:
        print_json({"run": run.run_id, "effect": effect.id, "status": "cancelled"})
    else:
        line(f"{effect.id}: cancelled; its process is told at the next iteration")
    return 0


def _to_be_permitted(run: Run) -> list[Run]:
    """The runs that a person has to permit this of: RUN, or, where that is free, those that end with it.

    A session may have come to one of its children alone, or the run has ended before them.
    """
    return [run] if run.is_guarded and not run.state.is_finished else list(living(run))


@click.command(
    epilog="""\b
Example:
  babysitter halt release-1-2-0 --reason 'the server is on fire'"""
)
@run_argument(required=True)
@reason_option
@runs_dir_option
@json_option
def halt(run: str, reason: str | None, runs_dir: str | None, as_json: bool) -> int:
    """End RUN at once: nothing more of it is performed, its cleanup neither.

    `babysitter cancel` lets it clean up. Of a run that an agent's session works on, a person has to
    permit it. A run that was continued as new is the one in which it goes on.
    """
    ended = _of_the_newest(opened(run, runs_dir), lambda each: _halt(each, reason or NO_REASON))
    if as_json:
        print_json({"run": ended.run_id, "status": ended.state.status, "reason": reason or NO_REASON})
    else:
        line(f"run {ended.run_id}: halted")
    return 0


def _halt(run: Run, reason: str) -> Run:
    for each in _to_be_permitted(run):
        demand(each, "halt")
    halt_run(run, by=person(), reason=reason)
    return run


commands = {"cancel": cancel, "halt": halt}
