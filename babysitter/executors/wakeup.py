"""Signals that end a wait: a child's exit, and whatever the person or the host sends.

Without this a wait in ``select`` goes on after a signal (PEP 475). A pidfd for
each child would do for exits, on Linux only; this does for both, everywhere.
"""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_PIECE = 4096


class Wakeup:
    """A descriptor that becomes readable when a signal arrives. One at a time, in the main thread.

    Attributes:
        fd: to be watched.
    """

    def __init__(self) -> None:
        self.fd, self._writing = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self._writing, False)
        # Python tells of a signal only if it has a handler for it; also, a parent
        # that ignores SIGCHLD would make the exit codes of our children vanish.
        self._handler = signal.signal(signal.SIGCHLD, _look_later)
        self._other_fd = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)

    def drain(self) -> set[int]:
        """The signals that have come since the last time."""
        came: set[int] = set()
        try:
            while piece := os.read(self.fd, _PIECE):
                came.update(piece)
        except BlockingIOError:
            pass
        return came

    def close(self) -> None:
        """Put back what was there before."""
        signal.set_wakeup_fd(self._other_fd, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, self._handler if self._handler is not None else signal.SIG_DFL)
        os.close(self.fd)
        os.close(self._writing)


def _look_later(number: int, frame: FrameType | None) -> None:
    """The number is in the wakeup descriptor already."""
