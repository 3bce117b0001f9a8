"""Stub results: what a dry run gives for each request, so that it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.graphs.keys import key_of
from babysitter.graphs.values import value_for
from babysitter.runs.schemas import misfits
from babysitter.testing import approves, fails, rejects

if TYPE_CHECKING:
    from babysitter.engine.tasks import Task
    from babysitter.graphs.keys import Key
    from babysitter.testing import Asked, Play

FEEDBACK = "stub feedback"


class Stubs:
    """The answers of one dry run.

    Attributes:
        play: the run that they are for; it is known as soon as it has begun.
        rejected: the one breakpoint that is answered with no; None: all are answered with yes.
    """

    def __init__(self, rejected: Key | None = None) -> None:
        self.rejected = rejected
        self.play: Play | None = None

    def __call__(self, asked: Asked) -> Any:
        """What is given for a request; a failure where nothing that fits is found."""
        if asked.kind == "breakpoint":
            return self._decision(asked)
        if asked.kind == "shell":
            return "{}" if asked.definition["shell"].get("parse") else 0
        if asked.kind == "hook":
            return []
        schema = self._schema(asked)
        if schema is None:
            return {} if asked.kind in ("subprocess", "python") else "stub"
        value = value_for(schema)
        return fails("NoStub", "no stub fits its schema") if misfits(schema, value) else value

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
    """The schema of what the function of a python task says that it returns; None when it says nothing clear."""
    from typing import get_type_hints

    from pydantic import TypeAdapter

    try:
        # It may name what only type checkers import, or no schema can be made of it.
        told = get_type_hints(task.function).get("return", Any)
        return None if told is Any else TypeAdapter(told).json_schema()
    except Exception:
        return None
