"""Looks at one run. Reads only, takes no lock, and gets through whatever is damaged."""

from __future__ import annotations

import os
import shlex
import stat

from babysitter.clock import iso
from babysitter.doctor.checks import FAIL, Check, failed, passed, warned
from babysitter.doctor.family_checks import examine_family
from babysitter.errors import BabysitterError, CorruptEvent, JournalError, UnknownLayout, UnsafePath
from babysitter.journal.lock import NAME as LOCK
from babysitter.journal.lock import holder
from babysitter.journal.rebuild import is_unfinished, is_without_journal
from babysitter.journal.sweep import QUARANTINE
from babysitter.runs.folder import check_folder
from babysitter.runs.run import Run
from babysitter.runs.verification import (
    BEHIND,
    UNUSABLE,
    cache_of,
    fault_of,
    load_from_files,
    references,
)
from babysitter.views.text import size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from babysitter.journal.events import Event

_OTHERS = 0o077
_OWN_PARTS = ("", "journal", "tasks", "artifacts", "run.json", "inputs.json")


def examine(
    folder: str, name: str, see: Callable[[Event], object] | None = None
) -> tuple[list[Check], Run | None]:
    """Look at what lies in a run's folder; the run as well, when its journal is whole.

    ``name`` is what a command has to call it. ``see`` is called with each
    event, for those who want to show progress.
    """
    checks = [_folder(folder)]
    run, about = _about(folder, name)
    journal = _journal(folder, name, run, see)
    if run is not None and journal.level != FAIL:
        about = _agreed(run, name) or about
    checks += [about, journal]
    if run is not None and journal.level != FAIL:
        checks += [*_files(run, name), _cache(run), *examine_family(run, name)]
    else:
        run = None
    return [*checks, _lock(folder), _quarantine(folder), _space(folder)], run


def _folder(folder: str) -> Check:
    try:
        check_folder(folder)
    except BabysitterError as error:
        return failed("folder", error)
    for part in _OWN_PARTS:
        path = os.path.join(folder, part) if part else folder
        try:
            mode = stat.S_IMODE(os.lstat(path).st_mode)
        except OSError:
            continue
        if mode & _OTHERS:
            message = f"{path!r} is open to other users (mode {mode:04o}); prompts and output may be secret"
            return warned("folder", message, f"chmod -R go= {shlex.quote(folder)}")
    if not os.access(folder, os.W_OK):
        return warned("folder", f"{folder!r} cannot be written: the run can be read, and nothing more")
    return passed("folder", f"{folder} is yours alone")


def _about(folder: str, name: str) -> tuple[Run | None, Check]:
    try:
        run = Run(folder)
    except UnknownLayout as error:
        return None, failed("run.json", error)
    except CorruptEvent as error:
        return None, failed("run.json", error, f"babysitter repair {name} --dry-run")
    except UnsafePath as error:
        return None, failed("run.json", error, f"move it away, then: babysitter repair {name} --dry-run")
    except BabysitterError as error:
        return None, failed("run.json", error)
    return run, passed("run.json", f"run {run.run_id}, of process {run.about['processId']}")


def _agreed(run: Run, name: str) -> Check | None:
    """run.json is another one than the run was made with."""
    try:
        run.check_about()
    except CorruptEvent as error:
        return failed("run.json", error, f"babysitter repair {name} --dry-run")
    return None


def _journal(folder: str, name: str, run: Run | None, see: Callable[[Event], object] | None) -> Check:
    if is_without_journal(folder):
        return Check("journal", FAIL, "a repair was interrupted", f"babysitter repair {name}", 5)
    if run is None:
        return warned("journal", "not looked at, because run.json comes first")
    try:
        load_from_files(run, see)
    except UnknownLayout as error:
        return failed("journal", error)
    except JournalError as error:
        return failed("journal", error, f"babysitter repair {name} --dry-run")
    except BabysitterError as error:
        return failed("journal", error, error.hint or f"babysitter repair {name} --dry-run")
    state = run.state
    told = f"{state.last_seq} events, the chain is whole; {state.status} since {iso(state.last_ms)}"
    open_batch = run.journal.unfinished_batch
    if open_batch:
        told += (
            f"; {open_batch} events of an interrupted batch were never acknowledged, and are asked for again"
        )
    if is_unfinished(folder):
        told += "; a repair was interrupted before it had put the damaged journal away"
        return warned("journal", told, f"babysitter repair {name}")
    return passed("journal", told)


def _files(run: Run, name: str) -> Iterator[Check]:
    """The files that events refer to: what is wrong with each, or one line for all."""
    count = faults = 0
    for reference in references(run):
        count += 1
        try:
            fault = fault_of(run, reference)
        except BabysitterError as error:
            faults += 1
            yield failed("files", error)
            continue
        if fault is None:
            continue
        faults += 1
        if reference.is_needed:
            yield failed("files", fault, reference.way_out(name))
        else:
            yield warned("files", fault.message, reference.way_out(name))
    if not faults:
        yield passed("files", f"{count} files of inputs and values are as they were written")


def _cache(run: Run) -> Check:
    found = cache_of(run)
    if found == UNUSABLE:
        # As in every copy of a run, and after every repair.
        return passed("cache", "the reading cache does not fit the journal; the next command makes it again")
    if found == BEHIND:
        return passed("cache", "the reading cache lacks the newest events; the next command adds them")
    return passed("cache", f"the reading cache is {found}")


def _lock(folder: str) -> Check:
    path = os.path.join(folder, LOCK)
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        return _in_the_way("lock", path)
    who = holder(folder)
    return passed("lock", f"held by {who}" if who else "free")


def _quarantine(folder: str) -> Check:
    path = os.path.join(folder, QUARANTINE)
    if os.path.lexists(path) and not stat.S_ISDIR(os.lstat(path).st_mode):
        return _in_the_way("quarantine", path)
    try:
        names = os.listdir(path)
    except OSError:
        return passed("quarantine", "nothing was ever moved aside")
    repairs = sum(name.startswith("journal-") and name.endswith(".json") for name in names)
    told = f"{len(names)} things were moved aside, {repairs} by repairs"
    if is_unfinished(folder):
        return passed("quarantine", told)
    return passed("quarantine", f"{told}; delete the folder when nobody needs them")


def _in_the_way(name: str, path: str) -> Check:
    error = UnsafePath(f"{path!r} is a link or something else that no command puts there")
    return failed(name, error, f"move it away: mv {shlex.quote(path)} ELSEWHERE")


def _space(folder: str) -> Check:
    sizes = {name: _size(os.path.join(folder, name)) for name in ("journal", "tasks", "artifacts")}
    sizes["all"] = _size(folder)
    told = ", ".join(f"{name} {size(count)}" for name, count in sizes.items())
    return passed("size", told)


def _size(folder: str) -> int:
    """Bytes on the disk; nothing is followed out of the folder."""
    total = 0
    for where, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(where, name)).st_blocks * 512
            except OSError:
                continue
    return total
