"""``check``, ``rewind``: what an edit of a process means for a run, and going back in a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import EDIT_RULES, json_option, run_argument, runs_dir_option, settings
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import line
from babysitter.paths import runs_dir as folder_of_runs
from babysitter.runs.folder import open_run

if TYPE_CHECKING:
    from babysitter.runs.changes import Planning
    from babysitter.runs.run import Run

NEEDS_PERSON = 7


@click.command(
    epilog="""\b
Example:
  babysitter check release-1-2-0
  babysitter check release-1-2-0 --accept-edit keep --json"""
)
@run_argument()
@click.option(
    "--accept-edit", "rule", type=EDIT_RULES, default="redo", help="The rule to try (default: redo)."
)
@runs_dir_option
@json_option
def check(run: str, rule: str, runs_dir: str | None, as_json: bool) -> int:
    """Show what would become of each step of RUN under its process as it is now; nothing is changed.

    Reused, asked again, new, no longer asked for, not reached yet. With `redo` each branch keeps its
    results up to where it differs; with `keep` results are kept by content. Exit code 7: the process as
    it is now has a mistake, or the run cannot go on before `iterate --accept-edit`.
    """
    from babysitter.runs.changes import load_to_change, plan_edit

    found = open_run(run, folder_of_runs(runs_dir), settings().limits)
    planning = plan_edit(found, rule, load_to_change(found))
    fits = still_fits(found, planning)
    if as_json:
        print_json({"run": found.run_id, "rule": rule, "fits": fits, **plan_json(planning)})
    else:
        for text in [_headline(found, rule, planning, fits), *plan_lines(planning)]:
            line(text)
    return 0 if fits and not planning.is_stuck else NEEDS_PERSON


def still_fits(run: Run, planning: Planning) -> bool:
    """The run goes on with its process as it is now without anybody's decision."""
    from babysitter.errors import NondeterminismError
    from babysitter.runs.execution import Execution

    if planning.is_stuck:
        return True
    trial = Execution(run, is_dry=True)
    try:
        trial.start()
    except NondeterminismError:
        return False
    return trial.diverged is None


def _headline(run: Run, rule: str, planning: Planning, fits: bool) -> str:
    if planning.is_stuck:
        return f"run {run.run_id}: the process as it is now has a mistake"
    if not planning.is_source_changed and fits:
        return f"run {run.run_id}: its process has not been edited"
    if fits:
        return f"run {run.run_id}: the edit fits what the run has done; babysitter iterate goes on"
    return f"run {run.run_id}: it goes on with: babysitter iterate {run.run_id} --accept-edit {rule}"


def plan_json(planning: Planning) -> dict[str, Any]:
    """A plan as JSON: how many steps of each kind, and each step."""
    rows = planning.rows()
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.plan] = counts.get(row.plan, 0) + 1
    told: dict[str, Any] = {"counts": counts, "steps": [row.as_json() for row in rows]}
    if planning.is_stuck and planning.end is not None:
        error = planning.end.error
        told["problem"] = {"name": type(error).__name__, "message": str(error)}
    return told


def plan_lines(planning: Planning) -> list[str]:
    """A plan as a table, the counts last."""
    from babysitter.views.plans import plan_table

    told = plan_json(planning)
    lines = plan_table(told["steps"])
    if "problem" in told:
        lines.append(f"  problem  {told['problem']['name']}: {told['problem']['message']}")
    return [*lines, ", ".join(f"{count} {word}" for word, count in told["counts"].items()) or "no steps"]


@click.command(
    epilog="""\b
Example:
  babysitter rewind release-1-2-0 --to 3 --dry-run
  babysitter rewind release-1-2-0 --to 3"""
)
@run_argument(required=True)
@click.option("--to", "step", required=True, metavar="STEP", help="Ask again for this step and all after it.")
@click.option("--dry-run", is_flag=True, help="Show what would be asked again, and change nothing.")
@runs_dir_option
@json_option
def rewind(run: str, step: str, dry_run: bool, runs_dir: str | None, as_json: bool) -> int:
    """Take RUN back to before STEP: from there on everything is asked for again.

    STEP is a step, or a group with all its branches, as `babysitter tasks` names them. Other branches
    keep what they have, and what comes after their group is asked again. A run that has ended goes on.
    What was asked and answered stays in the journal. In a run that an agent works on this needs a person.
    """
    from babysitter.runs.changes import load_to_change, plan_return

    found = open_run(run, folder_of_runs(runs_dir), settings().limits)
    definitions = load_to_change(found)
    planning = (plan_return if dry_run else _rewind)(found, step, definitions)
    done = "would be" if dry_run else "is"
    if as_json:
        print_json({"run": found.run_id, "to": step, "dryRun": dry_run, **plan_json(planning)})
        return 0
    for text in [f"run {found.run_id} {done} back at step {step}", *plan_lines(planning)]:
        line(text)
    if not dry_run:
        line(f"  go on with: babysitter resume {found.run_id}, or babysitter iterate {found.run_id}")
    return 0


def _rewind(run: Run, step: str, definitions: dict[str, str]) -> Planning:
    from babysitter.approvals.permits import person_of
    from babysitter.runs.changes import rewind as go_back

    told = person_of(run, "rewind", {"to": step})
    return go_back(run, step, definitions, by=told["by"], evidence=told.get("evidence"))


commands = {"check": check, "rewind": rewind}
