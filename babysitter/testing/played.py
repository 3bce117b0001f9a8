"""What has happened in a play: how it ended, what was asked for together, what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.engine.state import CANCELLED, COMPLETED, CONTINUED, HALTED, STUCK
from babysitter.jsontext import compact
from babysitter.testing.canned import Failure
from babysitter.testing.recording import outcome_of

if TYPE_CHECKING:
    from datetime import datetime

    from babysitter.journal.events import Event
    from babysitter.testing.asked import Asked
    from babysitter.testing.memory import MemoryRun

__tracebackhide__ = True  # pytest shows the lines of the test, not ours
LONGEST_OUTPUT = 200


class Played:
    """A run in memory, to be looked at.

    Attributes:
        run: its state and journal.
        batches: what the process asked for, as far as it was asked for together, in order.
    """

    def __init__(self, run: MemoryRun) -> None:
        self.run = run
        self._started_ms = run.clock_ms
        self.batches: list[list[Asked]] = []

    # How it ended.

    @property
    def status(self) -> str:
        """``completed``, ``failed``, ``halted``, ``continued``, ``stuck``, or ``waiting``."""
        return self.run.state.status

    @property
    def output(self) -> Any:
        """What the process returned, as JSON gives it back.

        Raises:
            AssertionError: it did not come to its end; says what it came to.
        """
        if self.status != COMPLETED:
            raise AssertionError(f"the process has no output: {self.told}")
        return self.run.output()

    @property
    def error(self) -> Failure | None:
        """What the process failed with: ``name``, ``message``, ``data``; None if it did not fail."""
        error = (self.run.state.ending or {}).get("error")
        if error is None:
            return None
        return Failure(error["name"], error["message"], error.get("data"), error.get("exitCode"))

    @property
    def reason(self) -> str | None:
        """Why the run was halted; None if it was not."""
        return (self.run.state.ending or {}).get("reason")

    @property
    def next_inputs(self) -> Any:
        """The inputs with which the process goes on in a new run, after ``ctx.continue_as_new``."""
        return (self.run.state.ending or {}).get("inputs")

    @property
    def problem(self) -> str | None:
        """The mistake in which it is stuck, with file, line, cure and traceback; None if it is not."""
        problem = self.run.state.problem
        if problem is None:
            return None
        where = f"{problem['file']}, line {problem['line']}: " if problem["file"] else ""
        said = f"{where}{problem['name']}: {problem['message']}"
        return "\n".join(part for part in (said, problem["hint"], problem["traceback"]) if part)

    @property
    def told(self) -> str:
        """How it stands, in words."""
        if self.status == STUCK:
            return f"stuck: {self.problem}"
        if self.error is not None:
            return f"failed with {self.error!r}"
        if self.status == HALTED:
            return f"halted: {self.reason}"
        if self.status == CONTINUED:
            return f"continued with {compact(self.next_inputs)[:LONGEST_OUTPUT]}"
        if self.status == COMPLETED:
            return f"completed with {compact(self.run.output())[:LONGEST_OUTPUT]}"
        waits = ", ".join(f"{asked} at step {asked.step}" for asked in self.pending)
        return f"{self.status}{f' for {waits}' if waits else ''}"

    # What was asked for.

    @property
    def tasks(self) -> list[list[str]]:
        """The names of the tasks of each batch."""
        return [[asked.task for asked in batch] for batch in self.batches]

    @property
    def titles(self) -> list[list[str]]:
        """What people read of each batch."""
        return [[asked.title for asked in batch] for batch in self.batches]

    @property
    def calls(self) -> list[list[str]]:
        """Each batch as calls: ``[["tests(path='src')", "review(diff='…')"]]``."""
        return [[str(asked) for asked in batch] for batch in self.batches]

    @property
    def lines(self) -> list[list[str]]:
        """Each batch in lines, as recorded runs have it: step, and command, prompt or arguments."""
        return [[asked.line for asked in batch] for batch in self.batches]

    @property
    def outcome(self) -> dict[str, Any]:
        """How it ended, as one value to compare: ``status``, and ``output``, ``error`` or ``reason``."""
        return outcome_of(self.run)

    @property
    def requests(self) -> list[Asked]:
        """Everything that was asked for, in order."""
        return [asked for batch in self.batches for asked in batch]

    def asked(self, name: str) -> list[Asked]:
        """What was asked for under this name: of a task or its step, or as title or question."""
        return [asked for asked in self.requests if goes_by(asked, name)]

    @property
    def pending(self) -> list[Asked]:
        """What nobody has answered yet."""
        return self._with_effects(self.run.state.pending)

    @property
    def cancelled(self) -> list[Asked]:
        """What was cancelled."""
        effects = self.run.state.effects
        return self._with_effects({each.id for each in effects.values() if each.status == CANCELLED})

    def _with_effects(self, ids: Any) -> list[Asked]:
        return [asked for asked in self.requests if asked.effect_id in ids]

    # What was said, and when.

    @property
    def events(self) -> list[Event]:
        """The journal; each event has ``type``, ``data`` and ``at``."""
        return list(self.run.journal.events)

    def _data_of(self, type: str) -> list[dict[str, Any]]:
        return [event.data for event in self.run.journal.events if event.type == type]

    @property
    def logs(self) -> list[str]:
        """What the process said by ``ctx.log``."""
        said = self._data_of("PROCESS_LOG")
        return [data["message"] for data in said if "message" in data and data.get("level") != "warning"]

    @property
    def warnings(self) -> list[str]:
        """What went wrong and changed nothing, such as an error in a branch that was given up."""
        said = self._data_of("PROCESS_LOG")
        return [data["message"] for data in said if data.get("level") == "warning"]

    @property
    def scores(self) -> dict[str, list[float]]:
        """What the process told by ``ctx.score``, by name; in a branch by path and name: ``3.0.score``."""
        told = self.run.state.scores.items()
        return {f"{scope}{name}": [score["value"] for score in series] for (scope, name), series in told}

    @property
    def records(self) -> dict[str, Any]:
        """What the process recorded, by name; of several by one name the last."""
        return {data["name"]: data["value"] for data in self._data_of("RECORDED")}

    @property
    def now(self) -> datetime:
        """What time it is in the play."""
        from datetime import UTC, datetime

        return datetime.fromtimestamp(self.run.clock_ms / 1000, tz=UTC)

    @property
    def elapsed(self) -> float:
        """Seconds on the clock of the play since it began."""
        return (self.run.clock_ms - self._started_ms) / 1000

    def __repr__(self) -> str:
        return f"<play: {self.told}>"


def goes_by(asked: Asked, name: str) -> bool:
    """Whether a request is meant by a name."""
    return name in (asked.step, asked.task, asked.title, asked.question, asked.effect_id)
