"""How far a long command is, as one line on standard error that is written over itself."""

from __future__ import annotations

import sys
import time

from babysitter.views.text import pad, printable, shorten, size, terminal_width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self, TextIO

# What is over before that needs no line; and nobody reads more often than that.
SECONDS_BEFORE_THE_FIRST = 1.0
SECONDS_BETWEEN = 0.1


class Meter:
    """Counts bytes; shows them when standard error is a terminal and it takes long."""

    def __init__(self, stream: TextIO | None = None, *, is_quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._width = None if is_quiet else terminal_width(self._stream)
        self._what = ""
        self._bytes = 0
        self._next = time.monotonic() + SECONDS_BEFORE_THE_FIRST
        self._shown = 0

    def begin(self, what: str) -> None:
        """Count anew, for this."""
        self._what, self._bytes = what, 0

    def add(self, count: int) -> None:
        """So many bytes more are done."""
        self._bytes += count
        if self._width and time.monotonic() >= self._next:
            self._next = time.monotonic() + SECONDS_BETWEEN
            self._show(shorten(printable(f"{self._what}  {size(self._bytes)}"), self._width - 1))

    def clear(self) -> None:
        """Take the line away, before something else is told."""
        if self._shown:
            self._show("")
            self._shown = 0

    def _show(self, text: str) -> None:
        self._stream.write("\r" + pad(text, max(self._shown, len(text))) + ("" if text else "\r"))
        self._stream.flush()
        self._shown = len(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.clear()
