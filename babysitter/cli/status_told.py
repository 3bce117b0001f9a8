"""What `status`, and `show` of a whole run, say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from babysitter.cli.reports import ending_json, given_up_json, next_wake, usage_json
from babysitter.clock import iso
from babysitter.engine.state import ABANDONED, Effect
from babysitter.runs.run import LINKS, Run

if TYPE_CHECKING:
    from babysitter.engine.state import RunState


SUPERSEDED = "superseded"
BREAKPOINT = "breakpoint"


def status_json(run: Run) -> dict[str, Any]:
    """A run in one object."""
    state = run.state
    counts: dict[str, int] = {}
    for effect in state.effects.values():
        status = SUPERSEDED if effect.is_superseded else effect.status
        counts[status] = counts.get(status, 0) + 1
    waits = awaited(state)
    taken = sum(effect.taken is not None for effect in waits)
    told = {
        "run": run.run_id,
        "process": state.process_id,
        "status": state.status,
        "createdAt": iso(state.made_ms),
        "lastEventAt": iso(state.last_ms),
        "events": state.last_seq,
        "effects": counts,
        **_abandoned_json(state),
        **_edited_json(run),
        "pending": kinds_of(waits),
        **({"taken": taken} if taken else {}),
        **usage_json(run),
        **budget_json(run),
        **_decided_json(run),
        **_decisions(run),
        **({"folder": run.folder} if run.archive is None else {"packed": True, "archive": run.archive}),
    }
    told |= {**_times_json(state), **scores_json(state)}
    return {**told, **related_json(run), **given_up_json(run), **next_wake(run), **ending_json(run)}


def _abandoned_json(state: RunState) -> dict[str, Any]:
    """How many of the cancelled effects their process has given up itself."""
    effects = state.effects.values()
    given_up = sum(each.cancel_reason == ABANDONED and not each.is_superseded for each in effects)
    return {"abandoned": given_up} if given_up else {}


def _edited_json(run: Run) -> dict[str, Any]:
    """That the process was edited since its run went on last, as far as the times of its files say it."""
    state = run.state
    if run.archive is not None or state.is_finished:
        return {}
    file = os.path.join(run.project, state.created["entrypoint"]["file"])
    paths = [os.path.join(os.path.dirname(file), name) for name in state.source_digests]
    if not any(_is_newer(path, state.last_ms) for path in paths):
        return {}
    # Here, for most processes are not.
    from babysitter.runs.edits import is_edited

    return {"edited": True} if is_edited(run) else {}


def _is_newer(path: str, than_ms: int) -> bool:
    try:
        return os.stat(path).st_mtime_ns // 1_000_000 >= than_ms
    except (OSError, ValueError):
        return False


def _decided_json(run: Run) -> dict[str, Any]:
    """How many breakpoints have their answers, and are decided when the run goes on."""
    if not run.state.answers or run.archive is not None or run.state.is_finished:
        return {}
    from babysitter.runs.settling import is_decided

    decided = sum(is_decided(run, run.state.pending[effect_id]) for effect_id in run.state.answers)
    return {"decided": decided} if decided else {}


def _times_json(state: RunState) -> dict[str, Any]:
    """How long its tasks took, and what was saved by doing them side by side."""
    if not any(effect.finished_at for effect in state.effects.values()):
        return {}
    # Here, for a run that has just begun has none.
    from babysitter.runs.worked import times_json

    return times_json(state)


def _decisions(run: Run) -> dict[str, Any]:
    """What was decided at breakpoints, if there are any."""
    if all(effect.kind != BREAKPOINT for effect in run.state.effects.values()):
        return {}
    from babysitter.cli.decided import decisions_json

    return decisions_json(run)


def budget_json(run: Run) -> dict[str, Any]:
    """The amounts that a run may spend, if it has a budget."""
    if run.state.meter is None or run.archive is not None:
        return {}
    # Here, for hardly any run has one.
    from babysitter.runs.budget_standing import standing_of

    amounts = standing_of(run)["amounts"]
    return {"budget": amounts} if amounts else {}


def scores_json(state: RunState) -> dict[str, Any]:
    """What ``ctx.score`` has told, by name and branch, if it has."""
    if not state.scores:
        return {}
    # Here, for hardly any run has one.
    from babysitter.engine.scores import series_json

    listed = [{"scope": scope, **series_json(series)} for (scope, _), series in state.scores.items()]
    return {"scores": listed}


def awaited(state: RunState) -> list[Effect]:
    """What a run waits for; one that was halted waits for nothing any more."""
    return [] if state.is_finished else list(state.pending.values())


def kinds_of(effects: list[Effect]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for effect in effects:
        counts[effect.kind] = counts.get(effect.kind, 0) + 1
    return counts


def related_json(run: Run) -> dict[str, Any]:
    """The runs that a run belongs to: its parent, where it comes from, and those below it that live."""
    created = run.state.created
    told: dict[str, Any] = {name: created[name]["runId"] for name in LINKS if name in created}
    if "forkedFrom" in created:
        told["forkedFrom"] = {name: created["forkedFrom"][name] for name in ("runId", "step")}
    children = [_child_json(child) for child in living_below(run)]
    return {**told, **({"children": children} if children else {})}


def _child_json(child: Run) -> dict[str, Any]:
    told = {
        "run": child.run_id,
        "parent": child.state.created["parent"]["runId"],
        "status": child.state.status,
        "pending": kinds_of(awaited(child.state)),
    }
    return {**told, **next_wake(child), **ending_json(child)}


def living_below(run: Run) -> list[Run]:
    """The runs below a loaded run that have not ended, each after its parent."""
    if run.archive is not None or run.state.is_finished or not run.state.children:
        return []
    from babysitter.runs.children import family

    return family(run)[1:]


def run_details(run: Run) -> dict[str, Any]:
    """All about a run: where it stands, what it was made from, what it asked for."""
    from babysitter.cli.effects_told import effect_json

    tasks = [effect_json(run, each) for each in run.state.effects.values()]
    return {**status_json(run), "prompt": run.about.get("prompt"), "inputs": run.inputs(), "tasks": tasks}
