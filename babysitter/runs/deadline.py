"""A deadline for the author's code: a process that loops must not hold a command for ever."""

from __future__ import annotations

import os
import signal
import sys

from babysitter.engine.replay import DeadlineExceeded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

# The alarm comes again each second, because code can swallow the first
# (`except BaseException`, a `finally` that loops); after so many the command ends hard.
PATIENCE = 5
EXIT_CODE = 7


class Deadline:
    """A context in which the main thread is interrupted after so many seconds.

    Raises:
        DeadlineExceeded: at the line that runs when the time is over.
    """

    __slots__ = ("_alarms", "_before", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._alarms = 0
        self._before: Any = None

    def __enter__(self) -> None:
        try:
            self._before = signal.signal(signal.SIGALRM, self._ring)
        except ValueError:
            # Signals belong to the main thread; a caller in another has to guard itself.
            return
        signal.setitimer(signal.ITIMER_REAL, self.seconds, 1)

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)

    def _ring(self, _: int, frame: FrameType | None) -> None:
        self._alarms += 1
        if self._alarms > PATIENCE:
            where = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "unknown code"
            sys.stderr.write(
                f"error: the process does not let go of {where}; ended after {self.seconds:g} s\n"
            )
            sys.stderr.flush()
            os._exit(EXIT_CODE)
        raise DeadlineExceeded
