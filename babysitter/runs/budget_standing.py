"""How a run stands to its budgets, to be shown."""

from __future__ import annotations

from babysitter.budget import EFFECTS, ITERATIONS, MONEY, USED, WALL
from babysitter.engine.budget_gate import Gate
from babysitter.runs.budget_questions import open_questions
from babysitter.runs.spending import owners, spending_of
from babysitter.usage import DEFAULT_CURRENCY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.ledger import Ledger
    from babysitter.engine.meter import Meter
    from babysitter.runs.run import Run


def standing_of(run: Run) -> dict[str, Any]:
    """Every amount that a run is under, its own first, with what is spent of it, and by how many at work.

    Raises:
        JournalError, UnsafePath, StorageError
    """
    amounts = [amount for owner in owners(run) for amount in _amounts(owner)]
    meter = run.state.meter
    questions = [effect.id for effect in open_questions(run)]
    return {
        "run": run.run_id,
        "amounts": amounts,
        "reached": "ask" if meter is None else meter.budget.get("reached", "ask"),
        "child": {} if meter is None else meter.budget.get("child", {}),
        "estimate": {} if meter is None else meter.estimate,
        "currency": DEFAULT_CURRENCY if meter is None else meter.ledger.currency,
        "isRefused": meter is not None and meter.is_refused,
        "asking": questions[0] if questions else None,
    }


def _amounts(owner: Run) -> list[dict[str, Any]]:
    meter = owner.state.meter
    assert meter is not None
    ledger, ended = spending_of(owner).ledger(), owner.state.ended_ms
    gate = Gate(meter, ledger, ended if owner.state.is_finished else owner.now_ms())
    return [_amount(owner, meter, ledger, gate, *limit) for limit in meter.limits()]


def _amount(
    owner: Run, meter: Meter, ledger: Ledger, gate: Gate, scope: str, what: str, limit: float
) -> dict[str, Any]:
    tally = ledger.of(scope)
    told: dict[str, Any] = {"run": owner.run_id, "task": scope or None, "what": what, "limit": limit}
    if what == MONEY:
        told["currency"] = ledger.currency
    if what in USED:
        unknown = tally.unknown[what] + tally.given_up[what]
        told |= {"spent": gate.spent(scope, what), "unknown": unknown, "running": tally.running}
    elif what == WALL:
        told["spent"] = gate.seconds
    elif what == ITERATIONS:
        told["spent"] = meter.rounds
    elif what == EFFECTS:
        told["spent"] = tally.effects
    return told
