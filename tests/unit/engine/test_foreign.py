"""What stands where asyncio looks for its running loop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from babysitter.engine.foreign import NoLoop, foreign_await
from babysitter.errors import ForeignAwait


class Watching:
    """Stands for a replay that hears of misuse."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def misuse(self, error: Any, place: tuple[str, int]) -> None:
        self.heard.append((type(error).__name__, place[0]))


@pytest.fixture
def no_loop() -> Any:
    loop = NoLoop(Watching())  # type: ignore[arg-type]
    loop.enter()
    yield loop
    loop.leave()


def test_touching_the_loop_is_an_error_and_is_heard_of(no_loop: Any) -> None:
    with pytest.raises(ForeignAwait, match="so there is no event loop"):
        asyncio.get_running_loop().create_future()
    assert no_loop._replay.heard == [("ForeignAwait", __file__)]


def test_asking_for_the_current_task_is_touching_the_loop(no_loop: Any) -> None:
    with pytest.raises(ForeignAwait):
        hash(no_loop)


def test_leaving_gives_the_place_back() -> None:
    loop = NoLoop(Watching())  # type: ignore[arg-type]
    loop.enter()
    loop.leave()
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()


def test_the_error_says_what_is_awaited_and_what_to_write() -> None:
    error, _ = foreign_await(None, "something")
    assert (str(error), error.hint.startswith("await only steps")) == (
        "the process awaits 'something', which is not a step",
        True,
    )


def test_a_bare_yield_is_guessed_to_be_a_sleep_of_asyncio() -> None:
    assert "asyncio.sleep(0)" in str(foreign_await(None, None)[0])
