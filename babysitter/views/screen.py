"""The terminal, through rich: a frame that is drawn over and over, and lines that stay above it.

The only module that imports rich. A frame is handed over as segments, ready
to be written; measuring and wrapping them again would take rich longer than
all the rest of a redraw.
"""

from __future__ import annotations

import sys

from rich.console import Console
from rich.live import Live
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from babysitter.views.marks import (
    AGENT,
    BAR,
    BOLD,
    CANCELLED,
    CHILD,
    CLOCK,
    DIM,
    FAILED,
    NONZERO,
    OK,
    PARTLY,
    PERSON,
    PLAIN,
    REJECTED,
    REQUESTED,
    RUNNING,
)
from babysitter.views.text import encodable, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from rich.console import ConsoleOptions, RenderResult

    from babysitter.views.marks import Line

# The terminal's own sixteen colours, so that its theme, dark or light, decides;
# white, black and their bright twins are left out: one of them is always invisible.
STYLES = {
    PLAIN: Style.null(),
    BOLD: Style(bold=True),
    DIM: Style(dim=True),
    BAR: Style(color="cyan"),
    OK: Style(color="green"),
    NONZERO: Style(color="yellow"),
    REJECTED: Style(color="yellow"),
    PARTLY: Style(color="yellow"),
    FAILED: Style(color="red", bold=True),
    RUNNING: Style(color="cyan"),
    PERSON: Style(color="magenta", bold=True),
    AGENT: Style(color="magenta"),
    CLOCK: Style(color="blue"),
    CHILD: Style(dim=True),
    REQUESTED: Style(dim=True),
    CANCELLED: Style(dim=True),
}


class _Frame:
    """Lines that fit the terminal as they are."""

    def __init__(self, lines: list[list[Segment]]) -> None:
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._lines:
            yield from line
            yield Segment.line()
        # The cursor rests below, at the start of an empty line: a killed command leaves a tidy prompt.
        yield Segment.line()


class Screen:
    """One frame at the bottom, and everything printed above it."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._live: Live | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines that a frame may take."""
        columns, lines = self._console.size
        # The last column would wrap on some terminals; the last line is where the cursor rests.
        return columns - 1, lines - 1

    def draw(self, lines: Iterable[Line]) -> None:
        """Draw a frame where the one before is."""
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
            # A command killed by SIGKILL cannot bring a hidden cursor back.
            self._console.show_cursor(True)
        self._live.update(_Frame([list(map(self._segment, line)) for line in lines]), refresh=True)

    def print(self, line: Line) -> None:
        """Print a line that stays."""
        text = Text()
        for part, role in line:
            text.append(encodable(printable(part), self._stream), STYLES.get(role, ""))
        self._console.print(text)

    def erase(self) -> None:
        """Take the frame away; the terminal is then as it was."""
        live, self._live = self._live, None
        if live is not None:
            live.update(_Frame([]))
            live.stop()

    def _segment(self, part: tuple[str, str]) -> Segment:
        text, role = part
        return Segment(encodable(text, self._stream), STYLES.get(role))
