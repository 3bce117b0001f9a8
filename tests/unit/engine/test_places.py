"""Places: which lines of a traceback or a stack are the author's."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

import pytest

import babysitter
from babysitter.engine.places import NOWHERE, is_authors, place_of, place_of_await, place_of_call
from tests.support.rounds import line_of

PACKAGE = os.path.dirname(os.path.abspath(babysitter.__file__))


@pytest.mark.parametrize(
    ("file", "is_own"),
    [
        ("/home/me/project/process.py", True),
        (os.path.join(PACKAGE, "_plugin", "processes", "checks", "process.py"), True),
        (os.path.join(PACKAGE, "engine", "replay.py"), False),
        (json.__file__, False),
        ("/home/me/project/.venv/lib/python3.13/site-packages/httpx/client.py", False),
        ("<string>", False),
        ("<frozen importlib._bootstrap>", False),
    ],
)
def test_a_file_is_the_authors_unless_it_is_ours_pythons_or_installed(file: str, is_own: bool) -> None:
    assert is_authors(file) == is_own


def parses() -> None:
    json.loads("{")  # here


def test_the_place_of_an_error_is_the_authors_last_line() -> None:
    with pytest.raises(ValueError) as caught:
        parses()
    assert place_of(caught.value.__traceback__) == line_of(parses)


def test_an_error_without_a_line_of_the_author_has_no_place() -> None:
    assert place_of(None) is None


def test_the_place_of_a_call_is_the_authors_line_above_it() -> None:
    def calls() -> Any:
        return place_of_call(sys._getframe())  # here

    assert calls() == line_of(calls)


def test_without_a_frame_of_the_author_a_call_is_nowhere() -> None:
    assert place_of_call(None) == NOWHERE


def test_the_place_of_an_await_is_the_innermost_of_the_author() -> None:
    async def inner() -> None:
        await asyncio.sleep(0)  # here

    async def outer() -> None:
        await inner()

    coroutine = outer()
    coroutine.send(None)
    place = place_of_await(coroutine)
    coroutine.close()
    assert place == line_of(inner)
