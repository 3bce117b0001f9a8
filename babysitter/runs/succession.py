"""A run that was continued as new: the run in which it goes on, made once."""

from __future__ import annotations

import os

from babysitter.engine.state import CONTINUED
from babysitter.errors import CorruptEvent, EditNeedsPerson, ProcessError, RunExists
from babysitter.library import Entry, reopen
from babysitter.runs.creation import Origin, create
from babysitter.runs.folder import archive_of, check_folder, check_id
from babysitter.version import version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.runs.run import Run

# So many runs in a row may continue as new without having asked for anything: it would go on for ever.
MOST_IDLE = 1000


def newest(run: Run) -> Run:
    """The run in which a loaded run goes on by now, made where it is missing; itself when it was not.

    Raises:
        InvalidInput, NoSuchProcess: the process, or the inputs that it was continued with, do not fit.
        ReplayError: it may not go on so.
        RunExists: another run has the id.
        JournalError, StorageError
    """
    seen: set[str] = set()
    while run.state.status == CONTINUED:
        run = _following(run, seen) or _made(run)
    return run


def newest_there(run: Run) -> Run:
    """The same, but nothing is made: the last one that there is."""
    seen: set[str] = set()
    while run.state.status == CONTINUED:
        following = _following(run, seen)
        if following is None:
            return run
        run = following
    return run


def _following(run: Run, seen: set[str]) -> Run | None:
    """The next run, if it is there; those that were brought here may lead in a circle."""
    seen.add(run.run_id)
    if successor_of(run) in seen:
        raise CorruptEvent(f"run {run.run_id!r} says that it goes on as one that it goes on from")
    return _existing(run)


def successor_of(run: Run) -> str:
    """The id of the run in which a continued run goes on."""
    run_id = str((run.state.ending or {}).get("runId"))
    check_id(run_id)
    return run_id


def _existing(run: Run, *, is_new: bool = False) -> Run | None:
    folder = os.path.join(os.path.dirname(run.folder), successor_of(run))
    if not os.path.lexists(folder):
        return None
    check_folder(folder)
    found = run.beside(folder, is_new=is_new)
    found.above = run.above
    if (found.state.created.get("continuedFrom") or {}).get("runId") != run.run_id:
        raise RunExists(
            f"run {run.run_id!r} goes on as {found.run_id!r}, and a run that is not its own has that id",
            hint="give that one another place, and try again",
        )
    parent = found.state.created.get("parent")
    if parent and run.above is not None and run.above.below.get(parent["effectId"]) is run:
        run.above.below[parent["effectId"]] = found
    return found


def _made(run: Run) -> Run:
    created = run.state.created
    entry = reopen(created["entrypoint"], run.project)
    entry = Entry(run.state.process_id, entry.file, entry.export, entry.origin)
    runs_dir, is_new = os.path.dirname(run.folder), True
    try:
        create(
            runs_dir,
            entry,
            run.continued_inputs(),
            project=run.project,
            version=version(),
            run_id=successor_of(run),
            prompt=run.about.get("prompt"),
            origin=Origin(
                {"continuedFrom": _before(run), **_links(created), **_inherited(run), **_budget(run)}
            ),
            limits=run.limits,
        )
    except RunExists:
        # Somebody else was first; or it is packed, or not ours, and then it cannot be gone on with.
        if os.path.lexists(archive_of(successor_of(run), runs_dir)):
            raise
        is_new = False
    found = _existing(run, is_new=is_new)
    assert found is not None
    return found


def _before(run: Run) -> dict[str, Any]:
    """Whom it goes on from; counts how many in a row have asked for nothing."""
    before = (run.state.created.get("continuedFrom") or {}).get("idle", 0)
    idle = 0 if run.state.effects else before + 1
    if idle > MOST_IDLE:
        raise ProcessError(
            f"{MOST_IDLE} runs in a row have continued as new without asking for anything",
            hint="let the process do a step, a sleep say, before ctx.continue_as_new",
        )
    return {"runId": run.run_id, **({"idle": idle} if idle else {})}


def _links(created: dict[str, Any]) -> dict[str, Any]:
    return {name: created[name] for name in ("parent", "createdBy") if name in created}


def _inherited(run: Run) -> dict[str, Any]:
    """What holds for a run holds for the one in which it goes on."""
    state = run.state
    told: dict[str, Any] = {}
    options: dict[str, Any] = {"breakpoints": "policy"} if state.answers_by_policy else {}
    if state.meter is not None:
        options["budget"] = state.meter.budget
    if options:
        told["options"] = {**state.created.get("options", {}), **options}
    guard = run.guard
    if guard is not None:
        _refuse_edit(run)
        is_bound = state.session is not None
        told["session"] = {**guard, **({"isBound": True} if is_bound else {})}
    return told


def _budget(run: Run) -> dict[str, Any]:
    """Its budget, and what of it is spent."""
    if run.state.meter is None:
        return {}
    from babysitter.runs.spending import carried_by

    return carried_by(run, is_same_run=True)


def _refuse_edit(run: Run) -> None:
    """Nobody can accept an edit for a run that has ended, nor for one that is not there yet."""
    from babysitter.runs.edits import refused_unread

    refusal = refused_unread(run)
    if refusal is not None:
        raise EditNeedsPerson(
            refusal.message,
            hint=f"undo the edit until run {run.run_id} goes on as {successor_of(run)};"
            " a person can accept it there",
        )
