"""Breakpoints that collect answers: which of them still count, and what they come to.

Decided when the run goes on, and not when the answer is given: a yes counts only
while it has not expired, and the files that it was given on are what they were.
"""

from __future__ import annotations

from babysitter.clock import iso
from babysitter.engine.breakpoints import Asked
from babysitter.engine.decisions import at_deadline, decision
from babysitter.runs import context_files, drafts
from babysitter.runs.assurance import weakest_of
from babysitter.runs.results import PERSON

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from babysitter.engine.decisions import GivenAnswer
    from babysitter.engine.state import Effect
    from babysitter.runs.drafts import Draft
    from babysitter.runs.run import Run

EXPIRED = "expired"


def is_decided(run: Run, effect: Effect) -> bool:
    """Its answers decide it, as soon as the run goes on; nobody has to be asked any more.

    Raises:
        UnsafePath, StorageError: a file that is shown cannot be read.
    """
    if not run.state.answers.get(effect.id):
        return False
    counting, _ = sorted_out(run, effect)
    return decision(Asked(run.definition_of(effect)), counting) is not None


def stamp(run: Run) -> tuple[Any, ...]:
    """Changes whenever there can be something to settle anew, without reading any file.

    A file that was written anew in the same instant, at the same length, is found when something is decided.
    """
    now = run.now_ms()
    answers = [answer for given in run.state.answers.values() for answer in given if answer.approved]
    expired = sum(answer.until_ms is not None and now >= answer.until_ms for answer in answers)
    paths = sorted({file["path"] for answer in answers for file in answer.data.get("files") or ()})
    return run.state.last_seq, expired, *(context_files.stamp(run, path) for path in paths)


def settle(run: Run) -> None:
    """Record which answers no longer count, and decide what can be decided.

    Raises:
        RunBusy, JournalError, StorageError
    """
    if run.state.answers and not run.state.is_finished:
        run.append_decided(lambda: (None, _settled(run)))


def _settled(run: Run) -> list[Draft]:
    if run.state.is_finished:
        return []
    waiting = [run.state.pending[effect_id] for effect_id in run.state.answers]
    return [draft for effect in waiting for draft in _settle(run, effect)]


def _settle(run: Run, effect: Effect) -> list[Draft]:
    counting, voids = sorted_out(run, effect)
    value = decision(Asked(run.definition_of(effect)), counting)
    return voids if value is None else [*voids, decided(run, effect, value, counting)]


def sorted_out(run: Run, effect: Effect) -> tuple[list[GivenAnswer], list[Draft]]:
    """The answers to a breakpoint that count at this moment, and an event for each that does not."""
    answers = run.state.answers.get(effect.id, [])
    voided = {answer.seq: reason for answer in answers if (reason := _why_void(run, answer))}
    voids: list[Draft] = [
        ("ANSWER_VOIDED", {"effectId": effect.id, "answer": seq, "reason": reason})
        for seq, reason in voided.items()
    ]
    return [answer for answer in answers if answer.seq not in voided], voids


def _why_void(run: Run, answer: GivenAnswer) -> str:
    """Why a yes no longer counts; a no, on whatever it was said, stops nothing that may not be stopped."""
    if not answer.approved:
        return ""
    if answer.until_ms is not None and run.now_ms() >= answer.until_ms:
        return EXPIRED
    files: list[dict[str, Any]] = answer.data.get("files") or []
    changed = context_files.changed(files, context_files.present(run, files))
    return f"changed: {', '.join(changed)}" if changed else ""


def undecided_in_time(run: Run, effect: Effect, at_ms: int) -> list[Draft]:
    """What ends a breakpoint whose time is over: its default, unless the answers decide it."""
    counting, voids = sorted_out(run, effect)
    value = at_deadline(Asked(run.definition_of(effect)), counting)
    return [*voids, decided(run, effect, value, counting, executor="clock", at=iso(at_ms))]


def decided(
    run: Run,
    effect: Effect,
    value: dict[str, Any],
    answers: Sequence[GivenAnswer],
    *,
    executor: str = PERSON,
    at: str | None = None,
) -> Draft:
    """EFFECT_RESOLVED of a breakpoint: the evidence is the answers, as weak as the weakest of them."""
    evidence: dict[str, Any] = {"answers": [answer.seq for answer in answers]}
    if answers:
        evidence["assurance"] = weakest_of(str(answer.data["assurance"]) for answer in answers)
    return drafts.resolved(
        run,
        effect.id,
        "ok",
        value,
        None,
        executor=executor,
        finished_at=at or iso(run.now_ms()),
        evidence=evidence,
    )
