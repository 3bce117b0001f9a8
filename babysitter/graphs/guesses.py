"""Guesses at results of which no schema says what is in them: what the process stumbles over says more.

A process that is stuck with ``KeyError: 'commands'`` wants a result with that key; of what kind its
value is, is tried out. What it comes to is a stub like any other, only one with which it goes on.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from babysitter.graphs.hints import Alike, Hints
from babysitter.graphs.values import TEXT

if TYPE_CHECKING:
    from babysitter.graphs.stubs import Open

CANDIDATES: tuple[Any, ...] = (TEXT, 1, {}, [TEXT], [{}])
# So deep are results guessed at: a mapping, and what is in it.
DEEPEST = 3


class Choice:
    """A part of a task's result, and which candidate stands there; of ``key`` None it is the whole."""

    def __init__(self, task: str, key: str | None, hints: list[Any]) -> None:
        self.task = task
        self.key = key
        self.candidate = 0
        self._candidates = [*hints, *(each for each in CANDIDATES if each not in hints)]

    @property
    def value(self) -> Any:
        return self._candidates[self.candidate]

    @property
    def is_last(self) -> bool:
        """There is no other candidate left."""
        return self.candidate + 1 == len(self._candidates)


class Guesses:
    """All choices that are made so far, the last one on top; ``hints`` are tried first."""

    def __init__(self, hints: Hints | None = None) -> None:
        self.hints = hints if hints is not None else Hints({})
        self._choices: list[Choice] = []

    def value(self, result: Open) -> Any:
        """What is given for a result that is result."""
        chosen = [each for each in self._choices if each.task == result.task]
        whole = [each.value for each in chosen if each.key is None]
        keys = {each.key: each.value for each in chosen if each.key is not None}
        return _filled(whole[-1] if whole else result.first, keys, DEEPEST)

    def learn(self, problem: dict[str, Any], result: Open) -> bool:
        """Guess otherwise, as a mistake came after a result; False: there is nothing left to try."""
        key = _missing(problem)
        known = {each.key for each in self._choices if each.task == result.task}
        if key is not None and key not in known:
            self._choices.append(Choice(result.task, key, self.hints.keys.get(key, [])))
            return True
        if key is None and not known and not result.is_mapping:
            self._choices.append(Choice(result.task, None, []))
            return True
        return self._advance()

    def _advance(self) -> bool:
        while self._choices:
            last = self._choices[-1]
            if not last.is_last:
                last.candidate += 1
                return True
            self._choices.pop()
        return False


def _filled(value: Any, keys: dict[str, Any], depth: int) -> Any:
    """A mapping with all keys, and those in it too: which of them one belongs to nobody says."""
    if isinstance(value, list):
        return [_filled(each, keys, depth) for each in value]
    if not isinstance(value, dict) or depth == 0:
        return value
    if isinstance(value, Alike):
        return {key: each for key, each in keys.items() if type(each) is type(value.one)}
    return {key: _filled(each, keys, depth - 1) for key, each in keys.items()}


def _missing(problem: dict[str, Any]) -> str | None:
    if problem["name"] != "KeyError":
        return None
    try:
        key = ast.literal_eval(problem["message"])
    except (ValueError, SyntaxError):
        return None
    return key if isinstance(key, str) else None
