"""Bounds for the author's code: it must not hold a command for ever, nor speak in its place.

When the time is over, there comes, in this order:

1. an exception at the line that runs;
2. code can swallow it (``except BaseException``, a ``finally`` that loops). So from then on there is one
   more at the next line of the author's, and all of it again many times a second: the lines of a
   handler are not inside its own ``try``, and one of them gets through;
3. handlers within handlers can swallow that too: the command ends, from within the signal's handler,
   after ``give_up``, which writes down why;
4. a loop within one call into C does not let Python see any signal: the kernel ends the command, when
   it has used so much of the processor beyond its time.
"""

from __future__ import annotations

import os
import signal
import sys

from babysitter.engine.places import is_authors, place_of_call
from babysitter.engine.replay import DeadlineExceeded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, NoReturn, TextIO

    from babysitter.engine.places import Place

    Trace = Callable[[FrameType, str, Any], Any]

PATIENCE_SECONDS = 5.0
AGAIN_SECONDS = 0.05
EXIT_CODE = 7


class Aside:
    """A context in which ``print`` writes to standard error; standard output is for what the command says."""

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before: TextIO = sys.stdout
        sys.stdout = sys.stderr

    def __exit__(self, *_: object) -> None:
        sys.stdout = self._before


class Deadline:
    """A context in which the main thread is interrupted after so many seconds; with 0 never.

    Raises:
        DeadlineExceeded: at the line that runs when the time is over, and at others after it.
    """

    __slots__ = (
        "_alarms",
        "_before",
        "_entered_by",
        "_give_up",
        "_is_armed",
        "_is_over",
        "_trace_before",
        "seconds",
    )

    def __init__(self, seconds: float, give_up: Callable[[Place], None] | None = None) -> None:
        self.seconds = seconds
        self._give_up = give_up
        self._alarms = 0
        self._is_armed = False
        self._is_over = False
        self._before: Any = None
        self._trace_before: Any = None
        self._entered_by: FrameType | None = None

    def __enter__(self) -> None:
        if not self.seconds:
            return
        try:
            self._before = signal.signal(signal.SIGALRM, self._ring)
        except ValueError:
            # Signals belong to the main thread; a caller in another has to guard itself.
            return
        self._is_armed = True
        self._entered_by = sys._getframe(1)  # noqa: SLF001 - there is no other way to it
        signal.setitimer(signal.ITIMER_REAL, self.seconds, AGAIN_SECONDS)
        signal.setitimer(signal.ITIMER_VIRTUAL, self.seconds + 2 * PATIENCE_SECONDS)

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._entered_by = None
        if not self._is_armed:
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGALRM, self._before if self._before is not None else signal.SIG_DFL)
        if self._alarms:
            sys.settrace(self._trace_before)

    def _ring(self, _: int, frame: FrameType | None) -> None:
        if self._is_over or frame is None or frame.f_code is Deadline.__exit__.__code__:
            # The code came to its end at the same moment; raised now it would leave the timers on.
            return
        self._alarms += 1
        if self._alarms == 1:
            self._trace_before = sys.gettrace()
        if self._alarms * AGAIN_SECONDS > PATIENCE_SECONDS:
            self._end_hard(frame)
        raise_at_next_line(frame, self._entered_by)
        raise DeadlineExceeded

    def _end_hard(self, frame: FrameType) -> NoReturn:
        self._is_over = True
        try:
            file, line = place_of_call(frame)
            if self._give_up is not None:
                self._give_up((file, line))
            # Not through sys.stderr: the loop may be in the middle of writing to it.
            told = f"error: the process does not let go of {file}:{line}; ended after {self.seconds:g} s\n"
            os.write(2, told.encode(errors="backslashreplace"))
        finally:
            os._exit(EXIT_CODE)


def raise_at_next_line(frame: FrameType | None, until: FrameType | None) -> None:
    """Raise DeadlineExceeded also at the next line of the author's code that runs.

    Not in code of ours, nor in ``until`` and what called it: their handlers must be able to do their work.
    """

    def at_line(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            raise DeadlineExceeded
        return at_line

    def at_call(frame: FrameType, event: str, argument: Any) -> Trace | None:
        return at_line if is_authors(frame.f_code.co_filename) else None

    while frame is not None and frame is not until:
        if is_authors(frame.f_code.co_filename):
            frame.f_trace = at_line
        frame = frame.f_back
    sys.settrace(at_call)
