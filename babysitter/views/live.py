"""A live tree of the run on a terminal; log lines and messages scroll by above it."""

from __future__ import annotations

import sys
import time

from babysitter.clock import now_ms
from babysitter.views.marks import ASCII, BOLD, DIM, PLAIN, UNICODE, tally_line
from babysitter.views.quiet import QuietView
from babysitter.views.rows import Layout
from babysitter.views.summary import summary_lines
from babysitter.views.telling import remark
from babysitter.views.text import can_show_unicode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from babysitter.journal.events import Event
    from babysitter.views.marks import Line
    from babysitter.views.screen import Screen
    from babysitter.views.summary import Outcome

# Results may come in by the hundred per second; nobody reads that fast.
SECONDS_BETWEEN_FRAMES = 0.1


class LiveView(QuietView):
    """Draws at ``tick``, at most ten times a second; in between it only takes notice."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], int] = now_ms) -> None:
        super().__init__(clock)
        self._stream = stream
        self.marks = UNICODE if can_show_unicode(stream or sys.stdout) else ASCII
        self._screen: Screen | None = None
        self._drawn_at = -1.0
        self._is_paused = False
        self._lines: list[Line] = []

    def event(self, event: Event) -> None:
        super().event(event)
        line = None if self.is_old(event) else remark(event)
        if line is not None:
            self._lines.append(line)

    def message(self, text: str) -> None:
        self._lines.append([(text, PLAIN)])

    def tick(self) -> None:
        now = time.monotonic()
        if not self._is_paused and now - self._drawn_at >= SECONDS_BETWEEN_FRAMES:
            self._drawn_at = now
            self._print_lines()
            self._draw()

    def pause(self) -> None:
        """Take the tree away for a question; what happens meanwhile is told afterwards."""
        if self._is_paused:
            return
        self._print_lines()
        screen = self._open()
        screen.erase()
        title = self.run.title or self.run.run_id
        screen.print([(title, BOLD), (f" {self.marks.dot} ", DIM), *tally_line(self.tree.counts)])
        self._is_paused = True

    def resume(self) -> None:
        self._is_paused = False
        self._drawn_at = -1.0

    def finished(self, outcome: Outcome) -> None:
        screen = self._open()
        screen.erase()
        if self._is_paused:
            self._is_paused = False
            # The cursor stands behind a question that nobody will answer now.
            screen.print([])
        self._print_lines()
        for line in summary_lines(self.tree, outcome, self.marks):
            screen.print(line)

    def close(self) -> None:
        if self._screen is not None:
            self._screen.erase()

    def _open(self) -> Screen:
        """The screen; made at the first drawing, so that the work has begun when rich is imported."""
        if self._screen is None:
            from babysitter.views.screen import Screen

            self._screen = Screen(self._stream)
        return self._screen

    def _print_lines(self) -> None:
        lines, self._lines = self._lines, []
        for line in lines:
            self._open().print(line)

    def _draw(self) -> None:
        screen = self._open()
        columns, lines = screen.size
        now = self.clock()
        layout = Layout(self.tree, self.marks, now, columns, lines)
        screen.draw(layout.lines(self.run.run_id, now - self.started_ms))
