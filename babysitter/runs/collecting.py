"""Answers that are kept beside others until they decide: which of them count, and what is written of each."""

from __future__ import annotations

from babysitter.clock import ms_of
from babysitter.engine.breakpoints import Asked
from babysitter.engine.decisions import decision, experts_heard
from babysitter.errors import AlreadyResolved
from babysitter.jsontext import canonical
from babysitter.runs.assurance import PEOPLE
from babysitter.runs.results import ALREADY, RECORDED
from babysitter.runs.settling import sorted_out
from babysitter.runs.sleeping import deadline_of_breakpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from babysitter.engine.decisions import GivenAnswer
    from babysitter.engine.state import Effect
    from babysitter.runs.drafts import Draft
    from babysitter.runs.results import Answer
    from babysitter.runs.run import Run

WORDS = ("response", "feedback", "option")
# Of the evidence what stands in the event by itself.
OWN = ("assurance", "shown", "files", "experts")


def is_of_person(answer: Answer) -> bool:
    """It is what somebody has said, and neither a policy nor a decision that is known already."""
    evidence = answer.evidence or {}
    return answer.status == "ok" and evidence.get("assurance") in PEOPLE and "answers" not in evidence


def is_collected(run: Run, effect: Effect, answer: Answer) -> bool:
    """The answer is kept beside others, and decided about later."""
    return is_of_person(answer) and Asked(run.definition_of(effect)).is_collecting


def check_in_time(run: Run, effect: Effect, answer: Answer) -> None:
    """A person answers before the deadline, or not at all.

    Raises:
        AlreadyResolved
    """
    at_ms = deadline_of_breakpoint(run, effect)
    if at_ms is not None and run.now_ms() >= at_ms and is_of_person(answer):
        raise AlreadyResolved(
            f"the time to answer {effect.id!r} is over", hint=f"babysitter iterate {run.run_id}"
        )


def is_among(value: Any, answer: Answer) -> bool:
    """What was decided rests on this very answer, among others."""
    told = value.get("allResponses") if isinstance(value, dict) else None
    if not isinstance(told, list) or not is_of_person(answer):
        return False
    return canonical(answer.value["allResponses"][0]) in map(canonical, told)


def collected(run: Run, effect: Effect, answer: Answer) -> tuple[str, list[Draft]]:
    """What becomes of an answer beside those that are there, and the events that record it.

    Those that count no more stand in nobody's way, and are voided then.

    Raises:
        AlreadyResolved: the same person has said something else, it is decided, or it is too late.
    """
    asked = Asked(run.definition_of(effect))
    counting, voids = sorted_out(run, effect)
    own = _own(effect, counting, answer)
    if own is not None:
        if canonical(own.as_response()) == canonical(answer.value["allResponses"][0]):
            return ALREADY, []
        raise _first_stands(effect, own.by)
    check_in_time(run, effect, answer)
    if decision(asked, counting) is not None:
        raise AlreadyResolved(
            f"{effect.id!r} has been answered, and is decided when the run goes on",
            hint=f"babysitter iterate {run.run_id}",
        )
    return RECORDED, [*voids, _answered(run, effect, answer, asked)]


def _own(effect: Effect, counting: Sequence[GivenAnswer], answer: Answer) -> GivenAnswer | None:
    """The one that this person has given before.

    Raises:
        AlreadyResolved: somebody else has, for every expert that this one would speak for.
    """
    evidence = answer.evidence or {}
    by, experts = answer.value["respondedBy"], evidence.get("experts")
    for each in counting:
        if each.is_of(by, evidence.get("fingerprint")):
            return each
    if experts and experts_heard(counting).issuperset(experts):
        raise _first_stands(effect, ", ".join(experts))
    return None


def _first_stands(effect: Effect, who: str) -> AlreadyResolved:
    return AlreadyResolved(f"{who!r} has answered {effect.id!r} already; the first answer stands")


def _answered(run: Run, effect: Effect, answer: Answer, asked: Asked) -> Draft:
    """BREAKPOINT_ANSWERED."""
    evidence = dict(answer.evidence or {})
    data: dict[str, Any] = {"effectId": effect.id, "approved": answer.value["approved"]}
    data |= {name: answer.value[name] for name in WORDS if answer.value[name] is not None}
    data["respondedBy"] = answer.value["respondedBy"]
    data |= {name: evidence.pop(name) for name in OWN if name in evidence}
    if asked.expires is not None:
        # From when it was signed, for that is what can be verified.
        given_ms = ms_of(evidence["at"]) if "at" in evidence else run.now_ms()
        data["untilMs"] = asked.until_ms(given_ms)
    return "BREAKPOINT_ANSWERED", {**data, "evidence": evidence}
