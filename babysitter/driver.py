"""``run``: iterate and execute until the process has ended, or waits for somebody else.

The coroutine stays in memory. A result is appended first and fed only when it
was read back, together with whatever others have written; so the journal is
the same as step by step with the same grouping of results.
"""

from __future__ import annotations

import os

from babysitter.clock import now_ms
from babysitter.engine.state import FINISHED
from babysitter.errors import ResultRejected
from babysitter.executors.folders import TASKS
from babysitter.executors.hook_files import HOW_TO_TRUST
from babysitter.executors.leftovers import end_leftovers
from babysitter.executors.orders import answer_of, as_failure, work_of
from babysitter.runs import policy
from babysitter.runs.execution import Execution
from babysitter.runs.iterate import requested_in
from babysitter.runs.results import accept, decide
from babysitter.runs.sleeping import deadline_of, due_at, wake_sleepers
from babysitter.sessions.takers import is_at_it

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol, TypeVar

    from babysitter.engine.state import Effect
    from babysitter.errors import ReplayError
    from babysitter.executors.pool import Finished, Pool
    from babysitter.journal.events import Event
    from babysitter.runs.results import Answer
    from babysitter.runs.run import Run

    T = TypeVar("T")

    class Asker(Protocol):
        """Puts breakpoints to a person; ``is_asking`` while one of them is open here."""

        @property
        def is_asking(self) -> bool: ...
        def ask(self, effect: Effect, definition: dict[str, Any]) -> None: ...
        def withdraw(self, effect_id: str) -> None: ...
        def answers(self) -> list[tuple[str, dict[str, Any]]]: ...


# How long a result of another writer may stay unseen, and how often the view is drawn.
POLL_SECONDS = 0.25
TICK_SECONDS = 0.125
GRACE_SECONDS = 5.0


class Ending:
    """How a drive ended: a run's status, ``diverged`` or ``interrupted``; and what is waited for."""

    __slots__ = ("diverged", "status", "waiting_for")

    def __init__(self, status: str, waiting_for: list[Effect], diverged: ReplayError | None) -> None:
        self.status = status
        self.waiting_for = waiting_for
        self.diverged = diverged


class Driver:
    """Drives one loaded run."""

    def __init__(
        self,
        run: Run,
        pool: Pool,
        view: Any,
        *,
        kinds: frozenset[str],
        asker: Asker | None = None,
        waits_for_time: bool = True,
        ends_for_others: bool = False,
    ) -> None:
        """``kinds`` are what the pool performs here; without ``asker`` nobody waits for people.

        ``ends_for_others``: as soon as something was asked for that others perform, what runs is
        finished, nothing more is started, and that is the end, so that whoever started this hears of it.
        """
        self.run = run
        self.pool = pool
        self.view = view
        self.kinds = kinds
        self.asker = asker
        self.waits_for_time = waits_for_time
        self.ends_for_others = ends_for_others
        self._execution = Execution(run)
        self._fresh: list[Effect] = []
        self._offered: set[str] = set()
        # Taken by somebody else, who is at it as far as can be seen.
        self._anothers: dict[str, Effect] = {}
        # When the clock ends what.
        self._sleeping: dict[str, int] = {}
        self._seen_running: set[str] = set()
        self._passed_over: set[str] = set()
        self._is_held = False
        self._is_interrupted = False
        self._has_gone_on = False
        self._is_checked = False
        self._is_replaying = False
        self._news: list[str] = []

    def interrupt(self) -> None:
        """Stop at the next turn of the loop; called from a signal handler.

        A process that does not come to a step has no next turn: the second
        time it is broken into. Nowhere else, or a child could get lost.
        """
        if self._is_interrupted and self._is_replaying:
            raise KeyboardInterrupt
        self._is_interrupted = True

    def drive(self) -> Ending:
        """Go on until nothing is left to do here. No child is left when this returns or raises.

        Raises:
            NondeterminismError, JournalError, StorageError, RunBusy
        """
        self._fresh = list(self.run.state.pending.values())
        self._listen()
        was_driven_before = bool(self.run.state.effects)
        if was_driven_before:
            self._end_leftovers(lambda effect: not effect.is_pending)
        try:
            self._drive()
            return self._end()
        finally:
            self.pool.close(GRACE_SECONDS)
            if was_driven_before:
                self._end_leftovers(lambda effect: True)

    def _end_leftovers(self, is_meant: Callable[[Effect], bool]) -> None:
        """End what a killed driver has left, as far as this run is not going to start it again."""
        # What a command that was recorded has left running on purpose is let go, as always.
        effects = {
            effect.id
            for effect in self.run.state.effects.values()
            if effect.executor != "local" and is_meant(effect)
        }
        end_leftovers(self.run.run_id, os.path.join(self.run.folder, TASKS), effects)

    def _listen(self) -> None:
        before = self.run.on_event

        def see(event: Event) -> None:
            if before is not None:
                before(event)
            if event.type == "EFFECT_REQUESTED":
                self._fresh.append(self.run.state.effects[event.data["effectId"]])
            elif event.type == "EFFECT_TAKEN":
                self._heed(self.run.state.effects[event.data["effectId"]])
            elif event.type in ("EFFECT_RESOLVED", "EFFECT_CANCELLED"):
                self._close(event.data["effectId"])
            elif event.type in ("PROCESS_CHANGED", "RUN_REWOUND"):
                # Another command has accepted an edit, or gone back.
                for effect_id in [*self._offered, *self._sleeping]:
                    if effect_id not in self.run.state.pending:
                        self._close(effect_id)

        self.run.on_event = see

    def _drive(self) -> None:
        try:
            self._loop()
        except KeyboardInterrupt:
            # The process was broken into; nothing of what it asked for since is written.
            self._is_interrupted = True

    def _loop(self) -> None:
        wake_sleepers(self.run)
        if not self.run.state.is_finished:
            self._replay(self._execution.start)
        while True:
            self._replay(self._check_that_it_repeats)
            self._note_news(self._write_round())
            if self._is_over or self._is_interrupted:
                return
            if self._answer_by_policy():
                self._replay(self._execution.follow)
                continue
            if self._has_news:
                self._start_no_more()
            else:
                self._hand_out()
            if self._is_idle:
                return
            self._show_running()
            self._take_in(self.pool.wait(self._patience()))
            self._replay(self._execution.follow)

    def _write_round(self) -> list[Any]:
        """What was written; for those who watch the run it is an iteration, if it is anything."""
        observer = self.run.observer
        if observer is not None:
            observer.round_begins()
        events = self._replay(self._execution.write_round)
        if observer is not None and events:
            observer.iteration_ended(self.run.state.status, requested_in(self.run.state, events))
        elif observer is not None:
            observer.round_was_empty()
        return events

    def _answer_by_policy(self) -> bool:
        """Answer the breakpoints that the run's policy answers; whether there were any."""
        answers = policy.answers(self.run)
        if answers:
            answered = {answer.effect for answer in answers}
            self._news = [effect_id for effect_id in self._news if effect_id not in answered]
            self._has_gone_on = True
            self._record(answers)
        return bool(answers)

    def _note_news(self, events: list[Any]) -> None:
        """What was asked of others just now; what another command asked for, that command has told of."""
        if self.ends_for_others:
            self._news += [
                event.data["effectId"]
                for event in events
                if event.type == "EFFECT_REQUESTED" and event.data["kind"] not in (*self.kinds, "sleep")
            ]

    @property
    def _has_news(self) -> bool:
        """Something was asked of others; nothing more is started then, so this does not change back."""
        return bool(self._news)

    def _start_no_more(self) -> None:
        """Leave what has not begun to whoever comes next."""
        for effect_id in list(self.pool.waiting):
            self.pool.withdraw(effect_id)
            self._offered.discard(effect_id)

    def _replay(self, work: Callable[[], T]) -> T:
        """Do what calls the author's code."""
        self._is_replaying = True
        try:
            return work()
        finally:
            self._is_replaying = False

    def _check_that_it_repeats(self) -> None:
        """After the first results, when little is lost, and before the run ends for good."""
        execution = self._execution
        is_ending = execution.end is not None and not execution.is_stuck
        if self._has_gone_on and (is_ending or not self._is_checked):
            self._is_checked = True
            execution.check_that_it_repeats()

    @property
    def _is_over(self) -> bool:
        """The process has ended, is stuck, or does not fit its journal."""
        execution = self._execution
        return (
            self.run.state.status in FINISHED or execution.end is not None or execution.diverged is not None
        )

    def _end(self) -> Ending:
        diverged = self._execution.diverged
        if diverged is None and self.run.state.status not in FINISHED:
            self._take_in_the_rest()
        status = self.run.state.status
        if diverged is not None:
            status = "diverged"
        elif self._is_interrupted and status not in FINISHED:
            status = "interrupted"
        return Ending(status, list(self.run.state.pending.values()), diverged)

    def _take_in_the_rest(self) -> None:
        """Record what has ended by itself until now. What still runs will be done again on resuming."""
        self._start_no_more()
        self._take_in(self.pool.wait(0))
        while any(running.child.returncode is not None for running in self.pool.running.values()):
            self._take_in(self.pool.wait(TICK_SECONDS))

    def _hand_out(self) -> None:
        """Give new effects to whoever performs them here."""
        fresh, self._fresh = [*self._fresh, *self._anothers.values()], []
        self._anothers = {}
        works = []
        for effect in fresh:
            if not effect.is_pending:
                continue
            self._heed(effect)
            if effect.kind in self.kinds and is_at_it(self.run, effect):
                self._anothers[effect.id] = effect
            elif effect.kind in self.kinds:
                self._sleeping.pop(effect.id, None)
                works.append(work_of(self.run, self._execution.source, effect))
                self._offered.add(effect.id)
            elif effect.kind == "breakpoint" and self.asker is not None:
                self.asker.ask(effect, self.run.definition_of(effect))
            elif effect.kind == "sleep":
                self._sleeping[effect.id] = due_at(effect)
        if works:
            self.pool.offer(works)

    def _heed(self, effect: Effect) -> None:
        """Know when the clock ends an agent effect that somebody has taken; ours the pool ends itself."""
        at = None if effect.id in self._offered else deadline_of(self.run, effect)
        if at is not None:
            self._sleeping[effect.id] = at

    def _close(self, effect_id: str) -> None:
        """Nobody needs this effect any more: it was answered elsewhere, or cancelled."""
        self._anothers.pop(effect_id, None)
        if effect_id in self._offered:
            self._offered.discard(effect_id)
            self.pool.withdraw(effect_id)
        self._sleeping.pop(effect_id, None)
        if self.asker is not None:
            self.asker.withdraw(effect_id)

    @property
    def _is_idle(self) -> bool:
        """Nothing that is still pending can end while this command looks on."""
        if self._offered or (self.asker is not None and self.asker.is_asking):
            return False
        return self._has_news or not (self.waits_for_time and (self._sleeping or self._anothers))

    def _patience(self) -> float:
        """How long the pool may wait before something else wants a look."""
        longest = TICK_SECONDS if self._offered else POLL_SECONDS
        if self._sleeping:
            return min(longest, max(0.0, (min(self._sleeping.values()) - now_ms()) / 1000))
        return longest

    def _take_in(self, finished: list[Finished]) -> None:
        """Record what ended here, what a person answered here, what others wrote, and what the clock says."""
        self._tell_untrusted(finished)
        answers = [answer_of(end) for end in finished]
        if self.asker is not None:
            answers += [self._decision(effect_id, told) for effect_id, told in self.asker.answers()]
        if answers:
            self._has_gone_on = True
            # The children are over: withdrawing them when their own result is read back would be for nothing.
            self._offered.difference_update(end.effect_id for end in finished)
            self._record(answers)
        else:
            self.run.refresh()
        if self._sleeping and min(self._sleeping.values()) <= now_ms():
            wake_sleepers(self.run, self._offered)

    def _tell_untrusted(self, finished: list[Finished]) -> None:
        """Once for each: a hook of the project's that was passed over."""
        for end in finished:
            for name in (end.evidence or {}).get("untrusted", ()):
                if name not in self._passed_over:
                    self._passed_over.add(name)
                    self.view.message(f"{name} is not called, nobody has trusted it; {HOW_TO_TRUST}")

    def _decision(self, effect_id: str, told: dict[str, Any]) -> Answer:
        return decide(self.run, self.run.state.effects[effect_id], **told)

    def _record(self, answers: list[Answer]) -> None:
        verdicts = accept(self.run, answers)
        unfit = []
        for answer, verdict in zip(answers, verdicts, strict=True):
            if isinstance(verdict.error, ResultRejected):
                unfit.append(as_failure(answer, verdict.error))
            elif verdict.error is not None:
                self.view.message(f"{answer.effect}: {verdict.error.message}")
        if unfit:
            accept(self.run, unfit)

    def _show_running(self) -> None:
        """Tell the view what runs now and what it printed last."""
        for effect_id, running in self.pool.running.items():
            if effect_id not in self._seen_running:
                self._seen_running.add(effect_id)
                self.view.executing(effect_id, running.started_ms)
            self.view.output(effect_id, running.last_line)
        if self.pool.held or self._is_held:
            self._is_held = bool(self.pool.held)
            self.view.held(self.pool.held)
        self.view.tick()
