"""``cancel`` and ``halt``: a person gives an effect or a run up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from babysitter.approvals.permits import demand
from babysitter.approvals.place import person
from babysitter.cli.iterating import EXIT_CODES, tell
from babysitter.cli.options import complete_effect, json_option, opened, run_argument, runs_dir_option
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import line
from babysitter.engine.state import SUBPROCESS
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

if TYPE_CHECKING:
    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

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

    Of a run that an agent's session works on, a person has to permit it.
    """
    found = opened(run, runs_dir)
    if effect is not None:
        return _cancel_effect(found, find_effect(found, effect), reason or "", as_json)
    # First, so that nobody is asked for nothing.
    check_going_on(found)
    for each in _to_be_permitted(found):
        demand(each, "cancel", {"run": each.run_id})
    cancel_run(found, by=person(), reason=reason or NO_REASON)
    iteration = iterate_run(found)
    tell(iteration, as_json)
    # That it is halted now is what was wanted.
    return 0 if iteration.status == "halted" else EXIT_CODES.get(iteration.status, 0)


def _cancel_effect(run: Run, effect: Effect, why: str, wants_json: bool) -> int:
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
    permit it.
    """
    found = opened(run, runs_dir)
    for each in _to_be_permitted(found):
        demand(each, "halt")
    halt_run(found, by=person(), reason=reason or NO_REASON)
    if as_json:
        print_json({"run": found.run_id, "status": found.state.status, "reason": reason or NO_REASON})
    else:
        line(f"run {found.run_id}: halted")
    return 0


commands = {"cancel": cancel, "halt": halt}
