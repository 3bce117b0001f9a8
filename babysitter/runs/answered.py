"""Breakpoints that were answered, in all runs that are known: what rules are tried on, and counted by."""

from __future__ import annotations

import os
import sys

from babysitter.engine.breakpoints import ASSURANCES
from babysitter.engine.state import OK
from babysitter.errors import BabysitterError
from babysitter.places import known
from babysitter.runs.assurance import SCRIPT
from babysitter.runs.folder import Unread, open_run, run_folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from babysitter.journal.events import Event
    from babysitter.limits import Limits
    from babysitter.rules import Rule
    from babysitter.runs.run import Run

# How far the clock of a file system may be behind that of a journal.
SLACK_MS = 5_000


class Answered:
    """One breakpoint, and the answer that it got.

    Attributes:
        asked: its description, what ``definition["breakpoint"]`` was.
        at_ms: when it was answered.
        assurance: how sure it is that a person did; a word of another version, or empty, is nobody.
        rule: the name of the rule that did.
    """

    __slots__ = (
        "approved",
        "asked",
        "assurance",
        "at_ms",
        "by",
        "effect_id",
        "folder",
        "option",
        "process_id",
        "project",
        "rule",
        "run_id",
        "title",
    )

    def __init__(self, run: Run, event: Event, asked: dict[str, Any]) -> None:
        effect, evidence = run.state.effects[event.data["effectId"]], event.data.get("evidence") or {}
        value = run.value_of(effect) if effect.status == OK else None
        told: dict[str, Any] = value if isinstance(value, dict) else {}
        self.run_id = run.run_id
        self.folder = run.folder
        self.process_id = run.state.process_id
        self.project = run.project
        self.effect_id = effect.id
        self.title = effect.label
        self.asked = asked
        self.at_ms = event.ms
        self.approved = told.get("approved") is True
        self.option = told.get("option")
        self.by = str(told.get("respondedBy") or "")
        self.assurance = str(evidence.get("assurance") or "") if told else ""
        self.rule = evidence.get("rule")

    @property
    def is_persons(self) -> bool:
        """Nobody but a person, or what passes for one, has given it: no rule, no policy, no clock."""
        return self.assurance in (SCRIPT, *ASSURANCES)

    @property
    def is_seen_persons(self) -> bool:
        """There is something to show for a person."""
        return self.assurance in ASSURANCES

    def is_as_by(self, rule: Rule) -> bool:
        """It is what a rule that says always would have answered."""
        can, option = rule.choice(self.asked)
        return can and self.approved and self.option == option


def answered_in(folder: str, limits: Limits) -> list[Answered]:
    """The answers of a run, in their order; what a fork has copied was given in another one.

    Raises:
        JournalError, UnsafePath, StorageError
    """
    run = open_run(folder, os.path.dirname(folder), limits)
    asked: dict[str, dict[str, Any]] = {}
    found: list[Answered] = []

    def see(event: Event) -> None:
        effect_id = event.data.get("effectId")
        if event.type == "EFFECT_REQUESTED" and event.data["kind"] == "breakpoint":
            told = run.definition_of(run.state.effects[event.data["effectId"]]).get("breakpoint")
            asked[event.data["effectId"]] = told if isinstance(told, dict) else {}
        elif event.type == "EFFECT_RESOLVED" and effect_id in asked and not _is_copy(event):
            found.append(Answered(run, event, asked[effect_id]))

    run.on_event = see
    run.load()
    return found


def _is_copy(event: Event) -> bool:
    return "copiedFrom" in (event.data.get("evidence") or {})


def newest_first(limits: Limits, places: Sequence[str] | None = None) -> Iterator[Answered | Unread]:
    """The answers of all known runs, the newest first; a run that cannot be read comes at its last change.

    A run is read when its turn has come, so who needs the last few answers reads the last few runs.
    Packed ones are not read.
    """
    waiting: list[tuple[int, Answered | Unread]] = []
    for touched, folder in sorted(_touched(known() if places is None else places), reverse=True):
        waiting.sort(key=lambda each: each[0])
        while waiting and waiting[-1][0] > touched + SLACK_MS:
            yield waiting.pop()[1]
        try:
            waiting += [(each.at_ms, each) for each in answered_in(folder, limits)]
        except BabysitterError as error:
            waiting.append((touched, Unread(folder, error)))
    waiting.sort(key=lambda each: each[0])
    # Of those of one moment the last of a run is the newest.
    yield from (each for _, each in reversed(waiting))


def _touched(places: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The folders of all runs, each with when an event was last put into it."""
    return ((_changed_ms(folder), folder) for folder in run_folders(places))


def _changed_ms(folder: str) -> int:
    for path in (os.path.join(folder, "journal"), folder):
        try:
            return os.stat(path).st_mtime_ns // 1_000_000
        except OSError:
            continue
    # Reading it says what is wrong; until then its answers may be the newest of all.
    return sys.maxsize


def approvals(
    rule: Rule, asked: dict[str, Any], answers: Iterable[Answered | Unread], folder: str = ""
) -> list[Answered] | None:
    """The answers by which a rule has earned it to answer a breakpoint; None: it has not.

    They are the last that people have given to breakpoints of the same id, which the rule is about as
    well, in a row: an answer that is not what the rule would say ends it, and so does a run that cannot
    be read. In the run ``folder``, which is asking, a yes does not count; nor does one of which
    nobody knows who gave it.
    """
    if not isinstance(asked.get("id"), str):
        return None
    row: list[Answered] = []
    for each in answers:
        if isinstance(each, Unread):
            return None
        if not (each.is_persons and each.asked.get("id") == asked["id"] and _is_about(rule, each)):
            continue
        if not each.is_as_by(rule):
            return None
        if each.is_seen_persons and each.folder != folder:
            row.append(each)
        if len(row) == rule.after:
            return row
    return None


def _is_about(rule: Rule, each: Answered) -> bool:
    return rule.fits(each.asked, each.process_id, each.project)
