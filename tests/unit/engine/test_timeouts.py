"""``ctx.timeout``: a branch that has so long, and is given up after that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from babysitter import BranchCancelled, BranchTimeout, Context, TaskFailed
from tests.support.rounds import a_task, start

if TYPE_CHECKING:
    from tests.support.rounds import Process

slow, cleanup, other = a_task("slow"), a_task("cleanup"), a_task("other")


async def in_time(_: Any, ctx: Context) -> Any:
    return await ctx.timeout("10m", lambda: ctx.task(slow))


def test_the_branch_and_its_clock_are_asked_for_together() -> None:
    run = start(in_time)
    assert [(asked.step, asked.task, asked.args) for asked in run.rounds[0]] == [
        ("1.branch.1", "slow", {}),
        ("1.clock.1", "sleep", {"seconds": 600}),
    ]


@pytest.mark.parametrize("by_replay", [False, True])
def test_a_branch_that_ends_in_time_gives_its_value_and_the_clock_is_let_go(by_replay: bool) -> None:
    run = start(in_time, by_replay=by_replay)
    run.resolve({"1.branch.1": "done"})
    assert (run.result, run.cancelled) == ("done", ["1.clock.1"])


@pytest.mark.parametrize("by_replay", [False, True])
def test_a_branch_that_does_not_is_given_up(by_replay: bool) -> None:
    run = start(in_time, by_replay=by_replay)
    run.resolve({"1.clock.1": None})
    assert run.end is not None
    assert (run.end.status, type(run.error), run.cancelled) == ("failed", BranchTimeout, ["1.branch.1"])


def test_the_error_is_a_timeout_and_says_how_long() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        try:
            await ctx.timeout(1.5, lambda: ctx.task(slow))
        except TimeoutError as error:
            return str(error)

    run = start(process)
    run.resolve({"1.clock.1": None})
    assert run.result == "the branch did not end within 1.5 s"


def test_a_failure_of_the_branch_comes_through() -> None:
    run = start(in_time)
    run.resolve({"1.branch.1": TaskFailed("no")})
    assert (str(run.error), run.cancelled) == ("no", ["1.clock.1"])


def test_what_the_branch_does_at_last_is_waited_for() -> None:
    async def branch(ctx: Context) -> Any:
        try:
            return await ctx.task(slow)
        except BranchCancelled:
            return "never seen"
        finally:
            await ctx.task(cleanup)

    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.timeout(1, lambda: branch(ctx))

    run = start(process)
    assert run.resolve({"1.clock.1": None}) == ["1.branch.2"]
    assert run.end is None
    run.resolve({"1.branch.2": None})
    assert isinstance(run.error, BranchTimeout)


def test_when_both_come_together_the_first_decides() -> None:
    run = start(in_time)
    run.resolve({"1.branch.1": "done", "1.clock.1": None})
    assert run.result == "done"
    late = start(in_time)
    late.resolve({"1.clock.1": None, "1.branch.1": "done"})
    assert isinstance(late.error, BranchTimeout)


def nested(inner: float, outer: float) -> Process:
    async def within(ctx: Context) -> Any:
        try:
            return await ctx.timeout(inner, lambda: ctx.task(slow))
        except BranchTimeout as error:
            return ["inner", error.seconds]

    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.timeout(outer, lambda: within(ctx))

    return process


def test_the_inner_of_two_is_seen_within() -> None:
    run = start(nested(1, 2))
    run.resolve({"1.branch.1.clock.1": None})
    assert (run.result, run.cancelled) == (["inner", 1], ["1.clock.1", "1.branch.1.branch.1"])


def test_the_outer_of_two_gives_up_all_that_is_within() -> None:
    run = start(nested(2, 1))
    run.resolve({"1.clock.1": None})
    assert isinstance(run.error, BranchTimeout)
    assert (run.error.seconds, run.cancelled) == (1, ["1.branch.1.branch.1", "1.branch.1.clock.1"])


def test_a_group_within_keeps_what_it_gave_on_its_error() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        try:
            await ctx.timeout(9, lambda: ctx.parallel.all([lambda: ctx.task(slow), lambda: ctx.task(other)]))
        except TaskFailed as error:
            return [outcome and outcome.value for outcome in error.partial]

    run = start(process)
    run.resolve({"1.branch.1.0.1": "first"})
    run.resolve({"1.branch.1.1.1": TaskFailed("no")})
    assert run.result == ["first", None]


def test_a_call_that_is_not_yet_awaited_is_a_branch_too() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.timeout(1, ctx.task(slow))

    run = start(process)
    run.resolve({"1.branch.1": "done"})
    assert run.result == "done"


def test_a_timeout_is_a_branch_among_others() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.settled([lambda: ctx.timeout(1, lambda: ctx.task(slow))])

    run = start(process)
    run.resolve({"1.0.1.clock.1": None})
    (outcome,) = run.result
    assert isinstance(outcome.error, BranchTimeout)


@pytest.mark.parametrize(
    ("length", "thunk", "error", "message"),
    [
        ("soon", "call", ValueError, "'soon' is not a length of time"),
        (-1, "walk", ValueError, "-1 is not a length of time"),
        (1, "result", TypeError, "ctx.timeout needs a function or a call to await, found 'a result'"),
        (1, "task", TypeError, "ctx.timeout needs a function or a call to await, found <"),
    ],
)
def test_what_makes_no_sense_is_told_at_once_and_nothing_else(
    length: Any, thunk: str, error: type[Exception], message: str
) -> None:
    async def walk(ctx: Context) -> None:
        await ctx.task(slow)

    async def process(_: Any, ctx: Context) -> Any:
        made = {
            "call": lambda: ctx.task(slow),
            "walk": lambda: walk(ctx),
            "result": lambda: "a result",
            "task": lambda: slow,
        }
        given: Any = made[thunk]()
        try:
            await ctx.timeout(length, given)
        except (TypeError, ValueError) as caught:
            return [type(caught).__name__, str(caught)]

    name, told = start(process).result
    assert (name, told[: len(message)]) == (error.__name__, message)
