"""Whether one more effect is within a budget, before it is asked for. Pure.

Of tokens and money an effect says how much when it has ended, if at all. So before that it is expected to
take as much as the dearest of its task so far, or what the budget estimates; where nothing is known of a
task, one goes first to find out. What is unknown is never taken for nothing.
"""

from __future__ import annotations

from babysitter.budget import EFFECTS, ITERATIONS, USED, WALL
from babysitter.engine.ledger import FREE, WITHOUT_MODEL
from babysitter.usage import DIGITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.ledger import Ledger, Tally
    from babysitter.engine.meter import Meter

# So many effects of a task may be at work while nobody knows what one of them takes.
PILOTS = 1
# So many may fail, or be given up, before anybody has said what one of them takes; then it has to be said.
BLIND = 3


class Reached:
    """An amount that does not allow for one more effect.

    Attributes:
        scope: the task that it is of; empty: the whole run.
        is_unknown: it is not known what results have taken; ``dearest`` is what is known of the others.
    """

    __slots__ = ("currency", "dearest", "is_unknown", "limit", "scope", "spent", "what")

    def __init__(
        self,
        scope: str,
        what: str,
        limit: float,
        spent: float,
        *,
        currency: str,
        is_unknown: bool = False,
        dearest: float | None = None,
    ) -> None:
        self.scope = scope
        self.what = what
        self.limit = limit
        self.spent = spent
        self.currency = currency
        self.is_unknown = is_unknown
        self.dearest = dearest

    @property
    def key(self) -> tuple[str, str, bool]:
        return self.scope, self.what, self.is_unknown

    def as_json(self, original: float) -> dict[str, Any]:
        """How a question has it; ``limit`` is what one more yes adds."""
        told = {"scope": self.scope, "what": self.what, "spent": self.spent, "limit": original}
        if not self.is_unknown:
            return told
        return {**told, "isUnknown": True, **({"suggested": self.dearest} if self.dearest else {})}


class Gate:
    """Lets effects through one by one as long as a budget allows for them, counting those let through."""

    def __init__(self, meter: Meter, ledger: Ledger, now_ms: int) -> None:
        """``ledger``: of the run and everything below it; what is let through is counted in there."""
        self._meter = meter
        self._ledger = ledger
        self._now_ms = now_ms
        self._limits = list(meter.limits())
        # What is at work is expected to take, by scope and dimension, as far as somebody has asked.
        self._at_work: dict[tuple[str, str], float] = {}

    def stops(self, task_id: str, kind: str, *, is_cleanup: bool = False) -> list[Reached]:
        """Why one more effect would be too much; a cleanup is stopped by what it uses only."""
        return [
            reached
            for scope, what, limit in self._limits
            if scope in ("", task_id)
            and not (is_cleanup and what not in USED)
            and (reached := self._check(scope, what, limit, task_id, kind))
        ]

    def can_change(self, reached: Reached) -> bool:
        """Something is at work that may take less than is expected."""
        is_guess = reached.what in USED and not reached.is_unknown
        return is_guess and self._ledger.of(reached.scope).running > 0

    @property
    def limits_anything(self) -> bool:
        return bool(self._limits)

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return max(0, self._now_ms - self._meter.started_ms) / 1000

    def let_through(self, task_id: str, kind: str) -> None:
        """It is asked for: what comes after it has that much less."""
        if kind in FREE:
            return
        uses = kind not in WITHOUT_MODEL
        for tally in (self._ledger.whole, self._ledger.task(task_id)):
            tally.effects += 1
            tally.running += uses
        for scope, what in self._at_work if uses else ():
            if scope in ("", task_id):
                self._at_work[scope, what] += self._expected_at_work(task_id, what)

    def _check(self, scope: str, what: str, limit: float, task_id: str, kind: str) -> Reached | None:
        if what == WALL:
            return self._reached(scope, what, limit, self.seconds) if self.seconds >= limit else None
        if what == ITERATIONS:
            rounds = self._meter.rounds
            return self._reached(scope, what, limit, rounds) if rounds >= limit else None
        if what == EFFECTS:
            effects = self._ledger.of(scope).effects
            is_over = kind not in FREE and effects + 1 > limit
            return self._reached(scope, what, limit, effects) if is_over else None
        return None if kind in WITHOUT_MODEL else self._check_used(scope, what, limit, task_id)

    def _reached(self, scope: str, what: str, limit: float, spent: float, **more: Any) -> Reached:
        return Reached(scope, what, limit, spent, currency=self._ledger.currency, **more)

    def _check_used(self, scope: str, what: str, limit: float, task_id: str) -> Reached | None:
        spent, task = self.spent(scope, what), self._ledger.task(task_id)
        if self._is_unknown(self._ledger.of(scope), what):
            return self._reached(scope, what, limit, spent, is_unknown=True, dearest=self._dearest(what))
        at_work, expected = self._expected_of_running(scope, what), self._expected(task_id, what)
        if expected is None:
            # Nobody knows what one takes: the first finds out, as long as anything is left.
            is_over = _sum(spent, at_work) >= limit or task.running >= PILOTS
        else:
            is_over = _sum(spent, at_work, expected) > limit
        return self._reached(scope, what, limit, spent) if is_over else None

    def _is_unknown(self, tally: Tally, what: str) -> bool:
        if what in self._meter.estimate:
            return False
        return tally.unknown[what] > 0 or (tally.given_up[what] >= BLIND and self._dearest(what) is None)

    def _dearest(self, what: str) -> float | None:
        """What the dearest result of all took; None: none has said it."""
        return self._ledger.whole.most.get(what)

    def spent(self, scope: str, what: str) -> float:
        """What counts as spent: what is known, and what has to be estimated."""
        tally, estimate = self._ledger.of(scope), self._meter.estimate.get(what, 0)
        guess = self._meter.estimate.get(what, self._dearest(what) or 0)
        return _sum(tally.used[what], tally.unknown[what] * estimate, tally.given_up[what] * guess)

    def _expected(self, task_id: str, what: str) -> float | None:
        most = self._ledger.task(task_id).most
        return most[what] if what in most else self._meter.estimate.get(what)

    def _expected_of_running(self, scope: str, what: str) -> float:
        if (scope, what) not in self._at_work:
            tasks = [scope] if scope else list(self._ledger.tasks)
            self._at_work[scope, what] = sum(
                self._ledger.task(task_id).running * self._expected_at_work(task_id, what)
                for task_id in tasks
            )
        return self._at_work[scope, what]

    def _expected_at_work(self, task_id: str, what: str) -> float:
        expected = self._expected(task_id, what)
        return (self._dearest(what) or 0) if expected is None else expected


def _sum(*amounts: float) -> float:
    # Of money 0.1 + 0.2 is not more than 0.3.
    return round(sum(amounts), DIGITS)
