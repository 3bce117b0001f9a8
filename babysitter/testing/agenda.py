"""What comes next in a play: results that can come at any time, and those that have a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.clock import iso
from babysitter.runs.results import Answer
from babysitter.runs.sleeping import deadline_of_breakpoint, due_at
from babysitter.testing.canned import Never
from babysitter.testing.values import answer_of, undecided

if TYPE_CHECKING:
    from collections.abc import Iterable

    from babysitter.engine.state import Effect
    from babysitter.testing.answers import Answers
    from babysitter.testing.asked import Asked
    from babysitter.testing.memory import MemoryRun

__tracebackhide__ = True  # pytest shows the lines of the test, not ours


class Undecided:
    """Nobody has answered a breakpoint in time."""


class Coming:
    """A result on its way.

    Attributes:
        due_ms: when it comes; None: whenever the test lets it come.
    """

    def __init__(self, asked: Asked, result: Any, due_ms: int | None) -> None:
        self.asked = asked
        self.result = result
        self.due_ms = due_ms

    def is_before(self, at_ms: int) -> bool:
        """It comes by then, if it comes at all."""
        return not isinstance(self.result, Never) and (self.due_ms is None or self.due_ms < at_ms)

    def answer(self, run: MemoryRun) -> Answer:
        """What the run is told when it comes."""
        if self.asked.kind == "sleep":
            ended = iso(self.due_ms or run.clock_ms)
            return Answer(self.asked.effect_id, "ok", None, executor="clock", finished_at=ended)
        if isinstance(self.result, Undecided):
            return undecided(self.asked, iso(self.due_ms or run.clock_ms))
        return answer_of(run, self.asked, self.result)


class Agenda:
    """The results that are on their way to one run."""

    def __init__(self, run: MemoryRun, answers: Answers) -> None:
        self._run = run
        self._answers = answers
        self._coming: dict[str, Coming] = {}

    def look_at(self, pending: Iterable[Asked], *, is_complete: bool) -> None:
        """Take the test's answers to what is pending; each is asked for once.

        Raises:
            NoAnswer: there is none, and ``is_complete`` says that there should be.
        """
        coming = {}
        for asked in pending:
            known = self._coming.get(asked.effect_id) or self._take(asked)
            if known is not None:
                coming[asked.effect_id] = known
            elif is_complete:
                raise self._answers.missing(asked)
        self._coming = coming

    def _take(self, asked: Asked) -> Coming | None:
        effect = self._run.state.effects[asked.effect_id]
        if asked.kind == "sleep":
            return Coming(asked, None, due_at(effect))
        at_ms = deadline_of_breakpoint(self._run, effect) if asked.kind == "breakpoint" else None
        given = self._given(asked, effect)
        if at_ms is not None and (given is None or not given.is_before(at_ms)):
            return Coming(asked, Undecided(), at_ms)
        return given

    def _given(self, asked: Asked, effect: Effect) -> Coming | None:
        if asked not in self._answers:
            return None
        timed = self._answers.take(asked)
        due = None if timed.after is None else effect.requested_ms + round(timed.after * 1000)
        return Coming(asked, timed.result, due)

    @property
    def _on_its_way(self) -> list[Coming]:
        return [each for each in self._coming.values() if not isinstance(each.result, Never)]

    @property
    def at_any_time(self) -> list[Coming]:
        """What has no time, in the order of requests."""
        return [each for each in self._on_its_way if each.due_ms is None]

    @property
    def by_time(self) -> list[Coming]:
        """What has a time, in the order in which it comes; at one moment in the order of requests."""
        return sorted(
            (each for each in self._on_its_way if each.due_ms is not None), key=lambda each: each.due_ms or 0
        )

    def next(self, until_ms: int | None) -> list[Coming]:
        """All that comes at the next moment, unless that is later than ``until_ms``."""
        if self.at_any_time:
            return self.at_any_time
        timed = self.by_time
        if not timed or (until_ms is not None and (timed[0].due_ms or 0) > until_ms):
            return []
        moment = max(timed[0].due_ms or 0, self._run.clock_ms)
        return [each for each in timed if (each.due_ms or 0) <= moment]

    def choices(self) -> list[Coming]:
        """What may come next, if anything may be slow: of those that have a time only the first."""
        return [*self.at_any_time, *self.by_time[:1]]
