"""Breakpoints that the policy of a run answers: nobody is asked, and the journal says so."""

from __future__ import annotations

from babysitter.engine.breakpoints import Asked
from babysitter.runs.answering import decide
from babysitter.runs.assurance import POLICY, minimum_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.runs.results import Answer
    from babysitter.runs.run import Run


def answers(run: Run) -> list[Answer]:
    """Yes to every open breakpoint that demands nothing, with its first option; none without a policy."""
    if not run.state.answers_by_policy:
        return []
    found = []
    for effect in run.state.pending.values():
        if effect.kind == "breakpoint":
            definition = run.definition_of(effect)
            # What a run may spend is no question that the one who has it spend can answer beforehand.
            if minimum_of(definition) is None and not Asked(definition).is_budget:
                options = definition["breakpoint"].get("options") or [None]
                first = None if options[0] is None else str(options[0])
                found.append(decide(run, effect, True, by=POLICY, assurance=POLICY, option=first))
    return found
