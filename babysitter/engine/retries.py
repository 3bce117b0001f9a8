"""Trying again: how often, after which failures, and after how long a wait."""

from __future__ import annotations

from babysitter.durations import seconds
from babysitter.errors import TaskCancelled, TaskFailed
from babysitter.ids import sha256_hex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Failure = type[BaseException] | str
    On = Failure | Sequence[Failure] | Callable[[TaskFailed], bool]

MOST_ATTEMPTS = 1000
_FRACTION_DIGITS = 13  # of a hexadecimal number: 52 bits, as many as a float has


class Retry:
    """How a task is tried again when it fails.

    Args:
        max_attempts: how often it is tried in all, at least once.
        backoff: the wait after the first failure (seconds, or a text such as ``"2s"``); it grows by
            ``factor`` with each further one, up to ``max_backoff``. A list gives the waits one by one;
            its last one is repeated.
        jitter: from 0 to 1: the part of each wait that is left to chance, so that many who failed
            together do not all come back at once. The same on every replay.
        on: which failures: a class (``TaskTimeout``, or what a python task raised, as ``ConnectionError``),
            a name of a failure (``"StartFailed"``), several of them, or a function of the ``TaskFailed``.
            By default all but a person's cancellation, which has to be named: ``TaskCancelled``.

    Raises:
        TypeError, ValueError: a value makes no sense.
    """

    __slots__ = ("_is_listed", "_on", "_waits", "factor", "jitter", "max_attempts", "max_backoff")

    def __init__(
        self,
        max_attempts: int,
        backoff: float | str | Sequence[float | str] = 1,
        *,
        factor: float = 2,
        max_backoff: float | str = "5m",
        jitter: float = 0,
        on: On | None = None,
    ) -> None:
        if isinstance(max_attempts, bool) or not isinstance(max_attempts, int):
            raise TypeError(f"max_attempts={max_attempts!r} is not a whole number")
        if not 1 <= max_attempts <= MOST_ATTEMPTS:
            raise ValueError(f"max_attempts={max_attempts} is not from 1 to {MOST_ATTEMPTS}")
        if not _is_number(jitter) or not 0 <= jitter <= 1:
            raise ValueError(f"jitter={jitter!r} is not a number from 0 to 1")
        if not _is_number(factor) or not 1 <= factor < float("inf"):
            raise ValueError(
                f"factor={factor!r} is not a number from 1 on; a wait would become shorter with each failure"
            )
        self.max_attempts = max_attempts
        self.factor = factor
        self.jitter = jitter
        self.max_backoff = seconds(max_backoff)
        self._is_listed = isinstance(backoff, (list, tuple))
        self._waits = _read_waits(backoff)
        self._on = _read_on(on)

    def wait_after(self, attempt: int, error: TaskFailed, seed: str) -> float | None:
        """Seconds until the next attempt; None when there is none, and the failure stands."""
        if attempt >= self.max_attempts or not self._covers(error):
            return None
        wait = self._wait(attempt)
        chance = int(sha256_hex(f"retry {seed} {attempt}".encode())[:_FRACTION_DIGITS], 16)
        return round(wait * (1 - self.jitter * chance / 16.0**_FRACTION_DIGITS), 3)

    def _wait(self, attempt: int) -> float:
        if self._is_listed:
            return self._waits[min(attempt, len(self._waits)) - 1]
        first = self._waits[0]
        try:
            wait: float = first * self.factor ** (attempt - 1)
        except OverflowError:
            wait = first and self.max_backoff
        return min(wait, self.max_backoff)

    def _covers(self, error: TaskFailed) -> bool:
        if self._on is None:
            return not isinstance(error, TaskCancelled)
        return self._on(error)

    def __repr__(self) -> str:
        return f"Retry({self.max_attempts})"


def _read_waits(backoff: float | str | Sequence[float | str]) -> list[float]:
    if isinstance(backoff, (list, tuple)):
        if not backoff:
            raise ValueError("backoff=[] has no wait in it; write backoff=0 for none")
        return [seconds(wait) for wait in backoff]
    return [seconds(backoff)]  # type: ignore[arg-type]


def _read_on(on: On | None) -> Callable[[TaskFailed], bool] | None:
    if on is None or (callable(on) and not isinstance(on, type)):
        return on
    failures: Any = tuple(on) if isinstance(on, (list, tuple, set, frozenset)) else (on,)
    if not failures:
        raise ValueError("on=[] covers no failure at all; leave it out, or name one")
    for failure in failures:
        if not isinstance(failure, str) and not _is_error(failure):
            raise TypeError(f"on={failure!r} is neither a class of failures nor the name of one")
    classes = tuple(failure for failure in failures if isinstance(failure, type))
    # What a python task raised comes back as a TaskFailed with the name of its class.
    names = {failure if isinstance(failure, str) else failure.__name__ for failure in failures}

    def covers(error: TaskFailed) -> bool:
        # Whoever writes ``Exception`` does not mean that nobody can cancel it any more.
        return error.name in names or (isinstance(error, classes) and not isinstance(error, TaskCancelled))

    return covers


def _is_error(failure: Any) -> bool:
    return isinstance(failure, type) and issubclass(failure, BaseException)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
