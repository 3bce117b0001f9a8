"""Rate limits as they are written in a configuration: ``10/minute``, ``5/hour``, ``100/10m``."""

from __future__ import annotations

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "s": 1, "m": 60, "h": 3600, "d": 86400}
# Each start that counts is kept, with its time.
MOST_STARTS = 100_000
MOST_SECONDS = 366 * 86400

KIND, TASK = "kind", "task"


class Rate:
    """So many starts of a kind or of a task, at most, in any window of that length.

    Attributes:
        scope: the project within which they are counted; empty: all of this user's.
        what, name: of which kind, or of which task.
        text: as it was written.
    """

    __slots__ = ("count", "name", "scope", "text", "what", "window_ms")

    def __init__(self, scope: str, what: str, name: str, text: str) -> None:
        """Raise ValueError when ``text`` is no rate."""
        self.scope = scope
        self.what = what
        self.name = name
        self.text = text
        self.count, self.window_ms = parse(text)

    def is_for(self, kind: str, task_id: str) -> bool:
        """A start of this kind and task counts."""
        return self.name == (kind if self.what == KIND else task_id)


def parse(text: str) -> tuple[int, int]:
    """How many starts, and in how many milliseconds.

    Raises:
        ValueError: it is no rate; says what one looks like.
    """
    count, slash, length = text.replace(" ", "").partition("/")
    seconds = _seconds(length)
    if not slash or not _is_number(count) or seconds is None:
        raise ValueError(f"{text!r} is no rate; write it as 10/minute, 5/hour or 100/10m")
    if not 1 <= int(count) <= MOST_STARTS:
        raise ValueError(f"{text!r} allows {count} starts; 1 to {MOST_STARTS} can be counted")
    if not 1 <= seconds <= MOST_SECONDS:
        raise ValueError(f"{text!r} counts over {seconds} s; 1 s to 366 days can be")
    return int(count), seconds * 1000


def _seconds(length: str) -> int | None:
    unit = length.lstrip("0123456789")
    number = length[: len(length) - len(unit)] or "1"
    if unit not in UNITS or not _is_number(number):
        return None
    return int(number) * UNITS[unit]


def _is_number(text: str) -> bool:
    # So many digits at most: longer ones are beyond all limits, and take long to read.
    return text.isascii() and text.isdecimal() and len(text) <= 9
