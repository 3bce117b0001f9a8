"""``watch``: look on while somebody else goes on with a run."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.endings import tell
from babysitter.cli.options import json_option, run_argument, runs_dir_option, settings
from babysitter.cli.running import make_view
from babysitter.engine.state import CONTINUED, SUBPROCESS
from babysitter.paths import runs_dir as folder_of_runs
from babysitter.runs.children import child_id
from babysitter.runs.folder import check_folder, open_run
from babysitter.runs.run import Run
from babysitter.runs.succession import newest_there
from babysitter.views.tree import RunInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from babysitter.driven import Driven
    from babysitter.engine.state import Effect
    from babysitter.errors import ReplayError
    from babysitter.journal.events import Event

POLL_SECONDS = 0.25


class Seen:
    """How a run has ended that others have driven; told as a ``driver.Ending`` is."""

    diverged: ReplayError | None = None

    def __init__(self, run: Run) -> None:
        self.run = run
        self.status = run.state.status
        self.waiting_for: list[Effect] = []
        self.children: list[Driven] = []
        self.blocked: list[Driven] = []


class Follower:
    """Shows a run and those below it in a view, and reads what is new; writes nothing."""

    def __init__(self, run: Run, view: Any) -> None:
        self.run = run
        self._view = view
        self._below: list[Run] = []
        # Child runs that are not there yet: whose, by what id, and where they hang in the tree.
        self._expected: list[tuple[Run, str, str]] = []

    def begin(self) -> None:
        """Show all that there is."""
        self._show(self.run, "", self._view.event)
        self._look_below()

    def read_on(self) -> None:
        """Show what others have written since.

        Raises:
            JournalError, StorageError
        """
        for run in (self.run, *self._below):
            run.refresh()
        self._look_below()
        following = newest_there(self.run) if self.run.state.status == CONTINUED else self.run
        if following is not self.run:
            self._go_on_with(following.folder)

    def _go_on_with(self, folder: str) -> None:
        self.run, self._below, self._expected = Run(folder, self.run.limits), [], []
        self._view.goes_on(self.run.run_id, folder)
        self.begin()

    def _show(self, run: Run, path: str, show: Callable[[Event], None]) -> None:
        def see(event: Event) -> None:
            show(event)
            if event.type == "EFFECT_REQUESTED" and event.data["kind"] == SUBPROCESS:
                # Now, for when it is answered the effect forgets what it asked for.
                effect = run.state.effects[event.data["effectId"]]
                self._expected.append((run, child_id(run, effect), f"{path}{effect.step}.child."))

        run.on_event = see
        run.load()

    def _look_below(self) -> None:
        while found := [each for each in self._expected if self._is_there(each[0], each[1])]:
            for each in found:
                self._expected.remove(each)
                self._follow(*each)

    def _is_there(self, run: Run, name: str) -> bool:
        return os.path.lexists(os.path.join(os.path.dirname(run.folder), name))

    def _follow(self, run: Run, name: str, path: str) -> None:
        folder = os.path.join(os.path.dirname(run.folder), name)
        check_folder(folder)
        child = newest_there(Run(folder, run.limits).load())
        if (child.state.created.get("parent") or {}).get("runId") != run.run_id:
            # Not its child; whoever goes on with the run says so.
            return
        shown = Run(child.folder, run.limits)
        self._show(shown, path, lambda event: self._view.event_below(event, path, shown.run_id))
        self._below.append(shown)


@click.command(
    epilog="""\b
Example:
  babysitter watch
  babysitter watch release-1-2-0 --plain"""
)
@run_argument()
@click.option("--plain", is_flag=True, help="Plain lines instead of the live tree.")
@runs_dir_option
@json_option
def watch(run: str, plain: bool, runs_dir: str | None, as_json: bool) -> int:
    """Look on while RUN is gone on with by others, until it has ended; Ctrl-C leaves it alone.

    It writes nothing, and performs nothing. With --json it says at the end how it ended.
    """
    found = open_run(run, folder_of_runs(runs_dir), settings().limits)
    view = make_view(is_plain=plain, is_json=as_json)
    view.started(RunInfo(found.run_id, found.about["processId"], found.about["processId"], found.folder))
    follower = Follower(found, view)
    try:
        return tell(_until_it_ends(follower, view), view, as_json, "")  # type: ignore[arg-type]
    finally:
        view.close()


def _until_it_ends(follower: Follower, view: Any) -> Seen:
    follower.begin()
    while not follower.run.state.is_finished or follower.run.state.status == CONTINUED:
        view.tick()
        time.sleep(POLL_SECONDS)
        follower.read_on()
    return Seen(follower.run)


commands = {"watch": watch}
