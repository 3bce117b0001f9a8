"""``run``, ``resume``, ``work``: do what can be done here, with a view of it."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from typing import Any

import click

from babysitter import config
from babysitter.cli.iterating import make_run
from babysitter.cli.options import (
    complete_process,
    input_options,
    json_option,
    opened,
    run_argument,
    runs_dir_option,
    settings,
)
from babysitter.cli.output import as_json, is_terminal
from babysitter.cli.reports import DIVERGED_HINT, by_kind, ending_json, next_wake
from babysitter.driver import Driver, Ending
from babysitter.errors import RunBusy
from babysitter.executors.pool import Pool
from babysitter.journal.lock import run_lock
from babysitter.runs.run import Run

EXIT_CODES = {
    "completed": 0,
    "failed": 1,
    "halted": 1,
    "stuck": 7,
    "diverged": 7,
    "waiting": 8,
    "interrupted": 130,
}
OWN = frozenset({"shell", "python"})
AGENT = frozenset({"agent"})


def drive_options(command: Any) -> Any:
    """What ``run`` and ``resume`` share."""
    for option in (
        click.option(
            "--jobs",
            "-j",
            type=click.IntRange(min=1),
            metavar="N",
            help="Effects at once (default: processors).",
        ),
        click.option(
            "--agent-command", metavar="COMMAND", help="Performs agent effects: prompt on stdin, JSON out."
        ),
        click.option("--plain", is_flag=True, help="Plain lines instead of the live tree."),
        runs_dir_option,
        json_option,
    ):
        command = option(command)
    return command


@click.command(
    epilog="""\b
Example:
  babysitter run quality-checks
  babysitter run quality-checks -i path=../other-project --jobs 4
  babysitter run review.py --agent-command 'claude -p'"""
)
@click.argument("process", shell_complete=complete_process)
@input_options
@click.option("--run-id", metavar="ID", help="Id of the new run (default: made from the process's name).")
@click.option("--prompt", metavar="TEXT", help="What the person asked for; kept in the journal.")
@drive_options
def run(
    process: str,
    inputs_file: str | None,
    pairs: tuple[str, ...],
    run_id: str | None,
    prompt: str | None,
    jobs: int | None,
    agent_command: str | None,
    plain: bool,
    runs_dir: str | None,
    as_json: bool,
) -> int:
    """Make a run of PROCESS and do all of it that needs no agent session.

    PROCESS is a name (babysitter process list), a FILE.py, or FILE.py#FUNCTION.
    Kill it at any time; `babysitter resume` goes on where it was.
    """
    made = make_run(process, inputs_file, pairs, run_id, prompt, runs_dir)
    return drive(made, jobs, agent_command, plain, as_json)


@click.command(
    epilog="""\b
Example:
  babysitter resume
  babysitter resume release-1-2-0 --jobs 2"""
)
@run_argument()
@drive_options
def resume(
    run: str, jobs: int | None, agent_command: str | None, plain: bool, runs_dir: str | None, as_json: bool
) -> int:
    """Go on with RUN where it was (default: the latest)."""
    return drive(opened(run, runs_dir), jobs, agent_command, plain, as_json, is_loaded=True)


@click.command(
    epilog="""\b
Example:
  babysitter work release-1-2-0 --json"""
)
@run_argument()
@click.option(
    "--jobs", "-j", type=click.IntRange(min=1), metavar="N", help="Effects at once (default: processors)."
)
@runs_dir_option
@json_option
def work(run: str, jobs: int | None, runs_dir: str | None, as_json: bool) -> int:
    """Perform the shell and python effects of RUN, and leave what is for an agent, a person or the clock."""
    found = opened(run, runs_dir)
    view = make_view(is_plain=True, is_json=as_json)
    _show_what_is_there(found, view)
    pool = Pool(jobs or settings().jobs or os.cpu_count() or 1)
    driver = Driver(found, pool, view, kinds=OWN, waits_for_time=False)
    ending = _drive(driver)
    code = tell(found, ending, view, as_json)
    return 0 if code == EXIT_CODES["waiting"] else code


def drive(
    run: Run,
    jobs: int | None,
    agent_command: str | None,
    plain: bool,
    wants_json: bool,
    *,
    is_loaded: bool = False,
) -> int:
    """Drive a run with what the command line and the configuration offer; gives the exit code."""
    from babysitter.cli.asking import TerminalAsker
    from babysitter.runs.schemas import misfits

    told = settings()
    command = shlex.split(agent_command) if agent_command else config.agent_command(told)
    pool = Pool(jobs or told.jobs or os.cpu_count() or 1, agent_command=command, validate=misfits)
    view = make_view(is_plain=plain, is_json=wants_json)
    if is_loaded:
        _show_what_is_there(run, view)
    else:
        run.on_event = view.event
        _start(run, view)
        run.load()
    asker = TerminalAsker(pool.selector, view) if sys.stdin.isatty() and not wants_json else None
    kinds = OWN | AGENT if command else OWN
    driver = Driver(run, pool, view, kinds=kinds, asker=asker)
    try:
        with run_lock(run.folder, 0):
            ending = _drive(driver)
    except RunBusy as error:
        error.hint = error.hint or f"another command drives it; look on with: babysitter status {run.run_id}"
        raise
    return tell(run, ending, view, wants_json)


def make_view(*, is_plain: bool, is_json: bool) -> Any:
    """The view that fits: none for programs, a live tree on a terminal, else lines."""
    if is_json:
        from babysitter.views.quiet import QuietView

        return QuietView()
    if is_plain or not is_terminal() or os.environ.get("TERM") == "dumb":
        from babysitter.views.plain import PlainView

        return PlainView(sys.stdout)
    from babysitter.views.live import LiveView

    return LiveView()


def _start(run: Run, view: Any) -> None:
    from babysitter.views.tree import RunInfo

    view.started(RunInfo(run.run_id, run.about["processId"], run.about["processId"], run.folder))


def _show_what_is_there(run: Run, view: Any) -> None:
    """Give a view the events that were read before it was made."""
    _start(run, view)
    Run(run.folder, run.limits).journal.load(view.event)
    run.on_event = view.event


def _drive(driver: Driver) -> Ending:
    def interrupt(*_: object) -> None:
        driver.interrupt()

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return driver.drive()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def tell(run: Run, ending: Ending, view: Any, wants_json: bool) -> int:
    """Close the view and print how it ended; gives the exit code."""
    from babysitter.views.summary import Outcome

    waiting = waiting_for(ending)
    told = ending_json(run)
    hint = hint_for(run, ending)
    if wants_json:
        pending = {"pending": by_kind(ending.waiting_for)} if ending.waiting_for else {}
        as_json(
            {
                "run": run.run_id,
                "status": ending.status,
                **pending,
                **next_wake(run),
                **told,
                **({"hint": hint} if hint else {}),
            }
        )
    error = told.get("error") or told.get("problem")
    if ending.diverged is not None:
        error = {"name": type(ending.diverged).__name__, "message": ending.diverged.message}
    view.finished(Outcome(ending.status, told.get("output"), error, waiting, hint))
    return EXIT_CODES[ending.status]


def waiting_for(ending: Ending) -> list[str]:
    """What a run that waits is waiting for, a line each."""
    return [f"{effect.kind} {effect.id}: {effect.label}" for effect in ending.waiting_for]


def hint_for(run: Run, ending: Ending) -> str:
    """What a person can do next."""
    if ending.status == "interrupted":
        return f"babysitter resume {run.run_id}"
    if ending.status == "diverged":
        return DIVERGED_HINT
    if ending.status == "stuck":
        return f"mend the process, then: babysitter resume {run.run_id}"
    if ending.status != "waiting":
        return ""
    kinds = {effect.kind for effect in ending.waiting_for}
    if "breakpoint" in kinds:
        return f"babysitter approve {run.run_id} (or reject), then: babysitter resume {run.run_id}"
    return (
        f"babysitter resume {run.run_id} --agent-command 'claude -p'"
        f" (or answer by hand: babysitter post {run.run_id} EFFECT --value JSON)"
    )


commands = {"run": run, "resume": resume, "work": work}
