"""One scenario tried again and again with other faults, and compared with the run that never met one."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from fault_project import Project, adopt_cache
from scenarios import BY_NAME, set_up

from tests.support.forks import KILLED
from tests.support.operations import Plan

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.forks import Ended, Forks

IO = 74


class Trial:
    """A scenario whose command was called once without a fault.

    Attributes:
        before: what there is to see before the command; of a run, its events.
        after: what there is after it.
        end: what there is when the run has ended.
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
        self.sees = self.scenario.sees
        self.before = self.sees(self._template)
        project = self.fresh()
        self.ended = self.call(project, self.plan(project))
        self.operations = self.ended.operations
        assert (self.ended.code, self.ended.stderr) == (self.scenario.code, ""), self.ended
        self.after = self.sees(project)
        self.scenario.ends(project)
        self.end = self.sees(project)
        self.forget(project)

    # Projects to be ruined

    def fresh(self, disk: Path | None = None) -> Project:
        """The project as the command finds it; on another disk when one is given."""
        project = self.empty(disk)
        shutil.copytree(self._template.folder, project.folder)
        adopt_cache(project, self._template)
        return project

    def empty(self, disk: Path | None = None) -> Project:
        """A place for a project."""
        self._copies += 1
        return Project((disk or self._folder) / str(self._copies) / "project")

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
        """After a fault: nothing lost, nothing invented, told as it is; and it goes on as if nothing was.

        Raises:
            AssertionError
        """
        self.check_what_was_told(project, ended)
        self.check_again(project)
        self.check_the_end(project)

    def check_what_was_told(self, project: Project, ended: Ended) -> None:
        assert ended.code in (KILLED, IO, self.scenario.code), ended
        found = self.sees(project)
        self.check_found(found)
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

    def check_found(self, found: list[Any]) -> None:
        """What was there before is there, and of what the command adds a beginning."""
        if self.scenario.is_whole:
            assert found in (self.before, self.after)
            return
        assert len(found) >= len(self.before)
        assert found == self.after[: len(found)]

    def check_again(self, project: Project) -> None:
        """The same command, called again, does what it was to do."""
        again = self.call_again(project)
        assert again.code in (self.ended.code, self.scenario.already), again
        assert again.stderr == "", again
        assert self.sees(project) == self.after
        assert project.is_kept_out_of_git

    def call_again(self, project: Project, **options: Any) -> Ended:
        again = self.call(project, **options)
        is_done = again.code == self.scenario.already != self.ended.code
        if is_done and self.scenario.then:
            return self._forks.run(project.folder, *self.scenario.then, **options)
        return again

    def check_the_end(self, project: Project) -> None:
        self.scenario.ends(project)
        assert self.sees(project) == self.end
