"""One scenario tried again and again, each time with another fault, and compared with the run that never met one."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from scenarios import BY_NAME, Project, set_up

from babysitter.disk import Folder
from babysitter.ids import sha256_hex
from babysitter.runs.run import Run
from tests.support.forks import KILLED
from tests.support.operations import Plan

if TYPE_CHECKING:
    from pathlib import Path

    from babysitter.journal.events import Event
    from tests.support.forks import Ended, Forks

IO = 74
EXISTS = 3
# What differs from one time to the next.
VOLATILE = frozenset("prev batch startedAt finishedAt".split())
REFS = {"resultRef": "sha256", "definitionRef": "definitionSha256", "outputRef": "sha256"}

Told = list[tuple[str, dict[str, Any]]]


class Trial:
    """A scenario whose command was called once without a fault.

    Attributes:
        before: the events that the command finds.
        after: those that it leaves.
        end: those with which the run has ended.
        ended: how the command ended.
        operations: what it does to files.
    """

    def __init__(self, name: str, forks: Forks, folder: Path) -> None:
        self.scenario = BY_NAME[name]
        self._forks = forks
        self._folder = folder
        self._copies = 0
        # Always by the same name: a process is called after its folder.
        template = folder / "template" / "project"
        template.mkdir(parents=True)
        self._template = set_up(self.scenario, template)
        self.before = told(self._template)
        project = self.fresh()
        self.ended = self.call(project, self.plan(project))
        self.operations = self.ended.operations
        assert (self.ended.code, self.ended.stderr) == (self.scenario.code, ""), self.ended
        self.after = told(project)
        project.drive()
        self.end = told(project)
        self.forget(project)

    # Projects to be ruined

    def fresh(self) -> Project:
        """The project as the command finds it."""
        self._copies += 1
        folder = self._folder / str(self._copies) / "project"
        shutil.copytree(self._template.folder, folder)
        project = Project(folder)
        adopt_cache(project, self._template)
        return project

    def forget(self, project: Project) -> None:
        shutil.rmtree(project.folder.parent)

    # Commands

    def plan(self, project: Project, **faults: Any) -> Plan:
        return Plan(str(project.folder), is_unknown=self.scenario.is_unknown, **faults)

    def call(self, project: Project, plan: Plan | None = None, **options: Any) -> Ended:
        """The command, as a process of its own."""
        return self._forks.run(project.folder, *self.scenario.command, plan=plan, **options)

    # What must hold

    def check(self, project: Project, ended: Ended) -> None:
        """After a fault: nothing lost, nothing invented, told as it is; and it goes on as if nothing had been.

        Raises:
            AssertionError
        """
        self.check_what_was_told(project, ended)
        self.check_again(project)
        self.check_the_end(project)

    def check_what_was_told(self, project: Project, ended: Ended) -> None:
        assert ended.code in (KILLED, IO, self.scenario.code), ended
        found = told(project)
        self.check_journal(found)
        if ended.code == KILLED:
            # It may be killed after it has told; then what it told is so.
            assert ended.stderr == "", ended
            assert not ended.stdout or found == self.after, ended
        elif ended.code == IO:
            # All commands are called with --json: one object, and not a word beside it.
            error = json.loads(ended.stdout)["error"]
            assert (error["name"], error["exitCode"], ended.stderr) == ("StorageError", IO, ""), ended
        else:
            assert (found, ended.stderr) == (self.after, ""), ended
            assert sorted(ended.told) == sorted(self.ended.told)

    def check_journal(self, found: Told) -> None:
        """What was there before is there, and of the command's events a beginning."""
        assert len(found) >= len(self.before)
        assert found == self.after[: len(found)]

    def check_again(self, project: Project) -> None:
        """The same command, called again, does what it was to do."""
        was_there = project.run_folder.exists()
        again = self.call(project)
        if again.code == EXISTS and was_there and self.scenario.command[0] == "create":
            # What was not acknowledged may have been done; the command says so, and how to go on.
            again = self._forks.run(project.folder, "iterate", "r", "--json")
        assert (again.code, again.stderr) == (self.ended.code, ""), again
        assert told(project) == self.after

    def check_the_end(self, project: Project) -> None:
        project.drive()
        assert told(project) == self.end


def told(project: Project) -> Told:
    """The events of the run, verified, without what differs each time; none when there is no run."""
    if not project.run_folder.exists():
        return []
    run = Run(str(project.run_folder))
    events: list[Event] = []
    run.journal.load(events.append)
    assert run.journal.verify() == run.journal.head
    for event in events:
        _check_file(run, event)
    return [(event.type, _steady(event.data)) for event in events]


def _check_file(run: Run, event: Event) -> None:
    """A value that is not in the event is whole in its file."""
    for ref, digest in REFS.items():
        if ref in event.data:
            assert sha256_hex(run.read_file(event.data[ref])) == event.data[digest]


def _steady(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in VOLATILE}


def adopt_cache(project: Project, original: Project) -> None:
    """Let the cache of a copied run be about the copy: it knows its journal by its inode."""
    if original.run_folder.exists():
        with Folder(str(original.run_folder / "journal")) as journal:
            adopt_cache_of(project.run_folder, journal.identity())


def adopt_cache_of(run_folder: Path, identity: list[int]) -> None:
    marker = run_folder / "state" / "head.json"
    if not marker.exists():
        return
    with Folder(str(run_folder / "journal")) as journal:
        before, after = (json.dumps(each, separators=(",", ":")) for each in (identity, journal.identity()))
    marker.write_text(marker.read_text().replace(f'"journal":{before}', f'"journal":{after}'))
