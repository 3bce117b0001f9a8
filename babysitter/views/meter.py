"""How far a long command is, as one line on standard error that is written over itself."""

from __future__ import annotations

import sys
import time

from babysitter.views.text import pad, printable, shorten, size, terminal_width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self, TextIO

# What is over before that needs no line; and nobody reads more often than that.
SECONDS_BEFORE_THE_FIRST = 1.0
SECONDS_BETWEEN = 0.1
# A look at the clock costs more than an event.
STRIDE = 256


def events(count: int) -> str:
    """So many events, in words."""
    return f"{count:,} events"


class Meter:
    """Counts bytes or other things; shows them when standard error is a terminal and it takes long.

    ``shown`` tells a count in words.
    """

    def __init__(
        self, stream: TextIO | None = None, *, is_quiet: bool = False, shown: Callable[[int], str] = size
    ) -> None:
        self._stream = stream or sys.stderr
        self._width = None if is_quiet else terminal_width(self._stream)
        self._told = shown
        self._what = ""
        self._count = 0
        self._next = time.monotonic() + SECONDS_BEFORE_THE_FIRST
        self._shown = 0

    def begin(self, what: str) -> None:
        """Count anew, for this."""
        self._what, self._count = what, 0

    def step(self, *_: object) -> None:
        """One more is done; of small things, so that not each of them is worth a look."""
        if (self._count + 1) % STRIDE:
            self._count += 1
        else:
            self.add(1)

    def add(self, count: int) -> None:
        """So many more are done."""
        self._count += count
        if self._width and time.monotonic() >= self._next:
            self._next = time.monotonic() + SECONDS_BETWEEN
            self._show(shorten(printable(f"{self._what}  {self._told(self._count)}"), self._width - 1))

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
