"""The command names and flags of the original Babysitter, for scripts that were written for it.

They print the shapes that such scripts read. File names are relative to the
working directory. What differs, and why, is in docs/commands.md.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.iterating import EXIT_CODES
from babysitter.cli.looking import definition_of, event_json, read_events
from babysitter.cli.options import (
    json_option,
    opened,
    read_inputs,
    read_json,
    runs_dir_option,
    settings,
    watched,
)
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import line
from babysitter.cli.posting import error_of
from babysitter.cli.reports import by_kind, ending_json
from babysitter.clock import iso
from babysitter.errors import InvalidInput, UsageError
from babysitter.jsontext import compact, parse_strict
from babysitter.library import Entry, resolve
from babysitter.paths import project_dir
from babysitter.paths import runs_dir as runs_folder
from babysitter.runs.creation import create as create_run
from babysitter.runs.iterate import Iteration, iterate
from babysitter.runs.results import Answer, accept, find_effect

if TYPE_CHECKING:
    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

STATUS_WORDS = {
    "requested": "requested",
    "ok": "resolved_ok",
    "error": "resolved_error",
    "cancelled": "cancelled",
}
# The original opens a run by its folder too, and its scripts mostly do.
RUN = click.argument("run", metavar="RUN")
EFFECT = click.argument("effect", metavar="EFFECT")


def tell(told: dict[str, Any], wants_json: bool) -> None:
    """One JSON value, or ``name=value`` pairs in a line."""
    if wants_json:
        print_json(told)
    else:
        line(
            " ".join(
                f"{name}={value if isinstance(value, str) else compact(value)}"
                for name, value in told.items()
            )
        )


@click.command(
    "run:create",
    epilog="\b\nExample:\n  babysitter run:create --process-id demo --entry demo.py#process --json",
)
@click.option("--process-id", required=True, metavar="ID", help="Name of the process in the run.")
@click.option(
    "--entry", required=True, metavar="FILE#EXPORT", help="The process file and the function in it."
)
@click.option("--inputs", "inputs_file", metavar="FILE", help="Inputs as a JSON file.")
@click.option("--run-id", metavar="ID", help="Id of the new run.")
@click.option("--prompt", metavar="TEXT", help="What the person asked for.")
@runs_dir_option
@json_option
def run_create(
    process_id: str,
    entry: str,
    inputs_file: str | None,
    run_id: str | None,
    prompt: str | None,
    runs_dir: str | None,
    as_json: bool,
) -> None:
    """Make a run (the original's name for `create`, without the first iteration)."""
    from babysitter.version import version

    found = resolve(entry)
    limits = settings().limits
    made = create_run(
        runs_folder(runs_dir),
        Entry(process_id, found.file, found.export, "file"),
        read_inputs(inputs_file, (), limits),
        project=project_dir(),
        version=version(),
        run_id=run_id,
        prompt=prompt,
        limits=limits,
    )
    watched(made)
    tell({"runId": made.run_id, "runDir": made.folder, "entry": entry}, as_json)


@click.command("run:iterate", epilog="\b\nExample:\n  babysitter run:iterate .a5c/runs/demo --json")
@RUN
@click.option("--iteration", type=int, metavar="N", help="Taken for compatibility and printed back.")
@runs_dir_option
@json_option
def run_iterate(run: str, iteration: int | None, runs_dir: str | None, as_json: bool) -> int:
    """Do one iteration (the original's name for `iterate`)."""
    found = opened(run, runs_dir)
    done = iterate(found)
    tell(iteration_shape(done, iteration), as_json)
    return EXIT_CODES.get(done.status, 0)


def iteration_shape(done: Iteration, number: int | None) -> dict[str, Any]:
    """``{iteration, status, action, reason, count, nextActions, metadata}``, and what ended the run."""
    run = done.run
    pending = by_kind(list(run.state.pending.values()))
    is_new = bool(done.new)
    told = {
        "iteration": number or 1,
        "status": done.status,
        "action": "requested-tasks" if is_new else "none",
        "reason": _reason(done, pending),
        "count": len(done.new),
        "nextActions": [task_shape(effect) for effect in run.state.pending.values()],
        "metadata": {"runId": run.run_id, "processId": run.state.process_id},
    }
    return {**told, **ending_json(run)}


def _reason(done: Iteration, pending: dict[str, Any]) -> str:
    if done.status != "waiting":
        return "terminal-state" if done.run.state.is_finished else done.status
    return "breakpoint-waiting" if set(pending) == {"breakpoint"} else "tasks-pending"


@click.command("run:status", epilog="\b\nExample:\n  babysitter run:status .a5c/runs/demo --json")
@RUN
@runs_dir_option
@json_option
def run_status(run: str, runs_dir: str | None, as_json: bool) -> None:
    """Show where a run stands (the original's name for `status`)."""
    found = opened(run, runs_dir)
    events = read_events(run, runs_dir, 1, True, None)
    told = {
        "state": found.state.status,
        "lastEvent": event_json(events[0]),
        "pendingByKind": {
            kind: len(effects) for kind, effects in by_kind(list(found.state.pending.values())).items()
        },
        "metadata": {"runId": found.run_id, "processId": found.state.process_id},
    }
    told.update(ending_json(found))
    if not as_json:
        told["lastEvent"] = events[0].type
    tell(told, as_json)


@click.command(
    "run:events", epilog="\b\nExample:\n  babysitter run:events .a5c/runs/demo --limit 20 --reverse --json"
)
@RUN
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@click.option("--reverse", is_flag=True, help="The newest first.")
@click.option("--filter-type", metavar="TYPE", help="Only events of this type.")
@runs_dir_option
@json_option
def run_events(
    run: str, limit: int | None, reverse: bool, filter_type: str | None, runs_dir: str | None, as_json: bool
) -> None:
    """Show the journal (the original's name for `events`)."""
    events = read_events(run, runs_dir, limit, reverse, filter_type)
    if as_json:
        print_json({"events": [event_json(event) for event in events]})
        return
    for event in events:
        line(f"#{event.seq:06d} {event.type} {event.at}")


def task_shape(effect: Effect) -> dict[str, Any]:
    """An effect as the original lists it."""
    return {
        "effectId": effect.id,
        "taskId": effect.task_id,
        "stepId": effect.step,
        "status": STATUS_WORDS[effect.status],
        "kind": effect.kind,
        "label": effect.label,
    }


@click.command("task:list", epilog="\b\nExample:\n  babysitter task:list .a5c/runs/demo --pending --json")
@RUN
@click.option("--pending", is_flag=True, help="Only those that wait for a result.")
@click.option("--kind", metavar="KIND", help="Only effects of this kind.")
@runs_dir_option
@json_option
def task_list(run: str, pending: bool, kind: str | None, runs_dir: str | None, as_json: bool) -> None:
    """List the effects of a run (the original's name for `tasks`)."""
    state = opened(run, runs_dir).state
    effects = (state.pending if pending else state.effects).values()
    shapes = [task_shape(effect) for effect in effects if kind in (None, effect.kind)]
    if as_json:
        print_json({"tasks": shapes})
        return
    for shape in shapes:
        kind = f"[{shape['kind']} {shape['status']}]"
        line(f"- {shape['effectId']} {kind} {shape['label']} (taskId={shape['taskId']})")


@click.command("task:show", epilog="\b\nExample:\n  babysitter task:show .a5c/runs/demo 4f9k2m --json")
@RUN
@EFFECT
@runs_dir_option
@json_option
def task_show(run: str, effect: str, runs_dir: str | None, as_json: bool) -> None:
    """Show one effect: its definition and its result (the original's name for `show`)."""
    found = opened(run, runs_dir)
    target = find_effect(found, effect)
    told: dict[str, Any] = {"effect": task_shape(target), "task": definition_of(found, target)}
    if target.status == "ok":
        told["result"] = {"status": "ok", "result": found.value_of(target), "value": found.value_of(target)}
    elif target.status == "error":
        told["result"] = {"status": "error", "error": target.error}
    else:
        told["result"] = None
    tell(told, as_json)


@click.command(
    "task:post",
    epilog="\b\nExample:\n  babysitter task:post .a5c/runs/demo 4f9k2m --status ok --value answer.json",
)
@RUN
@EFFECT
@click.option("--status", required=True, type=click.Choice(["ok", "error"]), help="How the task ended.")
@click.option("--value", metavar="FILE", help="The result, a JSON file ('-': standard input).")
@click.option("--value-inline", metavar="JSON", help="The result, as JSON.")
@click.option("--error", metavar="FILE", help="What went wrong, a JSON file.")
@click.option("--started-at", metavar="TIME", help="When the work began.")
@click.option("--finished-at", metavar="TIME", help="When the work ended.")
@runs_dir_option
@json_option
def task_post(
    run: str, effect: str, status: str, as_json: bool, runs_dir: str | None, **told: str | None
) -> None:
    """Give the result of an effect (the original's name for `post`)."""
    found = opened(run, runs_dir)
    verdict = accept(found, [_answer(found, effect, status, told)])[0]
    if verdict.error is not None:
        raise verdict.error
    tell({"status": status, "committed": {"effectId": verdict.effect_id, "outcome": verdict.status}}, as_json)


def _answer(run: Run, effect: str, status: str, told: dict[str, str | None]) -> Answer:
    times: dict[str, Any] = {name: _time(told[name], name) for name in ("started_at", "finished_at")}
    if status == "error":
        if told["value"] is not None or told["value_inline"] is not None:
            raise UsageError("--status error takes --error FILE, not a value")
        return Answer(effect, "error", None, error_of(_file(told["error"], run) or {}), **times)
    if told["error"] is not None:
        raise UsageError("--error goes with --status error")
    if told["value"] is not None and told["value_inline"] is not None:
        raise UsageError("give either --value FILE or --value-inline JSON")
    if told["value_inline"] is not None:
        return Answer(effect, "ok", parse_strict(told["value_inline"], limits=run.limits), **times)
    return Answer(effect, "ok", _file(told["value"], run), **times)


def _time(text: str | None, name: str) -> str | None:
    """A time of a script, which may be any ISO 8601, in the form of the journal."""
    if text is None:
        return None
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text)
        return iso(round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000))
    except (ValueError, OverflowError):
        option = "--" + name.replace("_", "-")
        raise InvalidInput(f"{option} {text!r} is not a time such as 2026-11-24T01:48:21Z") from None


def _file(name: str | None, run: Run) -> Any:
    return None if name is None else read_json(name if name == "-" else os.path.abspath(name), run.limits)


commands = {
    "run:create": run_create,
    "run:iterate": run_iterate,
    "run:status": run_status,
    "run:events": run_events,
    "task:list": task_list,
    "task:show": task_show,
    "task:post": task_post,
}
