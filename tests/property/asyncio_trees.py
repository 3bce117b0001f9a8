"""Random processes of asyncio and ctx.parallel, one within the other: trees as in ``strategies``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.property.strategies import TASKS, _NotingWalk, _raise_later, _Walk, forms, limits, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

    from tests.property.strategies import Tree

leaves = st.sampled_from(
    [
        *[("task", "good")] * 8,
        *[("task", "bad")] * 2,
        ("keyed", "k"),
        ("value",),
        ("raise",),
        ("turn",),
        ("sleep", 3),
        ("sleep", 0),
        ("tried", "flaky", 2, 0, None),
        ("halt",),
    ]
)
ends = st.sampled_from([asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION, asyncio.ALL_COMPLETED])
times = st.sampled_from([0, 2, 5])


def _grow(child: SearchStrategy[Tree]) -> SearchStrategy[Tree]:
    some = st.lists(child, min_size=2, max_size=4)
    few = st.lists(child, min_size=1, max_size=3)
    return st.one_of(
        st.tuples(st.just("gather"), some, st.booleans()),
        st.tuples(st.just("task_group"), some),
        st.tuples(st.sampled_from(["until", "wait_for"]), child, times),
        st.tuples(st.just("wait"), some, ends, st.none() | times),
        st.tuples(st.just("as_completed"), some, st.none() | times),
        st.tuples(st.just("semaphore"), some, st.integers(1, 2)),
        st.tuples(st.just("queue"), few, st.integers(1, 2)),
        st.tuples(st.just("event"), child, child),
        st.tuples(st.just("condition"), child, child),
        st.tuples(st.just("shield"), child),
        st.tuples(st.just("background"), child, child, st.sampled_from(["await", "cancel", "leave"])),
        st.tuples(st.just("cancelled"), child, st.booleans()),
        st.tuples(st.just("later"), child, times),
        st.tuples(st.just("seq"), some),
        st.tuples(st.just("map"), some, limits, st.booleans()),
        st.tuples(st.sampled_from(["all", "settled"]), some, limits, forms),
        st.tuples(st.sampled_from(["any", "race"]), some, forms),
        st.tuples(st.just("try"), child, child),
        st.tuples(st.just("finally"), child, st.booleans()),
        st.tuples(st.just("stubborn"), child, child),
        st.tuples(st.just("timeout"), child),
        st.tuples(st.just("last"), child, child),
        st.tuples(st.just("cleaned"), child, child),
    )


def _levels(depth: int) -> SearchStrategy[Tree]:
    level: SearchStrategy[Tree] = leaves
    for _ in range(depth):
        level = _grow(level | leaves)
    return level


trees: SearchStrategy[Tree] = st.one_of([_levels(depth) for depth in (1, 2, 3)])


def process_of(tree: Tree, mark: Callable[[str], None] = lambda _: None) -> Any:
    """The process that walks the tree; ``mark`` hears of what only happens inside of it."""

    async def process(_: Any, ctx: Any) -> Any:
        return plain(await AsyncioWalk(ctx, mark).walk(tree))

    return process


def noting_process_of(tree: Tree) -> Any:
    """The same with notes beside every step, and with time and chance in its arguments and results."""

    async def process(_: Any, ctx: Any) -> Any:
        return plain(await _NotingAsyncioWalk(ctx, lambda _: None).walk(tree))

    return process


class AsyncioWalk(_Walk):
    """Each kind as an author writes it."""

    async def turn(self) -> Any:
        await asyncio.sleep(0)
        return "turn"

    async def sleep(self, seconds: float) -> Any:
        return await asyncio.sleep(seconds, "slept")

    async def gather(self, children: list[Tree], is_tolerant: bool) -> Any:
        return await asyncio.gather(*map(self.walk, children), return_exceptions=is_tolerant)

    async def task_group(self, children: list[Tree]) -> Any:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.walk(child)) for child in children]
        return [task.result() for task in tasks]

    async def until(self, child: Tree, seconds: float) -> Any:
        async with asyncio.timeout(seconds):
            return await self.walk(child)

    async def wait_for(self, child: Tree, seconds: float) -> Any:
        return await asyncio.wait_for(self.walk(child), seconds)

    async def wait(self, children: list[Tree], end: str, seconds: float | None) -> Any:
        waiting = [asyncio.create_task(self.walk(child)) for child in children]
        told = []
        while waiting:
            done, pending = await asyncio.wait(waiting, timeout=seconds, return_when=end)
            # In the order of the sets, as an author writes it.
            told.append([await self.outcome(task) for task in done])
            for task in pending if seconds is not None else ():
                task.cancel()
            waiting = [*pending]
            # Again and again without any length it would never end: no time passes while it asks.
            seconds = seconds or None
        return told

    async def outcome(self, task: asyncio.Task[Any]) -> Any:
        if task.cancelled():
            return "cancelled"
        return plain(task.exception() or task.result())

    async def as_completed(self, children: list[Tree], seconds: float | None) -> Any:
        begun = [asyncio.ensure_future(self.walk(child)) for child in children]
        return [await each for each in asyncio.as_completed(begun, timeout=seconds)]

    async def semaphore(self, children: list[Tree], limit: int) -> Any:
        free = asyncio.Semaphore(limit)

        async def one(child: Tree) -> Any:
            async with free:
                return await self.walk(child)

        return await asyncio.gather(*map(one, children))

    async def queue(self, children: list[Tree], size: int) -> Any:
        waiting: asyncio.Queue[Any] = asyncio.Queue(size)
        got = list[Any]()

        async def produce() -> None:
            for child in children:
                await waiting.put(await self.walk(child))
            await waiting.put(None)

        async def consume() -> None:
            while (item := await waiting.get()) is not None:
                got.append([plain(item), await self.task("good")])

        async with asyncio.TaskGroup() as group:
            group.create_task(produce())
            group.create_task(consume())
        return got

    async def event(self, before: Tree, after: Tree) -> Any:
        happened = asyncio.Event()

        async def wait() -> Any:
            await happened.wait()
            return await self.walk(after)

        async def happen() -> Any:
            try:
                return await self.walk(before)
            finally:
                happened.set()

        return await asyncio.gather(wait(), happen())

    async def condition(self, before: Tree, after: Tree) -> Any:
        condition, facts = asyncio.Condition(), list[Any]()

        async def wait() -> Any:
            async with condition:
                await condition.wait_for(lambda: facts)
                return await self.walk(after)

        async def happen() -> Any:
            async with condition:
                facts.append("fact")
                condition.notify_all()
                return await self.walk(before)

        return await asyncio.gather(wait(), happen())

    async def shield(self, child: Tree) -> Any:
        return await asyncio.shield(self.walk(child))

    async def background(self, child: Tree, body: Tree, end: str) -> Any:
        task = asyncio.create_task(self.walk(child))
        value = await self.walk(body)
        if end == "cancel":
            task.cancel()
        return [value, await task] if end == "await" else value

    async def cancelled(self, child: Tree, has_begun: bool) -> Any:
        task = asyncio.create_task(self.walk(child))
        if has_begun:
            await asyncio.sleep(0)
        task.cancel("no more")
        try:
            return await task
        except asyncio.CancelledError as error:
            return ["was cancelled", task.cancelled(), *error.args]

    async def later(self, child: Tree, seconds: float) -> Any:
        loop = asyncio.get_running_loop()
        given = loop.create_future()

        def begin() -> None:
            task = loop.create_task(self.walk(child))
            task.add_done_callback(lambda task: given.done() or given.set_result(task.cancelled()))

        timer = loop.call_later(seconds, begin)
        try:
            return await given
        finally:
            timer.cancel()

    async def finally_(self, body: Tree, has_effect: bool) -> Any:
        try:
            return await self.walk(body)
        finally:
            self.mark("finally")
            if has_effect:
                await self.ctx.task(TASKS["cleanup"])
                self.mark("cleaned up")


setattr(AsyncioWalk, "finally", AsyncioWalk.finally_)
setattr(AsyncioWalk, "raise", _raise_later)


class _NotingAsyncioWalk(_NotingWalk, AsyncioWalk):
    """Both."""
