"""What `list` says of runs, packed and unreadable ones too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.cli.status_told import awaited
from babysitter.clock import iso
from babysitter.errors import BabysitterError
from babysitter.runs.folder import open_run, packed_ids, parent_of, run_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


UNREADABLE = "unreadable"


def under_parents(runs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs, the newest first; each child after its parent, when that is among them."""
    listed = sorted(runs, key=lambda told: (told["createdAt"], told["run"]), reverse=True)
    known, below = {told["run"] for told in listed}, dict[str, list[dict[str, Any]]]()
    for told in listed:
        parent = told.get("parent", "")
        below.setdefault(parent if parent in known else "", []).append(told)
    found, waiting = [], list(reversed(below.get("", [])))
    while waiting:
        told = waiting.pop()
        found.append(told)
        waiting += below.pop(told["run"], [])
    # Runs that say they are each other's children are listed all the same.
    return [*found, *(told for told in listed if told not in found)]


def every_run(folder: str) -> Iterator[dict[str, Any]]:
    """All runs of a folder, packed ones too, in no order."""
    listed = set(run_ids(folder))
    for run_id in listed:
        yield _listed(run_id, folder)
    for run_id in packed_ids(folder):
        # A kill may have left a run its folder beside the archive; the folder is what counts.
        if run_id not in listed:
            yield _packed(run_id, folder)


def _listed(run_id: str, folder: str) -> dict[str, Any]:
    """A run in a list; one that cannot be read is listed with its error, the others still are."""
    try:
        state = open_run(run_id, folder).load().state
    except BabysitterError as error:
        return _unreadable(run_id, error)
    parent = parent_of(state.created)
    return {
        "run": run_id,
        "process": state.process_id,
        "status": state.status,
        "createdAt": iso(state.made_ms),
        "lastEventAt": iso(state.last_ms),
        "pending": len(awaited(state)),
        "resolved": sum(not (effect.is_pending or effect.is_superseded) for effect in state.effects.values()),
        **({"cancelled": True} if state.is_cancelled and not state.is_finished else {}),
        **({"parent": parent} if parent else {}),
    }


def _unreadable(run_id: str, error: BabysitterError) -> dict[str, Any]:
    return {"run": run_id, "process": "", "status": UNREADABLE, "createdAt": "", "error": error.message}


def _packed(run_id: str, folder: str) -> dict[str, Any]:
    """A packed run in a list, from what its archive says of it; nothing is unpacked."""
    from babysitter.runs.unpacking import open_packed

    try:
        with open_packed(run_id, folder) as packed:
            about = packed.about
    except BabysitterError as error:
        return {**_unreadable(run_id, error), "packed": True}
    return {
        "run": run_id,
        "process": about["processId"],
        "status": about["status"],
        "createdAt": about["createdAt"],
        "lastEventAt": about["endedAt"],
        # It has ended, so it waits for nothing.
        "pending": 0,
        "resolved": about["resolved"],
        "packed": True,
        **({"parent": parent_of(about)} if parent_of(about) else {}),
    }
