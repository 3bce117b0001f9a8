"""What waits for a person, in all runs that are known: breakpoints, runs to be mended, edits to be accepted.

No process is executed for that: whose edit fits its run and needs nobody is seen when the run goes on.
"""

from __future__ import annotations

import os

from babysitter.engine.state import FINISHED, STUCK
from babysitter.errors import BabysitterError
from babysitter.files import open_inside
from babysitter.journal.events import MAX_EVENT_BYTES
from babysitter.journal.listing import event_names
from babysitter.jsontext import loads
from babysitter.rules import texts
from babysitter.runs.above import ended_above
from babysitter.runs.edits import refused_unread
from babysitter.runs.folder import Unread, open_run, run_folders
from babysitter.runs.settling import is_decided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.errors import EditNeedsPerson
    from babysitter.journal.events import Event
    from babysitter.limits import Limits
    from babysitter.runs.run import Run

BREAKPOINT = "breakpoint"
ENDINGS = tuple(f"RUN_{status.upper()}" for status in FINISHED)


class Waiting:
    """One thing that a person is to see to.

    Attributes:
        effect: the breakpoint; None: the run is stuck, or its edited process needs a person.
        refusal: of an edited process, why it needs one.
        since_ms: when it was asked, or got stuck.
        asked: the breakpoint's description.
        is_decided: it has its answers, and only has to be gone on with.
    """

    __slots__ = ("asked", "effect", "is_decided", "refusal", "run", "since_ms")

    def __init__(
        self,
        run: Run,
        since_ms: int,
        effect: Effect | None = None,
        *,
        refusal: EditNeedsPerson | None = None,
    ) -> None:
        self.run = run
        self.since_ms = since_ms
        self.effect = effect
        self.refusal = refusal
        told = run.definition_of(effect).get(BREAKPOINT) if effect is not None else None
        self.asked: dict[str, Any] = told if isinstance(told, dict) else {}
        self.is_decided = effect is not None and is_decided(run, effect)

    @property
    def beside(self) -> int:
        """How many other effects are pending in its run; none: all of the run waits for it."""
        return len(self.run.state.pending) - 1 if self.effect is not None else 0

    def is_for(self, expert: str | None, tags: Iterable[str]) -> bool:
        """It is asked of this expert, if one is named, and has all of these tags."""
        is_experts = expert is None or expert in texts(self.asked.get("expert"))
        return is_experts and set(tags) <= set(texts(self.asked.get("tags")))


def everything(places: Iterable[str], limits: Limits) -> tuple[list[Waiting], list[Unread]]:
    """All that waits in the runs of these folders, the oldest first; and the runs that cannot be read."""
    waiting, unread = list[Waiting](), list[Unread]()
    for folder in run_folders(places):
        try:
            if not _has_ended(folder):
                waiting += waiting_in(folder, limits)
        except BabysitterError as error:
            unread.append(Unread(folder, error))
    waiting.sort(key=lambda each: (each.since_ms, each.run.run_id))
    return waiting, unread


def _has_ended(folder: str) -> bool:
    """Whether the last event says so, as its file is: most runs have, and reading all of each takes long."""
    try:
        with open_inside(folder, ["journal"]) as journal:
            names = event_names(journal)
            return bool(names) and loads(journal.read(names[-1], MAX_EVENT_BYTES))["type"] in ENDINGS
    except (FileNotFoundError, ValueError, LookupError, TypeError, RecursionError):
        # Whoever reads all of it says what is wrong.
        return False


def waiting_in(folder: str, limits: Limits) -> list[Waiting]:
    """What waits in one run; nothing in a child that a run above it no longer waits for.

    Raises:
        JournalError, UnsafePath, StorageError
    """
    run = open_run(folder, os.path.dirname(folder), limits)
    stuck_ms = 0

    def see(event: Event) -> None:
        nonlocal stuck_ms
        if event.type == "PROCESS_ERROR":
            stuck_ms = event.ms

    run.on_event = see
    state = run.load().state
    if state.is_finished or ("parent" in state.created and ended_above(run) is not None):
        return []
    found = [
        Waiting(run, effect.requested_ms, effect)
        for effect in state.pending.values()
        if effect.kind == BREAKPOINT
    ]
    refusal = refused_unread(run)
    if refusal is not None:
        return [Waiting(run, state.last_ms, refusal=refusal), *found]
    return [Waiting(run, stuck_ms), *found] if state.status == STUCK else found
