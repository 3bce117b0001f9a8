"""Results that somebody gives to a dry run, in the place of stubs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.errors import InvalidInput
from babysitter.jsontext import compact
from babysitter.testing import approves, rejects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from babysitter.testing import Asked

FEEDBACK = "stub feedback"
MISSING = object()


class Told:
    """Results by the names of what they are for; the nearest name counts.

    Of several by one name each is for one request, and the last for all that come after.

    Attributes:
        unused: names by which nothing went yet.
    """

    def __init__(self, results: Iterable[tuple[str, Any]]) -> None:
        self._results: dict[str, list[Any]] = {}
        for name, value in results:
            self._results.setdefault(name, []).append(value)
        self.unused = dict.fromkeys(self._results)
        self._turns = dict.fromkeys(self._results, 0)

    def begin(self) -> None:
        """The next dry run begins: the first of each name comes first again."""
        self._turns = dict.fromkeys(self._results, 0)

    def find(self, asked: Asked) -> Any:
        """The result for a request; MISSING where none was given.

        Raises:
            InvalidInput: it is no answer to a breakpoint.
        """
        for name in _names(asked):
            if name in self._results:
                self.unused.pop(name, None)
                value = self._next(name)
                return _decision(asked, name, value) if asked.kind == "breakpoint" else value
        return MISSING

    def _next(self, name: str) -> Any:
        values, turn = self._results[name], self._turns[name]
        self._turns[name] = turn + 1
        return values[min(turn, len(values) - 1)]


def _names(asked: Asked) -> Iterator[str]:
    """What a request goes by: its step, its title, what it is in its kind, its task."""
    yield asked.step
    yield asked.title
    told = asked.definition.get(asked.kind)
    if isinstance(told, dict):
        yield from (told[name] for name in ("id", "question", "process", "name") if told.get(name))
    yield asked.task


def _decision(asked: Asked, name: str, value: Any) -> Any:
    options = asked.definition["breakpoint"].get("options") or []
    # What reads as JSON has come as such: of an option that is called 1 or true its text was meant.
    text = value if isinstance(value, str) else compact(value)
    if text in options:
        return approves(option=text)
    if text in ("yes", "true"):
        return approves(option=options[0] if options else None)
    if text in ("no", "false"):
        return rejects(FEEDBACK)
    known = ", ".join(["yes", "no", *options])
    raise InvalidInput(f"{text!r} is no answer to breakpoint {name!r}; there are {known}")
