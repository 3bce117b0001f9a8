"""The command names and flags of the original Babysitter, for scripts that were written for it: ``run:*``.

They print the shapes that such scripts read. File names are relative to the
working directory. What differs, and why, is in docs/commands.md.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli import original_flags
from babysitter.cli.iterating import EXIT_CODES, make_run
from babysitter.cli.looking import event_json, read_events
from babysitter.cli.options import json_option, opened, read_inputs, runs_dir_option, settings
from babysitter.cli.original_shapes import RUN, task_shape, tell
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import complain, line
from babysitter.cli.reports import by_kind, ending_json
from babysitter.cli.sessions import bind_to, check_free
from babysitter.errors import UsageError
from babysitter.hosts import session_of
from babysitter.library import resolve
from babysitter.paths import runs_dir as runs_folder
from babysitter.runs.creation import check_free_id, check_new
from babysitter.runs.iterate import Iteration, iterate
from babysitter.sessions.grants import take

if TYPE_CHECKING:
    from babysitter.library import Entry


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
@click.option("--harness", metavar="NAME", help="Bind the session in which this is called to the run.")
@click.option(
    "--session-id", is_flag=False, flag_value="", metavar="[ID]", help="The same; only this session can be."
)
@click.option("--dry-run", is_flag=True, help="Only say which run would be made.")
@original_flags.CREATING
@runs_dir_option
@json_option
def run_create(
    process_id: str,
    entry: str,
    inputs_file: str | None,
    run_id: str | None,
    prompt: str | None,
    harness: str | None,
    session_id: str | None,
    dry_run: bool,
    runs_dir: str | None,
    as_json: bool,
) -> None:
    """Make a run (the original's name for `create`, without the first iteration)."""
    if dry_run:
        tell(not_made(process_id, resolve(entry), run_id, inputs_file, runs_dir), as_json)
        return
    session = None if harness is None and session_id is None else session_to_bind(session_id)
    made = make_run(
        entry,
        inputs_file,
        (),
        run_id,
        prompt,
        runs_dir,
        keeps_files=session is not None,
        session=session,
        process_id=process_id,
    )
    if session:
        bind_to(made.load(), *session)
    tell({"runId": made.run_id, "runDir": made.folder, "entry": entry}, as_json)


def not_made(
    process_id: str, found: Entry, run_id: str | None, inputs_file: str | None, runs_dir: str | None
) -> dict[str, Any]:
    """What --dry-run tells of a run that is not made; it is refused for the same reasons."""
    folder, limits = runs_folder(runs_dir), settings().limits
    if run_id is not None:
        check_free_id(run_id, folder)
    check_new(found, read_inputs(inputs_file, (), limits), None, limits)
    return {
        "dryRun": True,
        "runsDir": folder,
        "processId": process_id,
        "entry": f"{found.file}#{found.export}",
        "runId": run_id,
        "inputsPath": inputs_file and os.path.abspath(inputs_file),
    }


def session_to_bind(asked: str | None) -> tuple[str, str] | None:
    """The session in which this is called; None outside of one.

    Raises:
        UsageError: another one was asked for.
        PersonNeeded: it is bound to a run that has not ended.
    """
    here = session_of(os.environ)
    if here is None:
        complain(
            "note: no session is bound: none calls this; in a session, `babysitter session bind RUN` does it"
        )
        return None
    if asked and asked != here[1]:
        raise UsageError(
            f"this is session {here[1]!r}, and it cannot bind session {asked!r}",
            hint="leave --session-id out",
        )
    # What a typed command allows, it allows the run that is made next, and no later one.
    take(here[1], "policy")
    check_free(here[1])
    return here


@click.command("run:iterate", epilog="\b\nExample:\n  babysitter run:iterate .a5c/runs/demo --json")
@RUN
@click.option("--iteration", type=int, metavar="N", help="Taken for compatibility and printed back.")
@click.option("--dry-run", is_flag=True, help="Refused: an iteration writes what it asks for.")
@original_flags.ITERATING
@runs_dir_option
@json_option
def run_iterate(run: str, iteration: int | None, dry_run: bool, runs_dir: str | None, as_json: bool) -> int:
    """Do one iteration (the original's name for `iterate`)."""
    if dry_run:
        raise UsageError(
            "run:iterate has no --dry-run: an iteration writes what it asks for, and nothing was done",
            hint="`babysitter check RUN` says whether it still fits, `babysitter process try PROCESS`"
            " what it would ask for",
        )
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
@original_flags.READING
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
@original_flags.READING
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


commands = {
    "run:create": run_create,
    "run:iterate": run_iterate,
    "run:status": run_status,
    "run:events": run_events,
}
