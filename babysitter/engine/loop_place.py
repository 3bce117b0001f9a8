"""Which event loop is the one that runs in this thread: ours, or another one around it or within."""

from __future__ import annotations

import asyncio
from asyncio import events, tasks
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from babysitter.engine.loop import Loop


class _Place:
    """A context in which another loop takes the place, or none; the one before is given it back.

    As long as a task of a loop runs, asyncio lets no other loop run one. So the task leaves with it.
    """

    __slots__ = ("_before", "_loop", "_task")

    def __init__(self, loop: Any) -> None:
        self._loop = loop

    def __enter__(self) -> None:
        before: Any = events._get_running_loop()
        self._before = before
        self._task: Any = None if before is None else asyncio.current_task(before)
        if self._task is not None:
            tasks._leave_task(before, self._task)
        events._set_running_loop(self._loop)

    def __exit__(self, *_: object) -> None:
        events._set_running_loop(self._before)
        if self._task is not None:
            tasks._enter_task(self._before, self._task)


def inside(loop: Loop) -> _Place:
    """Our loop is the one that runs."""
    return _Place(loop)


def outside() -> _Place:
    """None runs; what is called here may run one of its own."""
    return _Place(None)
