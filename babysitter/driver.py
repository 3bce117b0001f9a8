"""``run``: iterate and execute until the process has ended, or waits for somebody else.

The coroutine stays in memory. A result is appended first and fed only when it
was read back, together with whatever others have written; so the journal is
the same as step by step with the same grouping of results.
"""

from __future__ import annotations

import os

from babysitter.clock import iso, now_ms
from babysitter.engine.state import FINISHED
from babysitter.errors import BabysitterError, ResultRejected
from babysitter.executors.pool import Work
from babysitter.runs.execution import Execution
from babysitter.runs.iterate import due_at, sleepers, wake_sleepers
from babysitter.runs.results import Answer, accept, decide
from babysitter.runs.source import MODULE_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from babysitter.engine.state import Effect
    from babysitter.executors.pool import Finished, Pool
    from babysitter.journal.events import Event
    from babysitter.runs.run import Run

    class Asker(Protocol):
        """Puts breakpoints to a person."""

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

    def __init__(self, status: str, waiting_for: list[Effect], diverged: BabysitterError | None) -> None:
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
    ) -> None:
        """``kinds`` are what the pool performs here; without ``asker`` nobody waits for people."""
        self.run = run
        self.pool = pool
        self.view = view
        self.kinds = kinds
        self.asker = asker
        self.waits_for_time = waits_for_time
        self.interrupted = False
        self._execution: Execution | None = None
        self._fresh: list[Effect] = []
        self._offered: set[str] = set()
        self._asked: set[str] = set()
        self._seen_running: set[str] = set()

    def interrupt(self) -> None:
        """Stop at the next turn of the loop; called from a signal handler."""
        self.interrupted = True

    def drive(self) -> Ending:
        """Go on until nothing is left to do here.

        Raises:
            NondeterminismError, JournalError, StorageError, RunBusy
        """
        self._fresh = list(self.run.state.pending.values())
        self._listen()
        try:
            return self._drive()
        finally:
            self.pool.close(GRACE_SECONDS)

    def _listen(self) -> None:
        before = self.run.on_event

        def see(event: Event) -> None:
            if before is not None:
                before(event)
            if event.type == "EFFECT_REQUESTED":
                self._fresh.append(self.run.state.effects[event.data["effectId"]])
            elif event.type in ("EFFECT_RESOLVED", "EFFECT_CANCELLED"):
                self._close(event.data["effectId"])

        self.run.on_event = see

    def _drive(self) -> Ending:
        wake_sleepers(self.run)
        execution = self._execution = Execution(self.run)
        if not self.run.state.is_finished:
            execution.start()
        while True:
            execution.write_round()
            if (
                self.run.state.status in FINISHED
                or execution.end is not None
                or execution.diverged is not None
            ):
                return self._end(execution)
            self._hand_out()
            if self.interrupted or self._is_idle():
                return self._end(execution)
            self._take_in(self.pool.wait(self._patience()))
            self._show_running()
            execution.follow()

    def _end(self, execution: Execution) -> Ending:
        status = self.run.state.status
        if execution.diverged is not None:
            status = "diverged"
        elif self.interrupted and status not in FINISHED:
            status = "interrupted"
        return Ending(status, list(self.run.state.pending.values()), execution.diverged)

    def _hand_out(self) -> None:
        """Offer new effects to whoever performs them here."""
        fresh, self._fresh = self._fresh, []
        works = []
        for effect in fresh:
            if not effect.is_pending:
                continue
            if effect.kind in self.kinds:
                works.append(self._work(effect))
                self._offered.add(effect.id)
            elif effect.kind == "breakpoint" and self.asker is not None:
                self.asker.ask(effect, self.run.definition_of(effect))
                self._asked.add(effect.id)
        if works:
            self.pool.offer(works)

    def _work(self, effect: Effect) -> Work:
        definition = self.run.definition_of(effect)
        if effect.kind == "python":
            definition = {**definition, "python": self._located(definition["python"])}
        return Work(
            effect_id=effect.id,
            kind=effect.kind,
            definition=definition,
            run_id=self.run.run_id,
            folder=os.path.join(self.run.folder, "tasks", effect.id),
            project=self.run.project,
            run_folder=self.run.folder,
        )

    def _located(self, described: dict[str, Any]) -> dict[str, Any]:
        """Where the function is now: the journal has its name, the loaded process its file."""
        assert self._execution is not None
        source = self._execution.source
        module = described["module"]
        name = os.path.basename(source.file)
        process = {"file": source.file, "sha256": source.digests[name]}
        return {**described, "process": process, "module": None if module == MODULE_NAME else module}

    def _close(self, effect_id: str) -> None:
        """Nobody needs this effect any more: it was answered elsewhere, or cancelled."""
        if effect_id in self._offered:
            self._offered.discard(effect_id)
            self.pool.withdraw(effect_id)
        if effect_id in self._asked and self.asker is not None:
            self._asked.discard(effect_id)
            self.asker.withdraw(effect_id)

    def _is_idle(self) -> bool:
        """Nothing that is still pending can end while this command looks on."""
        if self._offered or self._asked:
            return False
        return not (self.waits_for_time and sleepers(self.run.state))

    def _patience(self) -> float:
        """How long the pool may wait before something else wants a look."""
        longest = TICK_SECONDS if self._offered or self._asked else POLL_SECONDS
        if self.waits_for_time:
            now = now_ms()
            for effect in sleepers(self.run.state):
                longest = min(longest, max(0.0, (due_at(effect) - now) / 1000))
        return longest

    def _take_in(self, finished: list[Finished]) -> None:
        """Record what ended here, what a person answered here, what others wrote, and what the clock says."""
        answers = [self._answer(end) for end in finished]
        if self.asker is not None:
            answers += [self._decision(effect_id, told) for effect_id, told in self.asker.answers()]
        if answers:
            # The children are over: withdrawing them when their own result is read back would be for nothing.
            self._offered.difference_update(end.effect_id for end in finished)
            self._record(answers)
        else:
            self.run.refresh()
        wake_sleepers(self.run)

    def _show_running(self) -> None:
        """Tell the view what runs now and what it printed last."""
        for effect_id, running in self.pool.running.items():
            if effect_id not in self._seen_running:
                self._seen_running.add(effect_id)
                self.view.executing(effect_id, running.started_ms)
            self.view.output(effect_id, running.last_line)
        self.view.tick()

    def _answer(self, end: Finished) -> Answer:
        return Answer(
            end.effect_id,
            end.status,
            end.value,
            end.error,
            executor=end.executor,
            started_at=iso(end.started_ms),
            finished_at=iso(end.finished_ms),
            evidence=end.evidence,
        )

    def _decision(self, effect_id: str, told: dict[str, Any]) -> Answer:
        return decide(self.run, self.run.state.effects[effect_id], **told)

    def _record(self, answers: list[Answer]) -> None:
        verdicts = accept(self.run, answers)
        unfit = []
        for answer, verdict in zip(answers, verdicts, strict=True):
            if isinstance(verdict.error, ResultRejected):
                unfit.append(_as_failure(answer, verdict.error))
            elif verdict.error is not None:
                self.view.message(f"{answer.effect}: {verdict.error.message}")
        if unfit:
            accept(self.run, unfit)


def _as_failure(answer: Answer, error: BabysitterError) -> Answer:
    """What a task gave cannot be recorded (too large, say): then the task has failed."""
    described = {"name": type(error).__name__, "message": error.message}
    return Answer(
        answer.effect,
        "error",
        None,
        described,
        executor=answer.executor,
        started_at=answer.started_at,
        finished_at=answer.finished_at,
        evidence=answer.evidence,
    )
