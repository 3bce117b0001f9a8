"""End an effect or a run from outside: a person gives it up."""

from __future__ import annotations

from babysitter.engine.state import BY_PERSON, CANCELLED
from babysitter.errors import AlreadyResolved, EffectCancelled, HeadMoved, RunBusy, RunExists, RunFinished
from babysitter.runs.run import MOST_LOST_RACES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

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
        return [("EFFECT_CANCELLED", told)]

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


def cancel_run(run: Run, *, by: str, reason: str, evidence: dict[str, Any] | None = None) -> bool:
    """Have a run end: its branches are cancelled, its cleanups performed, then it is halted.

    This only records that it is wanted; the next iteration does it. False: that was so already.

    Raises:
        RunFinished: it has ended.
        RunBusy, StorageError
    """

    def decide() -> list[Draft]:
        told = {"by": by, "reason": reason, **({"evidence": evidence} if evidence else {})}
        return [] if run.state.is_cancelled else [("RUN_CANCELLED", told)]

    return _decide(run, decide)


def halt_run(run: Run, *, by: str, reason: str) -> None:
    """End a run at once, wherever it is, and its children; nothing more is performed, no cleanup either.

    Raises:
        RunFinished: it has ended.
        RunBusy, JournalError, StorageError
    """
    # First, so that a kill in between leaves a run that can be halted once more.
    _halt_children(run, by=by, reason=reason)
    _decide(run, lambda: [("RUN_HALTED", {"reason": reason, "by": by, "isAtOnce": True})])
    _halt_children(run, by=by, reason=reason)


def _halt_children(run: Run, *, by: str, reason: str) -> None:
    if not run.state.children:
        return
    from babysitter.runs.children import living_child

    for effect in run.state.children.values():
        try:
            child = living_child(run, effect)
            if child is not None:
                halt_run(child, by=by, reason=reason)
        except (RunExists, RunFinished):
            # No child of this run, or it has ended by itself just now.
            continue


def _decide(run: Run, decide: Callable[[], list[Draft]]) -> bool:
    """Append what is decided on the newest state; whether there was anything to append."""
    for _ in range(MOST_LOST_RACES):
        check_going_on(run)
        batch = decide()
        try:
            if batch:
                run.append(batch)
            else:
                run.journal.flush()
        except HeadMoved:
            run.refresh()
            continue
        return bool(batch)
    raise RunBusy(f"run {run.run_id!r} is written by others all the time", hint="try again in a moment")
