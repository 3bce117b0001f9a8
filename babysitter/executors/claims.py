"""Which of the waiting effects are ours to start.

An effect that nobody has started before is ours with its lock. For any other
the journal has to be read once more after its lock was taken: its result may
have been recorded while we waited.
"""

from __future__ import annotations

from babysitter.executors.effect_lock import EffectLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.executors.work import Work

# How often to look again at an effect that another driver has.
RETRY_SECONDS = 0.05
NEVER = float("inf")


class Claims:
    """The locks of effects that are not started yet.

    Attributes:
        retry_at: the monotonic time at which something that was not ours may be.
    """

    def __init__(self) -> None:
        self.retry_at = NEVER
        self._locks: dict[str, EffectLock] = {}
        self._looked: set[str] = set()

    @property
    def held(self) -> int:
        """How many are ours and not started."""
        return sum(lock.is_held for lock in self._locks.values())

    def take(self, work: Work, now: float, *, has_room: bool) -> bool:
        """Whether the effect may be started; without room nothing becomes ours that is not.

        Raises:
            UnsafePath, StorageError: of its folder.
        """
        lock = self._locks.get(work.effect_id) or EffectLock(work.folder)
        if not lock.is_held and not has_room:
            return False
        self._locks[work.effect_id] = lock
        is_ours = lock.take(now)
        if is_ours and not lock.is_fresh and work.effect_id not in self._looked:
            return False
        if is_ours and lock.is_clear(now):
            return True
        self.retry_at = now + RETRY_SECONDS
        return False

    @property
    def wants_a_look(self) -> bool:
        """Whether somebody should read the journal before more is started."""
        return any(lock.is_held and effect_id not in self._looked for effect_id, lock in self._locks.items())

    def look(self) -> None:
        """The journal is being read now; what is ours after that can be started."""
        self._looked.update(effect_id for effect_id, lock in self._locks.items() if lock.is_held)

    def lock_of(self, effect_id: str) -> EffectLock:
        """The lock of an effect that may be started."""
        return self._locks[effect_id]

    def settle(self, effect_id: str) -> None:
        """The effect is started, or never will be; its lock is somebody else's care."""
        self._looked.discard(effect_id)
        self._locks.pop(effect_id, None)

    def forget(self, effect_id: str) -> None:
        """Nobody needs the effect any more."""
        lock = self._locks.get(effect_id)
        if lock is not None:
            lock.release()
        self.settle(effect_id)
