"""One iteration: the sleeps that are due, a replay, one batch of requests, and leave."""

from __future__ import annotations

from babysitter.errors import EditNeedsPerson
from babysitter.runs.execution import Execution
from babysitter.runs.sleeping import wake_sleepers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.state import Effect, RunState
    from babysitter.errors import ReplayError
    from babysitter.runs.run import Run

DIVERGED_HINT = (
    "the edited process no longer fits what this run has done: undo that part of the edit, or look at what"
    " `babysitter check` says, and go on with `babysitter iterate --accept-edit redo`"
)


class Iteration:
    """What one iteration did.

    Attributes:
        status: of the run afterwards; ``diverged`` when a changed process no longer fits its journal.
        new: effects requested by this iteration.
        diverged: where it stopped fitting.
    """

    __slots__ = ("diverged", "new", "run", "status")

    def __init__(self, run: Run, new: list[Effect], diverged: ReplayError | None) -> None:
        self.run = run
        self.new = new
        self.diverged = diverged
        self.status: str = "diverged" if diverged else run.state.status


def iterate(run: Run) -> Iteration:
    """Bring a loaded run one step on; of a finished run nothing is written.

    Raises:
        NondeterminismError: the unchanged process asks for something else than its journal has.
        JournalError, StorageError, RunBusy
    """
    wake_sleepers(run)
    if run.state.is_finished:
        run.journal.flush()
        return Iteration(run, [], None)
    if run.observer is not None:
        run.observer.iteration_begins()
    execution = Execution(run)
    execution.start()
    events = execution.write_round()
    while _answer_by_policy(run, execution):
        execution.follow()
        events += execution.write_round()
    new = requested_in(run.state, events)
    if run.state.answers_by_policy:
        new = [effect for effect in new if effect.is_pending]
    iteration = Iteration(run, new, execution.diverged)
    if run.observer is not None:
        run.observer.iteration_ended(iteration.status, new)
    return iteration


def divergence_hint(diverged: ReplayError) -> str:
    """What to do about a changed process that does not fit its journal."""
    return diverged.hint if isinstance(diverged, EditNeedsPerson) else DIVERGED_HINT


def _answer_by_policy(run: Run, execution: Execution) -> bool:
    """Answer what the run's policy answers; whether there was anything."""
    if not run.state.answers_by_policy or run.state.is_finished or execution.diverged is not None:
        return False
    from babysitter.runs.policy import answers
    from babysitter.runs.results import RECORDED, accept

    answered = answers(run)
    return bool(answered) and any(verdict.status == RECORDED for verdict in accept(run, answered))


def requested_in(state: RunState, events: list[Any]) -> list[Effect]:
    """The effects that events requested."""
    return [state.effects[event.data["effectId"]] for event in events if event.type == "EFFECT_REQUESTED"]
