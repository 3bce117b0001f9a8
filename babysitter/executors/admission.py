"""Which of the waiting effects may be started as far as rate limits go."""

from __future__ import annotations

from babysitter.clock import now_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.executors.rates import Rates, Wait
    from babysitter.executors.work import Work

NEVER = float("inf")
# However far away it is: somebody may change the clock, or what was counted.
LONGEST_SECONDS = 60.0


class Admission:
    """Asks for each start, and remembers what was refused, so that nothing is asked for in vain.

    Attributes:
        held: what each effect waits for that a limit keeps from being started, by its id.
        retry_at: the monotonic time at which something that was held may be started.
    """

    def __init__(self, rates: Rates | None) -> None:
        self.held: dict[str, Wait] = {}
        self.retry_at = NEVER
        self._rates = rates
        self._refused: dict[tuple[str, str], tuple[float, Wait]] = {}
        self._taken: set[str] = set()

    def may_start(self, work: Work, now: float) -> bool:
        """Whether it is worth while to get hold of an effect; nothing is taken yet."""
        if self._rates is None or work.effect_id in self._taken:
            return True
        key = (work.kind, work.task_id)
        until, wait = self._refused.get(key, (0.0, None))
        if now >= until:
            wall = now_ms()
            wait = self._rates.wait_of(*key, wall)
            if wait is not None:
                # Who only looks would find the start of a clock that went back to be now, again and again.
                self._rates.mend(*key, wall)
                until = self._refuse(key, wait, wait.at_ms - wall, now)
        return self._note(work, until, wait)

    def take(self, work: Work, now: float) -> bool:
        """Take a start for an effect that is about to be started; False when others were first."""
        if self._rates is None or work.effect_id in self._taken:
            return True
        key, wall = (work.kind, work.task_id), now_ms()
        at_ms = self._rates.take(*key, wall)
        if not at_ms:
            # The machine may be at its limit now; the start is not taken twice for that.
            self._taken.add(work.effect_id)
            return self._note(work, now, None)
        wait = self._rates.wait_of(*key, wall)
        if wait is None:
            # Not the limit: others are counting just now.
            self.retry_at = min(self.retry_at, now + (at_ms - wall) / 1000)
            return False
        return self._note(work, self._refuse(key, wait, at_ms - wall, now), wait)

    def _refuse(self, key: tuple[str, str], wait: Wait, length_ms: int, now: float) -> float:
        until = now + min(length_ms / 1000, LONGEST_SECONDS)
        self._refused[key] = (until, wait)
        return until

    def _note(self, work: Work, until: float, wait: Wait | None) -> bool:
        if wait is None:
            self.held.pop(work.effect_id, None)
            return True
        self.held[work.effect_id] = wait
        self.retry_at = min(self.retry_at, until)
        return False

    def settle(self, effect_id: str) -> None:
        """The effect is started, or nobody needs it any more."""
        self.held.pop(effect_id, None)
        self._taken.discard(effect_id)
