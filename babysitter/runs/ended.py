"""A run that has ended, to be packed or removed: nobody may be at work on it any more."""

from __future__ import annotations

import os

from babysitter import limits as limits_module
from babysitter.disk import open_to_read, refuse
from babysitter.errors import BabysitterError, Conflict, JournalError, RunBusy
from babysitter.journal.lock import run_lock
from babysitter.runs.folder import parent_of
from babysitter.runs.run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.journal.events import Event
    from babysitter.journal.lock import RunLock
    from babysitter.limits import Limits

# Of an event: the name of a file that it refers to, and that file's digest.
_REFERENCES = (
    ("inputsRef", "inputsDigest"),  # of RUN_CREATED
    ("inputsRef", "sha256"),  # of RUN_CONTINUED
    ("definitionRef", "definitionSha256"),
    ("resultRef", "sha256"),
    ("outputRef", "sha256"),
)


def references(event: Event) -> Iterator[tuple[str, str]]:
    """The files that an event refers to, each with its digest."""
    for name, digest in _REFERENCES:
        if name in event.data and (digest in event.data or name != "inputsRef"):
            # Text also where the event comes from an archive that nobody vouches for.
            yield str(event.data[name]), str(event.data.get(digest))


class EndedRun:
    """A finished run, its journal read and verified from the event files alone.

    Attributes:
        references: the files that its events refer to, and their digests.
    """

    def __init__(self, folder: str, limits: Limits = limits_module.DEFAULT) -> None:
        """Read it.

        Raises:
            Conflict: it has not ended.
            JournalError: it cannot be trusted.
        """
        self.run = Run(folder, limits)
        self.references: dict[str, str] = {}
        self.run.on_event = lambda event: self.references.update(references(event))
        try:
            self.run.load(use_cache=False)
        except JournalError as error:
            error.hint = f"babysitter doctor {self.name}"
            raise
        if not self.run.state.is_finished:
            raise self._is_live()
        self._check_parent()

    @property
    def name(self) -> str:
        """The name of its folder, by which it is found; that of a copy is not its id."""
        return os.path.basename(self.run.folder)

    def hold(self) -> RunLock:
        """Take the run for oneself.

        Raises:
            RunBusy: another command, or something that it started, is still at work on it.
            Conflict: there is more in the journal now than what was read.
        """
        lock = run_lock(self.run.folder, 0)
        try:
            head = self.run.journal.head
            self.run.refresh()
            if self.run.journal.head != head:
                raise self._is_live()
            self._check_children()
        except BaseException:
            lock.release()
            raise
        return lock

    def _is_live(self) -> Conflict:
        return Conflict(
            f"the run {self.name!r} is {self.run.state.status}, and only what has ended is put away",
            hint=f"babysitter status {self.name}",
        )

    def _check_parent(self) -> None:
        """A child stays as long as its parent may ask it for what it came to.

        Raises:
            Conflict
        """
        parent = parent_of(self.run.state.created)
        folder = os.path.join(os.path.dirname(self.run.folder), parent)
        if parent and os.path.lexists(folder) and not Run(folder, self.run.limits).load().state.is_finished:
            raise Conflict(
                f"the run {self.name!r} is a child of run {parent!r}, which has not ended",
                hint=f"babysitter status {parent}",
            )

    def _check_children(self) -> None:
        """A child holds the lock of its effect for as long as it lives, whoever has started it."""
        tasks = os.path.join(self.run.folder, "tasks")
        try:
            effects = os.listdir(tasks)
        except (FileNotFoundError, NotADirectoryError):
            return
        for effect in effects:
            if _is_locked(os.path.join(tasks, effect, "child.json")):
                raise RunBusy(
                    f"a command of effect {effect!r} of run {self.name!r} is still running",
                    hint="try again when it has ended",
                )


def _is_locked(path: str) -> bool:
    import fcntl

    try:
        fd = open_to_read(path)
    except (FileNotFoundError, NotADirectoryError, BabysitterError):
        # No lock, or something that nobody can have locked; whoever packs it will say so.
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError as error:
        refuse(error, path, "locked")
    finally:
        os.close(fd)
    return False
