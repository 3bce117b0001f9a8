"""``replay``, ``diff``: does a run still ask for the same, and how do two runs differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import complete_any_run, json_option, opened, run_argument, runs_dir_option
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import line

if TYPE_CHECKING:
    from babysitter.runs.comparison import Difference

DIVERGED, DIFFERENT = 7, 1


@click.command(
    epilog="""\b
Example:
  babysitter replay
  babysitter replay release-1-2-0 --json"""
)
@run_argument()
@runs_dir_option
@json_option
def replay(run: str, runs_dir: str | None, as_json: bool) -> int:
    """Execute the process of RUN against its whole journal, and prove that it asks for the same.

    Nothing is performed and nothing is written. Exit code 7: it asks for something else, ends otherwise,
    or has a mistake; the first place where it does is named.
    """
    from babysitter.runs.replaying import replay as replay_run

    found = opened(run, runs_dir)
    told = replay_run(found)
    if as_json:
        print_json({"run": found.run_id, **told})
    else:
        for text in _replay_lines(found.run_id, told):
            line(text)
    return 0 if told["holds"] else DIVERGED


def _replay_lines(run_id: str, told: dict[str, Any]) -> list[str]:
    edited = ", although its process was edited" if told["edited"] else ""
    if told["holds"]:
        lines = [
            f"run {run_id}: asks for the same{edited}; {told['effects']} effects, status {told['status']}"
        ]
        return lines + ([f"  next     {told['next']} new requests"] if told["next"] else [])
    where = f" at step {told['stepId']}" if told.get("stepId") else ""
    return [f"run {run_id}: does not hold{where}", f"  {told['message']}"]


@click.command(
    epilog="""\b
Example:
  babysitter diff release-1-2-0 another-try
  babysitter diff release-1-2-0 another-try --json"""
)
@click.argument("first", metavar="RUN", shell_complete=complete_any_run)
@click.argument("second", metavar="RUN", shell_complete=complete_any_run)
@click.option("--all", "shows_all", is_flag=True, help="Show the steps that are the same, too.")
@runs_dir_option
@json_option
def diff(first: str, second: str, shows_all: bool, runs_dir: str | None, as_json: bool) -> int:
    """Compare two runs step by step: what each asked for, and what came of it.

    Exit code 1 when they differ.
    """
    from babysitter.runs.comparison import compare

    runs = opened(first, runs_dir), opened(second, runs_dir)
    about, steps = compare(*runs)
    different = [each for each in steps if each.what != "same"]
    if as_json:
        told = steps if shows_all else different
        print_json(
            {
                "runs": [run.run_id for run in runs],
                "about": about,
                "same": len(steps) - len(different),
                "steps": [each.as_json() for each in told],
            }
        )
    else:
        for text in _diff_lines(about, steps if shows_all else different, len(steps) - len(different)):
            line(text)
    return DIFFERENT if different or about else 0


def _diff_lines(about: dict[str, list[Any]], steps: list[Difference], same: int) -> list[str]:
    from babysitter.jsontext import compact
    from babysitter.views.plans import diff_table

    lines = [f"{name}: {compact(left)} > {compact(right)}" for name, (left, right) in about.items()]
    lines += diff_table([each.as_json() for each in steps])
    return [*lines, f"{same} steps are the same"]


commands = {"replay": replay, "diff": diff}
