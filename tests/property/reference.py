"""What the engine must do, said a second time: processes as plain asyncio tasks and futures.

The order in which things happen is that of asyncio's loop. A group is a future
that its parent awaits, as in ``asyncio.gather``: cancelling it cancels the
branches at once, and the parent hears of it when all of them have ended.
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import inspect
import json
from typing import TYPE_CHECKING, Any

from babysitter.engine.outcomes import Outcome
from babysitter.errors import AllFailed, BranchTimeout, Failed, TaskCancelled, TaskFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

Trace = list[tuple[str, str]]
# What a process lets through without being wrong.
FAILURES = (Failed, TaskFailed, TimeoutError)


class Scope:
    """Where a branch is in the process, and how many steps it has taken."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.steps = 0
        self.keys: dict[str, int] = {}

    def next_step(self, key: str | None = None) -> str:
        if key is None:
            self.steps += 1
            return f"{self.path}{self.steps}"
        self.keys[key] = self.keys.get(key, 0) + 1
        return f"{self.path}{key}" + (f"~{self.keys[key]}" if self.keys[key] > 1 else "")


scope: contextvars.ContextVar[Scope] = contextvars.ContextVar("scope")


class Reference:
    """A process on an event loop of its own.

    Attributes:
        trace: what was asked for and dropped, in order.
        waiting: the future of each step that waits, with its task's id.
    """

    def __init__(self, process: Callable[[Any, Any], Any], trace: Trace) -> None:
        self.trace = trace
        self.waiting: dict[str, tuple[Answer, str]] = {}
        self.loop: asyncio.AbstractEventLoop = self.make_loop()
        # Errors that nobody sees any more are what abandoned branches end with.
        self.loop.set_exception_handler(lambda *_: None)
        self.given_up: str | None = None
        self.cleanups: list[tuple[int, Callable[[], Any]]] = []
        self.registered = 0
        self.cleaning: asyncio.Task[Any] | None = None
        self.fault: BaseException | None = None
        self.told: set[asyncio.Task[Any]] = set()
        self.main = self.loop.create_task(self._main(process))
        self._settle()

    def make_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.new_event_loop()

    async def _main(self, process: Callable[[Any, Any], Any]) -> Any:
        scope.set(Scope(""))
        return await process(None, Context(self))

    async def _cleanup(self, number: int, function: Callable[[], Any]) -> None:
        scope.set(Scope(f"cleanup.{number}."))
        begun = function()
        if inspect.isawaitable(begun):
            await begun

    def give_up(self, reason: str) -> None:
        """Cancel the process, or, once it has ended, the cleanup that asks for it."""
        if self.cleaning is not None:
            self._cancel(self.cleaning)
        elif self.given_up is None:
            self.given_up = reason
            self._cancel(self.main)

    def give_up_now(self, reason: str) -> None:
        """The same from outside, too late once the process has ended; cleanups are left alone."""
        if not self.main.done():
            self.give_up(reason)
            self._settle()

    def _cancel(self, task: asyncio.Task[Any]) -> None:
        # Each once; and whoever asks for it raises the cancellation itself.
        is_new = task not in self.told
        self.told.add(task)
        if is_new and task is not asyncio.current_task(self.loop):
            task.cancel()

    def resolve(self, step: str, value: Any, error: BaseException | None) -> None:
        """Feed one result; whoever waits no more does not get it."""
        if step in self.waiting:
            future, _ = self.waiting.pop(step)
            future.set_result(value) if error is None else future.set_exception(error)
            self._settle()

    def _settle(self) -> None:
        self._run_until_quiet()
        while self.main.done() and self._goes_on_cleaning():
            self._run_until_quiet()

    def _run_until_quiet(self) -> None:
        while self.loop._ready:  # type: ignore[attr-defined]
            self.loop.stop()
            self.loop.run_forever()

    def _goes_on_cleaning(self) -> bool:
        """Whether a cleanup was begun now; not after a mistake, and one after the other."""
        if self.cleaning is not None:
            if not self.cleaning.done():
                return False
            failure = error_of(self.cleaning)
            if failure is not None and not is_failure(failure) and not isinstance(failure, CANCELLED):
                self.fault = failure
        if self.fault is not None or self._is_wrong() or not self.cleanups:
            return False
        self.cleaning = self.loop.create_task(self._cleanup(*self.cleanups.pop()))
        return True

    def _is_wrong(self) -> bool:
        error = error_of(self.main)
        if error is None or is_failure(error):
            return False
        return self.given_up is None or not isinstance(error, CANCELLED)

    @property
    def outcome(self) -> Any:
        """How the process ended, and with what; None while it, or a cleanup, waits."""
        if not self.main.done() or (self.cleaning is not None and not self.cleaning.done()):
            return None
        error = self.fault or error_of(self.main)
        if self.fault is not None or self._is_wrong():
            return "stuck", None, error
        if self.given_up is not None:
            return "halted", self.given_up, None
        return ("failed", None, error) if error else ("completed", self.main.result(), None)

    def close(self) -> None:
        """Let go of a process that still waits."""
        for task in [self.main, *([self.cleaning] if self.cleaning else [])]:
            task.cancel()
            while not task.done():
                self._run_until_quiet()
                for future, _ in list(self.waiting.values()):
                    future.cancel()
        self.loop.close()


CANCELLED = asyncio.CancelledError


def error_of(task: asyncio.Task[Any]) -> BaseException | None:
    """What a task has ended with."""
    return CANCELLED() if task.cancelled() else task.exception()


def is_failure(error: BaseException) -> bool:
    """Whether a process may end with this."""
    if isinstance(error, AllFailed):
        return all(is_failure(each) for each in error.errors)
    if isinstance(error, BaseExceptionGroup):
        return all(is_failure(each) for each in error.exceptions)
    return isinstance(error, FAILURES)


class Context:
    """The part of the author's context that random processes use."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.parallel = Parallel(reference)

    def task(self, task: Any) -> Call:
        return Call(self.reference, task)

    async def timeout(self, _: float, thunk: Any) -> Any:
        """The one that ends first of the branch and a sleep."""

        async def clock() -> None:
            await Answer(self.reference, scope.get().next_step(), "sleep")
            raise BranchTimeout(9)

        return await self.parallel._join("race", [thunk, clock], ["branch", "clock"], None)

    def halt(self, reason: str) -> None:
        self.reference.give_up(reason)
        raise CANCELLED

    def on_cleanup(self, function: Callable[[], Any]) -> None:
        self.reference.registered += 1
        self.reference.cleanups.append((self.reference.registered, function))


class Call:
    """Lazy, as a coroutine is; but nobody minds when it is never awaited."""

    def __init__(self, reference: Reference, task: Any) -> None:
        self.reference = reference
        self.task = task

    def __await__(self) -> Generator[Any, Any, Any]:
        step, retry = scope.get().next_step(self.task.key), self.task.retry
        for attempt in range(1, (retry.max_attempts if retry else 1) + 1):
            try:
                return (yield from Answer(self.reference, step, self.task.id))
            except TaskFailed as error:
                if not retry or attempt == retry.max_attempts or not is_tried_again(error, retry):
                    raise
            if retry._waits != [0]:
                yield from Answer(self.reference, f"{step}~retry{attempt}", "sleep")
        raise AssertionError


def is_tried_again(error: TaskFailed, retry: Any) -> bool:
    """By name when the Retry has names; never what a person has cancelled."""
    if isinstance(error, TaskCancelled):
        return False
    return retry._on is None or error.name == "Odd"


class Answer(asyncio.Future[Any]):
    """The result of one effect, to come."""

    def __init__(self, reference: Reference, step: str, task: str) -> None:
        super().__init__(loop=reference.loop)
        self.reference = reference
        self.step = step
        reference.trace.append(("asked", step))
        reference.waiting[step] = self, task

    def cancel(self, msg: Any = None) -> bool:
        if self.reference.waiting.pop(self.step, None):
            self.reference.trace.append(("dropped", self.step))
        return super().cancel(msg)


class Parallel:
    """Groups, as an author asks for them."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference

    async def all(self, thunks: Any, limit: int | None = None) -> Any:
        if not isinstance(thunks, dict):
            return await self._join("all", thunks, None, limit)
        values = await self._join("all", list(thunks.values()), list(thunks), limit)
        return dict(zip(thunks, values, strict=True))

    async def settled(self, thunks: Sequence[Any], limit: int | None = None) -> Any:
        return await self._join("settled", thunks, None, limit)

    async def any(self, thunks: Sequence[Any]) -> Any:
        return await self._join("any", thunks, None, None)

    async def race(self, thunks: Sequence[Any]) -> Any:
        return await self._join("race", thunks, None, None)

    async def map(self, items: list[Any], function: Callable[[Any], Any], limit: int | None = None) -> Any:
        names = list[str]()
        for item in items:
            name = hashlib.sha256(json.dumps(item).encode()).hexdigest()[:10]
            earlier = [known for known in names if known.split("~")[0] == name]
            names.append(f"{name}~{len(earlier) + 1}" if earlier else name)
        thunks = [lambda item=item: function(item) for item in items]
        return await self._join("all", thunks, names, limit)

    async def _join(
        self, mode: str, thunks: Sequence[Any], names: list[str] | None, limit: int | None
    ) -> Any:
        path = scope.get().next_step()
        if not thunks:
            await asyncio.sleep(0)
            return []
        branch_names = names or [str(index) for index in range(len(thunks))]
        return await Join(self.reference, mode, thunks, [f"{path}.{name}." for name in branch_names], limit)


class Join(asyncio.Future[Any]):
    """The result of a group, to come."""

    def __init__(
        self, reference: Reference, mode: str, thunks: Sequence[Any], scopes: list[str], limit: int | None
    ) -> None:
        super().__init__(loop=reference.loop)
        self.reference = reference
        self.mode = mode
        self.thunks = thunks
        self.scopes = scopes
        self.limit = limit or len(thunks)
        self.tasks: list[asyncio.Task[Any]] = []
        self.live: set[int] = set()
        self.outcomes: dict[int, Outcome] = {}
        self.decided: Outcome | None = None
        self.message: Any = None
        self._start_some()

    def _start_some(self) -> None:
        while len(self.tasks) < len(self.thunks) and len(self.live) < self.limit:
            index = len(self.tasks)
            task = self.get_loop().create_task(_branch(self.scopes[index], self.thunks[index]))
            self.tasks.append(task)
            self.live.add(index)
            task.add_done_callback(lambda task, index=index: self._hear(index, task))  # type: ignore[misc]

    def _hear(self, index: int, task: asyncio.Task[Any]) -> None:
        self.live.remove(index)
        _close(self.thunks[index])
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        outcome = Outcome(error is None, None if error else task.result(), error)
        if self.decided is None:
            self.outcomes[index] = outcome
            self._consider(outcome)
        if self.decided is None:
            self._start_some()
        elif not self.live:
            self._finish()

    def _consider(self, outcome: Outcome) -> None:
        errors_end, successes_end = self.mode in ("all", "race"), self.mode in ("any", "race")
        if successes_end if outcome.ok else errors_end:
            self._decide(outcome)
        elif len(self.outcomes) == len(self.thunks):
            in_order = [self.outcomes[index] for index in range(len(self.thunks))]
            if self.mode == "any":
                self._decide(Outcome(False, None, AllFailed([each.error for each in in_order if each.error])))
            else:
                values = in_order if self.mode == "settled" else [each.value for each in in_order]
                self._decide(Outcome(True, values))

    def _decide(self, outcome: Outcome) -> None:
        self.decided = outcome
        for thunk in self.thunks[len(self.tasks) :]:
            _close(thunk)
        for index in sorted(self.live):
            self.reference._cancel(self.tasks[index])

    def _finish(self) -> None:
        assert self.decided is not None
        if isinstance(self.decided.error, asyncio.CancelledError):
            super().cancel(self.message)
        elif self.decided.error is not None:
            self.set_exception(self.decided.error)
        else:
            self.set_result(self.decided.value)

    def cancel(self, msg: Any = None) -> bool:
        """The parent is no longer needed, and so are its branches; each is told once."""
        if self.done():
            return False
        self.message = msg
        cancelled = Outcome(False, None, asyncio.CancelledError())
        if self.decided is None:
            self._decide(cancelled)
        else:
            self.decided = cancelled
        return True


async def _branch(path: str, thunk: Any) -> Any:
    scope.set(Scope(path))
    begun = thunk() if callable(thunk) else thunk
    return await begun if inspect.isawaitable(begun) else begun


def _close(thunk: Any) -> None:
    """A coroutine that never began would be warned about."""
    if inspect.iscoroutine(thunk):
        thunk.close()
