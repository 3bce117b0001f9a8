"""Unpack a run: to go on with it (``restore``), or to look at it (``copied``).

A restored run is whole and on the disk before it gets its name, and only then
is its archive removed. A kill leaves the archive, the run, or both.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from babysitter.disk import PRIVATE_FILE, PRIVATE_FOLDER, Folder, refuse
from babysitter.engine.state import RunState
from babysitter.errors import (
    Conflict,
    CorruptArchive,
    NoSuchRun,
    RunExists,
    RunPacked,
    StorageError,
)
from babysitter.files import sync_folder
from babysitter.ids import base32
from babysitter.journal.lock import run_lock
from babysitter.runs.contents import JOURNAL
from babysitter.runs.creation import TEMPORARY
from babysitter.runs.ended import references
from babysitter.runs.folder import PACKED, archive_of, check_folder
from babysitter.runs.new_files import NewFiles
from babysitter.runs.packed import Packed
from babysitter.runs.removal import delete, identity_of, leave_to
from babysitter.runs.run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from babysitter.limits import Limits

    Tell = Callable[[int], object]

# Nobody who looks at a run looks at these.
NOT_LOOKED_AT = frozenset({"artifacts", "quarantine"})


def open_packed(run_id: str, runs_dir: str) -> Packed:
    """The packed run of that id, open.

    Raises:
        NoSuchRun: none is packed.
        CorruptArchive, UnsafePath, UnknownLayout
    """
    path = archive_of(run_id, runs_dir)
    try:
        check_folder(os.path.dirname(path))
        packed = Packed(path)
    except FileNotFoundError:
        raise NoSuchRun(f"no run {run_id!r} is packed in {runs_dir!r}", hint="babysitter list") from None
    if packed.about["runId"] != run_id:
        packed.close()
        raise CorruptArchive(
            f"the archive {path!r} holds the run {packed.about['runId']!r}",
            hint="give it that name, or put it back from a copy",
        )
    return packed


def restore(run_id: str, runs_dir: str, *, keep: bool = False, tell: Tell = lambda size: None) -> Packed:
    """Give a packed run its folder back and, unless ``keep``, remove the archive; gives what it was, closed.

    Raises:
        NoSuchRun: none is packed under this id.
        RunExists: the run has a folder; it is not touched.
        CorruptArchive, UnsafePath, UnknownLayout: the archive cannot be trusted; nothing was made.
        StorageError
    """
    folder = os.path.join(runs_dir, run_id)
    with open_packed(run_id, runs_dir) as packed:
        if os.path.lexists(folder):
            raise _exists(run_id, packed.path)
        _check_room(packed.size, runs_dir)
        _put_in_place(packed, folder, keep, tell)
    return packed


def _put_in_place(packed: Packed, folder: str, keep: bool, tell: Tell) -> None:
    runs_dir, run_id = os.path.split(folder)
    temporary = os.path.join(runs_dir, TEMPORARY + base32(os.urandom(10)))
    try:
        _make(temporary)
        # Who clears away litter, and who would pack the run again at once, finds it in use.
        with run_lock(temporary, 0):
            unpack(packed, temporary, is_durable=True, tell=tell)
            os.rename(temporary, folder)
            sync_folder(runs_dir)
            if not keep:
                _remove_archive(packed, folder)
    except BaseException as error:
        _delete_quietly(temporary)
        if isinstance(error, OSError):
            if os.path.lexists(folder):
                raise _exists(run_id, packed.path) from None
            refuse(error, folder, "made")
        raise


def _make(folder: str) -> None:
    os.mkdir(folder, PRIVATE_FOLDER)
    os.chmod(folder, PRIVATE_FOLDER)


def _delete_quietly(folder: str) -> None:
    try:
        delete(folder)
    except StorageError:
        # It is litter, and is cleaned up as such; what matters is why.
        pass


def _remove_archive(packed: Packed, folder: str) -> None:
    identity = identity_of(folder)
    if identity is None or identity_of(packed.path) != packed.identity:
        # It was packed again meanwhile, and that archive is not ours to remove.
        return
    try:
        delete(leave_to(folder, identity, packed.path))
    except (FileNotFoundError, Conflict):
        # Another command was at it. The run is in its place, or in its archive.
        pass


def _exists(run_id: str, archive: str) -> RunExists:
    # Whoever gave it its folder may have been killed before that was flushed, and who reads this
    # relies on it.
    sync_folder(os.path.dirname(os.path.dirname(archive)))
    return RunExists(
        f"a run {run_id!r} exists, so the one in {archive!r} stays packed", hint=f"babysitter show {run_id}"
    )


def _check_room(size: int, folder: str) -> None:
    """Find out before rather than after it was filled."""
    try:
        found = os.statvfs(folder)
    except OSError as error:
        refuse(error, folder, "looked at")
    free = found.f_bavail * found.f_frsize
    if size > free:
        raise StorageError(
            f"the run has {size} bytes when it is unpacked, and {folder!r} has room for {free}",
            hint="free some space and try again",
        )


@contextmanager
def copied(packed: RunPacked, limits: Limits) -> Iterator[Run]:
    """A packed run to look at, in a private folder that is gone afterwards; its artifacts stay packed.

    Raises:
        CorruptArchive, UnsafePath, UnknownLayout, StorageError
    """
    runs_dir = os.path.dirname(os.path.dirname(packed.archive))
    folder = _temporary_folder()
    try:
        with open_packed(os.path.basename(packed.archive).removesuffix(PACKED), runs_dir) as opened:
            # Twice, as it may be in memory, and others need that too.
            _check_room(2 * opened.size_without(NOT_LOOKED_AT), folder)
            unpack(opened, folder, is_durable=False, without=NOT_LOOKED_AT)
        run = Run(folder, limits)
        run.archive = packed.archive
        yield run
    finally:
        _delete_quietly(folder)


def _temporary_folder() -> str:
    from tempfile import mkdtemp

    try:
        folder = mkdtemp(prefix="babysitter-")
        os.chmod(folder, PRIVATE_FOLDER)
    except OSError as error:
        refuse(error, error.filename or "a temporary folder", "made")
    return folder


def unpack(
    packed: Packed,
    folder: str,
    *,
    is_durable: bool,
    without: frozenset[str] = frozenset(),
    tell: Tell = lambda size: None,
) -> None:
    """Fill a folder that nobody reads yet; on the disk, if it is to be durable, when this returns.

    Raises:
        CorruptArchive, UnsafePath: what comes out is not what was packed.
        StorageError
    """
    names = [name for name in packed.files if name.split("/")[0] not in without]
    folders = {name for name in packed.folders if name.split("/")[0] not in without}
    with (
        Folder(folder) as opened,
        NewFiles(opened, is_durable=is_durable) as files,
    ):
        for name in sorted({*folders, JOURNAL, "artifacts", "state"}):
            files.make_folder(name)
        for name in names:
            mode = PRIVATE_FOLDER if name in packed.executable else PRIVATE_FILE
            files.write(name, mode, _told(packed.chunks(name), tell))
        _unpack_events(packed, files, tell)
        files.flush()


def _told(chunks: Iterator[bytes], tell: Tell) -> Iterator[bytes]:
    for chunk in chunks:
        tell(len(chunk))
        yield chunk


def _unpack_events(packed: Packed, files: NewFiles, tell: Tell) -> None:
    state = RunState()
    needed: dict[str, str] = {}
    for name, raw, event in packed.events():
        state.apply(event)
        needed.update(references(event))
        files.write(f"{JOURNAL}/{name}", PRIVATE_FILE, iter([raw]))
        tell(len(raw))
    about = packed.about
    if (state.run_id, state.status) != (about["runId"], about["status"]):
        raise CorruptArchive(f"the archive {packed.path!r} holds another journal than it says")
    for name, digest in needed.items():
        if about["files"].get(name) != digest:
            raise CorruptArchive(f"the archive {packed.path!r} holds another {name!r} than its journal says")
