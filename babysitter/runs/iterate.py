"""One iteration: the sleeps that are due, a replay, one batch of requests, and leave.

The children of a run belong to it: each is brought on in the same call, and
what has ended is recorded, until nothing moves any more.
"""

from __future__ import annotations

from babysitter.engine.state import CONTINUED, STUCK
from babysitter.errors import EditNeedsPerson, OtherPython
from babysitter.paths import has_rules
from babysitter.runs.execution import Execution
from babysitter.runs.sleeping import wake_sleepers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from babysitter.engine.state import Effect, RunState
    from babysitter.errors import ReplayError
    from babysitter.runs.policy import Policy
    from babysitter.runs.run import Run

DIVERGED_HINT = (
    "the edited process no longer fits what this run has done: undo that part of the edit; or see"
    " `babysitter check {run}`, then go on with `babysitter iterate {run} --accept-edit redo`"
)
CANCELLED_HINT = (
    "the edited process no longer fits what this run has done, and the run was cancelled: undo that part"
    " of the edit; or end it with `babysitter halt {run}`, or go back: `babysitter rewind {run} --to STEP`"
)
PERMITTED_FIRST = ", which a person permits first: /babysitter:approve edit in the session"
DIVERGED = "diverged"


class Iteration:
    """What one iteration did.

    Attributes:
        run: the one that was brought on; not the one that was named when that was continued as new.
        status: of the run afterwards; ``diverged`` when a changed process no longer fits its journal.
        new: effects requested by this iteration.
        diverged: where it stopped fitting.
        held: how many requests a budget has held back.
        children: the same of the child runs that it brought on and that have not ended.
    """

    __slots__ = ("children", "diverged", "held", "new", "run", "status")

    def __init__(
        self,
        run: Run,
        new: list[Effect],
        diverged: ReplayError | None,
        children: list[Iteration] | None = None,
        held: int = 0,
    ) -> None:
        self.run = run
        self.held = held
        self.new = new
        self.diverged = diverged
        self.children = children or []
        self.status: str = DIVERGED if diverged else run.state.status

    def below(self) -> Iterator[Iteration]:
        """Those of all the runs below it, each after its parent."""
        for child in self.children:
            yield child
            yield from child.below()

    @property
    def blocked(self) -> list[Iteration]:
        """Those below it that go on only when somebody has mended something."""
        return [each for each in self.below() if each.status in (STUCK, DIVERGED)]


def iterate(run: Run) -> Iteration:
    """Bring a loaded run one step on; of a finished run nothing is written.

    Raises:
        NondeterminismError: the unchanged process asks for something else than its journal has.
        InvalidInput, NoSuchProcess: it was continued as new in a way that cannot be.
        CorruptRules: a breakpoint is open, and nobody knows whether it may be answered without asking.
        JournalError, StorageError, RunBusy
    """
    if "parent" in run.state.created:
        from babysitter.runs.children import give_up_if_not_needed, limit_by_above

        limit_by_above(run)
        give_up_if_not_needed(run)
    return bring_on(run)


def bring_on(run: Run) -> Iteration:
    """Iterate a run, and those in which it goes on when it is continued as new."""
    iteration = _iterate(run)
    while iteration.status == CONTINUED:
        from babysitter.runs.children import next_needed

        iteration = _iterate(next_needed(iteration.run))
    return iteration


def _iterate(run: Run) -> Iteration:
    if run.state.answers:
        from babysitter.runs.settling import settle

        settle(run)
    wake_sleepers(run)
    if run.state.is_finished:
        run.journal.flush()
        return Iteration(run, [], None)
    if run.observer is not None:
        run.observer.iteration_begins()
    execution = Execution(run)
    execution.start()
    events = _write_rounds(run, execution)
    children = list[Iteration]()
    if run.state.children and execution.diverged is None:
        from babysitter.runs.upbringing import Upbringing

        upbringing = Upbringing(run)
        while upbringing.move_on() or _has_news(run, execution) or upbringing.try_again():
            execution.follow()
            events += _write_rounds(run, execution)
        children = upbringing.iterations()
    # What a policy answered, or a child that has ended, is new no more.
    new = [effect for effect in requested_in(run.state, events) if effect.is_pending]
    iteration = Iteration(run, new, execution.diverged, children, execution.held)
    if run.observer is not None:
        run.observer.iteration_ended(iteration.status, new)
    return iteration


def _has_news(run: Run, execution: Execution) -> bool:
    """A run below may have reached the budget of this one, and have written that here; or have left some."""
    if run.state.meter is None or run.state.is_finished:
        return False
    known = run.state.last_seq
    run.refresh()
    return run.state.last_seq != known or execution.is_held_too_long


def _write_rounds(run: Run, execution: Execution) -> list[Any]:
    """Write the round, and those that come of answers without asking; gives the events."""
    events = execution.write_round()
    if not (run.state.answers_by_policy or has_rules()):
        return events
    from babysitter.runs.policy import Policy

    policy = Policy(run)
    while _answer_by_policy(policy, run, execution):
        execution.follow()
        events += execution.write_round()
    return events


def divergence_hint(diverged: ReplayError, run: Run) -> str:
    """What to do about a changed process that does not fit its journal."""
    if isinstance(diverged, (EditNeedsPerson, OtherPython)):
        return diverged.hint
    if run.state.is_cancelled:
        return CANCELLED_HINT.format(run=run.run_id)
    needs_permit = run.is_guarded and not any(p["what"] == "edit" for p in run.state.permits)
    return DIVERGED_HINT.format(run=run.run_id) + (PERMITTED_FIRST if needs_permit else "")


def _answer_by_policy(policy: Policy, run: Run, execution: Execution) -> bool:
    """Answer what nobody has to be asked for; whether there was anything."""
    if run.state.is_finished or execution.diverged is not None:
        return False
    from babysitter.runs.results import RECORDED, accept

    answered = policy.answers()
    return bool(answered) and any(verdict.status == RECORDED for verdict in accept(run, answered))


def requested_in(state: RunState, events: list[Any]) -> list[Effect]:
    """The effects that events requested."""
    return [state.effects[event.data["effectId"]] for event in events if event.type == "EFFECT_REQUESTED"]
