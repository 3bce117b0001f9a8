"""Put a repaired journal in the place of a damaged one; the damaged one is kept.

It can be killed anywhere, nobody has to be stopped meanwhile, and no event is
lost that a writer acknowledged.

Mending in place does not work. A writer that was stopped in the middle of an
append, and goes on afterwards, would link its event behind the new end, where
nothing explains it. So the whole folder is exchanged: such a writer still has
the old one open, and finds that out before it acknowledges.

1. ``journal.repair-new`` is filled and flushed, and then becomes ``journal.repair-whole``.
2. ``quarantine/journal-N.json`` says what is about to happen.
3. ``journal`` becomes ``journal.repair-old``.
4. What was linked there since it was read is taken along.
5. ``journal.repair-whole`` becomes ``journal``.
6. What is in ``journal.repair-old`` gets second names in ``quarantine/journal-N``, and
   then loses the first ones: a folder that is moved into another one may, after
   a power cut, be in neither.

A kill before 3 leaves everything as it was, a later one what the next repair
finishes; between 3 and 5 there is no ``journal``, and readers are told so.
"""

from __future__ import annotations

import errno
import os
import stat

from babysitter.disk import PRIVATE_FOLDER, Folder, create, flush, refuse, write_fully
from babysitter.errors import CorruptEvent, InvalidInput, StorageError, UnsafePath
from babysitter.journal.cache import MARKER
from babysitter.journal.events import Head, decode, file_name
from babysitter.journal.pieces import read_event_file
from babysitter.journal.sweep import QUARANTINE, open_quarantine
from babysitter.jsontext import compact, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from babysitter.journal.salvage import Kept, Salvage

JOURNAL = "journal"
# Names that nobody gives by hand, to a copy before meddling, say.
NEW, WHOLE, OLD = "journal.repair-new", "journal.repair-whole", "journal.repair-old"
_REPORT_BYTES = 1 << 30


def is_unfinished(run_folder: str) -> bool:
    """A repair was killed after it began to exchange the journal."""
    return is_without_journal(run_folder) or os.path.lexists(os.path.join(run_folder, OLD))


def is_without_journal(run_folder: str) -> bool:
    """It was killed between taking the old journal away and putting the new one in its place."""
    return not os.path.lexists(os.path.join(run_folder, JOURNAL)) and os.path.isdir(
        os.path.join(run_folder, WHOLE)
    )


def rebuild(run_folder: str, salvaged: Salvage, about: dict[str, Any]) -> str | None:
    """Exchange the journal for what was salvaged of it; return where the old one is now.

    That is told from the run folder; None when there was none.
    ``about`` is kept beside it. Hold the run's lock, or two repairs meet.

    Raises:
        StorageError: everything is as it was, or ``is_unfinished``.
    """
    known = sorted({kept.piece.file for kept in salvaged.kept if kept.piece.file} | set(salvaged.left))
    with Folder(run_folder) as run, open_quarantine(run_folder) as quarantine:
        _clear(run_folder)
        _fill(run_folder, salvaged.kept)
        _rename(run, NEW, WHOLE)
        _announce(quarantine, _last_number(quarantine) + 1, {**about, "known": known})
        run.sync()
        if os.path.lexists(os.path.join(run_folder, JOURNAL)):
            _rename(run, JOURNAL, OLD)
            run.sync()
        return _exchange(run, quarantine, known, salvaged.head)


def finish(run_folder: str, run_id: str) -> str | None:
    """Do the rest of a repair that ``is_unfinished``; return where the old journal is, as ``rebuild`` does.

    Raises:
        StorageError
    """
    with Folder(run_folder) as run, open_quarantine(run_folder) as quarantine:
        # Whoever moved the old journal away was killed, maybe before that was flushed. A power cut
        # could take that back and keep what follows: the new journal in the place of the old one.
        run.sync()
        head = _follow(os.path.join(run_folder, WHOLE), Head.genesis(run_id))
        return _exchange(run, quarantine, _known(run_folder, quarantine), head)


def _known(run_folder: str, quarantine: Folder) -> Collection[str]:
    """What was in the old journal when it was read; without a report nothing is taken along."""
    try:
        report = loads(quarantine.read(f"{_place(_last_number(quarantine))}.json", _REPORT_BYTES))
        return [str(name) for name in report["known"]]
    except (FileNotFoundError, ValueError, LookupError, TypeError, RecursionError, UnsafePath, InvalidInput):
        old = os.path.join(run_folder, OLD)
        return os.listdir(old) if os.path.isdir(old) else []


def _exchange(run: Folder, quarantine: Folder, known: Collection[str], head: Head) -> str | None:
    """The steps from 4 on, as far as they are not done."""
    if is_without_journal(run.path):
        _take_along(run.path, known, head)
        _rename(run, WHOLE, JOURNAL)
        run.sync()
    # While the old folder is there: the cache knows its journal by the inode, which a later one may get.
    _forget_cache(run.path)
    if not os.path.lexists(os.path.join(run.path, OLD)):
        return None
    place = _place(_last_number(quarantine))
    try:
        while not _is_put_away(run, quarantine, place):
            pass
    except OSError as error:
        refuse(error, os.path.join(run.path, OLD), "put away")
    return os.path.join(QUARANTINE, place)


def _forget_cache(run_folder: str) -> None:
    try:
        with Folder(os.path.join(run_folder, "state")) as state:
            os.unlink(MARKER, dir_fd=state.fd)
            state.sync()
    except (FileNotFoundError, UnsafePath):
        pass
    except OSError as error:
        refuse(error, os.path.join(run_folder, "state", MARKER), "removed")


def _place(number: int | str) -> str:
    return f"journal-{number}"


def _last_number(quarantine: Folder) -> int:
    """Of the repairs that were announced."""
    names = [name for name in quarantine.names() if name.startswith(_place("")) and name.endswith(".json")]
    stems = [name[len(_place("")) : -len(".json")] for name in names]
    return max([int(stem) for stem in stems if stem.isascii() and stem.isdigit()], default=0)


def _clear(run_folder: str) -> None:
    """Remove what a killed repair was making; the journal was still in its place then."""
    from shutil import rmtree

    for name in (NEW, WHOLE):
        rmtree(os.path.join(run_folder, name), ignore_errors=True)


def _fill(run_folder: str, kept: list[Kept]) -> None:
    old, new = os.path.join(run_folder, JOURNAL), os.path.join(run_folder, NEW)
    try:
        os.mkdir(new, PRIVATE_FOLDER)
        for each in kept:
            if each.piece.file:
                # The content was flushed before it got its first name.
                _link(old, each.piece.file, new, each.name)
            else:
                _write(os.path.join(new, each.name), each.piece.raw)
    except OSError as error:
        refuse(error, new, "filled")
    with Folder(new) as folder:
        folder.sync()


def _write(path: str, raw: bytes) -> None:
    fd = create(path)
    try:
        write_fully(fd, raw)
        flush(fd, path)
    finally:
        os.close(fd)


def _announce(quarantine: Folder, number: int, about: dict[str, Any]) -> None:
    path = os.path.join(quarantine.path, f"{_place(number)}.json")
    try:
        _write(path, compact(about).encode() + b"\n")
    except OSError as error:
        refuse(error, path, "written")
    quarantine.sync()


def _take_along(run_folder: str, known: Collection[str], head: Head) -> None:
    """Link into the new journal what a writer has linked into the old one since that was read.

    It may have been acknowledged: its writer looked whether the folder was
    still the journal, and a moment ago it was.
    """
    old, new = os.path.join(run_folder, OLD), os.path.join(run_folder, WHOLE)
    while file_name(head) not in known:
        name = file_name(head)
        try:
            event = decode(read_event_file(old, name), head)
        except CorruptEvent:
            break
        try:
            _link(old, name, new, name)
        except OSError as error:
            refuse(error, os.path.join(new, name), "linked")
        head = event
    with Folder(new) as folder:
        folder.sync()


def _is_put_away(run: Folder, quarantine: Folder, place: str) -> bool:
    """Move what is in the old journal into the quarantine; False when a writer has linked one more event."""
    old, kept = os.path.join(run.path, OLD), os.path.join(quarantine.path, place)
    try:
        os.mkdir(kept, PRIVATE_FOLDER)
    except FileExistsError:
        pass
    if not stat.S_ISDIR(os.lstat(old).st_mode):
        # A link, say: nothing of it is ours.
        os.rename(old, os.path.join(kept, JOURNAL))
        _flush_kept(run, quarantine, kept)
        return True
    _move_all(run, quarantine, old, kept)
    try:
        os.rmdir(old)
    except OSError as error:
        if error.errno == errno.ENOTEMPTY:
            return False
        raise
    return True


def _move_all(run: Folder, quarantine: Folder, old: str, kept: str) -> None:
    names = sorted(os.listdir(old))
    files = [name for name in names if stat.S_ISREG(os.lstat(os.path.join(old, name)).st_mode)]
    others = sorted(set(names) - set(files))
    for name in files:
        _link(old, name, kept, _free_name(old, name, kept))
    _flush_kept(run, quarantine, kept)
    for name in files:
        os.unlink(os.path.join(old, name))
    for name in others:
        os.rename(os.path.join(old, name), os.path.join(kept, _free_name(old, name, kept)))
    if others:
        # Before the folder that they were in is removed.
        _flush_kept(run, quarantine, kept)


def _flush_kept(run: Folder, quarantine: Folder, kept: str) -> None:
    with Folder(kept) as folder:
        folder.sync()
    quarantine.sync()
    run.sync()


def _free_name(folder: str, name: str, new_folder: str) -> str:
    """A name that is free in ``new_folder``, or that of the same file, from a repair that was killed."""
    free, count = name, 1
    while os.path.lexists(os.path.join(new_folder, free)) and not os.path.samestat(
        os.lstat(os.path.join(folder, name)), os.lstat(os.path.join(new_folder, free))
    ):
        count += 1
        free = f"{name}.{count}"
    return free


def _link(folder: str, name: str, new_folder: str, new_name: str) -> None:
    """Give a file a second name; it may have it already, from a repair that was killed."""
    try:
        os.link(os.path.join(folder, name), os.path.join(new_folder, new_name))
    except FileExistsError:
        pass


def _follow(folder: str, head: Head) -> Head:
    while True:
        try:
            head = decode(read_event_file(folder, file_name(head)), head)
        except CorruptEvent:
            return head


def _rename(run: Folder, name: str, new_name: str) -> None:
    try:
        os.rename(name, new_name, src_dir_fd=run.fd, dst_dir_fd=run.fd)
    except OSError as error:
        path = os.path.join(run.path, name)
        raise StorageError(f"{path!r} cannot be moved: {os.strerror(error.errno or 0)}") from error
