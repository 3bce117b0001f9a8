"""Budgets kept: an effect is asked for only when every budget that it is under allows for it.

What is not allowed yet stays asked for by the process and is not in the journal, so a replay does not
notice. When nothing that is at work can change that any more, a person is asked for more, once, in the
journal of the run whose budget it is; or that run is given up.
"""

from __future__ import annotations

from babysitter.budget import is_asking, shown
from babysitter.clock import iso
from babysitter.engine.budget_gate import Gate
from babysitter.engine.meter import OWN_STEP
from babysitter.engine.state import ABANDONED
from babysitter.ids import effect_id, sha256_hex
from babysitter.jsontext import canonical
from babysitter.runs.spending import Spending, owners
from babysitter.runs.stopping import cancel_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.budget_gate import Reached
    from babysitter.engine.meter import Meter
    from babysitter.engine.state import Effect
    from babysitter.runs.drafts import Described, Draft
    from babysitter.runs.run import Run

BY_BUDGET = "budget"
TITLE = "The budget is used up"


class Budgets:
    """The budgets that one run is under: its own, and those of the runs above it.

    Attributes:
        held: how many requests they hold back.
    """

    def __init__(self, run: Run) -> None:
        self.held = 0
        self._run = run
        self._spending: dict[str, Spending] = {}

    def admit(self, described: list[Described]) -> tuple[list[Draft], list[Described], list[Draft]]:
        """The requests that may be made now, with what else was described; what goes before and after them.

        Raises:
            JournalError: what is spent cannot be read.
            RunBusy, UnsafePath, StorageError
        """
        gates = [(owner, self._gate(owner)) for owner in owners(self._run)]
        gates = [(owner, gate) for owner, gate in gates if gate.limits_anything]
        kept = [each for each in described if self._may_go(each, [gate for _, gate in gates])]
        self.held = len(described) - len(kept)
        # It ends, so nobody needs to decide any more.
        is_end = any(each[0] != "EFFECT_REQUESTED" for each in kept)
        acts = [draft for owner, gate in gates for draft in self._act(owner, gate)]
        return self._withdrawn() if is_end else [], kept, acts

    def _gate(self, owner: Run) -> Gate:
        if owner.run_id not in self._spending:
            self._spending[owner.run_id] = Spending(owner)
        spending = self._spending[owner.run_id]
        spending.run = owner
        meter = owner.state.meter
        assert meter is not None
        return Gate(meter, spending.ledger(), self._run.now_ms())

    def _may_go(self, described: Described, gates: list[Gate]) -> bool:
        if described[0] != "EFFECT_REQUESTED":
            return True
        task_id, kind = described[1]["taskId"], described[1]["kind"]
        is_cleanup = self._run.state.is_cancelled
        # All of them are asked, so that each knows what it has held back.
        stopping = [gate for gate in gates if gate.stops(task_id, kind, is_cleanup=is_cleanup)]
        if stopping:
            return False
        for gate in gates:
            gate.let_through(task_id, kind)
        return True

    def _act(self, owner: Run, gate: Gate) -> list[Draft]:
        """What follows from an amount that is reached for good; gives what concerns this very run."""
        reached = [each for each in gate.reached.values() if not each.can_change]
        if not reached:
            return []
        if self._run.state.is_cancelled:
            # Not even its cleanup may spend that.
            return [("RUN_HALTED", {"reason": reason_of(reached), "by": BY_BUDGET, "isAtOnce": True})]
        meter = owner.state.meter
        assert meter is not None
        if meter.is_refused or not is_asking(meter.budget):
            return self._give_up(owner, reason_of(reached))
        return self._ask(owner, reached)

    def _give_up(self, owner: Run, reason: str) -> list[Draft]:
        told = {"by": BY_BUDGET, "reason": reason}
        if owner is self._run:
            return [("RUN_CANCELLED", told)]
        if not owner.state.is_finished:
            cancel_run(owner, **told)
        return []

    def _ask(self, owner: Run, reached: list[Reached]) -> list[Draft]:
        if owner is self._run:
            return question(owner, reached)
        owner.append_decided(lambda: (None, [] if owner.state.is_finished else question(owner, reached)))
        return []

    def _withdrawn(self) -> list[Draft]:
        return [
            ("EFFECT_CANCELLED", {"effectId": effect.id, "reason": ABANDONED})
            for effect in open_questions(self._run)
        ]


def open_questions(run: Run) -> list[Effect]:
    """What was asked for a run's budget, and is not answered."""
    return [effect for effect in run.state.pending.values() if effect.step.startswith(OWN_STEP)]


def question(run: Run, reached: list[Reached]) -> list[Draft]:
    """EFFECT_REQUESTED of a breakpoint for more, unless one is open."""
    meter = run.state.meter
    assert meter is not None
    if open_questions(run):
        return []
    step, told = f"{OWN_STEP}{meter.asked + 1}", [_as_json(meter, each) for each in reached]
    asked = {"asks": BY_BUDGET, "question": question_text(reached, told), "reached": told}
    fingerprint = sha256_hex(canonical(asked).encode())
    data = {
        "effectId": effect_id(run.run_id, step, BY_BUDGET, fingerprint, 1, run.state.edit),
        "stepId": step,
        "taskId": BY_BUDGET,
        "kind": "breakpoint",
        "label": TITLE,
        "argsHash": fingerprint,
        "attempt": 1,
        "definition": {"kind": "breakpoint", "title": TITLE, "breakpoint": asked},
    }
    return [("EFFECT_REQUESTED", data)]


def _as_json(meter: Meter, reached: Reached) -> dict[str, Any]:
    told = reached.as_json(meter.limit(reached.scope, reached.what))
    dearest = meter.ledger.whole.most.get(reached.what)
    return {**told, "suggested": dearest} if reached.is_unknown and dearest else told


def question_text(reached: list[Reached], told: list[dict[str, Any]]) -> str:
    """What a person is asked, and what a yes means."""
    lines = []
    for each, more in zip(reached, told, strict=True):
        of = f" of task {each.scope!r}" if each.scope else ""
        spent, limit = shown(each.what, each.spent), shown(each.what, each.limit)
        if each.is_unknown:
            lines.append(
                f"Results{of} do not say how many {each.what} they took, so the budget of {limit} cannot be"
                f" kept. With a yes each of them counts as {_suggestion(more)}."
            )
        else:
            lines.append(
                f"The budget{of} of {limit} does not allow for more: {spent} are spent."
                f" A yes adds {shown(each.what, more['limit'])}."
            )
    lines.append("Another amount is said with it: yes 500k, or --response 'tokens=500k, money=2'.")
    lines.append("A no ends the run.")
    return "\n".join(lines)


def _suggestion(told: dict[str, Any]) -> str:
    if "suggested" in told:
        return f"the dearest so far, {shown(told['what'], told['suggested'])}"
    return f"what you say with it: --response {told['what']}=N"


def reason_of(reached: list[Reached]) -> str:
    """Why a run is given up."""
    parts = []
    for each in reached:
        of = f" of task {each.scope!r}" if each.scope else ""
        limit = shown(each.what, each.limit)
        if each.is_unknown:
            parts.append(f"the budget{of} of {limit} cannot be kept, results do not say what they took")
        else:
            parts.append(f"the budget{of} of {limit} is used up: {shown(each.what, each.spent)}")
    return "; ".join(parts)


def changed(run: Run, budget: dict[str, Any], by: str, evidence: dict[str, Any] | None) -> list[Draft]:
    """BUDGET_CHANGED, and an open question for more withdrawn: whether more is needed is seen anew."""
    told = {
        "budget": budget,
        "by": by,
        **({"evidence": evidence} if evidence else {}),
        "at": iso(run.now_ms()),
    }
    withdrawn: list[Draft] = [
        ("EFFECT_CANCELLED", {"effectId": effect.id, "reason": ABANDONED}) for effect in open_questions(run)
    ]
    return [*withdrawn, ("BUDGET_CHANGED", told)]
