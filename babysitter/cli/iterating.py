"""``create`` and ``iterate``: a run, one step at a time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import (
    EDIT_RULES,
    budget_option,
    complete_process,
    input_options,
    json_option,
    opened,
    read_inputs,
    read_pairs,
    run_argument,
    runs_dir_option,
    settings,
    watched,
)
from babysitter.cli.output import as_json, line
from babysitter.cli.reports import iteration_json, iteration_lines
from babysitter.library import Entry, resolve
from babysitter.paths import project_dir, runs_dir
from babysitter.runs.creation import create as create_run
from babysitter.runs.iterate import Iteration
from babysitter.runs.iterate import iterate as iterate_run

if TYPE_CHECKING:
    from babysitter.config import Settings
    from babysitter.limits import Limits
    from babysitter.runs.run import Run

EXIT_CODES = {"failed": 1, "halted": 1, "stuck": 7, "diverged": 7}


def make_run(
    process: str,
    inputs_file: str | None,
    pairs: tuple[str, ...],
    run_id: str | None,
    prompt: str | None,
    folder: str | None,
    *,
    is_yolo: bool = False,
    keeps_files: bool = False,
    budgets: tuple[str, ...] = (),
    session: tuple[str, str] | None = None,
    process_id: str | None = None,
) -> Run:
    """Create a run from what a command line says; ``process_id`` is another name for its process.

    Raises:
        PersonNeeded: inside an agent's session a person chooses ``is_yolo``.
    """
    from babysitter.version import version

    configured = settings()
    limits = configured.limits
    budget = _budget_of(budgets, configured)
    inputs, entry = read_inputs(inputs_file, pairs, limits), named(resolve(process), process_id)
    _warn_of_tasks(budgets, entry, limits)
    made = create_run(
        runs_dir(folder),
        entry,
        inputs,
        project=project_dir(),
        version=version(),
        run_id=run_id,
        prompt=prompt,
        typed=read_pairs(pairs),
        # Last, for it uses up what a person has granted.
        options=run_options(is_yolo=is_yolo, keeps_files=keeps_files, budget=budget),
        session=session,
        limits=limits,
    )
    return watched(made)


def named(entry: Entry, process_id: str | None) -> Entry:
    """A process under the name that a script has for it."""
    return entry if process_id is None else Entry(process_id, entry.file, entry.export, "file")


def _warn_of_tasks(budgets: tuple[str, ...], entry: Entry, limits: Limits) -> None:
    """Of the command line alone: what is configured is for all processes, and each has tasks of its own."""
    if not budgets:
        return
    from babysitter.cli.budget_tasks import warn_of_process
    from babysitter.cli.budgeting import read_budget

    warn_of_process(read_budget(budgets), entry, limits)


def accept_edit_option(command: Any) -> Any:
    return click.option(
        "--accept-edit",
        type=EDIT_RULES,
        help="Go on with the edited process: redo from where it differs, or keep results by content.",
    )(command)


def accepted(run: str, rule: str, folder: str | None) -> Run:
    """A run, loaded, that goes on with its process as it is now.

    Raises:
        PersonNeeded: an agent's session works on it, and it is not seen that a person wants that.
    """
    from babysitter.approvals.about import edit_now
    from babysitter.approvals.permits import demand
    from babysitter.approvals.place import person
    from babysitter.runs.changes import accept_edit, load_to_change
    from babysitter.runs.folder import open_run

    found = watched(open_run(run, runs_dir(folder), settings().limits))
    definitions = load_to_change(found)
    if not found.state.is_finished:
        if found.is_guarded:
            demand(found, "edit", edit_now(found))
        accept_edit(found, rule, definitions, by=person())
    return found


def _budget_of(texts: tuple[str, ...], configured: Settings) -> dict[str, Any] | None:
    """What the run may spend; None: whatever it likes."""
    if not (texts or configured.budget):
        return None
    from babysitter.budget import limits_anything
    from babysitter.cli.budgeting import in_currency, read_budget

    budget = read_budget(texts, configured.budget)
    prices = configured.limits.prices
    return {**in_currency({}, prices), **budget} if limits_anything(budget) else None


def run_options(
    *, is_yolo: bool, keeps_files: bool, budget: dict[str, Any] | None = None
) -> dict[str, Any] | None:
    """How the run is to be gone on with; None: as usual."""
    options: dict[str, Any] = {"workspace": True} if keeps_files else {}
    if budget:
        options["budget"] = budget
    return {**options, **(policy_options() if is_yolo else {})} or None


def policy_options() -> dict[str, Any]:
    """Breakpoints are answered by policy; with the evidence of whoever chose that inside a session."""
    from babysitter.approvals.grants import demand_policy

    granted = demand_policy(os.environ)
    return {"breakpoints": "policy", **({"granted": granted} if granted else {})}


def tell(iteration: Iteration, wants_json: bool) -> int:
    """Print what an iteration did; gives the exit code."""
    if wants_json:
        as_json(iteration_json(iteration))
    else:
        for text in iteration_lines(iteration):
            line(text)
    return EXIT_CODES.get(iteration.status, EXIT_CODES["stuck"] if iteration.blocked else 0)


@click.command(
    epilog="""\b
Example:
  babysitter create quality-checks --json
  babysitter create release.py -i version=1.2.0 --run-id release-1-2-0"""
)
@click.argument("process", shell_complete=complete_process)
@input_options
@click.option("--run-id", metavar="ID", help="Id of the new run (default: made from the process's name).")
@click.option("--prompt", metavar="TEXT", help="What the person asked for; kept in the journal.")
@click.option("--unbound", is_flag=True, help="In an agent's session: do not bind it to the run.")
@click.option("--yolo", is_flag=True, help="Answer breakpoints that demand nothing with yes; ask nobody.")
@budget_option
@click.option(
    "--snapshots/--no-snapshots",
    default=None,
    help="Keep the project's git tree with each batch, for `fork --workspace` (default: in a session).",
)
@runs_dir_option
@json_option
def create(
    process: str,
    inputs_file: str | None,
    pairs: tuple[str, ...],
    run_id: str | None,
    prompt: str | None,
    unbound: bool,
    yolo: bool,
    budgets: tuple[str, ...],
    snapshots: bool | None,
    runs_dir: str | None,
    as_json: bool,
) -> int:
    """Make a run of PROCESS and do its first iteration.

    In a session of an agent host, the session is bound to it: it cannot end before the run does.

    PROCESS is a name (babysitter process list), a FILE.py, or FILE.py#FUNCTION.
    """
    # Here, because `iterate` is called far more often and binds nothing.
    from babysitter.cli.sessions import bind_to, check_free
    from babysitter.hosts import session_of
    from babysitter.sessions.grants import take

    here = session_of(os.environ)
    if here and not yolo:
        # What a typed command allows, it allows the run that is made next, and no later one.
        take(here[1], "policy")
    session = None if unbound else here
    if session:
        # First, so that a refusal leaves no run behind.
        check_free(session[1])
    keeps_files = session is not None if snapshots is None else snapshots
    run = make_run(
        process,
        inputs_file,
        pairs,
        run_id,
        prompt,
        runs_dir,
        is_yolo=yolo,
        keeps_files=keeps_files,
        budgets=budgets,
        session=session,
    )
    run.load()
    if session:
        bind_to(run, *session)
    return tell(iterate_run(run), as_json)


@click.command(
    epilog="""\b
Example:
  babysitter iterate
  babysitter iterate release-1-2-0 --json
  babysitter iterate release-1-2-0 --accept-edit redo"""
)
@run_argument()
@accept_edit_option
@runs_dir_option
@json_option
def iterate(run: str, accept_edit: str | None, runs_dir: str | None, as_json: bool) -> int:
    """Replay the process, request all that can be done now, and leave.

    RUN is an id, a unique beginning of one, a run folder, or `latest` (the default). When its process was
    edited so that it no longer fits what the run has done, `babysitter check RUN` shows what
    --accept-edit would keep of it.
    """
    if accept_edit is None:
        return tell(iterate_run(opened(run, runs_dir)), as_json)
    return tell(iterate_run(accepted(run, accept_edit, runs_dir)), as_json)


commands = {"create": create, "iterate": iterate}
