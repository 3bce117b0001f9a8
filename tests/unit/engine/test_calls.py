"""Calls: awaited once and only once; whatever else an author does with one is named with its line."""

from __future__ import annotations

import contextlib
import gc
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from babysitter import Context, python
from babysitter.engine.notes import Notes
from babysitter.engine.replay import Replay
from babysitter.errors import ProcessError, TaskFailed
from tests.support.rounds import Rounds, a_task, line_of, start

if TYPE_CHECKING:
    from tests.support.rounds import Process

ROOT = Path(__file__).parents[3]

step = a_task("step")
other = a_task("other")


@python
def measure(path: str) -> int:
    return len(path)


def fault(run: Rounds) -> tuple[str, str, tuple[str, int] | None]:
    """What a stuck run is stuck in."""
    assert run.end is not None
    assert run.end.status == "stuck"
    return type(run.error).__name__, str(run.error), run.end.place


def test_a_call_without_await_is_named_with_file_and_line() -> None:
    async def process(_: Any, ctx: Context) -> None:
        ctx.task(step)  # here
        await ctx.task(other)

    assert fault(start(process)) == (
        "ProcessError",
        "the ctx.task('step') made here is never awaited",
        line_of(process),
    )


def test_a_call_without_await_asks_for_nothing_in_its_round() -> None:
    async def process(_: Any, ctx: Context) -> None:
        ctx.task(step)
        await ctx.task(other)

    assert start(process).batches == []


def test_a_call_kept_in_a_variable_and_never_awaited_is_named_when_the_function_ends() -> None:
    async def process(_: Any, ctx: Context) -> int:
        call = ctx.task(step)  # here
        return id(call)

    assert fault(start(process))[1:] == ("the ctx.task('step') made here is never awaited", line_of(process))


def test_a_call_in_a_condition_is_named() -> None:
    async def process(_: Any, ctx: Context) -> None:
        if ctx.task(step):  # here
            await ctx.task(other)

    assert fault(start(process))[2] == line_of(process)


def test_a_call_returned_by_the_process_in_place_of_its_result_is_named() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return ctx.task(step)  # here

    assert fault(start(process))[1:] == ("the ctx.task('step') made here is never awaited", line_of(process))


def test_a_call_returned_by_a_branch_in_place_of_its_result_is_named() -> None:
    async def branch(ctx: Context) -> Any:
        return ctx.task(step)  # here

    async def process(_: Any, ctx: Context) -> Any:
        await ctx.parallel.all([lambda: branch(ctx)])

    assert fault(start(process))[2] == line_of(branch)


def test_calls_returned_by_a_branch_in_a_list_are_named_when_nobody_awaits_them() -> None:
    async def branch(ctx: Context) -> Any:
        return [ctx.task(step)]  # here

    async def process(_: Any, ctx: Context) -> Any:
        await ctx.parallel.all([lambda: branch(ctx)])
        await ctx.task(other)

    assert fault(start(process))[2] == line_of(branch)


def test_calls_returned_by_a_helper_may_be_awaited_later() -> None:
    async def helper(ctx: Context) -> Any:
        return ctx.task(step)

    async def process(_: Any, ctx: Context) -> Any:
        call = await helper(ctx)
        return await call

    assert start(process).batches == [["step"]]


def test_a_call_of_a_helper_is_named_where_the_helper_makes_it() -> None:
    def helper(ctx: Context) -> Any:
        return ctx.task(step)  # here

    async def process(_: Any, ctx: Context) -> None:
        helper(ctx)

    assert fault(start(process))[2] == line_of(helper)


@pytest.mark.parametrize(
    ("make", "noun"),
    [
        (lambda ctx: ctx.parallel.all([lambda: ctx.task(step)]), "ctx.parallel.all(…)"),
        (lambda ctx: ctx.parallel.map([1], lambda item: ctx.task(step, item=item)), "ctx.parallel.map(…)"),
        (lambda ctx: ctx.breakpoint("Go on?"), "ctx.breakpoint(…)"),
        (lambda ctx: ctx.sleep(1), "ctx.sleep(…)"),
    ],
)
def test_other_steps_without_await_are_named_for_what_they_are(make: Any, noun: str) -> None:
    async def process(_: Any, ctx: Context) -> None:
        make(ctx)

    assert fault(start(process))[1] == f"the {noun} made here is never awaited"


def test_a_group_without_await_is_named_before_the_calls_in_it() -> None:
    async def process(_: Any, ctx: Context) -> None:
        ctx.parallel.all([ctx.task(step)])

    assert fault(start(process))[1] == "the ctx.parallel.all(…) made here is never awaited"


def test_a_call_without_await_cannot_be_swallowed() -> None:
    async def process(_: Any, ctx: Context) -> str:
        try:
            ctx.task(step)  # here
            await ctx.task(other)
        except BaseException:
            return "swallowed"
        return "went on"

    assert fault(start(process))[2] == line_of(process)


def test_a_call_without_await_is_named_although_the_process_then_fails_on_purpose() -> None:
    async def process(_: Any, ctx: Context) -> None:
        ctx.task(step)  # here
        raise TaskFailed("on purpose")

    assert fault(start(process))[2] == line_of(process)


def test_a_call_without_await_in_a_branch_that_may_fail_is_named() -> None:
    async def branch(ctx: Context) -> None:
        ctx.task(step)  # here

    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.settled([lambda: branch(ctx)])

    assert fault(start(process))[2] == line_of(branch)


def test_a_call_awaited_twice_is_named_where_it_is_made() -> None:
    async def process(_: Any, ctx: Context) -> None:
        call = ctx.task(step)  # here
        await call
        await call

    run = start(process)
    run.resolve({"1": None})
    assert fault(run) == (
        "ProcessError",
        "the ctx.task('step') made here is awaited a second time",
        line_of(process),
    )


def test_a_second_await_cannot_be_swallowed() -> None:
    async def process(_: Any, ctx: Context) -> str:
        call = ctx.task(step)
        await call
        try:
            await call
        except Exception:
            return "swallowed"
        return "twice"

    run = start(process)
    run.resolve({"1": None})
    assert fault(run)[0] == "ProcessError"


def test_one_call_in_two_branches_is_awaited_twice() -> None:
    async def process(_: Any, ctx: Context) -> None:
        call = ctx.task(step)
        await ctx.parallel.settled([call, call])

    assert fault(start(process))[1] == "the ctx.task('step') made here is awaited a second time"


def test_one_coroutine_in_two_branches_is_refused() -> None:
    async def branch(ctx: Context) -> None:
        await ctx.task(step)

    async def process(_: Any, ctx: Context) -> None:
        begun = branch(ctx)
        await ctx.parallel.all([begun, begun])

    run = start(process)
    run.resolve(dict.fromkeys(run.pending))
    assert fault(run)[:2] == ("RuntimeError", "coroutine is being awaited already")


def fails_at_the_await(ctx: Context) -> Any:
    async def process() -> str:
        prepared = ctx.task(step)
        try:
            await ctx.task(other)
        except TaskFailed:
            return "caught"
        return str(await prepared)

    return process()


def test_a_call_prepared_where_a_task_fails_is_not_missed() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        caught = await fails_at_the_await(ctx)
        return [caught, await ctx.task(other), await ctx.task(other)]

    run = start(process)
    run.resolve({"1": TaskFailed("no")})
    run.resolve({"2": "a"})
    run.resolve({"3": "b"})
    assert run.result == ["caught", "a", "b"]


def test_a_call_prepared_in_a_branch_that_is_given_up_is_not_missed() -> None:
    async def branch(ctx: Context) -> None:
        prepared = ctx.task(step)
        await ctx.task(other)
        await prepared

    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.race([lambda: branch(ctx), lambda: ctx.task(step)])

    run = start(process)
    run.resolve({"1.1.1": "won"})
    gc.collect()
    assert run.result == "won"


def prepared_and_lost(ctx: Context) -> None:
    call = ctx.task(step)
    raise LookupError(id(call))


async def lost_in_except(_: Any, ctx: Context) -> str:
    try:
        prepared_and_lost(ctx)
    except LookupError:
        pass
    return "went on"


async def lost_in_named_except(_: Any, ctx: Context) -> str:
    try:
        prepared_and_lost(ctx)
    except LookupError as error:
        return f"went on after {type(error).__name__}"
    return "not reached"


async def lost_in_suppress(_: Any, ctx: Context) -> str:
    with contextlib.suppress(LookupError):
        prepared_and_lost(ctx)
    return "went on"


async def lost_in_settled(_: Any, ctx: Context) -> str:
    await ctx.parallel.settled([lambda: prepared_and_lost(ctx)])
    return "went on"


@pytest.mark.parametrize("process", [lost_in_except, lost_in_named_except, lost_in_suppress, lost_in_settled])
def test_a_call_lost_in_an_error_that_the_author_catches_is_not_missed(process: Process) -> None:
    assert start(process).result.startswith("went on")


def test_beside_a_call_with_wrong_arguments_the_wrong_arguments_are_named() -> None:
    async def process(_: Any, ctx: Context) -> None:
        await ctx.parallel.all([ctx.task(step), ctx.task(measure, paths="a")])  # here

    assert fault(start(process)) == (
        "TypeError",
        "measure() got an unexpected argument 'paths'; it takes path",
        line_of(process),
    )


def test_an_error_tells_of_the_call_that_it_kept_from_its_await() -> None:
    async def process(_: Any, ctx: Context) -> None:
        await ctx.parallel.all([ctx.task(step), ctx.task(other, item={}["missing"])])  # here

    file, line = line_of(process)
    notes = getattr(start(process).error, "__notes__", [])
    assert notes == [f"the ctx.task('step') made here is never awaited: {file}, line {line}"]


def test_calls_of_branches_that_never_start_are_not_missed() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        try:
            await ctx.parallel.all([ctx.task(other), ctx.task(step), ctx.task(step)], limit=1)
        except TaskFailed:
            return "failed"

    run = start(process)
    run.resolve({"1.0.1": TaskFailed("no")})
    assert run.result == "failed"


def test_coroutines_of_branches_that_never_start_are_closed_without_a_warning() -> None:
    async def branch(ctx: Context) -> None:
        await ctx.task(step)

    async def process(_: Any, ctx: Context) -> Any:
        try:
            await ctx.parallel.all([ctx.task(other), branch(ctx), branch(ctx)], limit=1)
        except TaskFailed:
            return "failed"

    run = start(process)
    run.resolve({"1.0.1": TaskFailed("no")})
    gc.collect()
    assert run.result == "failed"


def test_calls_handed_to_a_group_that_refuses_them_are_not_missed() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        try:
            await ctx.parallel.all([ctx.task(step)], limit=0)
        except ValueError:
            return "refused"

    assert start(process).result == "refused"


def test_what_is_done_to_a_list_after_the_call_does_not_change_the_call() -> None:
    async def process(_: Any, ctx: Context) -> None:
        paths = ["a"]
        call = ctx.task(step, paths=paths)
        paths.append("b")
        await call

    assert start(process).rounds[0][0].args == {"paths": ["a"]}


def test_the_order_of_keywords_does_not_change_what_is_asked_for() -> None:
    async def one(_: Any, ctx: Context) -> None:
        await ctx.task(step, a=1, b={"c": 2, "d": 3})

    async def same(_: Any, ctx: Context) -> None:
        await ctx.task(step, b={"d": 3, "c": 2}, a=1)

    assert Rounds(same, events=start(one).events).draft() == []


def test_a_call_outside_its_process_is_refused_and_leaves_nothing_behind() -> None:
    replay = Replay("run-1", 0)
    ctx = Context(replay, Notes(), "/artifacts")
    with pytest.raises(ProcessError, match="the context is used outside its process"):
        ctx.task(step)


WAITING_AT_EXIT = """
from tests.support.rounds import a_task, start

step = a_task("step")

async def process(inputs, ctx):
    prepared = [ctx.task(step)]
    await ctx.task(step)
    await prepared[0]

start(process)
"""


def test_a_call_still_prepared_at_the_exit_of_the_interpreter_is_not_missed() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WAITING_AT_EXIT], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stderr == ""


def test_a_branch_of_map_is_labelled_by_its_item() -> None:
    async def process(_: Any, ctx: Context) -> None:
        await ctx.parallel.map(["a.py", {"n": 1}, "x" * 200], lambda item: ctx.task(step, item=item))

    run = start(process)
    branches = [branch for branch, _ in run.replay.waiting.values()]
    labels = [branch.group.fork.branch_label(branch.index) for branch in branches if branch.group]
    assert labels == ["a.py", '{"n":1}', "x" * 80]


def test_a_branch_of_all_has_no_label_beside_its_name() -> None:
    async def process(_: Any, ctx: Context) -> None:
        await ctx.parallel.all({"unit": lambda: ctx.task(step)})

    (branch, _), *_ = start(process).replay.waiting.values()
    assert branch.group is not None
    assert (branch.group.fork.branch_name(0), branch.group.fork.branch_label(0)) == ("unit", "")
