"""What was spent: tallies of a run and of what is below it, folded from effects that ended. Pure."""

from __future__ import annotations

from babysitter.budget import BY_BUDGET, MONEY, TOKENS, USED
from babysitter.engine.state import CANCELLED, OK, SUBPROCESS
from babysitter.usage import DEFAULT_CURRENCY, DIGITS, currency_of, is_partial, money_of, tokens_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.usage import Usage

# Costs nothing by itself: a person, the clock, and another run, which says what it has spent.
FREE = frozenset({"breakpoint", "sleep", SUBPROCESS})
# Performed without any model, as far as babysitter knows.
WITHOUT_MODEL = FREE | {"shell", "python", "hook"}


def amount_of(what: str, usage: Usage | None, currency: str) -> float | None:
    """What a result says that it took; None: it does not say it, or not all of it. Other money is none."""
    amount = part_of(what, usage, currency)
    return None if usage is None or is_partial(usage) else amount


def part_of(what: str, usage: Usage | None, currency: str) -> float | None:
    """The same, also where it is known that there was more."""
    if what == TOKENS or usage is None:
        return tokens_of(usage)
    return money_of(usage) if currency_of(usage) == currency else None


class Tally:
    """What was spent in one place: by a run, or by one task of it.

    Attributes:
        used: tokens and money, as far as they are known.
        unknown: results that did not say how much they took.
        given_up: what has failed, or was not let end, without anybody saying how much it took.
        most: the dearest result.
        effects: that were asked for; ``running`` those that use a model and have not ended.
    """

    __slots__ = ("effects", "given_up", "most", "running", "unknown", "used")

    def __init__(self) -> None:
        self.used: dict[str, float] = dict.fromkeys(USED, 0)
        self.unknown: dict[str, int] = dict.fromkeys(USED, 0)
        self.given_up: dict[str, int] = dict.fromkeys(USED, 0)
        self.most: dict[str, float] = {}
        self.effects = 0
        self.running = 0

    def take_in(self, effect: Effect, currency: str) -> None:
        """An effect that uses a model has ended."""
        for what in USED:
            amount = part_of(what, effect.usage, currency)
            if amount is not None:
                self._use(what, amount)
                self.most[what] = max(self.most.get(what, 0), amount)
            if amount_of(what, effect.usage, currency) is None:
                (self.unknown if effect.status == OK else self.given_up)[what] += 1

    def _use(self, what: str, amount: float) -> None:
        # Money in parts of a unit adds up to noise behind the last digit that says something.
        self.used[what] = (
            round(self.used[what] + amount, DIGITS) if what == MONEY else self.used[what] + amount
        )

    def leave(self) -> None:
        """What somebody had begun was not let end."""
        for what in USED:
            self.given_up[what] += 1

    def add(self, told: Mapping[str, Any], sign: int = 1) -> None:
        """What another run has spent, as ``as_json`` wrote it; or take it out again."""
        for what in USED:
            self._use(what, sign * told["used"].get(what, 0))
            self.unknown[what] += sign * told["unknown"].get(what, 0)
            self.given_up[what] += sign * told["givenUp"].get(what, 0)
            if what in told["most"]:
                self.most[what] = max(self.most.get(what, 0), told["most"][what])
        self.effects += sign * told["effects"]
        self.running += sign * told.get("running", 0)

    def as_json(self) -> dict[str, Any]:
        """What was spent for good; what is still running ends before this is written."""
        return {
            "used": dict(self.used),
            "unknown": dict(self.unknown),
            "givenUp": dict(self.given_up),
            "most": dict(self.most),
            "effects": self.effects,
        }


class Ledger:
    """Tallies of a run and of what is below it: the whole, and by task.

    Attributes:
        currency: what its money is in; a result in another one has not said how much it took.
    """

    __slots__ = ("currency", "tasks", "whole")

    def __init__(self, currency: str = DEFAULT_CURRENCY) -> None:
        self.currency = currency
        self.whole = Tally()
        self.tasks: dict[str, Tally] = {}

    def task(self, task_id: str) -> Tally:
        if task_id not in self.tasks:
            self.tasks[task_id] = Tally()
        return self.tasks[task_id]

    def of(self, scope: str) -> Tally:
        """The tally of a task, or the whole where none is named."""
        return self.task(scope) if scope else self.whole

    def _both(self, effect: Effect) -> tuple[Tally, Tally]:
        return self.whole, self.task(effect.task_id)

    def requested(self, effect: Effect) -> None:
        """An effect was asked for."""
        for tally in self._both(effect) if effect.kind not in FREE else ():
            tally.effects += 1
            tally.running += effect.kind not in WITHOUT_MODEL

    def ended(self, effect: Effect, *, has_begun: bool = False) -> None:
        """An effect has its result, or was given up: that costs something only if somebody had begun."""
        if effect.is_copied or effect.executor == BY_BUDGET:
            self._forget(effect)
            return
        is_spent = effect.status != CANCELLED or has_begun or effect.taken is not None
        for tally in self._both(effect) if effect.kind not in WITHOUT_MODEL else ():
            tally.running -= 1
            if is_spent:
                tally.take_in(effect, self.currency)

    def left(self, effect: Effect, *, has_begun: bool) -> None:
        """Its run has ended around it."""
        for tally in self._both(effect) if effect.kind not in WITHOUT_MODEL else ():
            tally.running -= 1
            if has_begun or effect.taken is not None:
                tally.leave()

    def _forget(self, effect: Effect) -> None:
        """It was asked for, and paid for, elsewhere; or nobody was to perform it."""
        for tally in self._both(effect) if effect.kind not in FREE else ():
            tally.effects -= 1
            tally.running -= effect.kind not in WITHOUT_MODEL

    def add(self, told: Mapping[str, Any], sign: int = 1) -> None:
        """Another ledger, as ``as_json`` or ``living_json`` wrote it; or take it out again."""
        self.whole.add(told["whole"], sign)
        for task_id, each in told["tasks"].items():
            self.task(task_id).add(each, sign)

    def as_json(self) -> dict[str, Any]:
        return {
            "whole": self.whole.as_json(),
            "tasks": {task_id: tally.as_json() for task_id, tally in self.tasks.items()},
        }

    def living_json(self) -> dict[str, Any]:
        """The same of a run that goes on, with what is at work in it."""
        return {
            "whole": {**self.whole.as_json(), "running": self.whole.running},
            "tasks": {
                task_id: {**tally.as_json(), "running": tally.running}
                for task_id, tally in self.tasks.items()
            },
        }


def ledger_of(effects: Iterable[Effect], currency: str = DEFAULT_CURRENCY) -> Ledger:
    """The ledger of a run that had no budget when these were asked for, without what is below it."""
    ledger = Ledger(currency)
    for effect in effects:
        ledger.requested(effect)
        if not effect.is_pending:
            ledger.ended(effect)
    return ledger
