"""What a budget calls a task, and no task is called: a limit that would never be reached."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from babysitter.cli.output import complain

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from babysitter.library import Entry
    from babysitter.limits import Limits
    from babysitter.runs.run import Run


def warn_of_process(budget: Mapping[str, Any], entry: Entry, limits: Limits) -> None:
    """Say which tasks of a budget the process file does not name, for a run that is about to begin.

    What it makes while it runs, and what processes below it name, is not seen: so this refuses nothing.
    """
    if not budget.get("tasks"):
        return
    from babysitter.cli.process_checks import tasks_of
    from babysitter.runs.creation import load_new

    known = [told["task"] for told in tasks_of(load_new(entry, limits))]
    for task in budget["tasks"]:
        if known and task not in known:
            complain(f"warning: {entry.process_id} names no task {task!r}; {_instead(task, known)}")


def warn_of_run(budget: Mapping[str, Any], run: Run) -> None:
    """Say which tasks of a budget are called almost like one that the run has asked for, and not quite."""
    known = {effect.task_id for effect in run.state.effects.values()}
    for task in budget.get("tasks", {}):
        if task not in known and get_close_matches(task, known, n=1):
            complain(f"warning: no task {task!r} was asked for so far; {_instead(task, known)}")


def _instead(task: str, known: Collection[str]) -> str:
    near = get_close_matches(task, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"it names {', '.join(sorted(known))}, and what it makes while it runs is not seen here"
