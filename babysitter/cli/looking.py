"""``status``, ``tasks``, ``show``, ``events``, ``list``: to look at runs. They write only the cache."""

from __future__ import annotations

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
from babysitter.engine.state import FINISHED
from babysitter.paths import runs_dir as runs_folder
from babysitter.runs.results import find_effect

if TYPE_CHECKING:
    from babysitter.journal.events import Event
    from babysitter.runs.run import Run


STATUSES = ("waiting", "completed", "failed", "halted", "continued", "stuck", "unreadable")


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
    from babysitter.cli.status_told import status_json

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
    from babysitter.cli.effects_told import parent_json, tasks_json
    from babysitter.cli.status_told import living_below

    with to_look_at(run, runs_dir) as found:
        told = tasks_json(found.load(), pending)
        below = [{**tasks_json(each, pending), **parent_json(each)} for each in living_below(found)]
    if as_json:
        _json({**told, **({"children": below} if below else {})})
    else:
        from babysitter.views.tables import tasks_lines

        _lines(tasks_lines(told, below))


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
    from babysitter.cli.effects_told import effect_details, prompt_json

    with to_look_at(run, runs_dir) as found:
        found.load()
        if only_prompt:
            asked = prompt_json(found, effect)
            _json(asked) if as_json else document(asked["prompt"].rstrip("\n"))
            return
        told = _details(found) if effect is None else effect_details(found, find_effect(found, effect))
    if as_json:
        # For people; programs have it as it is.
        told.pop("about", None)
        _json(told)
    else:
        from babysitter.views.tables import effect_lines, run_lines

        _lines(run_lines(told) if effect is None else effect_lines(told))


def _details(run: Run) -> dict[str, Any]:
    from babysitter.cli.status_told import run_details

    return run_details(run)


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
    from babysitter.cli.runs_listed import every_run, under_parents

    listed = under_parents(every_run(runs_folder(runs_dir)))
    if not (every or only):
        listed = [told for told in listed if "parent" not in told or told["status"] not in FINISHED]
    listed = [told for told in listed if only in (None, told["status"])][:limit]
    if as_json:
        _json({"runs": listed})
    else:
        from babysitter.views.tables import runs_lines

        _lines(runs_lines(listed))


def _json(value: Any) -> None:
    as_json(value)


def _lines(lines: list[str]) -> None:
    for text in lines:
        line(text)


commands = {"status": status, "tasks": tasks, "show": show, "events": events, "list": list_runs}
