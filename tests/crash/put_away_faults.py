"""Pack, restore and remove a run with a fault at every point, and look at what is left.

Prints how many points there were.

python put_away_faults.py OPERATION HOW NUMBER STEP FOLDER
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from babysitter.errors import Conflict, RunExists  # noqa: E402 - the checkout that this file is in
from babysitter.runs.ended import EndedRun  # noqa: E402
from babysitter.runs.folder import archive_of  # noqa: E402
from babysitter.runs.litter import clear, litter  # noqa: E402
from babysitter.runs.packing import pack  # noqa: E402
from babysitter.runs.removal import remove  # noqa: E402
from babysitter.runs.unpacking import open_packed, restore  # noqa: E402
from tests.support.fault_points import KILL, Fault, at_point  # noqa: E402
from tests.support.folders import digest_of  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = ROOT / "tests" / "golden" / "runs" / "groups"
RUN = "groups"
FAR_AWAY = 1 << 40
FOLDER, ARCHIVE = "folder", "archive"


class Place:
    """A folder of runs with one run in it, in the form that an operation begins with."""

    def __init__(self, path: Path) -> None:
        self.template = path / "template"
        self.runs = path / "runs"
        self.folder = self.runs / RUN
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(GOLDEN, self.template / RUN)
        (self.template / RUN).chmod(0o700)
        for name in ("artifacts/deep/file", "tasks/x/stdout.log", "artifacts/other"):
            file = self.template / RUN / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(name.encode() * 999)
        self.whole = self.held(self.template / RUN)

    @staticmethod
    def held(folder: Path) -> dict[str, str]:
        # Folders that every run has are made again, also where a recorded one lacks them.
        found = digest_of(folder)
        return {name: each for name, each in found.items() if name not in {"run.lock", "artifacts", "state"}}

    def begin_again(self) -> None:
        shutil.rmtree(self.runs, ignore_errors=True)
        shutil.copytree(self.template, self.runs)

    def forms(self) -> set[str]:
        """The forms in which the run is there; each of them is whole, or this fails."""
        found = set()
        if os.path.lexists(self.folder):
            assert self.held(self.folder) == self.whole
            found.add(FOLDER)
        if os.path.lexists(archive_of(RUN, str(self.runs))):
            with open_packed(RUN, str(self.runs)) as packed:
                packed.check()
            found.add(ARCHIVE)
        return found

    def hidden(self) -> list[str]:
        """What is left under names that nobody reads."""
        return litter(str(self.runs), FAR_AWAY)

    def clear(self) -> None:
        for path in self.hidden():
            assert clear(path)


def archive(place: Place) -> None:
    pack(EndedRun(str(place.folder)), "0")


def unarchive(place: Place) -> None:
    restore(RUN, str(place.runs))


def delete(place: Place) -> None:
    remove(EndedRun(str(place.folder)))


def look_at_archived(place: Place) -> None:
    """In one form at least; packing again ends with the archive alone, and it has all of the run."""
    forms = place.forms()
    assert forms, "the run is lost"
    if FOLDER in forms:
        archive(place)
    place.clear()
    assert place.forms() == {ARCHIVE}
    unarchive(place)
    assert place.forms() == {FOLDER}


def look_at_restored(place: Place) -> None:
    """In one form at least; restoring again, or packing where both are there, ends with one."""
    forms = place.forms()
    assert forms, "the run is lost"
    if forms == {FOLDER, ARCHIVE}:
        try:
            unarchive(place)
        except RunExists:
            archive(place)
    if FOLDER not in place.forms():
        unarchive(place)
    place.clear()
    assert place.forms() == {FOLDER}


def look_at_removed(place: Place) -> None:
    """There and whole, or gone."""
    if place.forms():
        delete(place)
    place.clear()
    assert place.forms() == set()


OPERATIONS: dict[str, tuple[Callable[[Place], None], Callable[[Place], None]]] = {
    "archive": (archive, look_at_archived),
    "restore": (unarchive, look_at_restored),
    "cleanup": (delete, look_at_removed),
}


def every_point(operation: str, fault: Fault, step: int, path: Path) -> int:
    """Give the number of points at which the fault was tried."""
    place = Place(path)
    operate, look = OPERATIONS[operation]
    if operation == "restore":
        place.begin_again()
        archive(place)
        shutil.rmtree(place.template)
        shutil.copytree(place.runs, place.template)
        (place.template / ".archive").chmod(0o700)
    at, tried = 1, 0
    while True:
        place.begin_again()
        before = place.forms()
        ended = at_point(fault, at, lambda: operate(place))
        if not ended.is_reached:
            return tried
        tried += 1
        try:
            if fault.how != KILL and ended.could_tidy:
                look_at_what_a_full_disk_leaves(place, before)
            look(place)
        except (AssertionError, Conflict, OSError) as error:
            error.add_note(f"{operation}: {fault} at point {at}")
            raise
        at += step


def look_at_what_a_full_disk_leaves(place: Place, before: set[str]) -> None:
    """What was there is there; what was begun is gone, if it could be removed."""
    forms = place.forms()
    if forms & before:
        begun = [path for path in place.hidden() if ".removed-" not in path]
        assert begun == [], begun


if __name__ == "__main__":
    operation, how, number, step, path = sys.argv[1:]
    sys.stdout.write(f"{every_point(operation, Fault(how, int(number)), int(step), Path(path))}\n")
    sys.stdout.flush()
    os._exit(0)
