"""What killed drivers have left running: ended by whoever goes on with the run.

An effect that is started again sees to that by itself. This is for the others:
those that were cancelled or answered after their driver had died, and those
that a command leaves as they are because it stops.
"""

from __future__ import annotations

import os
import time

from babysitter.executors.effect_lock import SURVIVOR_GRACE_SECONDS, EffectLock
from babysitter.executors.processes import effects_at_work
from babysitter.ids import valid_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

PAUSE_SECONDS = 0.02
PATIENCE_SECONDS = SURVIVOR_GRACE_SECONDS + 1.0


def end_leftovers(run_id: str, tasks: str, effects: Collection[str]) -> None:
    """End the processes of these effects, but not those of a driver that lives.

    Takes as long as they take to end, a few seconds at most. ``tasks`` is the
    folder of the effects' folders. Without /proc nobody knows of them.

    Raises:
        UnsafePath, StorageError
    """
    found = [effect for effect in effects_at_work(run_id) if effect in effects and valid_id(effect)]
    locks = [EffectLock(os.path.join(tasks, effect)) for effect in found]
    until = time.monotonic() + PATIENCE_SECONDS
    while locks and time.monotonic() < until:
        locks = [lock for lock in locks if not _is_settled(lock)]
        if locks:
            time.sleep(PAUSE_SECONDS)
    for lock in locks:
        lock.release()


def _is_settled(lock: EffectLock) -> bool:
    """Whether nothing is left of the effect, or it is none of our business."""
    now = time.monotonic()
    if not lock.take(now):
        return lock.is_anothers
    is_clear = lock.is_clear(now)
    if is_clear:
        lock.release()
    return is_clear
