"""Pack a run that has ended into one file, and put its folder away.

A kill leaves the folder, the whole archive, or both. The folder is what counts
as long as it is there; packing again finds that the archive has the same in it
and goes on.
"""

from __future__ import annotations

import os

from babysitter.clock import iso, now_ms
from babysitter.disk import PRIVATE_FILE, PRIVATE_FOLDER, Folder, create, flush, refuse
from babysitter.errors import Conflict, CorruptArchive, StorageError, UsageError
from babysitter.files import sync_folder
from babysitter.ids import base32
from babysitter.runs.contents import changed, contents
from babysitter.runs.folder import ARCHIVE, PACKED, archive_of
from babysitter.runs.manifest import add_about, describe
from babysitter.runs.packed import Packed
from babysitter.runs.removal import delete, leave_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from babysitter.runs.ended import EndedRun

    Tell = Callable[[int], object]

TEMPORARY = ".packing-"


def pack(ended: EndedRun, version: str, tell: Tell = lambda size: None) -> Packed:
    """Pack a run and remove its folder; gives what it became, closed.

    ``tell`` is called with numbers of bytes as they are read.

    Raises:
        RunBusy: somebody is at work on it.
        Conflict: another run of this id is packed, or something changes in its folder.
        CorruptEvent: a file is not what its event says.
        UnsafePath: there is something in it that cannot be packed.
        StorageError: the disk refuses; everything is as it was, unless the message says something else.
    """
    folder = ended.run.folder
    _check_name(ended)
    with ended.hold():
        packed = _archive(ended, version, tell)
        aside = leave_to(packed.path, packed.identity, folder)
    try:
        delete(aside)
    except StorageError as error:
        error.message = f"the run is packed, and what is left of its folder stays: {error.message}"
        raise
    return packed


def _check_name(ended: EndedRun) -> None:
    if ended.name != ended.run.run_id:
        raise UsageError(
            f"the run in the folder {ended.name!r} is {ended.run.run_id!r}: a copy cannot be packed",
            hint=f"rename the folder to {ended.run.run_id}",
        )


def _archive(ended: EndedRun, version: str, tell: Tell) -> Packed:
    """The archive of the run, made now or found; closed."""
    runs_dir = os.path.dirname(ended.run.folder)
    path = archive_of(ended.run.run_id, runs_dir)
    try:
        _make_folder(runs_dir)
        if not os.path.lexists(path):
            return _write(ended, path, version, tell)
        return _recognise(ended, path, tell)
    except FileNotFoundError as error:
        raise changed(str(error.filename)) from None


def _make_folder(runs_dir: str) -> None:
    path = os.path.join(runs_dir, ARCHIVE)
    try:
        os.mkdir(path, PRIVATE_FOLDER)
        os.chmod(path, PRIVATE_FOLDER)
    except FileExistsError:
        pass
    except OSError as error:
        refuse(error, path, "made")
    # Also when it was there: its maker may have been killed before this.
    sync_folder(runs_dir)


def _write(ended: EndedRun, path: str, version: str, tell: Tell) -> Packed:
    with Folder(os.path.dirname(path)) as folder:
        temporary = TEMPORARY + base32(os.urandom(10)) + PACKED
        whole = os.path.join(folder.path, temporary)
        try:
            try:
                fd = create(temporary, folder_fd=folder.fd)
                about = _fill(fd, whole, ended, version, tell)
                packed = _read_back(whole, about)
                os.link(temporary, os.path.basename(path), src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
            finally:
                _forget(temporary, folder)
            folder.sync()
        except FileExistsError:
            raise Conflict(f"{path!r} was made by another command just now", hint="try again") from None
        except OSError as error:
            refuse(error, path, "written")
    packed.path = path
    return packed


def _forget(temporary: str, folder: Folder) -> None:
    try:
        os.unlink(temporary, dir_fd=folder.fd)
    except OSError:
        # It was never made; or it stays, and is cleaned up with what kills leave.
        pass


def _fill(fd: int, path: str, ended: EndedRun, version: str, tell: Tell) -> dict[str, Any]:
    from zipfile import ZIP_DEFLATED, ZipFile

    run = ended.run
    with open(fd, "wb") as file:
        os.fchmod(fd, PRIVATE_FILE)
        items = contents(run.folder)
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            about = {
                **describe(ended, items, archive, tell),
                "version": version,
                "packedAt": iso(now_ms()),
            }
            add_about(archive, about)
        if contents(run.folder) != items:
            raise changed(run.folder)
        file.flush()
        flush(fd, path)
        _forget_pages(fd)
    return about


def _forget_pages(fd: int) -> None:
    """Let the reading back come from the disk, where the system can be asked for that."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


def _read_back(path: str, about: dict[str, Any]) -> Packed:
    try:
        with Packed(path) as packed:
            packed.check()
    except CorruptArchive as error:
        raise StorageError(f"what was written is not what is read back: {error.message}") from error
    if packed.about != about:
        raise StorageError(f"what was written to {path!r} is not what is read back")
    return packed


def _recognise(ended: EndedRun, path: str, tell: Tell) -> Packed:
    """The archive that is there, if it is whole and has in it what the folder has."""
    with Packed(path) as packed:
        packed.check()
        found = describe(ended, contents(ended.run.folder), None, tell)
    if {**packed.about, **found} != packed.about:
        raise Conflict(
            f"{path!r} holds a run of the same id that is not the same",
            hint="move the archive to another place, then try again",
        )
    # Whoever gave it its name may have been killed before that was flushed, and now the folder goes.
    sync_folder(os.path.dirname(path))
    return packed
