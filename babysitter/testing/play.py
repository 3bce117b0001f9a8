"""A play: a process is run in memory, and gets what a test says; time passes only when it is waited for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from babysitter.durations import seconds
from babysitter.errors import InvalidInput, ProcessError, ResultRejected
from babysitter.runs.inputs import prepare
from babysitter.runs.iterate import requested_in
from babysitter.runs.results import accept
from babysitter.runs.stopping import cancel_effect, cancel_run
from babysitter.testing.agenda import Agenda, Coming
from babysitter.testing.asked import Asked
from babysitter.testing.crashes import check_repeats
from babysitter.testing.execution import MemoryExecution
from babysitter.testing.hints import hinted
from babysitter.testing.memory import MemoryRun
from babysitter.testing.played import Played, goes_by

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Self

    from babysitter.testing.answers import Answers
    from babysitter.testing.execution import Known
    from babysitter.testing.processes import Given

__tracebackhide__ = True  # pytest shows the lines of the test, not ours
START = "2026-01-01T09:00:00.000Z"
RUN_ID = "play"
MOST_EFFECTS = 10_000


class Play(Played):
    """A run in memory that goes on step by step; made by ``begin`` and ``play``."""

    def __init__(
        self,
        source: Given,
        inputs: Any,
        answers: Answers,
        *,
        records: Mapping[str, Any],
        known: Known | None = None,
        seed: str | None = None,
        at: datetime | str,
        run_id: str,
        artifacts: str | None,
        most_effects: int,
    ) -> None:
        about = {
            "runId": run_id,
            "processId": source.process.__name__,
            "entrypoint": {"file": source.file, "export": source.process.__name__},
            "prompt": None,
            "createdAt": START,
        }
        given = prepare(source, {} if inputs is None else inputs)
        run = MemoryRun(about, given, clock_ms=_ms(at), artifacts=artifacts)
        run.create(source.digests, seed)
        super().__init__(run)
        self._answers = answers
        self._canned = records
        self._agenda = Agenda(run, answers)
        self._most_effects = most_effects
        self.execution = MemoryExecution(run, source, records, known)
        self.execution.start()
        self._write_round()

    # Step by step.

    @hinted
    def answer(self, name: str, result: Any = None) -> Self:
        """Answer one pending request, by task, step, title or question; the process goes on as far as it can.

        Raises:
            InvalidInput: none is pending by this name, or several are; or nobody could give such a result.
            ResultRejected: the result does not fit.
        """
        self.give([Coming(self._pending_by(name), result, None)])
        return self

    @hinted
    def cancel(self, name: str, *, by: str = "somebody") -> Self:
        """A person cancels one pending request: the process sees ``TaskCancelled`` at its ``await``.

        Raises:
            InvalidInput: none is pending by this name, or several are.
        """
        cancel_effect(self.run, self.run.state.effects[self._pending_by(name).effect_id], by=by)
        return self.go_on()

    @hinted
    def cancel_run(self, reason: str = "no longer needed", *, by: str = "somebody") -> Self:
        """A person gives the run up: its branches are cancelled, its cleanups begin."""
        cancel_run(self.run, by=by, reason=reason)
        return self.go_on()

    @hinted
    def advance(self, length: float | str) -> Self:
        """Let time pass: what becomes due comes, at its time, and so does what has an answer.

        ``length`` is in seconds, or a text such as ``"10m"``; 0 lets come what needs no time.
        A request without an answer stays pending.
        """
        until = self.run.clock_ms + round(seconds(length) * 1000)
        while coming := self._next(until, is_complete=False):
            self.give(coming)
        self.run.move_clock(until)
        return self

    @hinted
    def finish(self) -> Self:
        """Go on to the end, or until there is only what never comes.

        A mistake in which the process is stuck is written to standard error too.

        Raises:
            NoAnswer: the process asks for something for which the test has no answer.
            NondeterminismError: replayed from its journal, the process asks for something else.
        """
        while coming := self._next(None, is_complete=True):
            self.give(coming)
        self.check_that_it_repeats(len(self.events))
        if self.problem is not None:
            # Where a test fails because of it, what is written here is shown.
            sys.stderr.write(f"the process is stuck: {self.problem}\n")
        return self

    def _pending_by(self, name: str) -> Asked:
        fitting = [asked for asked in self.pending if goes_by(asked, name)]
        if len(fitting) != 1:
            pending = ", ".join(f"{asked} at step {asked.step}" for asked in self.pending)
            raise InvalidInput(
                f"{len(fitting)} pending requests go by {name!r}; pending: {pending or 'none'}"
            )
        return fitting[0]

    @property
    def unused(self) -> list[str]:
        """What the test gives and no request went by, such as ``results 'nonsense'``."""
        unused = [
            *self._answers.unused,
            *(("records", name) for name in self._canned if name not in self.records),
        ]
        return [f"{group} {name!r}" for group, name in unused]

    # As the parts of this package do it.

    @property
    def is_over(self) -> bool:
        """The process has ended, or is stuck."""
        return self.run.state.is_finished or self.execution.is_stuck

    def choices(self) -> list[Coming]:
        """What may come next, if anything may be slow; nothing when the play is over.

        Raises:
            NoAnswer
        """
        if self.is_over:
            return []
        self._agenda.look_at(self.pending, is_complete=True)
        return self._agenda.choices()

    def _next(self, until_ms: int | None, *, is_complete: bool) -> list[Coming]:
        if self.is_over:
            return []
        self._agenda.look_at(self.pending, is_complete=is_complete)
        return self._agenda.next(until_ms)

    def halt(self, reason: str, *, by: str) -> None:
        """Put into the journal that the run ends here, wherever the process is."""
        self.run.append([("RUN_HALTED", {"reason": reason, "by": by, "isAtOnce": True})])

    def give(self, coming: list[Coming]) -> None:
        """Let results come, all at once, in this order; the process goes on as far as it can.

        Raises:
            ResultRejected: one does not fit.
        """
        self.take(coming)
        self.go_on()

    def take(self, coming: list[Coming]) -> None:
        """Put results into the journal; the process does not see them yet.

        Raises:
            ResultRejected: one does not fit.
        """
        self.run.move_clock(max(each.due_ms or 0 for each in coming))
        verdicts = accept(self.run, [each.answer(self.run) for each in coming])
        for each, verdict in zip(coming, verdicts, strict=True):
            if verdict.error is not None:
                raise ResultRejected(verdict.effect_id, f"{each.asked!r}: {verdict.error.message}")

    def go_on(self) -> Self:
        """Let the process see what there is, and go on as far as it can."""
        self.execution.follow()
        self._write_round()
        return self

    def check_that_it_repeats(self, length: int) -> None:
        """Start again from the first ``length`` events: what follows must be what the journal has next.

        Raises:
            NondeterminismError: it is not.
        """
        check_repeats(self.execution, length)

    def _write_round(self) -> None:
        written = self.execution.write_round()
        new = requested_in(self.run.state, written)
        if new:
            args, definition_of = self.execution.args, self.run.definition_of
            self.batches.append([Asked(each, definition_of(each), args[each.step]) for each in new])
        if len(self.run.state.effects) > self._most_effects:
            raise ProcessError(
                f"the process has asked for {len(self.run.state.effects)} effects and has not ended",
                hint="let one of them never come (`never`), or allow more with most_effects=",
            )


def _ms(moment: datetime | str) -> int:
    from datetime import datetime

    read = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    if read.tzinfo is None:
        raise InvalidInput(f"the time {moment!r} has no time zone", hint="write at='2026-01-01T09:00:00Z'")
    return round(read.timestamp() * 1000)
