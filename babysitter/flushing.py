"""Waiting until many files are on the disk.

How a batch is flushed, by size (milliseconds; ext4, two cores, 400 bytes a file):

    files          2     10     30    100    900
    one by one   0.4    1.4    4.4   14.5    136
    16 threads   1.8    2.5    4.0    8.8     39   and 4.8 to import threading
    syncfs       0.4    0.4    0.8    2.2     10   and 3.3 to import ctypes

One by one is best for a few. Then syncfs, although it waits for whatever else
is being written to that file system; threads where there is no syncfs.
"""

from __future__ import annotations

import errno
import os

from babysitter.disk import Folder, flush, flush_drive, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FEW = 16
_THREADS = 16


def flush_all(fds: Sequence[int], folder: Folder, *, can_sync_all: bool) -> None:
    """Wait until all these files are on the disk.

    Raises:
        StorageError: at least one is not; none of them may be flushed again.
    """
    if len(fds) < FEW:
        for fd in fds:
            flush(fd, folder.path)
    elif not (can_sync_all and syncfs_reports_failures() and sync_file_system(folder)):
        try:
            _flush_in_threads(fds)
            # Where fsync stops at the drive's cache, one call empties it for all.
            flush_drive(folder.fd)
        except OSError as error:
            refuse(error, folder.path, "flushed")


def _flush_in_threads(fds: Sequence[int]) -> None:
    import threading

    waiting = list(fds)
    failures: list[OSError] = []

    def work() -> None:
        while waiting and not failures:
            try:
                os.fsync(waiting.pop())
            except IndexError:
                return
            except OSError as error:
                failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(min(_THREADS, len(fds)) - 1)]
    started = []
    for thread in threads:
        try:
            thread.start()
        except RuntimeError:  # no more threads to be had: those there are do it
            break
        started.append(thread)
    work()
    for thread in started:
        thread.join()
    if failures:
        raise failures[0]


def syncfs_reports_failures() -> bool:
    """Before Linux 5.8 syncfs succeeds also when it could not write."""
    system = os.uname()
    if system.sysname != "Linux":
        return False
    numbers = system.release.replace("-", ".").split(".")
    return tuple(int(number) if number.isdigit() else 0 for number in numbers[:2]) >= (5, 8)


def sync_file_system(folder: Folder) -> bool:
    """Flush all that was written to the file system of ``folder`` since it was opened.

    Returns:
        False where there is no such call.

    Raises:
        StorageError
    """
    try:
        import ctypes

        call = ctypes.CDLL(None, use_errno=True).syncfs
    except (ImportError, OSError, AttributeError):
        return False
    if call(folder.fd) == 0:
        return True
    number = ctypes.get_errno()
    if number not in (errno.ENOSYS, errno.EPERM):
        refuse(OSError(number, os.strerror(number)), folder.path, "flushed")
    return False
