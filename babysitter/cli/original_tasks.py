"""The original's ``task:list``, ``task:show`` and ``task:post``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli import original_flags
from babysitter.cli.effects_told import definition_of
from babysitter.cli.options import json_option, opened, read_json, runs_dir_option
from babysitter.cli.original_shapes import EFFECT, RUN, task_shape, tell
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import line
from babysitter.cli.posting import error_of
from babysitter.clock import iso
from babysitter.errors import InvalidInput, UsageError
from babysitter.jsontext import parse_strict
from babysitter.runs.results import Answer, accept, find_effect, judge

if TYPE_CHECKING:
    from babysitter.runs.run import Run


@click.command("task:list", epilog="\b\nExample:\n  babysitter task:list .a5c/runs/demo --pending --json")
@RUN
@original_flags.READING
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
@original_flags.READING
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
@click.option(
    "--status",
    required=True,
    type=click.Choice(["ok", "error"], case_sensitive=False),
    help="How the task ended.",
)
@click.option("--value", metavar="FILE", help="The result, a JSON file ('-': standard input).")
@click.option("--value-inline", metavar="JSON", help="The result, as JSON.")
@click.option("--error", metavar="FILE", help="What went wrong, a JSON file.")
@click.option("--started-at", metavar="TIME", help="When the work began.")
@click.option("--finished-at", metavar="TIME", help="When the work ended.")
@click.option("--dry-run", is_flag=True, help="Only say what would become of the result.")
@original_flags.POSTING
@runs_dir_option
@json_option
def task_post(
    run: str, effect: str, status: str, dry_run: bool, as_json: bool, runs_dir: str | None, **told: str | None
) -> None:
    """Give the result of an effect (the original's name for `post`)."""
    found = opened(run, runs_dir)
    answer = _answer(found, effect, status, told)
    verdict = judge(found, answer) if dry_run else accept(found, [answer])[0]
    if verdict.error is not None:
        raise verdict.error
    outcome = {"effectId": verdict.effect_id, "outcome": verdict.status}
    if dry_run:
        tell({"status": "skipped", "dryRun": True, "plan": {**outcome, "status": status}}, as_json)
    else:
        tell({"status": status, "committed": outcome}, as_json)


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


commands = {"task:list": task_list, "task:show": task_show, "task:post": task_post}
