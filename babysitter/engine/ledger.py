"""What was spent: tallies of a run and of what is below it, folded from effects that ended. Pure."""

from __future__ import annotations

from babysitter.budget import USED
from babysitter.engine.state import CANCELLED, OK, SUBPROCESS
from babysitter.usage import is_partial, money_of, tokens_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from babysitter.engine.state import Effect

# Costs nothing by itself: a person, the clock, and another run, which says what it has spent.
FREE = frozenset({"breakpoint", "sleep", SUBPROCESS})
# Performed without any model, as far as babysitter knows.
WITHOUT_MODEL = FREE | {"shell", "python", "hook"}
_READ = {"tokens": tokens_of, "money": money_of}


class Tally:
    """What was spent in one place: by a run, or by one task of it.

    Attributes:
        used: tokens and money, as far as they are known.
        unknown: results that did not say how much they took; ``given_up`` what was not let end.
        most: the dearest result.
        effects: that were asked for; ``running`` those that use a model and have not ended.
    """

    __slots__ = ("effects", "given_up", "most", "running", "unknown", "used")

    def __init__(self) -> None:
        self.used: dict[str, float] = dict.fromkeys(USED, 0)
        self.unknown: dict[str, int] = dict.fromkeys(USED, 0)
        self.most: dict[str, float] = {}
        self.given_up = 0
        self.effects = 0
        self.running = 0

    def take_in(self, effect: Effect) -> None:
        """An effect that uses a model has ended."""
        for what, read in _READ.items():
            amount = read(effect.usage)
            self.used[what] += amount or 0
            if amount is not None:
                self.most[what] = max(self.most.get(what, 0), amount)
            if effect.status == OK and (amount is None or is_partial(effect.usage or {})):
                self.unknown[what] += 1
        if effect.status != OK and effect.usage is None:
            self.given_up += 1

    def add(self, told: Mapping[str, Any]) -> None:
        """What another run has spent, as ``as_json`` wrote it."""
        for what in USED:
            self.used[what] += told["used"].get(what, 0)
            self.unknown[what] += told["unknown"].get(what, 0)
            if what in told["most"]:
                self.most[what] = max(self.most.get(what, 0), told["most"][what])
        self.given_up += told["givenUp"]
        self.effects += told["effects"]

    def as_json(self) -> dict[str, Any]:
        """What was spent for good; what is still running ends before this is written."""
        return {
            "used": dict(self.used),
            "unknown": dict(self.unknown),
            "most": dict(self.most),
            "givenUp": self.given_up,
            "effects": self.effects,
        }


class Ledger:
    """Tallies of a run and of what is below it: the whole, and by task."""

    __slots__ = ("tasks", "whole")

    def __init__(self) -> None:
        self.whole = Tally()
        self.tasks: dict[str, Tally] = {}

    def task(self, task_id: str) -> Tally:
        if task_id not in self.tasks:
            self.tasks[task_id] = Tally()
        return self.tasks[task_id]

    def of(self, effect: Effect) -> tuple[Tally, Tally]:
        return self.whole, self.task(effect.task_id)

    def requested(self, effect: Effect) -> None:
        """An effect was asked for."""
        for tally in self.of(effect) if effect.kind not in FREE else ():
            tally.effects += 1
            tally.running += effect.kind not in WITHOUT_MODEL

    def ended(self, effect: Effect) -> None:
        """An effect has its result, or was given up: that costs something only if somebody had begun."""
        for tally in self.of(effect) if effect.kind not in WITHOUT_MODEL else ():
            tally.running -= 1
            if effect.status != CANCELLED or effect.taken is not None:
                tally.take_in(effect)

    def forget(self, effect: Effect) -> None:
        """It was asked for, and paid for, elsewhere."""
        for tally in self.of(effect) if effect.kind not in FREE else ():
            tally.effects -= 1
            tally.running -= effect.kind not in WITHOUT_MODEL

    def add(self, told: Mapping[str, Any]) -> None:
        """Another ledger, as ``as_json`` wrote it."""
        self.whole.add(told["whole"])
        for task_id, each in told["tasks"].items():
            self.task(task_id).add(each)

    def add_living(self, other: Ledger) -> None:
        """The ledger of a run below, which goes on."""
        self.add(other.as_json())
        self.whole.running += other.whole.running
        for task_id, tally in other.tasks.items():
            self.task(task_id).running += tally.running

    def as_json(self) -> dict[str, Any]:
        return {
            "whole": self.whole.as_json(),
            "tasks": {task_id: tally.as_json() for task_id, tally in self.tasks.items()},
        }


def ledger_of(effects: Iterable[Effect]) -> Ledger:
    """The ledger of a run that has no budget of its own, without what is below it."""
    ledger = Ledger()
    for effect in effects:
        ledger.requested(effect)
        if not effect.is_pending:
            ledger.ended(effect)
    return ledger
