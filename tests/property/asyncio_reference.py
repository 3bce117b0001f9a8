"""Processes with asyncio in them, on asyncio itself: an event loop of Python's own, with another clock.

What is ours in it: a timer is a step, whose turn comes when the test says so;
a task that the process makes takes a scope; and its place in a set is that of
its making. In all else this is the standard library.
"""

from __future__ import annotations

import asyncio
import contextvars
from typing import TYPE_CHECKING, Any

from tests.property.reference import CANCELLED, Reference, Scope, error_of, is_failure, scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.property.reference import Trace

# The tasks that are branches of ctx.parallel, or the process itself.
OURS = frozenset({"_branch", "_main", "_cleanup"})


class NumberedTask(asyncio.Task[Any]):
    """Its place in a set is that of its making."""

    def __init__(self, coroutine: Any, number: int, **options: Any) -> None:
        self.number = number
        self.has_given_up = False
        super().__init__(coroutine, **options)

    def __hash__(self) -> int:
        return self.number

    def cancel(self, msg: Any = None) -> bool:
        return self.has_given_up or super().cancel(msg)


class Clockwork(asyncio.SelectorEventLoop):
    """A real event loop whose timers are steps.

    Attributes:
        live: the tasks that have not ended, in the order of their making.
        timers: those that are set, by step.
    """

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self.trace = trace
        self.seconds = 0.0
        self.tasks = 0
        self.live: dict[NumberedTask, bool] = {}
        self.timers: dict[str, asyncio.TimerHandle] = {}
        self.set_task_factory(self.numbered)  # type: ignore[arg-type]

    def time(self) -> float:
        return self.seconds

    def numbered(self, _: Any, coroutine: Any, **options: Any) -> NumberedTask:
        is_ours = coroutine.__qualname__.rpartition(".")[2] in OURS
        context = options.pop("context", None) or contextvars.copy_context()
        if not is_ours:
            context.run(scope.set, Scope(f"{scope.get().next_step()}.0."))
        self.tasks += 1
        task = NumberedTask(coroutine, self.tasks, loop=self, context=context, **options)
        self.live[task] = is_ours
        task.add_done_callback(self.live.pop)
        return task

    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
        return self.call_at(self.seconds + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        if when <= self.seconds:
            self._ready.append(timer)  # type: ignore[attr-defined]
            return timer
        step = scope.get().next_step()
        self.trace.append(("asked", f"{step} sleep {when - self.seconds:g}"))
        self.timers[step] = timer
        return timer

    def _timer_handle_cancelled(self, timer: asyncio.TimerHandle) -> None:
        for step, known in [*self.timers.items()]:
            if known is timer:
                del self.timers[step]
                self.trace.append(("dropped", step))


class AsyncioReference(Reference):
    """A process on such a loop; when it returns, what it left running is cancelled, as in asyncio.run().

    Attributes:
        ended_at: how much it had done when it had ended.
    """

    loop: Clockwork

    def __init__(self, process: Callable[[Any, Any], Any], trace: Trace) -> None:
        self.trace = trace
        self.ended_at: int | None = None
        self.is_over = self.is_closed = False
        super().__init__(process, trace)

    def make_loop(self) -> Clockwork:
        return Clockwork(self.trace)

    def resolve(self, step: str, value: Any, error: BaseException | None) -> None:
        timer = self.loop.timers.pop(step, None)
        if timer is None:
            super().resolve(step, value, error)
        else:
            self.loop._ready.append(timer)  # type: ignore[attr-defined]
            self._settle()

    def give_up(self, reason: str) -> None:
        giver: Any = asyncio.current_task(self.loop)
        if giver is not None:
            # It raises the cancellation itself, and is left to its cleaning up.
            giver.has_given_up = True
        if self.cleaning is not None or not self.main.done():
            super().give_up(reason)

    async def _main(self, process: Callable[[Any, Any], Any]) -> Any:
        self._hear_of_end()
        return await super()._main(process)

    async def _cleanup(self, number: int, function: Callable[[], Any]) -> None:
        self._hear_of_end()
        await super()._cleanup(number, function)

    def _hear_of_end(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(self._close)

    def _close(self, task: asyncio.Task[Any]) -> None:
        error = error_of(task)
        if error is None or is_failure(error) or (task in self.told and isinstance(error, CANCELLED)):
            self._cancel_left()
        else:
            self.ended_at = len(self.trace)

    def _cancel_left(self) -> None:
        left = [task for task, is_ours in self.loop.live.items() if not is_ours]
        waits = len(left)

        def hear(_: Any) -> None:
            nonlocal waits
            waits -= 1
            if not waits:
                self._cancel_left()

        for task in left:
            task.add_done_callback(hear)
        for task in left:
            task.cancel()
        if not left:
            for timer in [*self.loop.timers.values()]:
                timer.cancel()
            self.is_over = True

    def _settle(self) -> None:
        self._run_until_quiet()
        while self.is_over and self.ended_at is None:
            self.is_over = False
            if self._goes_on_cleaning():
                self._run_until_quiet()
            else:
                self.ended_at = len(self.trace)

    def _run_until_quiet(self) -> None:
        while self.loop._ready and (self.ended_at is None or self.is_closed):  # type: ignore[attr-defined]
            self.loop.stop()
            self.loop.run_forever()

    @property
    def trace_to_end(self) -> Trace:
        """What it did before it ended; a loop goes on to the end of its turn."""
        return self.trace[: self.ended_at]

    @property
    def outcome(self) -> Any:
        if self.ended_at is None:
            return None
        if self.cleaning is not None and self.cleaning.done() and self.fault is None:
            failure = error_of(self.cleaning)
            if failure is not None and not is_failure(failure) and not isinstance(failure, CANCELLED):
                self.fault = failure
        return super().outcome

    def close(self) -> None:
        self.is_closed = True
        while self.loop.live:
            for task in [*self.loop.live]:
                asyncio.Task.cancel(task)
            for future, _ in [*self.waiting.values()]:
                future.cancel()
            self._run_until_quiet()
        self.loop.close()
