"""A run's budget as the journal has it, and what of it the run has spent by itself. Pure."""

from __future__ import annotations

from babysitter.budget import RUN, WALL, amounts_of
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
        self.budget = budget
        self.ledger = Ledger()
        self.open: dict[str, Effect] = {}
        self.raised: dict[tuple[str, str], float] = {}
        self.estimate: dict[str, float] = dict(budget.get("estimate", {}))
        self.started_ms = started_ms
        self.is_refused = False
        self.asked = 0
        self.rounds = 0
        self._questions: dict[str, list[dict[str, Any]]] = {}
        if carried:
            self.ledger.add(carried["ledger"])
            self.rounds = carried["rounds"]
            self.started_ms = carried.get("startedMs", started_ms)

    def change(self, budget: Mapping[str, Any]) -> None:
        """A person has given it another budget."""
        self.budget = budget
        self.estimate |= budget.get("estimate", {})
        self.raised = {}
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
        evidence = data.get("evidence") or {}
        if effect.id in self._questions:
            self._decided(self._questions.pop(effect.id), effect, at_ms)
        elif "copiedFrom" in evidence or "copiedFrom" in data:
            # Paid for by the run that it comes from, which this one carries.
            self.open.pop(effect.id, None)
            self.ledger.forget(effect)
        elif "spent" in evidence:
            del self.open[effect.id]
            self.ledger.add(evidence["spent"])
        elif effect.kind != SUBPROCESS:
            self.ledger.ended(effect)

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
                self.raised[scope, what] = (at_ms - self.started_ms) / 1000 + amount - self.limit(scope, what)
            else:
                self.raised[scope, what] = self.raised.get((scope, what), 0) + amount

    def limit(self, scope: str, what: str) -> float:
        """An amount as it was given at first; ``scope`` is empty, or the id of a task."""
        limits = self.budget.get("tasks", {}).get(scope, {}) if scope else self.budget.get(RUN, {})
        return limits[what]  # type: ignore[no-any-return]

    def limits(self) -> Iterable[tuple[str, str, float]]:
        """Scope, dimension and amount, with what was added since, of everything that is limited."""
        for what in self.budget.get(RUN, {}):
            yield "", what, self.limit("", what) + self.raised.get(("", what), 0)
        for task_id, amounts in self.budget.get("tasks", {}).items():
            for what in amounts:
                yield task_id, what, self.limit(task_id, what) + self.raised.get((task_id, what), 0)


def meter_of(budget: Mapping[str, Any], started_ms: int, rounds: int, effects: Iterable[Effect]) -> Meter:
    """The meter of a run that gets a budget when it has begun already."""
    meter = Meter(budget, started_ms, None)
    known = list(effects)
    meter.ledger, meter.rounds = ledger_of(known), rounds
    meter.open = {effect.id: effect for effect in known if effect.kind == SUBPROCESS}
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
    told = dict(part.split("=", 1) for part in parts if "=" in part)
    return amounts_of({name.strip(): amount for name, amount in told.items()}, tuple(dimensions))
