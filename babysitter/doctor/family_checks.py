"""Looks at the runs that a run belongs to: its parent, and its children that have not ended."""

from __future__ import annotations

import os

from babysitter.doctor.checks import failed, passed, warned
from babysitter.errors import BabysitterError
from babysitter.runs.children import family
from babysitter.runs.folder import parent_of
from babysitter.runs.run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.doctor.checks import Check


def examine_family(run: Run, name: str) -> Iterator[Check]:
    """Nothing of a run that has neither parent nor living children."""
    parent = parent_of(run.state.created)
    if parent and not run.state.is_finished:
        yield _parent(run, name, parent)
    if run.state.children and not run.state.is_finished:
        yield _children(run)


def _parent(run: Run, name: str, parent: str) -> Check:
    folder = os.path.join(os.path.dirname(run.folder), parent)
    if not os.path.lexists(folder):
        return warned("parent", f"its parent {parent!r} is not there, so nobody waits for it")
    try:
        state = Run(folder, run.limits).load().state
    except BabysitterError as error:
        return failed("parent", error, f"babysitter doctor {parent}")
    if state.is_finished:
        return warned("parent", f"its parent {parent!r} has ended without it", f"babysitter iterate {name}")
    return passed("parent", f"run {parent} waits for it")


def _children(run: Run) -> Check:
    try:
        below = family(run)[1:]
    except BabysitterError as error:
        return failed("children", error)
    stuck = [child.run_id for child in below if child.state.status == "stuck"]
    if stuck:
        message = f"{len(stuck)} of {len(below)} runs below it are stuck: {', '.join(stuck[:5])}"
        return warned("children", message, f"babysitter status {stuck[0]}")
    return passed("children", f"{len(below)} run{'' if len(below) == 1 else 's'} below it can go on")
