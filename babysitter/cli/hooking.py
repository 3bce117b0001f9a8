"""``hooks``: which lifecycle hooks were called for a run, and how they ended."""

from __future__ import annotations

from typing import Any

import click

from babysitter.cli.options import json_option, run_argument, runs_dir_option, to_look_at
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import line
from babysitter.executors.hook_record import read_calls


@click.command(
    epilog="""\b
Example:
  babysitter hooks
  babysitter hooks release-1-2-0 --failed --json"""
)
@run_argument(only_looks=True)
@click.option("--failed", is_flag=True, help="Only those that did not end with 0.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many, the newest.")
@runs_dir_option
@json_option
def hooks(run: str, failed: bool, limit: int | None, runs_dir: str | None, as_json: bool) -> None:
    """Show the calls of lifecycle hooks for RUN: what was called when, and how it ended."""
    with to_look_at(run, runs_dir) as found:
        calls = read_calls(found)
    if failed:
        calls = [call for call in calls if has_failed(call)]
    calls = calls[-(limit or len(calls)) :]
    if as_json:
        print_json({"run": found.run_id, "hooks": calls})
        return
    from babysitter.views.tables import hooks_lines

    for text in hooks_lines(calls):
        line(text)


def has_failed(call: dict[str, Any]) -> bool:
    """It was not called, or did not end well."""
    return "why" in call or call.get("exitCode") != 0


commands = {"hooks": hooks}
