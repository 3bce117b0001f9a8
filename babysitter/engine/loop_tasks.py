"""What asyncio sees of branches and steps: a task for each branch, a future for what it waits for.

The tasks are those of the standard library, so that cancelling, timeouts and
task groups follow its rules and not ours. Only what a task drives is ours: it
looks at what the author's coroutine asks for, and gives asyncio a future for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, NoReturn

from babysitter import errors
from babysitter.engine.branches import JOINING, WAITING
from babysitter.engine.calls import Step
from babysitter.engine.places import NOWHERE

if TYPE_CHECKING:
    from contextvars import Context

    from babysitter.engine.branches import Branch
    from babysitter.engine.loop import Loop
    from babysitter.engine.loop_replay import LoopReplay
    from babysitter.engine.places import Place

# So gather() and create_task() take `ctx.task(…)` as they take the call of an `async def`.
Coroutine.register(Step)


class BranchCancelled(errors.BranchCancelled, asyncio.CancelledError):
    """A branch of ``ctx.parallel`` is given up; in asyncio's words, it is cancelled."""


class Future(asyncio.Future[Any]):
    """Its place in a set is the same on every replay: by number, not by address."""

    def __init__(self, loop: Loop) -> None:
        self._number = loop.next_number()
        super().__init__(loop=loop)  # type: ignore[arg-type] # asyncio uses no more of a loop than Loop has

    def __hash__(self) -> int:
        return self._number


class Answer(Future):
    """What a branch awaits from the engine: the result of an effect or of a group."""

    def __init__(self, replay: LoopReplay, branch: Branch) -> None:
        super().__init__(replay.loop)
        self._asyncio_future_blocking = True  # as `await` says it to the task
        self._replay = replay
        self._branch = branch
        self._cancelled_with: tuple[Any] | None = None

    def cancel(self, msg: Any = None) -> bool:
        """Give up what is awaited; a group ends first, as that of ``asyncio.gather`` does."""
        if self.done():
            return False
        if self._branch.state == WAITING:
            self._replay.drop(self._branch)
            return super().cancel(msg)
        if self._branch.state == JOINING and self._branch.joining is not None:
            self._cancelled_with = (msg,)
            self._branch.joining.abandon()
        return True

    def arrive(self) -> None:
        """What was awaited is there: in the inbox of the branch, where nothing else holds it."""
        if self._cancelled_with is None:
            self.set_result(None)
        else:
            self._branch.inbox_value = self._branch.inbox_error = None
            super().cancel(*self._cancelled_with)


class Driven(Coroutine[Any, Any, Any]):
    """A branch in the form in which a task drives it.

    Attributes:
        answer: what it awaits from the engine.
        is_told: it has got its ``BranchCancelled``, which comes once.
        has_given_up: it has given up the whole run, and has seen that where it did so.
        made_at: where the author has made the task.
        task: its task; None once it has ended, so that nothing of it is left for the garbage collector.
    """

    __slots__ = ("_replay", "answer", "branch", "has_given_up", "is_told", "made_at", "task")

    def __init__(self, replay: LoopReplay, branch: Branch) -> None:
        self._replay = replay
        self.branch = branch
        self.answer: Answer | None = None
        self.is_told = False
        self.has_given_up = False
        self.made_at: Place = NOWHERE
        self.task: BranchTask | None = None

    def send(self, _: Any) -> Any:
        return self._replay.advance(self)

    def throw(self, error: Any, *_: Any) -> Any:
        self.branch.inbox_value, self.branch.inbox_error = None, error
        del error  # its traceback leads to this frame, and so to itself
        return self._replay.advance(self)

    def cancel(self) -> None:
        """As asyncio cancels a task."""
        if self.task is not None:
            self.task.cancel()

    def close(self) -> None:
        """Nothing: a suspended coroutine is never closed."""

    def __await__(self) -> NoReturn:
        raise TypeError("a branch is driven by its task")


class BranchTask(asyncio.Task[Any]):
    """The task of a branch; its place in a set is that of its making."""

    def __init__(self, driven: Driven, loop: Loop, number: int, name: str, context: Context) -> None:
        self._number = number
        self.driven = driven
        driven.task = self
        # asyncio uses no more of a loop than Loop has.
        super().__init__(driven, loop=loop, name=name, context=context)  # type: ignore[arg-type]

    def __hash__(self) -> int:
        return self._number

    def cancel(self, msg: Any = None) -> bool:
        """As asyncio does; but whoever has given the run up has been told, and is left to its cleanup."""
        return self.driven.has_given_up or super().cancel(msg)
