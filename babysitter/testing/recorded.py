"""A recorded run, played again: the results that it had, in their order, at their times."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from babysitter.clock import ms_of
from babysitter.errors import InvalidInput
from babysitter.jsontext import loads
from babysitter.runs.results import Answer
from babysitter.runs.stopping import cancel_effect, cancel_run
from babysitter.testing.agenda import Coming
from babysitter.testing.answers import Answers
from babysitter.testing.execution import Known
from babysitter.testing.hints import hinted
from babysitter.testing.play import MOST_EFFECTS, Play
from babysitter.testing.processes import given
from babysitter.testing.recording import FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.testing.asked import Asked
    from babysitter.testing.memory import MemoryRun
    from babysitter.testing.processes import Given, Process

__tracebackhide__ = True  # pytest shows the lines of the test, not ours


class Recorded:
    """What ``babysitter process test --from RUN`` has written of a run.

    Attributes:
        lines: what was asked for, each batch in lines; compare with ``Play.lines``.
        outcome: how it ended; compare with ``Play.outcome``.
    """

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        self.lines: list[list[str]] = [each["asked"] for each in told["rounds"] if each["asked"]]
        self.outcome: dict[str, Any] = told["outcome"]

    @hinted
    def play(self, process: Process | Given) -> Play:
        """The process in its present form, with what came in then.

        A result whose step nobody waits at any more is left out, and what is
        newly asked for stays pending: ``lines`` and ``outcome`` show it.

        Raises:
            ResultRejected: a result no longer fits the schema of its task.
            NondeterminismError: replayed from its journal, the process asks for something else.
        """
        *_, (_, play) = self.rounds_of(given(process))
        play.check_that_it_repeats(len(play.events))
        return play

    def rounds_of(self, source: Given) -> Iterator[tuple[list[dict[str, Any]], Play]]:
        """The play after each round, and what came in it; there is always a first one."""
        play = self._begin(source)
        for each in self._told["rounds"]:
            for came in each["came"]:
                _come(play, came)
            yield each["came"], play.go_on()

    def _begin(self, source: Given) -> Play:
        told = self._told
        return Play(
            source,
            told["inputs"],
            Answers(),
            records={},
            known=Known(
                {(scope, index): (name, value) for scope, index, name, value in told["records"]},
                told["patches"],
                is_held=told.get("isHeld", False),
            ),
            seed=told["seed"],
            at=told["at"],
            run_id=told["run"],
            artifacts=told["artifacts"],
            most_effects=MOST_EFFECTS,
        )


class _Came(Coming):
    """A result as it was recorded."""

    def __init__(self, asked: Asked, told: dict[str, Any]) -> None:
        super().__init__(asked, None, ms_of(told["at"]))
        self._told = told

    def answer(self, run: MemoryRun) -> Answer:
        status = "error" if "error" in self._told else "ok"
        error = self._told.get("error")
        return Answer(self.asked.effect_id, status, self._told.get("value"), error, executor="recorded")


def _come(play: Play, told: dict[str, Any]) -> None:
    if "halts" in told and not play.run.state.is_finished:
        play.halt(told["reason"], by="recorded")
    if play.is_over:
        return
    if told.get("cancels") == "run":
        cancel_run(play.run, by="recorded", reason=told["reason"])
        return
    for asked in play.pending:
        if (asked.step, asked.task) == (told["step"], told["task"]):
            if "cancels" in told:
                effect = play.run.state.effects[asked.effect_id]
                cancel_effect(play.run, effect, by="recorded", why=told.get("why", ""))
            else:
                play.take([_Came(asked, told)])


def recorded(file: str | os.PathLike[str]) -> Recorded:
    """The recorded run in a JSON file.

    Raises:
        InvalidInput: it is none.
    """
    try:
        with open(file, "rb") as opened:
            told = loads(opened.read())
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{os.fspath(file)!r} cannot be read as a recorded run: {error}") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise InvalidInput(
            f"{os.fspath(file)!r} is no recorded run of this version",
            hint="make it again: babysitter process test --from RUN --force",
        )
    return Recorded(told)
