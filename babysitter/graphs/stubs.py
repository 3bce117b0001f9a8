"""Stub results: what a dry run gives for each request, so that it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.graphs.keys import key_of, place_of
from babysitter.graphs.scenarios import USUAL, doubled
from babysitter.graphs.told import FEEDBACK, MISSING
from babysitter.graphs.values import TEXT, value_for
from babysitter.jsontext import compact
from babysitter.runs.schemas import misfits
from babysitter.testing import approves, exits, fails, rejects

if TYPE_CHECKING:
    from babysitter.engine.tasks import Task
    from babysitter.graphs.guesses import Guesses
    from babysitter.graphs.keys import Key
    from babysitter.graphs.scenarios import Scenario
    from babysitter.graphs.told import Told
    from babysitter.testing import Asked, Play

STUB_FAILED = "StubFailed"


class Open:
    """A result of which nothing says what is in it.

    Attributes:
        first: what is given as long as nothing is known.
        is_mapping: it is a JSON object, though.
    """

    def __init__(self, task: str, first: Any, *, is_mapping: bool) -> None:
        self.task = task
        self.first = first
        self.is_mapping = is_mapping


class Stubs:
    """The answers of one dry run.

    Attributes:
        play: the run that they are for; it is known as soon as it has begun.
        rejected: the one breakpoint that is answered with no; None: all are answered with yes.
        told: results that somebody has given, which come before all stubs.
        last_open: the last result that was a guess.
        open_tasks: those whose results were guesses.
    """

    def __init__(
        self,
        guesses: Guesses,
        rejected: Key | None = None,
        scenario: Scenario = USUAL,
        told: Told | None = None,
    ) -> None:
        self.rejected = rejected
        self.told = told
        if told is not None:
            told.begin()
        self.open_tasks: dict[str, None] = {}
        self._scenario = scenario
        self._failing = dict(scenario.failing)
        self._asked: dict[Key, int] = {}
        self.play: Play | None = None
        self.last_open: Open | None = None
        self._guesses = guesses

    def __call__(self, asked: Asked) -> Any:
        """What is given for a request; a failure where nothing that fits is found."""
        given = MISSING if self.told is None else self.told.find(asked)
        return self._stub(asked) if given is MISSING else given

    def _stub(self, asked: Asked) -> Any:
        if asked.kind == "breakpoint":
            return self._decision(asked)
        if asked.kind == "hook":
            return []
        if self._fails(asked):
            is_result = asked.kind == "shell" and not asked.definition["shell"].get("check", True)
            return exits(1) if is_result else fails(STUB_FAILED, "a stub that fails", exit_code=1)
        if asked.kind == "shell":
            is_parsed = asked.definition["shell"].get("parse")
            return compact(self._guessed(asked, {})) if is_parsed else 0
        return self._fitting(asked, self._schema(asked))

    def _fitting(self, asked: Asked, schema: Any) -> Any:
        if schema is None:
            return self._guessed(asked, {} if asked.kind in ("subprocess", "python") else TEXT)
        value = value_for(schema, is_high=self._scenario.is_high)
        if value == {} and "properties" not in schema:
            return self._guessed(asked, {}, is_mapping=True)
        twice = doubled(value) if self._scenario.is_double else value
        if not misfits(schema, twice):
            return twice
        return fails("NoStub", "no stub fits its schema") if misfits(schema, value) else value

    def _guessed(self, asked: Asked, first: Any, *, is_mapping: bool = False) -> Any:
        self.open_tasks[asked.task] = None
        if asked.task in self._scenario.rich and not is_mapping:
            return [self._guesses.hints.everything]
        self.last_open = Open(asked.task, first, is_mapping=is_mapping)
        value = self._guesses.value(self.last_open)
        return doubled(value) if self._scenario.is_double else value

    def _fails(self, asked: Asked) -> bool:
        if self._site(asked) is None or self.play is None:
            return False
        place = place_of(asked.step, self.play.execution.sites)
        count = self._asked[place] = self._asked.get(place, 0) + 1
        return place in self._failing and count % self._failing[place] == 0

    def _decision(self, asked: Asked) -> Any:
        site = self._site(asked)
        if self.rejected is not None and site is not None and key_of(site) == self.rejected:
            return rejects(FEEDBACK)
        options = asked.definition["breakpoint"].get("options") or [None]
        return approves(option=options[0])

    def _site(self, asked: Asked) -> Any:
        return None if self.play is None else self.play.execution.sites.steps.get(asked.step)

    def _schema(self, asked: Asked) -> Any:
        if asked.kind == "python":
            site = self._site(asked)
            return None if site is None else returned_schema(site.task)
        told = asked.definition.get(asked.kind)
        return told.get("outputSchema") if isinstance(told, dict) else None


def returned_schema(task: Task[..., Any]) -> Any:
    """The schema of what a python task's function says that it returns; None when that is not clear."""
    from typing import get_type_hints

    from pydantic import TypeAdapter

    try:
        # It may name what only type checkers import, or no schema can be made of it.
        told = get_type_hints(task.function).get("return", Any)
        return None if told is Any else TypeAdapter(told).json_schema()
    except Exception:
        return None
