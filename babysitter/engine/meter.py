"""A run's budget as the journal has it, and what of it the run has spent by itself. Pure."""

from __future__ import annotations

from babysitter.budget import RUN, WALL, amounts_of, currency_in, recorded
from babysitter.engine.ledger import Ledger, ledger_of
from babysitter.engine.state import OK, SUBPROCESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from babysitter.engine.state import Effect

# Steps of what babysitter asks by itself; no step of a process begins so.
OWN_STEP = "~budget"


class Meter:
    """A run's budget, and what of it is spent by the run alone.

    Attributes:
        budget: as the journal has it last.
        ledger: of the run's own effects, of its children that have ended, and of where it comes from.
        open: effects that perform child runs of which no result says what they have spent.
        raised: what people have added to amounts, by scope and dimension.
        estimate: what an effect counts as that does not say what it took.
        is_refused: a person was asked for more, and said no.
        asked: how often one was asked.
    """

    def __init__(self, budget: Mapping[str, Any], started_ms: int, carried: Mapping[str, Any] | None) -> None:
        """Take a budget as its event has it.

        Raises:
            ValueError, TypeError, AttributeError, KeyError: it is none.
        """
        self.budget: Mapping[str, Any] = recorded(budget)
        self.ledger = Ledger(currency_in(self.budget))
        self.open: dict[str, Effect] = {}
        self.raised: dict[tuple[str, str], float] = {}
        self.estimate: dict[str, float] = dict(self.budget.get("estimate", {}))
        self.started_ms = started_ms
        self.is_refused = False
        self.asked = 0
        self.rounds = 0
        self._questions: dict[str, list[dict[str, Any]]] = {}
        if carried:
            self._carry(carried)

    def _carry(self, carried: Mapping[str, Any]) -> None:
        self.ledger.add(carried["ledger"])
        self.rounds = carried["rounds"]
        self.started_ms = carried.get("startedMs", self.started_ms)
        self.estimate |= carried.get("estimate", {})
        self.raised = {(scope, what): amount for scope, what, amount in carried.get("raised", ())}

    @property
    def is_asking(self) -> bool:
        """A person is being asked for more."""
        return bool(self._questions)

    def change(self, budget: Mapping[str, Any]) -> None:
        """It gets another budget; a no stands until more is allowed."""
        before, estimate = self.amounts(), self.estimate
        self.budget, self.raised = recorded(budget), {}
        self.estimate = {**estimate, **self.budget.get("estimate", {})}
        self.ledger.currency = currency_in(self.budget)
        is_more = any(limit > before.get(each, limit) for each, limit in self.amounts().items())
        if is_more or self.estimate != estimate:
            self.is_refused = False

    def requested(self, effect: Effect, data: Mapping[str, Any]) -> None:
        if effect.step.startswith(OWN_STEP):
            self.asked += 1
            self._questions[effect.id] = data["definition"]["breakpoint"]["reached"]
            return
        if effect.kind == SUBPROCESS:
            self.open[effect.id] = effect
        self.ledger.requested(effect)

    def ended(self, effect: Effect, data: Mapping[str, Any], at_ms: int) -> None:
        if effect.id in self._questions:
            self._decided(self._questions.pop(effect.id), effect, at_ms)
            return
        spent = (data.get("evidence") or {}).get("spent")
        if effect.kind != SUBPROCESS or effect.is_copied:
            # A copy was paid for by the run that it comes from, which this one carries.
            self.open.pop(effect.id, None)
            self.ledger.ended(effect, has_begun=bool(data.get("begun")))
        elif spent is not None:
            self.open.pop(effect.id, None)
            self.ledger.add(spent)

    def _decided(self, reached: list[dict[str, Any]], effect: Effect, at_ms: int) -> None:
        value = effect.value if isinstance(effect.value, dict) else {}
        if effect.status != OK or value.get("approved") is not True:
            # Given up, it is asked again when that is needed.
            self.is_refused = effect.status == OK
            return
        said = more_of(value.get("response"), reached)
        for each in reached:
            scope, what = each["scope"], each["what"]
            amount = said.get(what, each["limit"])
            if each.get("isUnknown"):
                self.estimate[what] = said.get(what, each.get("suggested", each["limit"]))
            elif what == WALL:
                # From now on: the person may have taken the night to answer.
                passed = max(0, at_ms - self.started_ms) / 1000
                self.raised[scope, what] = passed + amount - self.limit(scope, what)
            else:
                self.raised[scope, what] = self.raised.get((scope, what), 0) + amount

    def limit(self, scope: str, what: str) -> float:
        """An amount as it was given at first; ``scope`` is empty, or the id of a task."""
        limits = self.budget.get("tasks", {}).get(scope, {}) if scope else self.budget.get(RUN, {})
        return limits[what]  # type: ignore[no-any-return]

    def limits(self) -> Iterable[tuple[str, str, float]]:
        """Scope, dimension and amount, with what was added since, of everything that is limited."""
        return [(*each, limit) for each, limit in self.amounts().items()]

    def amounts(self) -> dict[tuple[str, str], float]:
        """The same, by scope and dimension."""
        scopes = {"": self.budget.get(RUN, {}), **self.budget.get("tasks", {})}
        return {
            (scope, what): limit + self.raised.get((scope, what), 0)
            for scope, limits in scopes.items()
            for what, limit in limits.items()
        }


def meter_of(budget: Mapping[str, Any], started_ms: int, rounds: int, effects: Iterable[Effect]) -> Meter:
    """The meter of a run that gets a budget when it has begun already."""
    meter = Meter(budget, started_ms, None)
    known = list(effects)
    meter.ledger, meter.rounds = ledger_of(known, meter.ledger.currency), rounds
    meter.open = {effect.id: effect for effect in known if effect.kind == SUBPROCESS and not effect.is_copied}
    return meter


def more_of(response: Any, reached: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """How much more a person has said: ``500k``, where one amount is reached, or ``tokens=500k, money=2``."""
    try:
        return read_more(response, reached)
    except ValueError:
        return {}


def read_more(response: Any, reached: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The same.

    Raises:
        ValueError: it is no amount, or of something else.
    """
    if not response:
        return {}
    dimensions = list(dict.fromkeys(each["what"] for each in reached))
    parts = [part.strip() for part in str(response).split(",")]
    if len(parts) == 1 and "=" not in parts[0]:
        if len(dimensions) != 1:
            raise ValueError(f"it has to be said of what: {', '.join(f'{each}=N' for each in dimensions)}")
        parts = [f"{dimensions[0]}={parts[0]}"]
    told: dict[str, str] = {}
    for part in parts:
        what, has_amount, amount = part.partition("=")
        if not has_amount or what.strip() in told:
            raise ValueError(f"{part!r} is not WHAT=AMOUNT, each one once")
        told[what.strip()] = amount
    return amounts_of(told, tuple(dimensions))
