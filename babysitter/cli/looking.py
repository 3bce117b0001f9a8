"""``status``, ``tasks``, ``show``, ``events``, ``list``: to look at runs. They write only the cache."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import (
    complete_effect,
    json_option,
    run_argument,
    runs_dir_option,
    settings,
    to_look_at,
)
from babysitter.cli.output import as_json, document, line
from babysitter.cli.reports import ending_json, given_up_json, next_wake, usage_json
from babysitter.clock import iso
from babysitter.engine.state import ABANDONED, CANCELLED, FINISHED, Effect
from babysitter.errors import BabysitterError, UsageError
from babysitter.paths import runs_dir as runs_folder
from babysitter.runs.folder import open_run, packed_ids, parent_of, run_ids
from babysitter.runs.results import OWN_KINDS, ends_by, find_effect, schema_of
from babysitter.runs.run import LINKS, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from babysitter.engine.state import RunState
    from babysitter.journal.events import Event


UNREADABLE, SUPERSEDED = "unreadable", "superseded"
BREAKPOINT = "breakpoint"
TAKEN = ("by", "attempt", "session", "agent", "leaseSeconds")
STATUSES = ("waiting", "completed", "failed", "halted", "continued", "stuck", UNREADABLE)


def status_json(run: Run) -> dict[str, Any]:
    """A run in one object."""
    state = run.state
    counts: dict[str, int] = {}
    for effect in state.effects.values():
        status = SUPERSEDED if effect.is_superseded else effect.status
        counts[status] = counts.get(status, 0) + 1
    waits = _awaited(state)
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
        "pending": _kinds(waits),
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


def _awaited(state: RunState) -> list[Effect]:
    """What a run waits for; one that was halted waits for nothing any more."""
    return [] if state.is_finished else list(state.pending.values())


def _kinds(effects: list[Effect]) -> dict[str, int]:
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
        "pending": _kinds(_awaited(child.state)),
    }
    return {**told, **next_wake(child), **ending_json(child)}


@click.command(
    epilog="""\b
Example:
  babysitter status
  babysitter status release-1-2-0 --json"""
)
@run_argument(only_looks=True)
@runs_dir_option
@json_option
def status(run: str, runs_dir: str | None, as_json: bool) -> None:
    """Show where RUN stands (default: the latest)."""
    with to_look_at(run, runs_dir) as found:
        told = {**status_json(found.load()), **_held(found)}
    if as_json:
        _json(told)
    else:
        from babysitter.views.tables import status_lines

        _lines(status_lines(told))


def _held(run: Run) -> dict[str, Any]:
    """What waits for a rate limit, if anything does."""
    rates = settings().rates if run.state.pending else []
    if not rates:
        return {}
    from babysitter.cli.limited import held_by_rates

    held = held_by_rates(run, rates)
    return {"rateLimits": held} if held else {}


def effect_json(run: Run, effect: Effect) -> dict[str, Any]:
    """An effect in a list."""
    told = {
        "id": effect.id,
        "step": effect.step,
        "task": effect.task_id,
        "kind": effect.kind,
        "title": effect.label,
        "status": effect.status,
        **({"taken": taken_json(run, effect)} if effect.taken else {}),
    }
    return {**told, **_decision(run, effect), **history_json(effect)}


def history_json(effect: Effect) -> dict[str, Any]:
    """What only some effects have: attempts, who works on it, why it was cancelled, if it counts no more."""
    told: dict[str, Any] = {}
    if effect.max_attempts > 1 or effect.attempt > 1:
        told.update(attempt=effect.attempt, maxAttempts=effect.max_attempts)
    if effect.status == CANCELLED:
        told["cancelled"] = effect.cancel_reason
    if effect.is_superseded:
        told["superseded"] = True
    return told


def _decision(run: Run, effect: Effect) -> dict[str, Any]:
    if effect.kind != BREAKPOINT:
        return {}
    from babysitter.cli.decided import decision_json

    return decision_json(run, effect)


def taken_json(run: Run, effect: Effect) -> dict[str, Any]:
    """Who has begun an effect last, the how manieth that was, and until when that counts."""
    # Here, for hardly any effect has been taken.
    from babysitter.runs.taking import lease_end

    taken = effect.taken or {}
    told: dict[str, Any] = {name: taken[name] for name in TAKEN if name in taken}
    end = lease_end(run, effect) if effect.is_pending else None
    return {**told, "at": iso(effect.taken_ms), **({"until": iso(end)} if end is not None else {})}


@click.command(
    epilog="""\b
Example:
  babysitter tasks
  babysitter tasks release-1-2-0 --pending --json"""
)
@run_argument(only_looks=True)
@click.option("--pending", is_flag=True, help="Only those that wait for a result.")
@runs_dir_option
@json_option
def tasks(run: str, pending: bool, runs_dir: str | None, as_json: bool) -> None:
    """List the effects of RUN, and below each child run that has not ended those of that one."""
    with to_look_at(run, runs_dir) as found:
        told = tasks_json(found.load(), pending)
        below = [{**tasks_json(each, pending), **_parent_json(each)} for each in living_below(found)]
    if as_json:
        _json({**told, **({"children": below} if below else {})})
    else:
        from babysitter.views.tables import tasks_lines

        _lines(tasks_lines(told, below))


def tasks_json(run: Run, only_pending: bool) -> dict[str, Any]:
    """The effects of a run."""
    effects = run.state.pending if only_pending else run.state.effects
    return {"run": run.run_id, "tasks": [effect_json(run, effect) for effect in effects.values()]}


def _parent_json(run: Run) -> dict[str, Any]:
    parent = run.state.created["parent"]
    return {"parent": parent["runId"], "effect": parent["effectId"]}


def living_below(run: Run) -> list[Run]:
    """The runs below a loaded run that have not ended, each after its parent."""
    if run.archive is not None or run.state.is_finished or not run.state.children:
        return []
    from babysitter.runs.children import family

    return family(run)[1:]


def effect_details(run: Run, effect: Effect) -> dict[str, Any]:
    """All about one effect: what it asks for, and its result."""
    told = {**effect_json(run, effect), "run": run.run_id, "requestedAt": iso(effect.requested_ms)}
    asked = _as_requested(run, effect)
    told["definition"] = run.definition_of(asked)
    if asked.group:
        told["group"] = asked.group
    if effect.status == "ok":
        told["value"] = run.value_of(effect)
    if effect.status == "error":
        told["error"] = effect.error
    if effect.kind == BREAKPOINT:
        told |= _breakpoint_details(run, effect)
    more = {
        "startedAt": effect.started_at,
        "finishedAt": effect.finished_at,
        "executor": effect.executor,
        "usage": effect.usage,
    }
    return {**told, **{name: value for name, value in more.items() if value is not None}}


def _breakpoint_details(run: Run, effect: Effect) -> dict[str, Any]:
    """Who has answered what, and, while it is open, where it stands."""
    from babysitter.runs.approval_records import records_of

    told: dict[str, Any] = {"answers": records_of(run, effect)}
    if effect.is_pending and not run.state.is_finished:
        from babysitter.runs.answering import Shown
        from babysitter.views.questions import about_json, about_lines

        shown = Shown(run, effect)
        told |= {"open": about_json(run, shown), "about": about_lines(run, shown)}
    return told


def definition_of(run: Run, effect: Effect) -> Any:
    """The definition, also of an effect that is no longer pending."""
    return run.definition_of(_as_requested(run, effect))


def _as_requested(run: Run, effect: Effect) -> Effect:
    # Here, for most commands of this file need it for none.
    from babysitter.runs.requested import as_requested

    return as_requested(run, effect)


@click.command(
    epilog="""\b
Example:
  babysitter show latest
  babysitter show latest 4f9k2m --json
  babysitter show latest 4f9k2m --prompt"""
)
@run_argument(required=True, only_looks=True)
@click.argument("effect", required=False, shell_complete=complete_effect)
@click.option(
    "--prompt", "only_prompt", is_flag=True, help="Print what whoever performs EFFECT is to read, no more."
)
@runs_dir_option
@json_option
def show(run: str, effect: str | None, only_prompt: bool, runs_dir: str | None, as_json: bool) -> None:
    """Show RUN, or one EFFECT of it: what it asks for, its schema, its result."""
    with to_look_at(run, runs_dir) as found:
        found.load()
        if only_prompt:
            asked = prompt_json(found, effect)
            _json(asked) if as_json else document(asked["prompt"].rstrip("\n"))
            return
        told = run_details(found) if effect is None else effect_details(found, find_effect(found, effect))
    if as_json:
        # For people; programs have it as it is.
        told.pop("about", None)
        _json(told)
    else:
        from babysitter.views.tables import effect_lines, run_lines

        _lines(run_lines(told) if effect is None else effect_lines(told))


def run_details(run: Run) -> dict[str, Any]:
    """All about a run: where it stands, what it was made from, what it asked for."""
    tasks = [effect_json(run, each) for each in run.state.effects.values()]
    return {**status_json(run), "prompt": run.about.get("prompt"), "inputs": run.inputs(), "tasks": tasks}


def prompt_json(run: Run, name: str | None) -> dict[str, Any]:
    """What is read by whoever performs an effect: an agent's whole prompt, or the question to a person."""
    from babysitter.executors.prompt import ask, asked_of

    if name is None:
        raise UsageError("--prompt is that of an effect", hint="babysitter show RUN EFFECT --prompt")
    effect = find_effect(run, name)
    if effect.kind in OWN_KINDS and effect.kind != BREAKPOINT:
        raise UsageError(
            f"effect {effect.id!r} is a {effect.kind} effect, and nobody is asked for it",
            hint=ends_by(run, effect),
        )
    asked = _as_requested(run, effect)
    definition, schema = run.definition_of(asked), None
    if effect.kind == BREAKPOINT:
        text = str(definition["breakpoint"].get("question") or effect.label)
    else:
        schema = schema_of(run, asked)
        text = ask(asked_of(effect.kind, definition), schema)
    return {"run": run.run_id, "effect": effect.id, "prompt": text, "schema": schema}


@click.command(
    epilog="""\b
Example:
  babysitter events --limit 20 --reverse
  babysitter events latest --type EFFECT_RESOLVED --json"""
)
@run_argument(only_looks=True)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@click.option("--reverse", is_flag=True, help="The newest first.")
@click.option("--type", "only", metavar="TYPE", help="Only events of this type.")
@runs_dir_option
@json_option
def events(
    run: str, limit: int | None, reverse: bool, only: str | None, runs_dir: str | None, as_json: bool
) -> None:
    """Show the journal of RUN."""
    listed = [event_json(event) for event in read_events(run, runs_dir, limit, reverse, only)]
    if as_json:
        _json({"events": listed})
    else:
        from babysitter.views.tables import events_lines

        _lines(events_lines(listed))


def event_json(event: Event) -> dict[str, Any]:
    """An event with its number."""
    return {"seq": event.seq, "type": event.type, "recordedAt": event.at, "data": event.data}


def read_events(
    run: str, runs_dir: str | None, limit: int | None, reverse: bool, only: str | None
) -> list[Event]:
    """Events of a run, filtered, in order or backwards."""
    from collections import deque

    kept: deque[Event] = deque(maxlen=limit if reverse else None)

    def see(event: Event) -> None:
        if (only is None or event.type == only) and (reverse or limit is None or len(kept) < limit):
            kept.append(event)

    with to_look_at(run, runs_dir) as found:
        found.journal.load(see)
    return list(reversed(kept)) if reverse else list(kept)


@click.command(
    "list",
    epilog="""\b
Example:
  babysitter list
  babysitter list --status waiting --json""",
)
@click.option(
    "--status", "only", type=click.Choice(STATUSES), metavar="STATUS", help="Only runs in this state."
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@click.option("--all", "every", is_flag=True, help="Child runs that have ended too.")
@runs_dir_option
@json_option
def list_runs(only: str | None, limit: int | None, every: bool, runs_dir: str | None, as_json: bool) -> None:
    """List the runs of the project, the newest first, and below each its child runs that have not ended."""
    listed = under_parents(every_run(runs_folder(runs_dir)))
    if not (every or only):
        listed = [told for told in listed if "parent" not in told or told["status"] not in FINISHED]
    listed = [told for told in listed if only in (None, told["status"])][:limit]
    if as_json:
        _json({"runs": listed})
    else:
        from babysitter.views.tables import runs_lines

        _lines(runs_lines(listed))


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
        "pending": len(_awaited(state)),
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


def _json(value: Any) -> None:
    as_json(value)


def _lines(lines: list[str]) -> None:
    for text in lines:
        line(text)


commands = {"status": status, "tasks": tasks, "show": show, "events": events, "list": list_runs}
