"""Awaiting what is not a step: noticed whatever the author catches, and named with file and line.

What reaches the engine itself, a future or a bare yield, is plain to see. But
most of asyncio asks for the running event loop first and raises RuntimeError
when there is none, which an author's ``except Exception`` would swallow. So
while a process runs, a stand-in takes the loop's place: touching it makes the
run stuck. asyncio is never imported for that; a process that imports it first
within the same stretch of code still gets its RuntimeError.
"""

from __future__ import annotations

import sys

from babysitter.engine.places import place_of_await, place_of_call
from babysitter.errors import ForeignAwait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from babysitter.engine.places import Place
    from babysitter.engine.replay import Replay

NEEDS_IMPORT = "write `import asyncio` at the top of the process file, and the process has an event loop"
CURE = "await only steps: ctx.task, ctx.parallel, ctx.sleep …; put other awaiting into a @python task"


def foreign_await(coroutine: Any, asked: Any) -> tuple[ForeignAwait, Place]:
    """The error for something that is not a step, and where in the author's code it is awaited."""
    what = "a bare yield (asyncio.sleep(0)?)" if asked is None else repr(asked)
    error = ForeignAwait(f"the process awaits {what}, which is not a step", hint=CURE)
    return error, place_of_await(coroutine)


def missing_loop() -> ForeignAwait:
    """The error for asking asyncio for what only an event loop has."""
    return ForeignAwait(
        "the process uses asyncio without importing it, so there is no event loop", hint=NEEDS_IMPORT
    )


class NoLoop:
    """Stands where asyncio looks for its running loop, and refuses to be one."""

    __slots__ = ("_before", "_replay")

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self._before: Any = None

    def enter(self) -> None:
        """Take the place, if asyncio is loaded at all."""
        events = sys.modules.get("asyncio.events")
        if events is not None:
            self._before = events._get_running_loop()
            events._set_running_loop(self)

    def leave(self) -> None:
        """Give the place back to whoever had it."""
        events = sys.modules.get("asyncio.events")
        if events is not None:
            events._set_running_loop(self._before)

    def __getattr__(self, name: str) -> Any:
        self._refuse()

    def __hash__(self) -> int:
        # asyncio looks up the current task by its loop.
        return int(self._refuse())

    def _refuse(self) -> NoReturn:
        error = missing_loop()
        self._replay.misuse(error, place_of_call(sys._getframe(2)))
        raise error
