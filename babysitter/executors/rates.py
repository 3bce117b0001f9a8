"""Rate limits: how often effects of a kind or a task may be started, counted across processes.

What was started is kept in ``$BABYSITTER_HOME/rates``, for all runs of this
user; what only a project limits is counted for that project alone. Whoever
is about to start an effect takes a start first: one that never happened,
because of a kill in between, has counted.

Where starts cannot be counted nothing is started: a limit that silently does
not hold could cost its user more than a run that stops.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager

from babysitter.disk import PRIVATE_FILE, refuse
from babysitter.errors import StorageError
from babysitter.executors.starts import Starts, next_start, read_starts
from babysitter.files import open_inside
from babysitter.ids import sha256_hex
from babysitter.paths import home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from babysitter.config import Settings
    from babysitter.disk import Folder
    from babysitter.rate import Rate

FOLDER, LOCK = "rates", "lock"
# Others hold the lock for less than a millisecond, unless they were stopped in the middle.
TRIES, PAUSE_SECONDS = 5, 0.001
BUSY_MS = 50
SHOWN = 24
_OPEN_LOCK = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK


class Wait:
    """What an effect waits for: a rate, and when it admits the next start, in milliseconds since 1970."""

    __slots__ = ("at_ms", "rate")

    def __init__(self, rate: Rate, at_ms: int) -> None:
        self.rate = rate
        self.at_ms = at_ms


class Rates:
    """The rate limits of a command."""

    def __init__(self, rates: Sequence[Rate]) -> None:
        self._rates = rates

    def take(self, kind: str, task_id: str, now_ms: int) -> int:
        """Take a start of a kind and task: 0, go on; else the time at which to ask again, nothing is taken.

        Never waits. The time is in milliseconds since 1970; somebody else may be first then.

        Raises:
            StorageError, UnsafePath: what was started cannot be counted.
        """
        rates = self._of(kind, task_id)
        if not rates:
            return 0
        with _counting(rates), _folder() as folder, _locked(folder) as is_locked:
            return _take(folder, rates, now_ms) if is_locked else now_ms + BUSY_MS

    def mend(self, kind: str, task_id: str, now_ms: int) -> None:
        """Have what is no time, or is to come, count as started now, once and for everybody.

        Raises:
            StorageError, UnsafePath: as in ``take``.
        """
        rates = self._of(kind, task_id)
        with _counting(rates), _folder() as folder, _locked(folder) as is_locked:
            for rate in rates if is_locked else []:
                Starts(folder, _name(rate), rate.count, now_ms).close()

    def peek(self, kind: str, task_id: str, now_ms: int) -> int:
        """The same without taking anything, and without the lock: to be shown, or to be planned with."""
        wait = self.wait_of(kind, task_id, now_ms)
        return wait.at_ms if wait else 0

    def wait_of(self, kind: str, task_id: str, now_ms: int) -> Wait | None:
        """Which limit holds a start up the longest; None when it could be taken now."""
        return self.waits([(kind, task_id)], now_ms)[0]

    def waits(self, wanted: Iterable[tuple[str, str]], now_ms: int) -> list[Wait | None]:
        """For each of these (kind, task) what it waits for, if those before it that need not are started."""
        times: dict[Rate, list[int]] = {}
        return [self._plan(kind, task_id, times, now_ms) for kind, task_id in wanted]

    def _plan(self, kind: str, task_id: str, times: dict[Rate, list[int]], now_ms: int) -> Wait | None:
        rates = self._of(kind, task_id)
        for rate in rates:
            if rate not in times:
                times[rate] = _read(rate, now_ms)
        wait = _longest(rates, [times[rate] for rate in rates], now_ms)
        if wait is None:
            for rate in rates:
                times[rate].append(now_ms)
        return wait

    def _of(self, kind: str, task_id: str) -> list[Rate]:
        return [rate for rate in self._rates if rate.is_for(kind, task_id)]


def rates_of(settings: Settings) -> Rates | None:
    """The rate limits of a configuration; None when it has none."""
    return Rates(settings.rates) if settings.rates else None


def _take(folder: Folder, rates: Sequence[Rate], now_ms: int) -> int:
    opened: list[Starts] = []
    try:
        # One by one, so that what is open is closed when the next one cannot be.
        opened.extend(Starts(folder, _name(rate), rate.count, now_ms) for rate in rates)
        wait = _longest(rates, [starts.times for starts in opened], now_ms)
        if wait is not None:
            return wait.at_ms
        for starts in opened:
            starts.note(now_ms)
        return 0
    finally:
        for starts in opened:
            starts.close()


def _longest(rates: Sequence[Rate], times: Sequence[Sequence[int]], now_ms: int) -> Wait | None:
    found = [
        Wait(rate, next_start(known, rate.count, rate.window_ms, now_ms))
        for rate, known in zip(rates, times, strict=True)
    ]
    longest = max(found, key=lambda wait: wait.at_ms, default=None)
    return longest if longest is not None and longest.at_ms else None


def _read(rate: Rate, now_ms: int) -> list[int]:
    try:
        with open_inside(_home(), [FOLDER]) as folder:
            return read_starts(folder, _name(rate), now_ms)
    except FileNotFoundError:
        return []


def _home() -> str:
    # A user may keep it elsewhere, by a link; below it nothing is reached through one.
    return os.path.realpath(home())


def _name(rate: Rate) -> str:
    """One file for each limit; its number may change, what has been started stays."""
    readable = "".join(
        letter for letter in rate.name if letter.isascii() and (letter.isalnum() or letter in "-_")
    )
    digest = sha256_hex(f"{rate.scope}\0{rate.what}\0{rate.name}".encode())
    return f"{rate.what}-{readable[:SHOWN]}-{digest[:16]}"


@contextmanager
def _counting(rates: Sequence[Rate]) -> Iterator[None]:
    try:
        yield
    except (StorageError, OSError) as error:
        names = " and ".join(rate.name for rate in rates)
        raise StorageError(
            f"starts of {names} are limited, and cannot be counted: {error}",
            hint=getattr(error, "hint", "") or "mend that, or take the limit out of the configuration",
        ) from error.__cause__ or error


def _folder() -> Folder:
    folder = _home()
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return open_inside(folder, [FOLDER], make=True)


@contextmanager
def _locked(folder: Folder) -> Iterator[bool]:
    """The lock of all that is counted; False when others keep it, for nobody waits here."""
    path = os.path.join(folder.path, LOCK)
    try:
        fd = os.open(LOCK, _OPEN_LOCK, PRIVATE_FILE, dir_fd=folder.fd)
    except OSError as error:
        refuse(error, path, "opened")
    try:
        yield _lock(fd, path)
    finally:
        # Closing gives it back; so does a kill.
        os.close(fd)


def _lock(fd: int, path: str) -> bool:
    for _ in range(TRIES):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE_SECONDS)
        except OSError as error:
            refuse(error, path, "locked")
        else:
            return True
    return False
