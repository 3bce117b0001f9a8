"""``hooks.jsonl`` in a run folder: a line for each call of a lifecycle hook.

Not in the journal: what a hook does changes nothing in the run, and one that has ended takes no
events. Not flushed, and nothing rests on it.
"""

from __future__ import annotations

import os

from babysitter.disk import PRIVATE_FILE, Folder, check_owner, check_regular, refuse, write_fully
from babysitter.errors import BabysitterError
from babysitter.jsontext import compact, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.runs.run import Run

FILE = "hooks.jsonl"
MOST_BYTES = 1 << 30
_APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK


def note(run_folder: str, call: dict[str, Any]) -> None:
    """Append a line.

    Raises:
        UnsafePath: something else is in the file's place.
        StorageError, FileNotFoundError
    """
    path = os.path.join(run_folder, FILE)
    line = compact(call).encode("utf-8", "backslashreplace") + b"\n"
    with Folder(run_folder) as folder:
        try:
            fd = os.open(FILE, _APPEND, PRIVATE_FILE, dir_fd=folder.fd)
        except OSError as error:
            refuse(error, path, "opened")
        try:
            check_owner(check_regular(fd, path), path)
            write_fully(fd, line if _is_at_beginning(fd) else b"\n" + line)
        except OSError as error:
            refuse(error, path, "written")
        finally:
            os.close(fd)


def _is_at_beginning(fd: int) -> bool:
    """The file ends with a whole line; a full disk may have cut the last one."""
    size = os.fstat(fd).st_size
    return size == 0 or os.pread(fd, 1, size - 1) == b"\n"


def read_calls(run: Run) -> list[dict[str, Any]]:
    """The calls that a run's file tells of, in order; lines that are none are passed over.

    Raises:
        BabysitterError: it cannot be read.
    """
    try:
        lines = run.read_file(FILE, MOST_BYTES).splitlines()
    except FileNotFoundError:
        return []
    return [call for call in map(_read, lines) if call]


def _read(line: bytes) -> dict[str, Any]:
    try:
        told = loads(line)
    except (ValueError, RecursionError, BabysitterError):
        return {}
    is_call = isinstance(told, dict) and all(
        isinstance(told.get(name), str) for name in ("hook", "file", "at")
    )
    return told if is_call else {}
