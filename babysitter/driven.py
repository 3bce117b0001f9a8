"""One run that is driven: its process in memory, and what is to be done for it."""

from __future__ import annotations

import os

from babysitter.engine.state import FINISHED
from babysitter.executors.folders import TASKS
from babysitter.executors.leftovers import end_leftovers
from babysitter.runs.execution import Execution
from babysitter.runs.iterate import requested_in
from babysitter.runs.policy import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.errors import ReplayError
    from babysitter.journal.lock import RunLock
    from babysitter.runs.results import Answer
    from babysitter.runs.run import Run


class Driven:
    """A loaded run, and how far it has been brought on.

    Attributes:
        parent: the one that it is a child of, by ``effect``.
        path: the steps at which it and those above it were asked for, as one path.
        is_watched: somebody else drives it; here it is only looked at.
        has_gone_on: something was recorded since it is driven here.
        refusal: why its unchanged process cannot be gone on with.
    """

    def __init__(
        self,
        run: Run,
        *,
        parent: Driven | None = None,
        effect: Effect | None = None,
        lock: RunLock | None = None,
    ) -> None:
        self.run = run
        self.parent = parent
        self.effect = effect
        self.path: str = "" if parent is None or effect is None else f"{parent.path}{effect.step}.child."
        self.is_watched = False
        self.execution = Execution(run)
        self.has_gone_on = False
        self.refusal: ReplayError | None = None
        self._policy = Policy(run)
        self._lock = lock
        self._is_checked = False
        self._has_started = False
        self._seen = -1
        self._settled_at: Any = None
        self._was_driven_before = bool(run.state.effects)

    @property
    def is_finished(self) -> bool:
        return self.run.state.status in FINISHED

    @property
    def is_over(self) -> bool:
        """The process has ended, is stuck, or does not fit its journal."""
        execution = self.execution
        has_ended = execution.end is not None and not execution.is_held
        return self.is_finished or has_ended or self.diverged is not None

    @property
    def diverged(self) -> ReplayError | None:
        return self.refusal or self.execution.diverged

    @property
    def is_stirred(self) -> bool:
        """There is something that its process has not seen."""
        return not self.is_watched and self.run.state.last_seq != self._seen

    def stir(self) -> None:
        """Its process can go on, although its journal has nothing new."""
        self._seen = -1

    def start(self) -> None:
        """Bring the process to where its journal is.

        Raises:
            NondeterminismError
        """
        if not self.is_finished:
            self._has_started = True
            self.execution.start()

    def go_on(self) -> list[Any]:
        """Follow the journal and write a round; gives the events.

        Raises:
            NondeterminismError, RunBusy, JournalError, StorageError
        """
        events = []
        if self.refusal is None:
            if self._has_started and self.diverged is None:
                self.execution.follow()
            self._check_that_it_repeats()
            events = self._write_round()
        self._seen = self.run.state.last_seq
        return events

    def _write_round(self) -> list[Any]:
        """What was written; for those who watch the run it is an iteration, if it is anything."""
        observer = self.run.observer
        if observer is not None:
            observer.round_begins()
        events = self.execution.write_round()
        if observer is not None and events:
            observer.iteration_ended(self.run.state.status, requested_in(self.run.state, events))
        elif observer is not None:
            observer.round_was_empty()
        return events

    def refuse(self, error: ReplayError) -> None:
        """It is not gone on with until somebody has mended something."""
        self.refusal = error
        self._seen = self.run.state.last_seq

    def settle(self) -> None:
        """Decide the breakpoints that have their answers, unless somebody else drives the run.

        Raises:
            RunBusy, JournalError, StorageError
        """
        if self.run.state.answers and not self.is_watched:
            from babysitter.runs.settling import settle, stamp

            # Of the moment before, so that what changes meanwhile is looked at again.
            now = stamp(self.run)
            if now != self._settled_at:
                settle(self.run)
                self._settled_at = now

    def policy_answers(self) -> list[Answer]:
        """Answers to the breakpoints that the user's rules and the run's policy answer.

        Raises:
            CorruptRules
        """
        return [] if self.is_over else self._policy.answers()

    def _check_that_it_repeats(self) -> None:
        """After the first results, when little is lost, and before the run ends for good."""
        execution = self.execution
        is_ending = execution.end is not None and not (execution.is_stuck or execution.is_held)
        if self.has_gone_on and (is_ending or not self._is_checked):
            self._is_checked = True
            execution.check_that_it_repeats()

    def end_those_answered(self) -> None:
        """End what a killed driver has left of effects that are not going to start again."""
        self._end_leftovers(lambda effect: not effect.is_pending)

    def leave(self) -> None:
        """End what is left of all effects, and let others have the run."""
        try:
            self._end_leftovers(lambda effect: True)
        finally:
            if self._lock is not None:
                self._lock.release()

    def _end_leftovers(self, is_meant: Callable[[Effect], bool]) -> None:
        if not self._was_driven_before or self.is_watched:
            return
        # What a command that was recorded has left running on purpose is let go, as always.
        effects = {
            effect.id
            for effect in self.run.state.effects.values()
            if effect.executor != "local" and is_meant(effect)
        }
        end_leftovers(self.run.run_id, os.path.join(self.run.folder, TASKS), effects)

    def take_over(self, lock: RunLock) -> None:
        """Whoever drove it has gone."""
        self._lock = lock
        self.is_watched = False
        self._was_driven_before = True
