"""End an effect or a run from outside: a person gives it up."""

from __future__ import annotations

from babysitter.engine.state import BY_PERSON, CANCELLED
from babysitter.errors import AlreadyResolved, EffectCancelled, RunExists, RunFinished
from babysitter.runs.begun import all_begun, begun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from babysitter.engine.state import Effect
    from babysitter.runs.drafts import Draft
    from babysitter.runs.run import Run


def cancel_effect(run: Run, effect: Effect, *, by: str, why: str = "") -> None:
    """Cancel a pending effect: its process sees ``TaskCancelled``, whoever performs it is told to end.

    Raises:
        AlreadyResolved, EffectCancelled, RunFinished: there is nothing left to cancel.
        RunBusy, StorageError
    """

    def decide() -> list[Draft]:
        check_pending(run, effect)
        told = {"effectId": effect.id, "reason": BY_PERSON, "by": by, **({"why": why} if why else {})}
        return [("EFFECT_CANCELLED", {**told, **begun(run, effect)})]

    _decide(run, decide)


def check_pending(run: Run, effect: Effect) -> None:
    """Refuse an effect that is over; the event that says so is durable then, whoever wrote it.

    Raises:
        AlreadyResolved, EffectCancelled
        StorageError
    """
    if effect.is_pending:
        return
    run.journal.flush()
    if effect.status == CANCELLED:
        raise EffectCancelled(f"effect {effect.id!r} was cancelled already")
    raise AlreadyResolved(f"effect {effect.id!r} has a result already; the first one stands")


def check_going_on(run: Run) -> None:
    """Refuse a run that has ended; the event that says so is durable then, whoever wrote it.

    Raises:
        RunFinished
        StorageError
    """
    if run.state.is_finished:
        run.journal.flush()
        raise RunFinished(f"run {run.run_id!r} has {run.state.status}; it takes no more events")


def check_awaited(run: Run) -> None:
    """Refuse a run that has ended, or that a run above it has not waited for: nothing of it is to be begun.

    Raises:
        RunFinished
        JournalError, UnsafePath, StorageError
    """
    check_going_on(run)
    if "parent" not in run.state.created:
        return
    from babysitter.runs.above import ended_above

    above = ended_above(run)
    if above is not None:
        raise RunFinished(
            f"run {run.run_id!r} belongs to run {above.run_id!r}, which has {above.state.status}",
            hint=f"babysitter halt {above.run_id} ends what is left below it",
        )


def cancel_run(run: Run, *, by: str, reason: str) -> bool:
    """Have a run end: its branches are cancelled, its cleanups performed, then it is halted.

    This only records that it is wanted; the next iteration does it. False: that was so already.

    Raises:
        RunFinished: it has ended.
        RunBusy, StorageError
    """

    def decide() -> list[Draft]:
        return [] if run.state.is_cancelled else [("RUN_CANCELLED", {"by": by, "reason": reason})]

    return _decide(run, decide)


def halt_run(run: Run, *, by: str, reason: str) -> None:
    """End a run at once, wherever it is, and its children; nothing more is performed, no cleanup either.

    Of a run that has ended, what was left of its children is ended.

    Raises:
        RunFinished: nothing was left.
        RunBusy, JournalError, StorageError
    """
    # First, so that a kill in between leaves a run that can be halted once more.
    had_children = _halt_below(run, by=by, reason=reason)
    if run.state.is_finished and had_children:
        return
    told = {"reason": reason, "by": by, "isAtOnce": True}
    _decide(run, lambda: [("RUN_HALTED", {**told, **all_begun(run)})])
    # Whoever has made one since either finds the run halted or is found here.
    _halt_below(run, by=by, reason=reason)


def _halt_below(run: Run, *, by: str, reason: str) -> bool:
    """Whether there was anything to halt."""
    was_there = False
    for each in living(run) if run.state.children else ():
        if each is run:
            continue
        try:
            halt_run(each, by=by, reason=reason)
        except RunFinished:
            # It has ended by itself just now.
            continue
        was_there = True
    return was_there


def living(run: Run) -> Iterator[Run]:
    """A run and all below it, as far as they have not ended, each after those below it.

    Those below one that was halted are among them: whoever halted that may have been killed at it.

    Raises:
        JournalError, UnsafePath, StorageError
    """
    from babysitter.runs.children import find_child

    for effect in list(run.state.children.values()):
        try:
            child = find_child(run, effect)
        except RunExists:
            # No child of this run; whoever goes on with it says so.
            continue
        if child is not None:
            yield from living(child)
    if not run.state.is_finished:
        yield run


def _decide(run: Run, decide: Callable[[], list[Draft]]) -> bool:
    """Append what is decided, if the run is still going on; whether there was anything to append."""

    def decided() -> tuple[bool, list[Draft]]:
        check_going_on(run)
        batch = decide()
        return bool(batch), batch

    return run.append_decided(decided)
