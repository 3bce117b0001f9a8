"""What ``packed.json`` says, made from a run folder; on the way each file goes into the archive."""

from __future__ import annotations

import os
import stat

from babysitter.clock import iso
from babysitter.disk import PRIVATE_FILE, PRIVATE_FOLDER, Folder, open_to_read, refuse
from babysitter.errors import CorruptEvent, UnsafePath
from babysitter.ids import running_sha256
from babysitter.journal.events import MAX_EVENT_BYTES, Head, decode, file_name
from babysitter.jsontext import compact
from babysitter.runs.contents import JOURNAL, changed
from babysitter.runs.members import ABOUT, LAYOUT, LINES
from babysitter.runs.packed import CHUNK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any
    from zipfile import ZipFile, ZipInfo

    from babysitter.runs.contents import Item
    from babysitter.runs.ended import EndedRun

    Tell = Callable[[int], object]

# The first that the format has: members say nothing of when or where they were packed.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def describe(ended: EndedRun, items: Sequence[Item], archive: ZipFile | None, tell: Tell) -> dict[str, Any]:
    """What ``packed.json`` says of the run; each file is added to the archive, if there is one.

    Raises:
        CorruptEvent: a file is not what its event says.
        UnsafePath: a name is taken by what the archive needs for itself.
        StorageError
    """
    run, state = ended.run, ended.run.state
    files: dict[str, str] = {}
    for item in items:
        if item.name in (ABOUT, LINES):
            path = os.path.join(run.folder, item.name)
            raise UnsafePath(f"{path!r} has a name that is babysitter's own", hint="rename it")
        if item.is_folder:
            if archive is not None:
                archive.writestr(_info(item.name, is_folder=True), b"")
            continue
        info = _info(item.name, is_executable=item.is_executable)
        files[item.name] = _add(archive, info, _chunks(os.path.join(run.folder, item.name), tell))
    files[LINES] = _add(archive, _info(LINES), _lines(ended, tell))
    _check_references(ended, files)
    return {
        "layout": LAYOUT,
        "runId": run.run_id,
        "processId": state.process_id,
        "status": state.status,
        "createdAt": iso(state.made_ms),
        "endedAt": iso(state.ended_ms),
        "events": run.journal.head.seq,
        "checksum": run.journal.head.checksum,
        "resolved": len(state.effects) - len(state.pending),
        "pending": len(state.pending),
        **({"parent": state.created["parent"]} if "parent" in state.created else {}),
        "folders": [item.name for item in items if item.is_folder],
        "executable": [item.name for item in items if item.is_executable and not item.is_folder],
        "files": files,
    }


def add_about(archive: ZipFile, about: dict[str, Any]) -> None:
    """Add ``packed.json`` itself, the last member."""
    _add(archive, _info(ABOUT), iter([compact(about).encode()]))


def _check_references(ended: EndedRun, files: dict[str, str]) -> None:
    for name, digest in ended.references.items():
        if files.get(name) != digest:
            raise CorruptEvent(
                f"{name!r} of run {ended.name!r} is absent or was changed; its event has another digest",
                hint=f"babysitter doctor {ended.name}",
            )


def _info(name: str, *, is_folder: bool = False, is_executable: bool = False) -> ZipInfo:
    from zipfile import ZIP_DEFLATED, ZipInfo

    info = ZipInfo(name + "/" if is_folder else name, _NO_TIME)
    kind = stat.S_IFDIR if is_folder else stat.S_IFREG
    mode = PRIVATE_FOLDER if is_folder or is_executable else PRIVATE_FILE
    info.create_system = 3  # Unix: the high half of the attributes is a mode
    info.external_attr = (kind | mode) << 16
    info.compress_type = ZIP_DEFLATED
    return info


def _add(archive: ZipFile | None, info: ZipInfo, chunks: Iterator[bytes]) -> str:
    digest = running_sha256(CHUNK)
    if archive is None:
        for chunk in chunks:
            digest.update(chunk)
        return digest.hexdigest()
    # How long it is shows at its end.
    with archive.open(info, "w", force_zip64=True) as member:
        for chunk in chunks:
            digest.update(chunk)
            member.write(chunk)
    return digest.hexdigest()


def _chunks(path: str, tell: Tell) -> Iterator[bytes]:
    fd = open_to_read(path)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise changed(path)
        while chunk := os.read(fd, CHUNK):
            tell(len(chunk))
            yield chunk
    except OSError as error:
        refuse(error, path, "read")
    finally:
        os.close(fd)


def _lines(ended: EndedRun, tell: Tell) -> Iterator[bytes]:
    run = ended.run
    head = Head.genesis(run.run_id)
    with Folder(os.path.join(run.folder, JOURNAL)) as journal:
        while head != run.journal.head:
            raw = journal.read(file_name(head), MAX_EVENT_BYTES)
            head = decode(raw, head)
            tell(len(raw))
            yield raw
