"""When what a rate limit counts was started last: one file, a time on each line.

The file holds the last starts, as many as the limit allows, in no order; a
start takes the place of the oldest one. So what is to be known is read from
it in one piece, and noted by one write of one line, which a kill leaves done or
not done. Not flushed: after a power cut the last seconds may be forgotten.

A window slides. A bucket of tokens would need one number only, but lets
through up to twice the limit in a window that begins with a full bucket.
"""

from __future__ import annotations

import os

from babysitter.disk import PRIVATE_FILE, check_owner, check_regular, open_to_read, refuse, write_fully

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from babysitter.disk import Folder

# Fifteen digits of milliseconds since 1970, and a line feed: lines never lie across two pages,
# and a write within one page is whole whatever kills the writer.
LINE_BYTES = 16
MOST_BYTES = 1 << 21
NEVER, UNREADABLE = 0, -1
# Callers read the clock before they come here, one a little earlier than the other.
SKEW_MS = 5_000
_READ_AND_WRITE = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK


def next_start(times: Sequence[int], count: int, window_ms: int, now_ms: int) -> int:
    """When one more start keeps to the limit, in milliseconds since 1970; 0: now."""
    if len(times) < count:
        return 0
    # Of the last `count` starts the first has to be a whole window ago.
    at = sorted(times)[-count] + window_ms
    return 0 if at <= now_ms else at


def mended(time: int, now_ms: int) -> int:
    """The time of a start, as far as it can be one: what is no time, or is to come, counts as now.

    So neither garbage nor a clock that went back holds anything up for longer than one window,
    and nothing is let through that should not be.
    """
    return now_ms if time == UNREADABLE or time > now_ms + SKEW_MS else time


def read_starts(folder: Folder, name: str, now_ms: int) -> list[int]:
    """The times that a file has; none when it is not there.

    Raises:
        UnsafePath: it is no file of ours.
        StorageError
    """
    path = os.path.join(folder.path, name)
    try:
        fd = open_to_read(name, folder.fd, shown=path)
    except FileNotFoundError:
        return []
    try:
        return [mended(time, now_ms) for time in _read(fd, path)]
    finally:
        os.close(fd)


class Starts:
    """The file, open for one decision; whoever has it open has the lock.

    Attributes:
        times: of the starts that are kept.
    """

    def __init__(self, folder: Folder, name: str, room: int, now_ms: int) -> None:
        """Open it, make it when it is not there, and see that it has room for so many.

        Raises:
            UnsafePath: it is no file of ours.
            StorageError
        """
        self._path = os.path.join(folder.path, name)
        self._fd = _open(folder, name, self._path)
        try:
            found = _read(self._fd, self._path)
            self.times = [mended(time, now_ms) for time in found]
            for index, (time, was) in enumerate(zip(self.times, found, strict=True)):
                if time != was:
                    self._write(index, time)
            self._make_room(room)
        except BaseException:
            self.close()
            raise

    def _make_room(self, room: int) -> None:
        """All of it now: then noting a start needs no space on the disk."""
        missing = room - len(self.times)
        if missing > 0:
            self._write(len(self.times), *[NEVER] * missing)
            self.times += [NEVER] * missing

    def note(self, now_ms: int) -> None:
        """Something is started: instead of the oldest start this one is kept."""
        index = self.times.index(min(self.times))
        self._write(index, now_ms)
        self.times[index] = now_ms

    def _write(self, index: int, *times: int) -> None:
        try:
            os.lseek(self._fd, index * LINE_BYTES, os.SEEK_SET)
            write_fully(self._fd, b"".join(b"%015d\n" % time for time in times))
        except OSError as error:
            refuse(error, self._path, "written")

    def close(self) -> None:
        os.close(self._fd)


def _open(folder: Folder, name: str, path: str) -> int:
    try:
        fd = os.open(name, _READ_AND_WRITE, PRIVATE_FILE, dir_fd=folder.fd)
    except OSError as error:
        # A link, a folder or a pipe in its place is told apart by who only reads.
        os.close(open_to_read(name, folder.fd, shown=path))
        refuse(error, path, "opened")
    return fd


def _read(fd: int, path: str) -> list[int]:
    check_owner(check_regular(fd, path), path)
    try:
        content = os.read(fd, MOST_BYTES)
    except OSError as error:
        refuse(error, path, "read")
    return [_time(content[at : at + LINE_BYTES]) for at in range(0, len(content), LINE_BYTES)]


def _time(line: bytes) -> int:
    digits = line[:-1]
    is_whole = len(line) == LINE_BYTES and line.endswith(b"\n") and digits.isdigit()
    return int(digits) if is_whole else UNREADABLE
