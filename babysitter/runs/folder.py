"""The folder of runs: they are found by id, prefix, path or ``latest``.

Packed runs are in a folder of their own in it, whose name no run can have.
"""

from __future__ import annotations

import os
import stat

from babysitter import limits as limits_module
from babysitter.disk import check_owner, refuse
from babysitter.errors import BabysitterError, NoSuchRun, RunPacked, StorageError, UnsafePath
from babysitter.files import read_regular
from babysitter.ids import valid_id
from babysitter.jsontext import loads
from babysitter.runs.run import LINKS, Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from babysitter.limits import Limits

LATEST = "latest"
ARCHIVE = ".archive"
PACKED = ".zip"


class Unread:
    """A run that cannot be read, or a folder of runs that cannot be listed: nobody knows what is in it."""

    __slots__ = ("error", "folder")

    def __init__(self, folder: str, error: BabysitterError) -> None:
        self.folder = folder
        self.error = error

    def as_json(self) -> dict[str, Any]:
        return {"run": os.path.basename(self.folder), "folder": self.folder, "error": self.error.message}


def check_id(run_id: str) -> None:
    """Refuse what is not an id before it becomes a path.

    Raises:
        UnsafePath
    """
    if not valid_id(run_id):
        raise UnsafePath(
            f"{run_id!r} is not a run id",
            hint="letters, digits, '-' and '_', at most 64, a letter or digit first",
        )


def open_run(name: str, runs_dir: str, limits: Limits = limits_module.DEFAULT) -> Run:
    """Open a run by its id, a unique beginning of it, its folder, or ``latest``.

    Raises:
        NoSuchRun: nothing or more than one fits.
        RunPacked: what fits is packed.
        UnsafePath: the folder is a link, or belongs to somebody else.
    """
    folder = find(name, runs_dir)
    check_folder(folder)
    return Run(folder, limits)


def find(name: str, runs_dir: str) -> str:
    """The folder of a run."""
    if os.sep in name or name in (".", ".."):
        return _by_path(name)
    exact = os.path.join(runs_dir, name)
    if valid_id(name) and _is_run(exact):
        return exact
    if valid_id(name) and os.path.lexists(archive_of(name, runs_dir)):
        raise _is_packed(name, runs_dir)
    listed = list(run_ids(runs_dir))
    if name == LATEST and listed:
        return os.path.join(runs_dir, _latest(listed, runs_dir))
    if name != LATEST:
        check_id(name)
    return os.path.join(runs_dir, _by_prefix(name, listed, runs_dir))


def _by_path(name: str) -> str:
    folder = os.path.abspath(name)
    if not _is_run(folder):
        raise NoSuchRun(f"{name!r} is not a run folder: it has no run.json", hint="babysitter list")
    return folder


def _is_run(folder: str) -> bool:
    """Whether a folder is a run, be it a damaged one that has lost a part."""
    return any(_is_there(os.path.join(folder, part)) for part in ("run.json", "journal"))


def name_of(folder: str, runs_dir: str) -> str:
    """What to call a run in a command, so that it is this folder that is found: a copy has the same id."""
    # Only where somebody is to be told what to type.
    from shlex import quote

    folder = os.path.abspath(folder)
    return os.path.basename(folder) if os.path.dirname(folder) == runs_dir else quote(folder)


def _is_there(path: str) -> bool:
    try:
        os.lstat(path)
    except PermissionError as error:
        # "There is no such run" would be a reason to make another.
        refuse(error, path, "read")
    except OSError:
        return False
    return True


def _by_prefix(name: str, listed: list[str], runs_dir: str) -> str:
    fitting = [run_id for run_id in listed if run_id.startswith(name)]
    if len(fitting) > 1:
        # A child, or the run in which another goes on, is named for it; what is meant is the first.
        fitting = [run_id for run_id in fitting if not _links(runs_dir, run_id)] or fitting
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        shown = ", ".join(sorted(fitting)[:5])
        raise NoSuchRun(
            f"{name!r} is the beginning of {len(fitting)} runs: {shown}", hint="write more of the id"
        )
    packed = [run_id for run_id in packed_ids(runs_dir) if run_id.startswith(name)]
    if len(packed) == 1:
        raise _is_packed(packed[0], runs_dir)
    hint = "babysitter list" if listed or packed else "babysitter run PROCESS"
    raise NoSuchRun(f"there is no run {name!r} in {runs_dir!r}", hint=hint)


def _is_packed(run_id: str, runs_dir: str) -> RunPacked:
    return RunPacked(
        f"the run {run_id!r} is packed; as it is, it can only be looked at",
        archive=archive_of(run_id, runs_dir),
        hint=f"babysitter restore {run_id}",
    )


def archive_of(run_id: str, runs_dir: str) -> str:
    """The file that a run is packed into."""
    return os.path.join(runs_dir, ARCHIVE, run_id + PACKED)


def packed_ids(runs_dir: str) -> Iterator[str]:
    """The ids of all packed runs; a kill may have left one of them its folder too."""
    try:
        names = os.listdir(os.path.join(runs_dir, ARCHIVE))
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        run_id = name.removesuffix(PACKED)
        if run_id != name and valid_id(run_id):
            yield run_id


def run_ids(runs_dir: str) -> Iterator[str]:
    """The ids of all runs in a folder. A link is none: it may lead anywhere."""
    try:
        names = os.listdir(runs_dir)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        folder = os.path.join(runs_dir, name)
        if valid_id(name) and not os.path.islink(folder) and _may_be_run(folder):
            yield name


def run_folders(places: Iterable[str]) -> Iterator[str]:
    """The folders of all runs in several folders of runs; one that cannot be listed stands for its runs.

    So whoever opens what he is given hears of it.
    """
    for place in places:
        try:
            yield from [os.path.join(place, run_id) for run_id in run_ids(place)]
        except OSError:
            yield place


def _may_be_run(folder: str) -> bool:
    try:
        return _is_run(folder)
    except StorageError:
        # Whoever opens it is told; the others are listed all the same.
        return True


def _latest(listed: list[str], runs_dir: str) -> str:
    """The run that was made last. No child: it was made by its parent."""

    def made(run_id: str) -> tuple[bool, str, int, str]:
        # What the run itself says: the times of files change when a folder is copied or restored.
        about = about_of(runs_dir, run_id)
        # Of those made within a millisecond, the longer id is that of the later one in a chain.
        return "parent" not in about, str(about.get("createdAt", "")), len(run_id), run_id

    return max(listed, key=made)


def _links(runs_dir: str, run_id: str) -> list[str]:
    about = about_of(runs_dir, run_id)
    return [name for name in LINKS if name in about]


def about_of(runs_dir: str, run_id: str) -> dict[str, Any]:
    """What run.json says; nothing when it was removed since it was listed, or cannot be read."""
    try:
        about = loads(read_regular(os.path.join(runs_dir, run_id, "run.json"), 1 << 20))
    except (FileNotFoundError, ValueError, RecursionError, BabysitterError):
        return {}
    return about if isinstance(about, dict) else {}


def parent_of(about: dict[str, Any]) -> str:
    """The id of the run that a run is a child of, by its run.json; empty when it is none."""
    parent = about.get("parent")
    found = parent.get("runId") if isinstance(parent, dict) else None
    return found if isinstance(found, str) and valid_id(found) else ""


def children_in(runs_dir: str) -> dict[str, list[str]]:
    """The ids of the child runs of a folder, by that of their parent."""
    found: dict[str, list[str]] = {}
    for run_id in sorted(run_ids(runs_dir)):
        parent = parent_of(about_of(runs_dir, run_id))
        if parent:
            found.setdefault(parent, []).append(run_id)
    return found


def descendants_in(runs_dir: str, run_id: str) -> list[str]:
    """The ids of all runs below a run, each before its parent."""
    children, found = children_in(runs_dir), [run_id]
    for parent in found:
        found += [child for child in children.get(parent, []) if child not in found]
    return found[:0:-1]


def check_folder(folder: str) -> None:
    """A run folder is a real folder of our own.

    Raises:
        UnsafePath
    """
    for path in (folder, os.path.join(folder, "journal")):
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            continue
        if not stat.S_ISDIR(found.st_mode):
            raise UnsafePath(
                f"{path!r} is not a folder but a link or a file", hint="name the real run folder"
            )
        check_owner(found, path)
