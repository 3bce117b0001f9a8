"""The files that a breakpoint shows: where they are, and what is in them now, by digest."""

from __future__ import annotations

import os

from babysitter.errors import InvalidInput, UnsafePath
from babysitter.files import open_inside
from babysitter.ids import sha256_hex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from babysitter.runs.run import Run

# What a person is to read before an answer is smaller.
MOST_BYTES = 64 << 20


def look_at(run: Run, files: Iterable[dict[str, str]]) -> list[dict[str, Any]]:
    """Each file with the digest and the number of bytes that it has now.

    Raises:
        UnsafePath: one is outside of the project and the run, or behind a link.
        InvalidInput: one is not there, or too large to be read by anybody.
    """
    found = [{**file, **_content(run, file["path"])} for file in files]
    for file in found:
        if file["sha256"] is None:
            raise InvalidInput(
                f"the breakpoint shows {file['path']!r}, and there is no such file in the project or the run",
                hint="write it before the breakpoint; a path is relative to the project, or begins with"
                " ctx.artifacts",
            )
    return found


def present(run: Run, files: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same files as they are now; of one that is gone, or is something else, the digest is None.

    Raises:
        StorageError: one cannot be read, so nobody knows what it is.
    """
    return [{**file, **_present(run, file["path"])} for file in files]


def _present(run: Run, path: str) -> dict[str, Any]:
    try:
        return _content(run, path)
    except (UnsafePath, InvalidInput):
        # A link in its place, say: not what was shown, whatever it is.
        return {"sha256": None, "bytes": 0}


def changed(before: Iterable[dict[str, Any]], now: Iterable[dict[str, Any]]) -> list[str]:
    """The paths of those that are not what they were."""
    return [
        str(old["path"])
        for old, new in zip(before, now, strict=True)
        if old["sha256"] != new["sha256"] or new["sha256"] is None
    ]


def _content(run: Run, path: str) -> dict[str, Any]:
    content = read(run, path)
    digest = None if content is None else sha256_hex(content)
    return {"sha256": digest, "bytes": len(content or b"")}


def read(run: Run, path: str) -> bytes | None:
    """What is in a file of the project or of the run; None: it is not there.

    Raises:
        UnsafePath, InvalidInput: as in ``look_at``.
        StorageError: it cannot be read.
    """
    if not run.has_files:
        return b""
    root, inside = _place(run, path)
    *folders, name = inside.split(os.sep)
    try:
        with open_inside(root, folders) as folder:
            return folder.read(name, MOST_BYTES)
    except FileNotFoundError:
        return None


def stamp(run: Run, path: str) -> tuple[int, ...] | None:
    """Changes when a file does, as far as that is seen without reading it; None: nothing is there."""
    try:
        found = os.lstat(os.path.join(*_place(run, path)))
    except (OSError, ValueError, UnsafePath):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _place(run: Run, path: str) -> tuple[str, str]:
    """The folder that a path is in, the run's or the project's, and the rest of the path."""
    whole = os.path.normpath(os.path.join(run.project, path))
    for root in (run.folder, run.project):
        if whole.startswith(os.path.join(root, "")):
            return root, whole[len(os.path.join(root, "")) :]
    raise UnsafePath(
        f"the breakpoint shows {path!r}, which is neither in the project {run.project!r} nor in the run"
    )
