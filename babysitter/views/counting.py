"""A count of what was done so far, on a terminal, for what takes longer than a moment."""

from __future__ import annotations

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

# Less than this needs no telling, and rich is not loaded for it.
MOMENT_SECONDS = 1.0
# A look at the clock costs more than an event.
STRIDE = 256


class Counting:
    """Counts things on standard error; nothing is shown when nobody looks at it, or when it is quick."""

    def __init__(self, what: str, total: int | None = None) -> None:
        self._what = what
        self._total = total
        self._count = 0
        self._shown_from = time.monotonic() + MOMENT_SECONDS
        self._bar: Any = None
        self._is_wanted = sys.stderr.isatty()

    def step(self, *_: object) -> None:
        """One more is done."""
        self._count += 1
        if self._is_wanted and self._count % STRIDE == 0:
            self._show()

    def _show(self) -> None:
        if self._bar is None:
            if time.monotonic() < self._shown_from:
                return
            self._bar = _bar()
            self._task = self._bar.add_task(self._what, total=self._total)
            self._bar.start()
        self._bar.update(self._task, completed=self._count)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
