"""``cost``: what runs have used, by what one likes to know it."""

from __future__ import annotations

from typing import Any

import click

from babysitter.cli.options import json_option, run_argument, runs_dir_option, settings, to_look_at
from babysitter.cli.output import as_json, line
from babysitter.errors import UsageError
from babysitter.paths import runs_dir as runs_folder
from babysitter.runs.folder import LATEST

OF_ONE = ("task", "branch", "day", "child")
OF_ALL = ("process", "day")


@click.command(
    epilog="""\b
Example:
  babysitter cost
  babysitter cost release-1-2-0 --by day
  babysitter cost --all --json

\b
Tokens and money are known as far as whoever performed an effect has said it:
what is unknown is counted as unknown, not as nothing."""
)
@run_argument(only_looks=True, default=None)
@click.option(
    "--by",
    type=click.Choice(list(dict.fromkeys([*OF_ONE, *OF_ALL]))),
    help="Sums by this (default: by task; with --all by process and by day).",
)
@click.option("--all", "every", is_flag=True, help="All runs, packed ones too.")
@runs_dir_option
@json_option
def cost(run: str | None, by: str | None, every: bool, runs_dir: str | None, as_json: bool) -> None:
    """Show what RUN and its child runs have cost (default: the latest).

    Each attempt counts, and so does what was cancelled, or superseded by an edit or a rewind. Days are
    those of results, by UTC.
    """
    _check(run, by, every)
    told = _of_all(runs_dir) if every else _of_one(run or LATEST, runs_dir)
    if as_json:
        _json(told)
        return
    from babysitter.views.costs import cost_lines

    shown = (by,) if by else OF_ALL if every else OF_ONE[:1]
    for text in cost_lines(told, shown):
        line(text)


def _check(run: str | None, by: str | None, every: bool) -> None:
    if every and run is not None:
        raise UsageError("cost takes RUN or --all, not both")
    known = OF_ALL if every else OF_ONE
    if by is not None and by not in known:
        of = "all runs" if every else "one run"
        raise UsageError(f"--by {by} is no sum of {of}; there are {', '.join(known)}")


def _of_one(run: str, runs_dir: str | None) -> dict[str, Any]:
    from babysitter.runs.costs import costs_of_run

    with to_look_at(run, runs_dir) as found:
        return costs_of_run(found)


def _of_all(runs_dir: str | None) -> dict[str, Any]:
    from babysitter.runs.costs import costs_of_all

    return costs_of_all(runs_folder(runs_dir), settings().limits)


def _json(told: dict[str, Any]) -> None:
    as_json(told)


commands = {"cost": cost}
