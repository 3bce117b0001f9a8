"""What a person is asked when a budget is used up, and what a run says that is given up for it."""

from __future__ import annotations

from babysitter.budget import BY_BUDGET, shown
from babysitter.engine.meter import OWN_STEP
from babysitter.engine.state import ABANDONED
from babysitter.ids import effect_id, sha256_hex
from babysitter.jsontext import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.budget_gate import Reached
    from babysitter.engine.state import Effect
    from babysitter.runs.drafts import Draft
    from babysitter.runs.run import Run

USED_UP, UNKNOWN = "The budget is used up", "What results took is not known"


def open_questions(run: Run) -> list[Effect]:
    """What was asked for a run's budget, and is not answered."""
    return [effect for effect in run.state.pending.values() if effect.step.startswith(OWN_STEP)]


def withdrawn(run: Run) -> list[Draft]:
    """EFFECT_CANCELLED of what was asked for a run's budget."""
    return [
        ("EFFECT_CANCELLED", {"effectId": effect.id, "reason": ABANDONED}) for effect in open_questions(run)
    ]


def question(run: Run, reached: list[Reached]) -> list[Draft]:
    """EFFECT_REQUESTED of a breakpoint for more, unless one is open."""
    meter = run.state.meter
    assert meter is not None
    if open_questions(run):
        return []
    step = f"{OWN_STEP}{meter.asked + 1}"
    title = UNKNOWN if all(each.is_unknown for each in reached) else USED_UP
    told = [each.as_json(meter.limit(each.scope, each.what)) for each in reached]
    asked = {"asks": BY_BUDGET, "question": question_text(reached, told), "reached": told}
    fingerprint = sha256_hex(canonical(asked).encode())
    data = {
        "effectId": effect_id(run.run_id, step, BY_BUDGET, fingerprint, 1, run.state.edit),
        "stepId": step,
        "taskId": BY_BUDGET,
        "kind": "breakpoint",
        "label": title,
        "argsHash": fingerprint,
        "attempt": 1,
        "definition": {"kind": "breakpoint", "title": title, "breakpoint": asked},
    }
    return [("EFFECT_REQUESTED", data)]


def question_text(reached: list[Reached], told: list[dict[str, Any]]) -> str:
    """What a person is asked, and what a yes means."""
    lines = [_line(each, more) for each, more in zip(reached, told, strict=True)]
    lines.append(f"Another amount is said with it: {_ways_to_say(reached)}.")
    lines.append("A no ends the run.")
    return "\n".join(lines)


def _line(each: Reached, more: dict[str, Any]) -> str:
    of, limit = _of(each), shown(each.what, each.limit, each.currency)
    if each.is_unknown:
        return (
            f"Results{of} do not say how {_much(each.what)} they took, so the budget of {limit} cannot be"
            f" kept. With a yes each of them counts as {_suggestion(each, more)}."
        )
    return (
        f"The budget{of} of {limit} does not allow for more; spent so far:"
        f" {shown(each.what, each.spent, each.currency)}."
        f" A yes adds {shown(each.what, more['limit'], each.currency)}."
    )


def _ways_to_say(reached: list[Reached]) -> str:
    """As it is typed in a session, and on a command line."""
    names = list(dict.fromkeys(each.what for each in reached))
    told = ", ".join(f"{name}={EXAMPLES[name]}" for name in names)
    return f"yes {EXAMPLES[names[0]] if len(names) == 1 else told}, or --response '{told}'"


EXAMPLES = {"tokens": "500k", "money": "2", "wall": "1h", "effects": "50", "iterations": "20"}


def _much(what: str) -> str:
    return "much money" if what == "money" else f"many {what}"


def _of(each: Reached) -> str:
    return f" of task {each.scope!r}" if each.scope else ""


def _suggestion(each: Reached, told: dict[str, Any]) -> str:
    if "suggested" in told:
        return f"the dearest so far, {shown(each.what, told['suggested'], each.currency)}"
    return f"what you say with it: --response {each.what}=N"


def reason_of(reached: list[Reached]) -> str:
    """Why a run is given up."""
    return "; ".join(dict.fromkeys(_reason(each) for each in reached))


def _reason(each: Reached) -> str:
    of, limit = _of(each), shown(each.what, each.limit, each.currency)
    if each.is_unknown:
        return f"the budget{of} of {limit} cannot be kept, results do not say what they took"
    return f"the budget{of} of {limit} is used up: {shown(each.what, each.spent, each.currency)}"
