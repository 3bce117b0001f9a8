"""Runs that are packed or set aside: what of them is still somewhere, whatever its form."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fault_project import steady_events, told

from babysitter.runs.ended import EndedRun
from babysitter.runs.folder import archive_of
from babysitter.runs.packing import pack
from babysitter.runs.unpacking import open_packed
from tests.support.operations import Operation

if TYPE_CHECKING:
    from fault_project import Project, Told

LONG_AGO = 1_000_000_000
ASIDE = ".removed-x"


def packed(project: Project) -> None:
    """Put the run away, which has ended."""
    pack(EndedRun(str(project.run_folder)), "0")


def still_there(project: Project) -> Told:
    """The events of the run, from its folder or from its archive, each of which is whole if it is there."""
    found = [told(project)] if project.run_folder.exists() else []
    if os.path.lexists(archive_of("r", str(project.runs))):
        with open_packed("r", str(project.runs)) as archive:
            archive.check()
            found.append(steady_events(event for _, _, event in archive.events()))
    assert found.count(found[0]) == len(found) if found else True
    return found[0] if found else []


def as_it_is(_: Project) -> None:
    """Nothing more happens to the run."""


def set_aside(project: Project) -> Operation:
    """Do to the run what a command has done that was killed long ago, when it was about to delete it."""
    aside = project.runs / ASIDE
    project.run_folder.rename(aside)
    os.utime(aside, (LONG_AGO, LONG_AGO))
    folder, node = (f"{found.st_dev}:{found.st_ino}" for found in (project.runs.stat(), aside.stat()))
    return Operation("rename", "", 0, node, folder, project.run_folder.name, folder, ASIDE)
