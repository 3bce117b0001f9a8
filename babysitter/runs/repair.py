"""Repair a damaged run: first a plan, then, if that is wanted, what the plan says.

What is damaged is never thrown away: it stays in the run's ``quarantine/``.
"""

from __future__ import annotations

import os

from babysitter import limits as limits_module
from babysitter.clock import iso, now_ms
from babysitter.disk import Folder, refuse
from babysitter.engine.state import RunState
from babysitter.errors import CorruptEvent, InvalidInput, JournalError, StorageError, UnknownLayout
from babysitter.files import publish, sync_folder
from babysitter.ids import base32, valid_id
from babysitter.journal.events import Head, previous_of
from babysitter.journal.pieces import read_event_file
from babysitter.journal.rebuild import JOURNAL, WHOLE, finish, is_unfinished, rebuild
from babysitter.journal.salvage import cached_lines, salvage
from babysitter.journal.sweep import open_quarantine
from babysitter.jsontext import compact, loads
from babysitter.paths import STATE_FOLDER
from babysitter.runs.above import read_above
from babysitter.runs.run import ABOUT, LAYOUT, Run
from babysitter.runs.verification import fault_of, load_from_files, references

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from babysitter.journal.salvage import Salvage
    from babysitter.runs.verification import Reference

RUN_FILE = "run.json"


class Plan:
    """What a repair would do.

    Attributes:
        run_id: of the run.
        is_unfinished: a repair was killed; this one first does the rest of it.
        reason: why the journal has to be rebuilt; empty when it is whole.
        salvaged: the journal as it will be, when it has to be rebuilt.
        answers_cut: the effects whose results are among the events that are cut.
        asked_again: those of them that the run then waits for.
        needs_person: it takes events from a run that an agent works on, and nobody has permitted that.
        person: who wants it nevertheless, or has permitted it, and what there is to show for that.
        was_whole: nothing is damaged, so a permit in the journal counts.
        about: what run.json has to say, when it has to be written again.
        unmendable: files that nothing whole can take the place of, and what is wrong with each.
    """

    def __init__(self, folder: str, run_id: str) -> None:
        self.folder = folder
        self.run_id = run_id
        self.is_unfinished = False
        self.reason = ""
        self.salvaged: Salvage | None = None
        self.answers_cut: list[str] = []
        self.asked_again: list[str] = []
        self.needs_person = False
        self.was_whole = False
        self.person: dict[str, Any] | None = None
        self.about: dict[str, Any] | None = None
        self.unmendable: list[tuple[Reference, CorruptEvent]] = []

    @property
    def is_empty(self) -> bool:
        """There is nothing that it would do."""
        return not (self.is_unfinished or self.salvaged or self.about)

    @property
    def before(self) -> int:
        """The number of the first event that is cut."""
        return 0 if self.salvaged is None else self.salvaged.head.seq + 1

    @property
    def cut(self) -> list[str]:
        """The files that will no longer be in the journal."""
        return [] if self.salvaged is None else self.salvaged.left


def plan(folder: str, before: int | None = None) -> Plan:
    """Find out what a run needs; reads only. ``before``: go back to before the event of this number.

    Raises:
        UnknownLayout: a later version wrote it, so what looks like damage may be none.
        InvalidInput: there is no such event to go back to.
        JournalError: not even the beginning can be saved.
        UnsafePath, StorageError
    """
    if is_unfinished(folder):
        unfinished = Plan(folder, _run_id(folder))
        unfinished.is_unfinished = True
        return unfinished
    run, fault = _opened(folder)
    made = Plan(folder, run.run_id)
    state = _read(run)
    if isinstance(state, JournalError) or before is not None:
        made.reason = (
            state.message if isinstance(state, JournalError) else f"asked to go back to before event {before}"
        )
        whole = None if isinstance(state, JournalError) else state
        made.salvaged, state = _salvaged(run, before)
        made.answers_cut = _answers_cut(folder, made.salvaged)
        made.was_whole = whole is not None
        if made.cut and _is_guarded(folder, made.salvaged, whole or state):
            made.person = _who_permitted(made)
            made.needs_person = made.person is None
        made.asked_again = [effect for effect in made.answers_cut if effect in state.pending]
    run.state = state
    if fault is not None or _is_edited(run):
        made.about = about_from(state.created, folder)
        run.about = made.about
    made.unmendable = [
        (reference, wrong)
        for reference in references(run)
        if reference.file != RUN_FILE and (wrong := fault_of(run, reference)) is not None
    ]
    return made


def carry_out(made: Plan) -> str | None:
    """Do what a plan says; return where the damaged journal is, from the run folder, if it was rebuilt.

    Hold the run's lock. Killed anywhere, the next repair goes on.

    Raises:
        StorageError
    """
    place = finish(made.folder, made.run_id) if made.is_unfinished else None
    if made.salvaged is not None:
        place = rebuild(made.folder, made.salvaged, report(made))
    if made.about is not None:
        _write_about(made)
    # "Nothing to repair" may rest on what a repair that was killed had not flushed.
    sync_folder(os.path.join(made.folder, JOURNAL))
    sync_folder(made.folder)
    return place


def report(made: Plan) -> dict[str, Any]:
    """A plan in one object; it is kept beside the damaged journal."""
    salvaged = made.salvaged
    told: dict[str, Any] = {"run": made.run_id, "at": iso(now_ms())}
    if salvaged is not None:
        told |= {
            "reason": made.reason,
            "events": salvaged.head.seq,
            "restored": [kept.event.seq for kept in salvaged.restored],
            "cut": salvaged.left,
            "answersCut": made.answers_cut,
            "askedAgain": made.asked_again,
            **({"person": made.person} if made.person else {}),
        }
    return told


def _opened(folder: str) -> tuple[Run, CorruptEvent | None]:
    """The run, with what is known of it when its run.json is damaged, or is that of another."""
    run_id = _run_id(folder)
    try:
        run = Run(folder)
    except CorruptEvent as error:
        return Run(folder, about={"runId": run_id}), error
    if run.run_id == run_id:
        return run, None
    other = CorruptEvent(f"run.json names the run {run.run_id!r}, and the journal is that of {run_id!r}")
    return Run(folder, about={"runId": run_id}), other


def _run_id(folder: str) -> str:
    """The id on which the journal hangs: whatever names it, the chain begins with its digest."""
    named = list(_named_ids(folder))
    prevs = {previous_of(raw) for raw in _first_events(folder)}
    return next((run_id for run_id in named if Head.genesis(run_id).checksum in prevs), named[0])


def _named_ids(folder: str) -> Iterator[str]:
    """Ids that the run may have, the likelier first."""
    try:
        yield Run(folder).run_id
    except CorruptEvent:
        pass
    for raw in _first_events(folder):
        try:
            found = loads(raw)["data"]["runId"]
        except (ValueError, LookupError, TypeError, RecursionError, InvalidInput):
            continue
        if valid_id(found):
            yield found
    yield os.path.basename(os.path.abspath(folder))


def _first_events(folder: str) -> Iterator[bytes]:
    """What may be the event that made the run, from the journal, also a new one, and from the cache."""
    for name in (JOURNAL, WHOLE):
        try:
            names = os.listdir(os.path.join(folder, name))
        except OSError:
            continue
        yield from (
            read_event_file(os.path.join(folder, name), each) for each in names if each[:6] == "000001"
        )
    yield from cached_lines(folder)[:1]


def _read(run: Run) -> RunState | JournalError:
    """The state that the journal's files give, or what is wrong with them."""
    try:
        load_from_files(run)
    except UnknownLayout:
        raise
    except JournalError as error:
        return error
    return run.state


def _salvaged(run: Run, before: int | None) -> tuple[Salvage, RunState]:
    """The longest beginning that can be proven and makes sense, and the state after it."""
    found = _salvage(run, before)
    if before is not None and (before < 2 or found.head.seq + 1 < before or not found.left):
        last = _salvage(run).head.seq
        raise InvalidInput(
            f"there is no going back to before event {before}: events 1 to {last} are whole",
            hint="event 1 made the run; any later one can be named",
        )
    state, sound = _folded(found)
    if sound == 0:
        raise CorruptEvent(
            f"nothing of the journal of run {run.run_id!r} can be saved, not even its creation",
            hint="put the run folder back from a copy, or start a new run",
        )
    if sound < found.head.seq:
        found = _salvage(run, sound + 1)
    return found, state


def _salvage(run: Run, before: int | None = None) -> Salvage:
    return salvage(run.folder, run.run_id, os.path.join(run.folder, JOURNAL), before)


def _folded(found: Salvage) -> tuple[RunState, int]:
    """The state after the events that can follow one another, and the number of the last of them."""
    state = RunState()
    for kept in found.kept:
        event = kept.event
        try:
            state.apply(event)
        except CorruptEvent:
            # The event that could not be applied may have changed the state half.
            return _folded_to(found, event.seq - 1), event.seq - 1
    return state, found.head.seq


def _folded_to(found: Salvage, last: int) -> RunState:
    state = RunState()
    for kept in found.kept[:last]:
        state.apply(kept.event)
    return state


def _answers_cut(folder: str, salvaged: Salvage) -> list[str]:
    """The effects of which an event that is cut has the result, or a person's answer."""
    resolved = []
    for event in _readable(folder, salvaged):
        try:
            if event["type"] in ("EFFECT_RESOLVED", "BREAKPOINT_ANSWERED"):
                resolved.append(event["data"]["effectId"])
        except (LookupError, TypeError):
            continue
    return sorted(set(resolved))


def _is_guarded(folder: str, salvaged: Salvage, state: RunState) -> bool:
    """A session was bound to the run, as far as can still be read, and it can still go on."""
    return not state.is_finished and (
        state.guard is not None
        or _is_guarded_above(folder, state)
        or any(
            isinstance(event, dict) and event.get("type") == "SESSION_BOUND"
            for event in _readable(folder, salvaged)
        )
    )


def _is_guarded_above(folder: str, state: RunState) -> bool:
    above = read_above(state.created, os.path.dirname(folder), limits_module.DEFAULT)
    return above is not None and above.is_guarded


def _who_permitted(made: Plan) -> dict[str, Any] | None:
    """Who has permitted to go back to just there, and has decided nothing since.

    Such a permit is itself among what is cut, and so it serves once.
    """
    if not made.was_whole or made.salvaged is None:
        return None
    found = None
    for event in _readable(made.folder, made.salvaged):
        data = event["data"]
        if event["type"] == "PERMITTED" and data["what"] == "repair":
            is_this = data.get("about") == {"before": made.before}
            found = {name: data[name] for name in ("by", "assurance", "evidence")} if is_this else found
        elif event["type"] == "BREAKPOINT_ANSWERED" or (
            event["type"] == "EFFECT_RESOLVED" and data.get("executor") == "person"
        ):
            found = None
    return found


def _readable(folder: str, salvaged: Salvage) -> Iterator[Any]:
    """What is cut, as far as it is JSON."""
    for name in salvaged.left:
        try:
            yield loads(read_event_file(os.path.join(folder, JOURNAL), name))
        except (ValueError, RecursionError, InvalidInput, StorageError):
            continue


def _is_edited(run: Run) -> bool:
    """run.json is not the one that the run was made with."""
    try:
        run.check_about()
    except CorruptEvent:
        return True
    return any(
        reference.file == RUN_FILE and fault_of(run, reference) is not None for reference in references(run)
    )


def about_from(created: dict[str, Any], folder: str) -> dict[str, Any]:
    """What run.json has to say, from the event that made the run."""
    if "runDigest" in created:
        return {"layout": LAYOUT, **{name: created[name] for name in created if name in ABOUT}}
    # An event of an earlier version; the project is where the run lies, if it lies in one.
    runs = os.path.dirname(os.path.abspath(folder))
    place = os.path.join(STATE_FOLDER, "runs")
    project = runs.removesuffix(os.path.join(os.sep, place))
    known = {name: created[name] for name in ABOUT if name in created}
    return {"layout": LAYOUT, **known, "project": project, "place": place if project != runs else None}


def _write_about(made: Plan) -> None:
    content = compact(made.about).encode() + b"\n"
    with Folder(made.folder) as run, open_quarantine(made.folder) as quarantine:
        publish(run, whole := f"{RUN_FILE}.{base32(os.urandom(5))}", content)
        try:
            _keep_aside(run, quarantine)
            run.sync()
            os.replace(whole, RUN_FILE, src_dir_fd=run.fd, dst_dir_fd=run.fd)
        except OSError as error:
            refuse(error, os.path.join(run.path, RUN_FILE), "written")
        run.sync()


def _keep_aside(run: Folder, quarantine: Folder) -> None:
    """A second name in the quarantine for the damaged file, if there is one."""
    aside = f"{RUN_FILE}.{base32(os.urandom(5))}"
    try:
        os.link(RUN_FILE, aside, src_dir_fd=run.fd, dst_dir_fd=quarantine.fd, follow_symlinks=False)
    except FileNotFoundError:
        pass
    quarantine.sync()
