"""What `tasks` and `show` say of effects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.clock import iso
from babysitter.engine.state import CANCELLED, Effect
from babysitter.errors import UsageError
from babysitter.runs.results import OWN_KINDS, ends_by, find_effect, schema_of

if TYPE_CHECKING:
    from babysitter.runs.run import Run

BREAKPOINT = "breakpoint"
TAKEN = ("by", "attempt", "session", "agent", "leaseSeconds")


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


def tasks_json(run: Run, only_pending: bool) -> dict[str, Any]:
    """The effects of a run."""
    effects = run.state.pending if only_pending else run.state.effects
    return {"run": run.run_id, "tasks": [effect_json(run, effect) for effect in effects.values()]}


def parent_json(run: Run) -> dict[str, Any]:
    parent = run.state.created["parent"]
    return {"parent": parent["runId"], "effect": parent["effectId"]}


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
    from babysitter.runs.requested import Requests

    return Requests(run).of(effect)


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
