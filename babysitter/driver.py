"""``run``: iterate and execute until the process has ended, or waits for somebody else.

The coroutine stays in memory. A result is appended first and fed only when it
was read back, together with whatever others have written; so the journal is
the same as step by step with the same grouping of results.

A run's children are driven with it, on the same pool.
"""

from __future__ import annotations

from contextlib import ExitStack

from babysitter.desk import TICK_SECONDS, Desk
from babysitter.driven import Driven
from babysitter.engine.state import CONTINUED, SUBPROCESS
from babysitter.errors import NondeterminismError, ResultRejected
from babysitter.runs.recording import record
from babysitter.runs.sleeping import wake_sleepers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from babysitter.desk import Asker
    from babysitter.engine.state import Effect
    from babysitter.errors import ReplayError
    from babysitter.executors.pool import Finished, Pool
    from babysitter.household import Household
    from babysitter.journal.events import Event
    from babysitter.runs.results import Answer
    from babysitter.runs.run import Run

    T = TypeVar("T")

GRACE_SECONDS = 5.0
ABOUT_EFFECTS = frozenset(
    {"EFFECT_REQUESTED", "EFFECT_TAKEN", "ANSWER_VOIDED", "EFFECT_RESOLVED", "EFFECT_CANCELLED"}
)


class Ending:
    """How a drive ended.

    Attributes:
        run: the one that was driven last, which goes on where the first one was continued as new.
        status: of it, or ``diverged`` or ``interrupted``.
        waiting_for: its effects that have no answer; none when it has ended.
        diverged: where a changed process stopped fitting.
        children: those of its children that have not ended.
    """

    __slots__ = ("children", "diverged", "run", "status", "waiting_for")

    def __init__(self, status: str, root: Driven, children: list[Driven]) -> None:
        self.run = root.run
        self.status = status
        self.waiting_for: list[Effect] = [] if root.is_finished else list(root.run.state.pending.values())
        self.diverged: ReplayError | None = root.diverged
        self.children = children

    @property
    def blocked(self) -> list[Driven]:
        """The children that go on only when somebody has mended something."""
        return [child for child in self.children if child.is_over]


class Driver:
    """Drives one loaded run, and its children."""

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
        locks: bool = False,
    ) -> None:
        """``kinds`` are what the pool performs here; without ``asker`` nobody waits for people.

        ``ends_for_others``: as soon as something was asked for that others perform, what runs is
        finished, nothing more is started, and that is the end, so that whoever started this hears of it.
        ``locks``: children are taken for oneself, as the run was.
        """
        self.pool = pool
        self.view = view
        self.kinds = kinds
        self.waits_for_time = waits_for_time
        self.ends_for_others = ends_for_others
        self.locks = locks
        self._desk = Desk(pool, kinds, asker)
        self._root = Driven(run)
        self._living = {run.run_id: self._root}
        self._household: Household | None = None
        self._is_interrupted = False
        self._is_replaying = False
        self._news: list[str] = []
        self._spent_at: list[tuple[str, int]] = []
        self._held: list[Driven] = []
        self._blocked: set[Any] = set()

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
        try:
            self._drive()
            return self._end()
        finally:
            self.pool.close(GRACE_SECONDS)
            with ExitStack() as stack:
                for driven in self._living.values():
                    stack.callback(driven.leave)

    def _drive(self) -> None:
        try:
            self._loop()
        except KeyboardInterrupt:
            # The process was broken into; nothing of what it asked for since is written.
            self._is_interrupted = True

    def _loop(self) -> None:
        if "parent" in self._root.run.state.created:
            from babysitter.runs.children import limit_by_above

            limit_by_above(self._root.run)
        self.begin(self._root)
        while True:
            self._go_on()
            if self._root.is_over or self._is_interrupted:
                return
            if self._has_news:
                self._desk.start_no_more()
            else:
                self._desk.hand_out()
            if self._is_idle:
                return
            self._desk.show_running(self.view)
            self._take_in(self.pool.wait(self._desk.patience()))

    # Runs: they begin, go on and end.

    def begin(self, driven: Driven) -> None:
        """Bring a run to where its journal is, and see to whatever is pending in it."""
        self._desk.fresh += [(driven, effect) for effect in driven.run.state.pending.values()]
        self._listen(driven)
        driven.end_those_answered()
        self._see_to_children(driven)
        driven.settle()
        wake_sleepers(driven.run)
        self.replay(driven.start)

    def _listen(self, driven: Driven) -> None:
        run, before = driven.run, driven.run.on_event

        def see(event: Event) -> None:
            if before is not None:
                before(event)
            if event.type in ("PROCESS_CHANGED", "RUN_REWOUND"):
                self._desk.close_superseded(driven)
                self._see_to_children(driven)
            elif event.type == "BUDGET_CHANGED":
                self._see_to_children(driven)
            elif event.type in ABOUT_EFFECTS:
                self._hear_of(driven, run.state.effects[event.data["effectId"]], event.type)

        run.on_event = see

    def _hear_of(self, driven: Driven, effect: Effect, type: str) -> None:
        if type == "EFFECT_TAKEN":
            self._desk.heed(driven, effect)
            return
        if type in ("EFFECT_REQUESTED", "ANSWER_VOIDED"):
            self._desk.fresh.append((driven, effect))
        else:
            self._desk.close(effect.id)
        if effect.kind == SUBPROCESS:
            self._see_to_child(driven, effect)

    def _see_to_children(self, parent: Driven) -> None:
        for effect in parent.run.state.children.values():
            self._see_to_child(parent, effect)

    def _see_to_child(self, parent: Driven, effect: Effect) -> None:
        """Have the child run of an effect looked after: made, or brought to its end."""
        if self._household is None:
            from babysitter.household import Household

            self._household = Household(self)
        self._household.waiting.append((parent, effect))

    def _go_on(self) -> None:
        """Let all processes go on until none has anything to see."""
        while not self._is_interrupted:
            if self._household is not None:
                self._household.see_to_all()
            self._look_for_budgets()
            stirred = [driven for driven in self._living.values() if driven.is_stirred]
            for driven in stirred:
                self._go_on_with(driven)
            if self._root.run.state.status == CONTINUED:
                self._succeed()
            elif self._root.is_over or not stirred:
                return

    def _go_on_with(self, driven: Driven) -> None:
        try:
            events = self.replay(driven.go_on)
        except NondeterminismError as error:
            if driven is self._root:
                raise
            # It goes on when its process is mended; the others need not wait for that.
            driven.refuse(error)
            return
        self._blocked |= driven.execution.blocked
        self._note_news(events)
        answers = driven.policy_answers()
        if answers:
            answered = {answer.effect for answer in answers}
            self._news = [effect_id for effect_id in self._news if effect_id not in answered]
            self.record(driven, answers)

    def _look_for_budgets(self) -> None:
        """What one run has spent can let another go on: one after the other, while any of them can."""
        held = [driven for driven in self._living.values() if driven.execution.held]
        if not held:
            return
        told = [(driven.run.run_id, driven.run.state.last_seq) for driven in self._living.values()]
        if told != self._spent_at:
            self._spent_at = told
            self._held, self._blocked = held[::-1], set()
        while self._held:
            driven = self._held.pop()
            if driven.execution.held and not driven.execution.is_blocked(self._blocked):
                driven.stir()
                return

    def _succeed(self) -> None:
        """Go on with the run in which this one goes on."""
        from babysitter.household import successor

        before, self._root = self._root, successor(self._root, self.view, locks=self.locks)
        self.part(before)
        self.join(self._root)
        self.begin(self._root)

    def join(self, driven: Driven) -> None:
        """Drive another run from now on."""
        self._living[driven.run.run_id] = driven

    def part(self, driven: Driven) -> None:
        """A run needs nothing any more."""
        del self._living[driven.run.run_id]
        self._desk.close_all(driven)
        driven.leave()

    # Effects: they are handed out, performed and recorded.

    def _note_news(self, events: list[Any]) -> None:
        """What was asked of others just now; what another command asked for, that command has told of."""
        if self.ends_for_others:
            self._news += [
                event.data["effectId"]
                for event in events
                if event.type == "EFFECT_REQUESTED"
                and event.data["kind"] not in (*self.kinds, "sleep", SUBPROCESS)
            ]

    @property
    def _has_news(self) -> bool:
        """Something was asked of others; nothing more is started then, so this does not change back."""
        return bool(self._news)

    def replay(self, work: Callable[[], T]) -> T:
        """Do what calls the author's code."""
        self._is_replaying = True
        try:
            return work()
        finally:
            self._is_replaying = False

    def _end(self) -> Ending:
        root = self._root
        if root.diverged is None and not root.is_finished:
            self._take_in_the_rest()
        status = root.run.state.status
        if root.diverged is not None:
            status = "diverged"
        elif self._is_interrupted and not root.is_finished:
            status = "interrupted"
        return Ending(status, root, [driven for driven in self._living.values() if driven is not root])

    def _take_in_the_rest(self) -> None:
        """Record what has ended by itself until now. What still runs will be done again on resuming."""
        self._desk.start_no_more()
        self._take_in(self.pool.wait(0))
        while any(running.child.returncode is not None for running in self.pool.running.values()):
            self._take_in(self.pool.wait(TICK_SECONDS))

    @property
    def _is_idle(self) -> bool:
        """Nothing that is still pending can end while this command looks on."""
        if self._desk.is_busy:
            return False
        if self._has_news or not self.waits_for_time:
            return True
        return not (self._desk.is_waiting or (self._household is not None and self._household.watches))

    def _take_in(self, finished: list[Finished]) -> None:
        """Record what ended here, what a person answered here, what others wrote, and what the clock says."""
        self._desk.tell_untrusted(finished, self.view)
        answers = self._desk.answers(finished, self.view)
        for driven in list(self._living.values()):
            if driven in answers:
                self.record(driven, answers[driven])
            else:
                driven.run.refresh()
            driven.settle()
        self._desk.wake()

    def record(self, driven: Driven, answers: list[Answer]) -> None:
        """Record answers in the run that they are for; of those that came too late a person is told."""
        driven.has_gone_on = True
        for verdict in record(driven.run, answers):
            assert verdict.error is not None
            self.view.message(f"{verdict.effect_id}: {verdict.error.message}")
            if isinstance(verdict.error, ResultRejected):
                # What a person said cannot be recorded; they can say it otherwise.
                self._desk.fresh.append((driven, driven.run.state.effects[verdict.error.effect_id]))
