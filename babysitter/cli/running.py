"""``run``, ``resume``, ``work``: do what can be done here, with a view of it."""

from __future__ import annotations

import gc
import os
import shlex
import signal
import sys
from shutil import which
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from babysitter import config
from babysitter.cli.endings import AGENT, EXIT_CODES, tell
from babysitter.cli.iterating import make_run
from babysitter.cli.options import (
    budget_option,
    complete_process,
    input_options,
    json_option,
    run_argument,
    runs_dir_option,
    settings,
    watched,
)
from babysitter.cli.output import is_terminal
from babysitter.driver import Driver, Ending
from babysitter.errors import InvalidInput, RunBusy
from babysitter.executors.pool import Pool
from babysitter.executors.rates import Rates, rates_of
from babysitter.journal.lock import run_lock
from babysitter.paths import runs_dir as folder_of_runs
from babysitter.runs.folder import open_run

if TYPE_CHECKING:
    from babysitter.journal.lock import RunLock
    from babysitter.runs.run import Run

OWN = frozenset({"shell", "python", "hook"})


class Means(NamedTuple):
    """What a command may use: so many jobs at once, an agent's command, and a way to show what happens.

    ``no_agent`` says why there is no agent command although one was asked for; ``rates`` how often
    something may be started.
    """

    jobs: int
    agent: list[str] | None
    no_agent: str
    is_plain: bool
    is_json: bool
    rates: Rates | None = None


def drive_options(command: Any) -> Any:
    """What ``run`` and ``resume`` share."""
    for option in (
        click.option(
            "--agent-command", metavar="COMMAND", help="Performs agent effects: prompt on stdin, JSON out."
        ),
        click.option("--plain", is_flag=True, help="Plain lines instead of the live tree."),
        runs_dir_option,
        json_option,
    ):
        command = option(command)
    return jobs_option(command)


def jobs_option(command: Any) -> Any:
    return click.option(
        "--jobs", "-j", type=click.IntRange(min=1), metavar="N", help="Effects at once (default: processors)."
    )(command)


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
@click.option("--yolo", is_flag=True, help="Answer breakpoints that demand nothing with yes; ask nobody.")
@budget_option
@click.option(
    "--snapshots", is_flag=True, help="Keep the project's git tree with each batch, for `fork --workspace`."
)
@drive_options
def run(
    process: str,
    inputs_file: str | None,
    pairs: tuple[str, ...],
    run_id: str | None,
    prompt: str | None,
    yolo: bool,
    budgets: tuple[str, ...],
    snapshots: bool,
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
    # First, so that a mistake in them leaves no run behind.
    means = means_of(jobs, agent_command, plain, as_json)
    made = make_run(
        process,
        inputs_file,
        pairs,
        run_id,
        prompt,
        runs_dir,
        is_yolo=yolo,
        keeps_files=snapshots,
        budgets=budgets,
    )
    return drive(made, means)


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
    means = means_of(jobs, agent_command, plain, as_json)
    return drive(watched(open_run(run, folder_of_runs(runs_dir), settings().limits)), means)


@click.command(
    epilog="""\b
Example:
  babysitter work release-1-2-0 --json
  babysitter work release-1-2-0 --wait --json"""
)
@run_argument()
@click.option("--wait", is_flag=True, help="Also wait for the clock, until an agent or a person is needed.")
@jobs_option
@runs_dir_option
@json_option
def work(run: str, wait: bool, jobs: int | None, runs_dir: str | None, as_json: bool) -> int:
    """Perform the shell and python effects of RUN, and leave what is for an agent, a person or the clock.

    With --wait it goes on through sleeps as well. It ends when nothing but an agent or a person can
    bring RUN on; and when it has asked for something new from them: what runs then is finished first.
    """
    means = means_of(jobs, None, True, as_json)
    found = watched(open_run(run, folder_of_runs(runs_dir), settings().limits))
    ending = perform(found, means, kinds=OWN, waits=wait, ends_for_others=wait)
    return 0 if ending == EXIT_CODES["waiting"] else ending


def means_of(jobs: int | None, agent_command: str | None, is_plain: bool, is_json: bool) -> Means:
    """What the command line gives, and the configuration where it is silent.

    Raises:
        InvalidInput: the command's quotes do not match, or a configuration file is wrong.
    """
    told = settings()
    agent, no_agent = _agent(told, agent_command)
    jobs = jobs or told.jobs or os.cpu_count() or 1
    return Means(jobs, agent, no_agent, is_plain, is_json, rates_of(told))


def _agent(told: config.Settings, agent_command: str | None) -> tuple[list[str] | None, str]:
    if agent_command is not None:
        try:
            words = shlex.split(agent_command)
        except ValueError as error:
            raise InvalidInput(f"--agent-command {agent_command!r} cannot be read: {error}") from None
        if words and which(words[0]) is None:
            raise InvalidInput(
                f"--agent-command: there is no program {words[0]!r}", hint="check its name, or PATH"
            )
        if not words:
            raise InvalidInput("--agent-command is empty; it names the program that answers prompts")
        return words, ""
    try:
        return config.agent_command(told), ""
    except InvalidInput as error:
        # Only a process that asks an agent needs one: a cloned project may name what this user does not have.
        return None, f"{error.message}; {error.hint}"


def drive(run: Run, means: Means) -> int:
    """Drive a run, alone, as far as it goes with these means; gives the exit code."""
    with _lock(run):
        return perform(run, means, kinds=OWN | AGENT if means.agent else OWN, waits=True, locks=True)


def _lock(run: Run) -> RunLock:
    try:
        return run_lock(run.folder, 0)
    except RunBusy as error:
        error.hint = f"babysitter status {run.run_id}"
        raise


def perform(
    run: Run,
    means: Means,
    *,
    kinds: frozenset[str],
    waits: bool,
    ends_for_others: bool = False,
    locks: bool = False,
) -> int:
    """Read a run's journal, drive it and tell how it ended; gives the exit code.

    ``waits``: for the clock, and for people if any are there. ``ends_for_others``: asks nobody, and
    ends as soon as there is something new for an agent or a person. ``locks``: nobody else drives its
    children meanwhile.
    """
    gc.enable()  # main switches it off; this command can take hours
    view = make_view(is_plain=means.is_plain, is_json=means.is_json)
    try:
        _show(run, view)
        pool = _pool(run, means, view)
        asker = _asker(run, pool, view) if waits and not (means.is_json or ends_for_others) else None
        driver = Driver(
            run,
            pool,
            view,
            kinds=kinds,
            asker=asker,
            waits_for_time=waits,
            ends_for_others=ends_for_others,
            locks=locks,
        )
        known, since = run.run_id, run.state.last_seq
        ending = _interruptible(driver)
        return tell(
            ending,
            view,
            means.is_json,
            means.no_agent,
            since=since if ending.run.run_id == known else 0,
            is_work=not waits,
        )
    finally:
        view.close()


def _pool(run: Run, means: Means, view: Any) -> Pool:
    """Who performs effects, watched by whoever looks on."""
    from babysitter.runs.schemas import misfits

    pool = Pool(
        means.jobs,
        agent_command=means.agent,
        validate=misfits,
        limits=run.limits,
        rates=means.rates,
    )
    if run.observer is not None:
        from babysitter.cli.watching import attend

        attend(run, pool, view)
    return pool


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


def _show(run: Run, view: Any) -> None:
    """Read the journal; the view sees every event, the old ones too."""
    from babysitter.views.tree import RunInfo

    view.started(RunInfo(run.run_id, run.about["processId"], run.about["processId"], run.folder))
    run.on_event = view.event
    run.load()


def _asker(run: Run, pool: Pool, view: Any) -> Any:
    from babysitter.approvals.place import is_inside_host, is_person_there

    if not is_person_there() or is_inside_host(is_guarded=run.is_guarded):
        return None
    from babysitter.cli.asking import TerminalAsker

    return TerminalAsker(pool.selector, view)


def _interruptible(driver: Driver) -> Ending:
    """Drive; the signals by which people, hosts and terminals end a command stop it in good order."""

    def interrupt(*_: object) -> None:
        driver.interrupt()

    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        return driver.drive()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


commands = {"run": run, "resume": resume, "work": work}
