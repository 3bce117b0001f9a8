"""What was decided at the breakpoints of a run, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.engine.state import OK
from babysitter.errors import BabysitterError

if TYPE_CHECKING:
    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run


def decision_json(run: Run, effect: Effect) -> dict[str, Any]:
    """What was decided, of a breakpoint that is."""
    if effect.kind != "breakpoint" or effect.status != OK:
        return {}
    from babysitter.views.decisions import decision_of

    try:
        decision = decision_of(run.value_of(effect))
    except BabysitterError:
        # Its file is damaged or gone, which is no reason to show nothing of the others.
        return {}
    return {"decision": decision} if decision else {}


def decisions_json(run: Run) -> dict[str, Any]:
    """How many breakpoints were decided with yes, and with no, of those that count."""
    counts: dict[str, int] = {}
    for effect in run.state.effects.values():
        decision = {} if effect.is_superseded else decision_json(run, effect).get("decision")
        if decision:
            word = "approved" if decision["approved"] else "rejected"
            counts[word] = counts.get(word, 0) + 1
    return {"decisions": counts} if counts else {}
