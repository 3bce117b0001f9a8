"""A run: its folder, its journal, and its state as far as it was read."""

from __future__ import annotations

import os

from babysitter import limits as limits_module
from babysitter.clock import now_ms
from babysitter.disk import check_name
from babysitter.engine.state import COMPLETED, RunState
from babysitter.errors import (
    CorruptEvent,
    HeadMoved,
    InvalidInput,
    MissingEvent,
    RunBusy,
    RunFinished,
    UnknownLayout,
    UnsafePath,
)
from babysitter.files import open_inside, read_regular
from babysitter.ids import sha256_hex, valid_id
from babysitter.journal.store import Journal
from babysitter.jsontext import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol, TypeVar

    from babysitter.disk import Folder
    from babysitter.engine.state import Effect
    from babysitter.journal.events import Event
    from babysitter.limits import Limits
    from babysitter.runs.drafts import Draft
    from babysitter.runs.spending import Spending

    T = TypeVar("T")

    class Observer(Protocol):
        """Is told of what happens to a run here."""

        def written(self, events: Sequence[Event]) -> None: ...
        def iteration_begins(self) -> None: ...
        def round_begins(self) -> None: ...
        def round_was_empty(self) -> None: ...
        def iteration_ended(self, status: str, new: Sequence[Effect]) -> None: ...
        def watch_too(self, run: Run) -> None: ...


LAYOUT = 1
# What run.json says beside the layout; the event that made the run says it too, at first only a part of it.
ABOUT_ALWAYS = ("runId", "processId", "entrypoint", "prompt")
# What other run it belongs to: whose child it is, and which one it goes on with.
LINKS = ("parent", "continuedFrom")
ABOUT = (*ABOUT_ALWAYS, "project", "place", "createdAt", *LINKS)
FOLDER_MODE = 0o700
LARGEST_OWN_FILE = 1 << 31
MOST_ABOUT = 1 << 22
# So often in a row another writer may be first before a command gives up.
MOST_LOST_RACES = 1000


class Run:
    """An opened run.

    Attributes:
        folder: absolute path of the run folder.
        about: what run.json says.
        state: the folded events, as of the last ``load``, ``refresh`` or ``append``.
        on_event: called with every event, in order, as it is read or written.
        observer: is told of what is written here; not of what others have written.
        is_new: it was made by this command.
        archive: the file that it was taken from to be looked at, when it is packed.
        above: the run that it is a child of, where that was read already.
        has_files: there is a project around it; a run in memory only plays that there is.
        below: those that perform effects of it, by effect, where somebody has to know what they spend.
        spending: what all of them have spent, where somebody has asked.
    """

    has_files = True

    def __init__(
        self, folder: str, limits: Limits = limits_module.DEFAULT, *, about: dict[str, Any] | None = None
    ) -> None:
        """Read run.json, or take what it has to say from who knows it otherwise.

        Raises:
            UnknownLayout: a later version made this folder.
            CorruptEvent: run.json is not what babysitter wrote.
        """
        self.folder = folder
        self.limits = limits
        self.about = self._read_about() if about is None else about
        self.run_id: str = self.about["runId"]
        self.journal = Journal(folder, self.run_id)
        self.state = RunState()
        self.on_event: Callable[[Event], None] | None = None
        self.observer: Observer | None = None
        self.is_new = False
        self.archive: str | None = None
        self.above: Run | None = None
        self.below: dict[str, Run] = {}
        self.spending: Spending | None = None

    def _read_about(self) -> dict[str, Any]:
        try:
            about = loads(read_regular(os.path.join(self.folder, "run.json"), MOST_ABOUT, is_own=True))
            layout = about["layout"]
        except (ValueError, KeyError, TypeError, RecursionError, FileNotFoundError, InvalidInput) as error:
            raise CorruptEvent(
                f"run.json of {self.folder!r} cannot be read: {error}",
                hint=f"babysitter doctor {os.path.basename(self.folder)}",
            ) from None
        if layout != LAYOUT:
            raise UnknownLayout(
                f"{self.folder!r} has layout {layout!r}, and this version knows {LAYOUT}",
                hint="use the version of babysitter that made it",
            )
        if not valid_id(about.get("runId")) or not isinstance(about.get("processId"), str):
            raise CorruptEvent(f"run.json of {self.folder!r} does not name the run and its process")
        return about  # type: ignore[no-any-return]

    @property
    def project(self) -> str:
        """The folder in which commands run.

        A run that lies in its project belongs to the project around it, also when both were moved or
        copied; any other, or one that was taken out, to the folder in which it was made.
        """
        place = self.about.get("place")
        around = os.path.dirname(self.folder)
        if isinstance(place, str) and around.endswith(os.path.join(os.sep, place)):
            return around[: -len(place) - 1] or os.sep
        return str(self.about.get("project"))

    @property
    def guard(self) -> dict[str, Any] | None:
        """Host and id of the session that was the last one bound to it, or to a run above it; None: none was.

        Raises:
            JournalError: a run above it cannot be trusted.
        """
        if self.state.guard is not None or "parent" not in self.state.created:
            return self.state.guard
        from babysitter.runs.above import guard_above

        return guard_above(self)

    @property
    def is_guarded(self) -> bool:
        """Made in an agent's session, or bound to one once, or so is a run above it.

        Ways round the process need a person then.
        """
        return self.guard is not None

    @property
    def artifacts(self) -> str:
        """The folder for the process's own files."""
        return os.path.join(self.folder, "artifacts")

    def beside(self, folder: str, *, is_new: bool = False) -> Run:
        """Another run that belongs to this one, read as this one is, and watched by whoever watches this one.

        Raises:
            JournalError: it cannot be trusted.
        """
        run = Run(folder, self.limits)
        run.is_new = is_new
        run.load()
        if self.observer is not None:
            self.observer.watch_too(run)
        return run

    def load(self, *, use_cache: bool = True) -> Run:
        """Read the whole journal; without the cache every event comes from its own file.

        Raises:
            JournalError: it cannot be trusted.
        """
        self.journal.load(self._see, use_cache=use_cache)
        if not self.state.created:
            raise MissingEvent(f"the journal of run {self.run_id!r} is empty, not even its creation is there")
        self.check_about()
        return self

    def check_about(self) -> None:
        """What run.json says again, for those who do not read the journal, must be the same.

        Raises:
            CorruptEvent
        """
        created = self.state.created
        for name in ABOUT:
            if self.about.get(name) != created.get(name) and (name in created or name in ABOUT_ALWAYS):
                raise CorruptEvent(
                    f"run.json of {self.folder!r} has another {name!r} than the journal",
                    hint=f"babysitter doctor {self.run_id}",
                )

    def read_again(self, see: Callable[[Event], object]) -> None:
        """The journal once more, for what the state does not keep; the state stays as it is.

        Raises:
            JournalError: it cannot be trusted.
        """
        Journal(self.folder, self.run_id).load(see)

    def refresh(self) -> None:
        """Read what others have written since."""
        self.journal.read_since(self._see)

    def now_ms(self) -> int:
        """The time that what happens now gets."""
        return now_ms()

    def append(self, drafts: Sequence[Draft]) -> list[Event]:
        """Write events; they are durable when this returns.

        Raises:
            HeadMoved: another writer was first; refresh and decide again.
        """
        events = self.journal.append(drafts, self.now_ms())
        for event in events:
            self._see(event)
        if self.observer is not None:
            self.observer.written(events)
        return events

    def append_whatever_comes(self, drafts: Sequence[Draft]) -> None:
        """Write events that depend on nothing that others may write first.

        Raises:
            RunFinished: the run has ended, and takes nothing more.
            RunBusy: others are first, again and again.
        """

        def decide() -> tuple[None, Sequence[Draft]]:
            if self.state.is_finished:
                raise RunFinished(f"run {self.run_id!r} has {self.state.status}; it takes no more events")
            return None, drafts

        self.append_decided(decide)

    def append_decided(self, decide: Callable[[], tuple[T, Sequence[Draft]]]) -> T:
        """Write what is decided on the newest state, and give what was decided with it.

        ``decide`` is asked again when another writer was first. What it gives is durable when this
        returns; where it has nothing to write, so is what another writer has only just linked.

        Raises:
            RunBusy: others are first, again and again.
            BabysitterError: whatever ``decide`` raises.
        """
        for _ in range(MOST_LOST_RACES):
            told, drafts = decide()
            try:
                if drafts:
                    self.append(drafts)
                else:
                    self.journal.flush()
            except HeadMoved:
                self.refresh()
                continue
            return told
        raise RunBusy(f"run {self.run_id!r} is written by others all the time", hint="try again in a moment")

    def _see(self, event: Event) -> None:
        self.state.apply(event)
        if self.on_event is not None:
            self.on_event(event)

    def inputs(self) -> Any:
        """The inputs of the process.

        Raises:
            CorruptEvent: inputs.json is not the one that the run was created with.
        """
        return self.read_ref("inputs.json", self.state.created["inputsDigest"])

    def value_of(self, effect: Effect) -> Any:
        """The value of a result, from its own file when it is large."""
        return effect.value if effect.result_ref is None else self.read_ref(*effect.result_ref)

    def text_of(self, effect: Effect) -> bytes | None:
        """The value of a result as its own file has it; None when it stands in its event."""
        return None if effect.result_ref is None else self._content(*effect.result_ref)

    def definition_of(self, effect: Effect) -> dict[str, Any]:
        """The description of a pending effect."""
        if effect.definition is not None:
            return effect.definition
        if effect.definition_ref is None:
            raise CorruptEvent(f"event {effect.seq} (EFFECT_REQUESTED) lacks or misshapes 'definition'")
        return self.read_ref(*effect.definition_ref)  # type: ignore[no-any-return]

    @property
    def proof(self) -> str | None:
        """Names the event that completed the run, and by its chain all before it; None of any other run."""
        if self.state.status != COMPLETED:
            return None
        return f"{self.journal.head.seq}-{self.journal.head.checksum}"

    def output(self) -> Any:
        """What a completed run returned."""
        ending = self.state.ending or {}
        if "outputRef" in ending:
            return self.read_ref(ending["outputRef"], ending["sha256"])
        return ending.get("output")

    def continued_inputs(self) -> Any:
        """What a run that was continued as new goes on with."""
        ending = self.state.ending or {}
        if "inputsRef" in ending:
            return self.read_ref(ending["inputsRef"], ending["sha256"])
        return ending.get("inputs")

    def read_ref(self, file: str, digest: str) -> Any:
        """A value that an event has in a file of its own.

        Raises:
            CorruptEvent: it is not what the event says.
        """
        return loads(self._content(file, digest))

    def _content(self, file: str, digest: str) -> bytes:
        check_ref(file)
        try:
            content = self.read_file(file)
        except FileNotFoundError:
            content = b""
        if sha256_hex(content) != digest:
            raise CorruptEvent(
                f"{file!r} of run {self.run_id!r} is absent or was changed; its event has another digest",
                hint="put the file back as it was; nothing was written",
            )
        return content

    def read_file(self, name: str, limit: int = LARGEST_OWN_FILE) -> bytes:
        """A file of the run folder; never through a link at any place below it."""
        folder, _, file = name.rpartition("/")
        if not folder:
            return read_regular(os.path.join(self.folder, file), limit, is_own=True)
        with self.open_folder(folder) as opened:
            return opened.read(file, limit, is_own=True)

    def open_folder(self, name: str, *, make: bool = False) -> Folder:
        """A folder of the run folder, or itself when ``name`` is empty; never through a link."""
        return open_inside(self.folder, name.split("/") if name else [], make=make)

    def sync_folders(self, name: str) -> None:
        """Flush a folder of the run and those above it, so that a file in it is found after a power cut."""
        while name:
            with self.open_folder(name) as folder:
                folder.sync()
            name = name.rpartition("/")[0]
        with self.open_folder("") as folder:
            folder.sync()


def check_ref(file: str) -> None:
    """An event that came with a foreign run can name any file.

    Raises:
        CorruptEvent
    """
    try:
        for name in file.split("/"):
            check_name(name)
    except (UnsafePath, AttributeError):
        raise CorruptEvent(f"an event names the file {file!r}, which is none of its run folder") from None
