"""The members of a packed run, as its directory lists them: only what babysitter itself packs is let in."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager

from babysitter.clock import ms_of
from babysitter.disk import refuse
from babysitter.engine.state import FINISHED
from babysitter.errors import BabysitterError, CorruptArchive, UnknownLayout, UnsafePath
from babysitter.ids import valid_id
from babysitter.jsontext import parse_strict
from babysitter.limits import MIB, Limits
from babysitter.runs.contents import LEFT_OUT, is_left_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any
    from zipfile import ZipFile, ZipInfo

    Members = dict[str, ZipInfo]

LAYOUT = 1
ABOUT = "packed.json"
LINES = "journal.jsonl"
NEEDED = frozenset({ABOUT, LINES, "run.json"})

# What is packed is read back before it counts, so nothing of ours is ever beyond these.
MOST_MEMBERS = 1_000_000
MOST_BYTES = 1 << 40
MOST_ABOUT = 256 * MIB

_ENCRYPTED = 0x1
_LOCAL_HEADER_BYTES = 30
_KINDS = {
    "runId": str,
    "processId": str,
    "status": str,
    "createdAt": str,
    "endedAt": str,
    "events": int,
    "checksum": str,
    "resolved": int,
    "pending": int,
    "folders": list,
    "executable": list,
    "files": dict,
}


def corrupt(path: str, reason: str) -> CorruptArchive:
    """The archive cannot be trusted."""
    return CorruptArchive(
        f"the archive {path!r} cannot be trusted: {reason}",
        hint="put it back from a copy; nothing was written",
    )


@contextmanager
def checked(path: str) -> Iterator[None]:
    """Whatever the zip library finds wrong is a damaged archive; what the disk does not give is not."""
    import struct
    import zipfile
    import zlib

    try:
        yield
    except BabysitterError:
        raise
    except OSError as error:
        # The library goes where the archive tells it to, and there may be no such place.
        if error.errno not in (None, errno.EINVAL):
            refuse(error, path, "read")
        raise corrupt(path, str(error)) from None
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        LookupError,
        NotImplementedError,
        OverflowError,
        RuntimeError,
        ValueError,
    ) as error:
        raise corrupt(path, str(error) or type(error).__name__) from None


def read_members(archive: ZipFile, path: str) -> Members:
    """The members by their names, which for folders are without the slash at the end.

    Raises:
        CorruptArchive, UnsafePath
    """
    listed = archive.infolist()
    if len(listed) > MOST_MEMBERS or sum(member.file_size for member in listed) > MOST_BYTES:
        raise corrupt(path, "it claims to hold more than is ever packed")
    members: Members = {}
    for member in listed:
        _check(member, path)
        name = member.filename.removesuffix("/")
        if name in members:
            raise corrupt(path, f"it holds {name!r} twice")
        members[name] = member
    if missing := NEEDED - members.keys():
        raise corrupt(path, f"it lacks {min(missing)!r}")
    _check_folders(members, path)
    _check_overlaps(listed, path)
    return members


def _check(member: ZipInfo, path: str) -> None:
    from zipfile import ZIP_DEFLATED, ZIP_STORED

    name = member.filename
    if not is_safe(name.removesuffix("/")):
        raise UnsafePath(f"the archive {path!r} holds {name!r}, which no file of a run is called")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind != (stat.S_IFDIR if name.endswith("/") else stat.S_IFREG):
        raise UnsafePath(f"the archive {path!r} holds {name!r}, which is neither a file nor a folder")
    if member.flag_bits & _ENCRYPTED or member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise corrupt(path, f"{name!r} is encrypted, or packed in an unknown way")
    if name.endswith("/") and member.file_size:
        raise corrupt(path, f"the folder {name!r} has a content")


def is_safe(name: str) -> bool:
    """It stays in the run folder, and is not what is made there in another way."""
    parts = name.split("/")
    is_inside = all(part not in ("", ".", "..") for part in parts) and "\0" not in name
    return is_inside and parts[0] not in LEFT_OUT and not is_left_out(name)


def _check_folders(members: Members, path: str) -> None:
    for name in members:
        folder = os.path.dirname(name)
        if folder and not (folder in members and members[folder].is_dir()):
            raise corrupt(path, f"it holds {name!r} without its folder")


def _check_overlaps(listed: list[ZipInfo], path: str) -> None:
    # Members that share their bytes are how a small file becomes an endless one.
    end = 0
    for member in sorted(listed, key=lambda member: member.header_offset):
        if member.header_offset < end:
            raise corrupt(path, f"{member.filename!r} lies over another member")
        end = member.header_offset + _LOCAL_HEADER_BYTES + member.compress_size


def read_about(archive: ZipFile, members: Members, path: str) -> dict[str, Any]:
    """What ``packed.json`` says, which names every other file.

    Raises:
        CorruptArchive, UnknownLayout
    """
    member = members[ABOUT]
    if member.file_size > MOST_ABOUT:
        raise corrupt(path, f"{ABOUT} has {member.file_size} bytes")
    try:
        about = parse_strict(archive.read(member), limits=Limits(result_bytes=MOST_ABOUT, depth=3))
    except BabysitterError as error:
        raise corrupt(path, f"{ABOUT}: {error.message}") from None
    if not isinstance(about, dict):
        raise corrupt(path, f"{ABOUT} is not an object")
    if about.get("layout") != LAYOUT:
        raise UnknownLayout(
            f"{path!r} has layout {about.get('layout')!r}, and this version knows {LAYOUT}",
            hint="use the version of babysitter that packed it",
        )
    _check_about(about, members, path)
    return about


def _check_about(about: Mapping[str, Any], members: Members, path: str) -> None:
    wrong = [name for name, kind in _KINDS.items() if type(about.get(name)) is not kind]
    if wrong or about["status"] not in FINISHED or not valid_id(about["runId"]):
        raise corrupt(path, f"{ABOUT} does not say what the run is")
    for name in ("createdAt", "endedAt"):
        ms_of(about[name])
    files = {name for name, member in members.items() if not member.is_dir()} - {ABOUT}
    if files != about["files"].keys() or sorted(members.keys() - files - {ABOUT}) != about["folders"]:
        raise corrupt(path, f"{ABOUT} names other files or folders than there are")
    if sorted(name for name in files if is_executable(members[name])) != about["executable"]:
        raise corrupt(path, f"{ABOUT} names other programs than there are")


def is_executable(member: ZipInfo) -> bool:
    """Its owner may run the file."""
    return bool(member.external_attr >> 16 & stat.S_IXUSR)
