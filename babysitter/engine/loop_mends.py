"""Four places where asyncio itself is not the same on every replay, or leaves the loop of the process.

Each is as it was wherever the loop that runs is not one of ours.
"""

from __future__ import annotations

import asyncio
from asyncio import events, runners, tasks
from functools import wraps
from typing import TYPE_CHECKING, Any

from babysitter.engine.loop import Loop, running_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def mend_asyncio() -> None:
    """Put them in place, once; before the author's code can have them under names of its own."""
    if getattr(asyncio.as_completed, "__wrapped__", None) is None:
        asyncio.as_completed = tasks.as_completed = _in_order(tasks.as_completed)
        asyncio.run = runners.run = _refused_inside(runners.run)
        asyncio.new_event_loop = events.new_event_loop = _refused_inside(events.new_event_loop)
        tasks._GatheringFuture.__hash__ = _place_in_a_set  # type: ignore[attr-defined]


def _in_order(as_completed: Callable[..., Any]) -> Any:
    """asyncio makes a set of the coroutines, and begins them in the order of their addresses."""

    @wraps(as_completed)
    def begun_in_order(fs: Iterable[Any], *, timeout: float | None = None) -> Iterator[Any]:
        is_ours = running_loop() is not None and not asyncio.isfuture(fs) and not asyncio.iscoroutine(fs)
        begun = [asyncio.ensure_future(each) for each in dict.fromkeys(fs)] if is_ours else fs
        return as_completed(begun, timeout=timeout)  # type: ignore[no-any-return]

    return begun_in_order


def _refused_inside(function: Callable[..., Any]) -> Any:
    """asyncio raises a RuntimeError here, or makes a loop of its own; neither may pass unseen."""

    @wraps(function)
    def refused(*args: Any, **options: Any) -> Any:
        loop = running_loop()
        return function(*args, **options) if loop is None else loop.refuse(function.__name__)

    return refused


def _place_in_a_set(future: Any) -> int:
    """That of a gather() in the set that asyncio.wait() makes: by number, not by address."""
    loop = future.get_loop()
    if not isinstance(loop, Loop):
        return object.__hash__(future)
    if not hasattr(future, "_number"):
        future._number = loop.next_number()
    return future._number  # type: ignore[no-any-return]
