"""``fork``: a new run that begins with what another one had up to a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import json_option, run_argument, runs_dir_option, settings, watched
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import line
from babysitter.ids import new_run_id
from babysitter.paths import runs_dir as folder_of_runs
from babysitter.runs.folder import open_run

if TYPE_CHECKING:
    from babysitter.runs.forks import Told
    from babysitter.runs.run import Run
    from babysitter.runs.workspace import Restored


@click.command(
    epilog="""\b
Example:
  babysitter fork release-1-2-0 --at 3
  babysitter fork release-1-2-0 --at 3 --workspace --run-id another-try --json"""
)
@run_argument(required=True)
@click.option("--at", "step", required=True, metavar="STEP", help="The new run asks for this step first.")
@click.option("--run-id", metavar="ID", help="Id of the new run (default: made from the process's name).")
@click.option(
    "--workspace", is_flag=True, help="Also make the project's files what they were before that step."
)
@runs_dir_option
@json_option
def fork(
    run: str, step: str, run_id: str | None, workspace: bool, runs_dir: str | None, as_json: bool
) -> int:
    """Make a new run that begins with what RUN had before STEP; RUN itself is not touched.

    STEP is a step, or a group with all its branches, as `babysitter tasks` names them. Results, recorded
    values, time and chance are those of RUN. The process is taken as it is now. With --workspace the files
    of the project are brought back as well, as far as git does not ignore them; what was there is kept in a
    commit that is named, and HEAD, the branch and the index stay as they are. A run keeps its files with
    each batch when it is made with --snapshots, or in an agent's session.
    """
    from babysitter.runs.forks import Told
    from babysitter.runs.forks import fork as make_fork
    from babysitter.version import version

    folder = folder_of_runs(runs_dir)
    found = open_run(run, folder, settings().limits)
    told = Told(found)
    _demand(found)
    new_id = run_id or new_run_id(found.state.process_id)
    # Before the run: the process may be one of the files.
    restored = _restored(found, step, new_id, told, folder) if workspace else None
    try:
        made = make_fork(found, step, new_id, runs_dir=folder, version=version(), told=told)
    except BaseException:
        if restored is not None:
            restored.undo()
        raise
    watched(made).load()
    answered = sum(effect.status in ("ok", "error") for effect in made.state.effects.values())
    told_json: dict[str, Any] = {"run": new_id, "forkedFrom": found.run_id, "at": step, "answered": answered}
    if as_json:
        print_json({**told_json, **({"workspace": restored.as_json()} if restored else {})})
        return 0
    line(f"run {new_id}: begins with {answered} answered effects of {found.run_id}, before step {step}")
    if restored:
        line(f"  files    {restored.files} are as they were; what was there is commit {restored.before}")
    line(f"  go on with: babysitter resume {new_id}, or babysitter iterate {new_id}")
    return 0


def _demand(run: Run) -> None:
    """What a person approved for one run would count in another: of a run of an agent's a person decides."""
    if run.is_guarded:
        from babysitter.approvals.permits import person_for

        person_for(
            run.run_id, "fork", hint=f"in a terminal of your own: babysitter fork {run.run_id} --at STEP"
        )


def _restored(run: Run, step: str, new_id: str, told: Told, folder: str) -> Restored:
    """The project's files as they were before the step; refused where no run could be made after that."""
    from babysitter.runs.creation import check_free_id
    from babysitter.runs.forks import commit_at
    from babysitter.runs.workspace import Restored

    check_free_id(new_id, folder)
    return Restored(run, commit_at(run, step, told), new_id)


commands = {"fork": fork}
