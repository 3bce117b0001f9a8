"""Replay: a process driven by hand, for as long as there are results."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from babysitter import Context
from babysitter.engine.notes import Notes
from babysitter.engine.replay import DeadlineExceeded, Replay
from babysitter.errors import TaskFailed
from tests.support.rounds import a_task, start

if TYPE_CHECKING:
    from tests.support.rounds import Process

step, other = a_task("step"), a_task("other")


def begin(process: Process) -> Replay:
    """A process that has run until it is quiet."""
    replay = Replay("run-1", 0)
    context = Context(replay, Notes(), "/artifacts")
    replay.start(lambda: process(None, context))
    return replay


async def one_step(_: Any, ctx: Context) -> Any:
    return await ctx.task(step)


# Waiting and going on.


def test_a_process_without_a_result_simply_waits() -> None:
    replay = begin(one_step)
    assert (replay.end, list(replay.waiting), list(replay.asked)) == (None, ["1"], ["1"])


def test_a_result_resumes_the_branch_that_waits_for_it() -> None:
    replay = begin(one_step)
    assert replay.resolve("1", "value", None, 0)
    assert replay.end is not None
    assert (replay.end.status, replay.end.value) == ("completed", "value")


def test_an_error_is_raised_at_the_await() -> None:
    async def process(_: Any, ctx: Context) -> str:
        try:
            await ctx.task(step)
        except TaskFailed as error:
            return error.message
        return "not reached"

    replay = begin(process)
    replay.resolve("1", None, TaskFailed("no"), 0)
    assert replay.end is not None
    assert replay.end.value == "no"


def test_a_result_that_nobody_waits_for_changes_nothing() -> None:
    replay = begin(one_step)
    assert not replay.resolve("2", "value", None, 0)
    assert list(replay.waiting) == ["1"]


def test_waiting_is_not_an_exception_that_a_handler_could_catch() -> None:
    async def process(_: Any, ctx: Context) -> str:
        try:
            await ctx.task(step)
        except BaseException:
            return "caught the waiting"
        return "had a result"

    run = start(process)
    assert (run.end, run.batches) == (None, [["step"]])
    run.resolve({"1": None})
    assert run.result == "had a result"


def test_a_process_without_steps_ends_at_once() -> None:
    async def process(_: Any, ctx: Context) -> int:
        return 7

    assert start(process).result == 7


def test_async_with_and_async_for_are_ordinary() -> None:
    async def numbers(ctx: Context) -> Any:
        for _ in range(2):
            yield await ctx.task(step)

    async def process(_: Any, ctx: Context) -> Any:
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(lambda: ctx.task(other))
            return [number async for number in numbers(ctx)]

    run = start(process)
    run.resolve({"1": 1})
    run.resolve({"2": 2})
    assert run.batches == [["step"], ["step"], ["other"]]


def test_time_is_that_of_the_event_fed_last() -> None:
    replay = begin(one_step)
    replay.resolve("1", None, None, 42)
    assert replay.now_ms == 42


def test_a_process_that_waits_for_nothing_is_quiet_for_ever() -> None:
    replay = begin(one_step)
    replay.waiting.clear()
    assert replay.is_quiet_for_ever


def test_a_process_that_waits_or_has_ended_is_not() -> None:
    replay = begin(one_step)
    assert not replay.is_quiet_for_ever
    replay.resolve("1", None, None, 0)
    assert not replay.is_quiet_for_ever


# What a branch can be.


@pytest.mark.parametrize(
    "thunk",
    [lambda: (1, 2), lambda: [1, 2]],
    ids=["a tuple", "a list"],
)
def test_a_branch_may_give_a_plain_value(thunk: Any) -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return list((await ctx.parallel.all([thunk]))[0])

    assert start(process).result == [1, 2]


def test_a_branch_may_be_a_coroutine() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.all([one_step(None, ctx)])

    run = start(process)
    run.resolve({"1.0.1": "value"})
    assert run.result == ["value"]


def test_a_branch_may_be_a_group() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.all([ctx.parallel.all([ctx.task(step)]), ctx.task(other)])

    run = start(process)
    run.resolve({"1.0.1.0.1": "a", "1.1.1": "b"})
    assert run.result == [["a"], "b"]


def test_stop_iteration_from_a_branch_does_not_pass_for_its_end() -> None:
    def exhausted() -> Any:
        return next(iter(()))

    async def process(_: Any, ctx: Context) -> Any:
        try:
            return await ctx.parallel.all([exhausted])
        except RuntimeError as error:
            return str(error)

    assert start(process).result == "a branch raised StopIteration"


# What is not a step.


async def bare_yield(_: Any, ctx: Context) -> str:
    try:
        await asyncio.sleep(0)
    except BaseException:
        return "swallowed"
    return "went on"


async def sleeps(_: Any, ctx: Context) -> str:
    try:
        await asyncio.sleep(1)
    except Exception:
        return "swallowed"
    return "went on"


async def gathers(_: Any, ctx: Context) -> str:
    calls = [ctx.task(step), ctx.task(other)]
    try:
        await asyncio.gather(*calls)
    except Exception:
        return "swallowed"
    return "went on"


async def waits_for(_: Any, ctx: Context) -> str:
    try:
        await asyncio.wait_for(ctx.task(step), 1)
    except Exception:
        return "swallowed"
    return "went on"


async def uses_a_timeout(_: Any, ctx: Context) -> str:
    try:
        async with asyncio.timeout(1):
            await ctx.task(step)
    except Exception:
        return "swallowed"
    return "went on"


async def waits_for_an_event(_: Any, ctx: Context) -> str:
    try:
        await asyncio.Event().wait()
    except Exception:
        return "swallowed"
    return "went on"


async def makes_a_future(_: Any, ctx: Context) -> str:
    try:
        asyncio.Future()
    except Exception:
        return "swallowed"
    return "went on"


FOREIGN = {
    bare_yield: "await asyncio.sleep(0)",
    sleeps: "await asyncio.sleep(1)",
    gathers: "await asyncio.gather",
    waits_for: "await asyncio.wait_for",
    uses_a_timeout: "async with asyncio.timeout",
    waits_for_an_event: "await asyncio.Event()",
    makes_a_future: "asyncio.Future()",
}


def stuck_in(replay: Replay) -> tuple[str, tuple[str, int] | None]:
    """The name of the error that a run is stuck in, and where."""
    assert replay.end is not None
    assert replay.end.status == "stuck"
    return type(replay.end.error).__name__, replay.end.place


def line_with(process: Any, text: str) -> tuple[str, int]:
    lines, first = inspect.getsourcelines(process)
    return __file__, first + next(at for at, line in enumerate(lines) if text in line)


@pytest.mark.parametrize("process", FOREIGN, ids=lambda process: process.__name__)
def test_asyncio_in_a_process_is_named_with_its_line_and_cannot_be_swallowed(process: Any) -> None:
    assert stuck_in(begin(process)) == ("ForeignAwait", line_with(process, FOREIGN[process]))


def test_a_foreign_future_is_named_with_the_line_that_awaits_it() -> None:
    loop = asyncio.new_event_loop()

    async def process(_: Any, ctx: Context) -> str:
        try:
            await loop.create_future()  # here
        except BaseException:
            return "swallowed"
        return "went on"

    replay = begin(process)
    loop.close()
    assert stuck_in(replay) == ("ForeignAwait", line_with(process, "# here"))


def test_a_foreign_await_in_a_branch_is_named_with_its_line() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.settled([lambda: bare_yield(None, ctx), lambda: ctx.task(step)])

    assert stuck_in(begin(process)) == ("ForeignAwait", line_with(bare_yield, FOREIGN[bare_yield]))


def test_a_generator_as_a_branch_is_no_step() -> None:
    def generator() -> Any:
        yield 5

    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.all([generator])

    assert stuck_in(begin(process))[0] == "ForeignAwait"


def test_an_event_loop_that_runs_around_a_replay_is_given_back() -> None:
    async def around() -> bool:
        begin(one_step)
        return asyncio.get_running_loop().is_running()

    assert asyncio.run(around())


def test_asyncio_without_a_loop_to_ask_is_named_all_the_same() -> None:
    async def inner() -> None: ...

    async def process(_: Any, ctx: Context) -> None:
        begun = inner()
        try:
            asyncio.run(begun)
        finally:
            begun.close()

    assert stuck_in(begin(process))[0] == "ForeignAwait"


# A suspended finally.


def suspended(mark: list[str], waits_at: Any) -> Any:
    async def process(_: Any, ctx: Context) -> None:
        try:
            await waits_at(ctx)
        finally:
            mark.append("finally")

    return process


@pytest.mark.parametrize(
    "waits_at",
    [
        lambda ctx: ctx.task(step),
        lambda ctx: ctx.parallel.all([lambda: ctx.task(step)]),
        lambda ctx: asyncio.sleep(0),
        lambda ctx: ctx.parallel.all([lambda: asyncio.sleep(0), lambda: ctx.task(step)]),
    ],
    ids=["a step", "a group", "a foreign await", "a foreign await in a branch"],
)
def test_a_suspended_finally_never_runs(waits_at: Any) -> None:
    mark = list[str]()
    begin(suspended(mark, waits_at))
    gc.collect()
    assert mark == []


def test_a_process_that_has_ended_is_not_kept() -> None:
    replay = begin(one_step)
    replay.resolve("1", None, None, 0)
    kept = weakref.ref(replay)
    del replay
    gc.collect()
    assert kept() is None


def test_a_finally_runs_once_when_its_process_goes_on() -> None:
    mark = list[str]()
    replay = begin(suspended(mark, lambda ctx: ctx.task(step)))
    replay.resolve("1", None, None, 0)
    assert mark == ["finally"]


# What must not be held up.


@pytest.mark.parametrize("signal", [DeadlineExceeded, KeyboardInterrupt])
def test_a_deadline_or_an_interrupt_passes_through(signal: type[BaseException]) -> None:
    async def process(_: Any, ctx: Context) -> None:
        raise signal

    with pytest.raises(signal):
        begin(process)
