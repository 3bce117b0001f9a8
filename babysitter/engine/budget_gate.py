"""Whether one more effect is within a budget, before it is asked for. Pure.

Of tokens and money an effect says how much when it has ended, if at all. So before that it is expected to
take as much as the dearest of its task so far, or what the budget estimates; where nothing is known of a
task, one goes first to find out. What is unknown is never taken for nothing.
"""

from __future__ import annotations

from babysitter.budget import EFFECTS, ITERATIONS, USED, WALL
from babysitter.engine.ledger import FREE, WITHOUT_MODEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.ledger import Ledger, Tally
    from babysitter.engine.meter import Meter

# So many effects of a task may be at work while nobody knows what one of them takes.
PILOTS = 1


class Reached:
    """An amount that does not allow for one more effect.

    Attributes:
        scope: the task that it is of; empty: the whole run.
        is_unknown: it is not known what results have taken.
        can_change: something is still at work that may take less than is expected.
    """

    __slots__ = ("can_change", "is_unknown", "limit", "scope", "spent", "what")

    def __init__(
        self,
        scope: str,
        what: str,
        limit: float,
        spent: float,
        *,
        is_unknown: bool = False,
        can_change: bool = False,
    ) -> None:
        self.scope = scope
        self.what = what
        self.limit = limit
        self.spent = spent
        self.is_unknown = is_unknown
        self.can_change = can_change

    @property
    def key(self) -> tuple[str, str, bool]:
        return self.scope, self.what, self.is_unknown

    def as_json(self, original: float) -> dict[str, Any]:
        """How a question has it; ``limit`` is what one more yes adds."""
        told = {"scope": self.scope, "what": self.what, "spent": self.spent, "limit": original}
        return {**told, "isUnknown": True} if self.is_unknown else told


class Gate:
    """Lets effects through one by one as long as a budget allows for them, counting those let through.

    Attributes:
        reached: what has stopped others.
    """

    def __init__(self, meter: Meter, ledger: Ledger, now_ms: int) -> None:
        """``ledger``: of the run and everything below it."""
        self.reached: dict[tuple[str, str, bool], Reached] = {}
        self._meter = meter
        self._ledger = ledger
        self._now_ms = now_ms
        self._limits = list(meter.limits())

    def stops(self, task_id: str, kind: str, *, is_cleanup: bool = False) -> bool:
        """Whether one more effect would be too much; what is too much is noted in ``reached``."""
        found = [
            reached
            for scope, what, limit in self._limits
            if scope in ("", task_id)
            and (reached := self._check(scope, what, limit, task_id, kind))
            and not (is_cleanup and what not in USED)
        ]
        for reached in found:
            self.reached.setdefault(reached.key, reached)
        return bool(found)

    @property
    def limits_anything(self) -> bool:
        return bool(self._limits)

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return (self._now_ms - self._meter.started_ms) / 1000

    def let_through(self, task_id: str, kind: str) -> None:
        """It is asked for: what comes after it has that much less."""
        if kind not in FREE:
            for tally in (self._ledger.whole, self._ledger.task(task_id)):
                tally.effects += 1
                tally.running += kind not in WITHOUT_MODEL

    def _check(self, scope: str, what: str, limit: float, task_id: str, kind: str) -> Reached | None:
        tally = self._ledger.task(scope) if scope else self._ledger.whole
        if what == WALL:
            return Reached(scope, what, limit, self.seconds) if self.seconds >= limit else None
        if what == ITERATIONS:
            return Reached(scope, what, limit, self._meter.rounds) if self._meter.rounds >= limit else None
        if what == EFFECTS:
            is_over = kind not in FREE and tally.effects + 1 > limit
            return Reached(scope, what, limit, tally.effects) if is_over else None
        return None if kind in WITHOUT_MODEL else self._check_used(scope, what, limit, task_id, tally)

    def _check_used(self, scope: str, what: str, limit: float, task_id: str, tally: Tally) -> Reached | None:
        if tally.unknown[what] and what not in self._meter.estimate:
            return Reached(scope, what, limit, tally.used[what], is_unknown=True)
        spent = self.spent(scope, what)
        running = self._expected_of_running(scope, what)
        expected = self._expected(task_id, what)
        if expected is None:
            # Nobody knows what one takes: the first finds out, as long as anything is left.
            is_over = spent + running >= limit or self._ledger.task(task_id).running >= PILOTS
        else:
            is_over = spent + running + expected > limit
        if not is_over:
            return None
        return Reached(scope, what, limit, spent, can_change=tally.running > 0)

    def spent(self, scope: str, what: str) -> float:
        """What counts as spent: what is known, and what has to be estimated."""
        tally = self._ledger.task(scope) if scope else self._ledger.whole
        guess = self._meter.estimate.get(what, tally.most.get(what, 0))
        return (
            tally.used[what]
            + tally.unknown[what] * self._meter.estimate.get(what, 0)
            + tally.given_up * guess
        )

    def _expected(self, task_id: str, what: str) -> float | None:
        most = self._ledger.task(task_id).most
        return most[what] if what in most else self._meter.estimate.get(what)

    def _expected_of_running(self, scope: str, what: str) -> float:
        tasks = [scope] if scope else list(self._ledger.tasks)
        dearest = self._ledger.whole.most.get(what, 0)
        total: float = 0
        for task_id in tasks:
            running = self._ledger.task(task_id).running
            expected = self._expected(task_id, what)
            total += running * (dearest if expected is None else expected)
        return total
