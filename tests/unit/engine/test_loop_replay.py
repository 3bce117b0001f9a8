"""asyncio in a process: what an author writes, and what it comes to."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from babysitter import Retry, TaskFailed
from babysitter.engine.loop_replay import LoopReplay
from babysitter.engine.replay import DeadlineExceeded
from babysitter.errors import BranchCancelled
from tests.support import rounds
from tests.support.rounds import a_task, line_of

if TYPE_CHECKING:
    from babysitter.engine.context import Context
    from tests.support.rounds import Rounds

step, other, cleanup = a_task("step"), a_task("other"), a_task("cleanup")


def start(process: Any, **options: Any) -> Rounds:
    return rounds.start(process, replay=LoopReplay, **options)


def play(process: Any, **options: Any) -> Rounds:
    """To the end, each result being the step that it is of."""
    return rounds.play(process, lambda asked: asked.step, replay=LoopReplay, **options)


def backwards(steps: list[str]) -> list[str]:
    return steps[::-1]


# What is asked for.


def test_what_is_gathered_is_one_batch_and_comes_in_order() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await asyncio.gather(ctx.task(step), ctx.parallel.all([ctx.task(step), ctx.task(other)]))

    run = play(process, order=backwards)
    assert (run.steps, run.result) == (
        [["1.0.1", "2.0.1.0.1", "2.0.1.1.1"]],
        ["1.0.1", ["2.0.1.0.1", "2.0.1.1.1"]],
    )


def test_a_task_is_numbered_where_it_is_made_and_not_where_it_is_awaited() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        first = asyncio.create_task(ctx.task(step))
        second = asyncio.create_task(ctx.task(step))
        third = await ctx.task(other)
        return [await second, await first, third]

    run = play(process)
    assert (run.steps, run.result) == ([["3", "1.0.1", "2.0.1"]], ["2.0.1", "1.0.1", "3"])


@pytest.mark.parametrize("order", [list, backwards])
def test_the_names_of_steps_do_not_depend_on_what_arrives_first(order: Any) -> None:
    async def chain(ctx: Context) -> Any:
        return [await ctx.task(step), await ctx.task(other)]

    async def process(_: Any, ctx: Context) -> Any:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(chain(ctx)) for _ in range(2)]
        return [task.result() for task in tasks]

    assert play(process, order=order).result == [["1.0.1", "1.0.2"], ["2.0.1", "2.0.2"]]


def test_a_semaphore_lets_the_next_one_begin_when_one_ends() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        free = asyncio.Semaphore(2)

        async def one() -> Any:
            async with free:
                return await ctx.task(step)

        return await asyncio.gather(*(one() for _ in range(3)))

    run = start(process)
    asked = run.resolve({"2.0.1": "second"})
    assert (run.steps[0], asked) == (["1.0.1", "2.0.1"], ["3.0.1"])


def test_calls_are_begun_in_order_by_as_completed() -> None:
    numbers = [3, 7, 1, 8, 0, 6, 2, 5, 4]

    async def process(_: Any, ctx: Context) -> Any:
        # Their addresses are in another order than they are.
        made = [ctx.task(step, {"number": number}) for number in range(9)]
        return [await each for each in asyncio.as_completed([made[number] for number in numbers])]

    run = start(process)
    assert [asked.args["number"] for asked in run.rounds[0]] == numbers
    run.resolve({step: step for step in backwards(run.pending)})
    assert run.result == [f"{number}.0.1" for number in range(9, 0, -1)]


def test_a_set_of_gathers_is_walked_in_the_same_order_on_every_replay() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        waiting = [asyncio.gather(ctx.task(step)) for _ in range(6)]
        done, _pending = await asyncio.wait(waiting)
        return [waiting.index(each) for each in done]

    assert play(process).result == [0, 1, 2, 3, 4, 5]


def test_retries_are_made_inside_a_task_as_anywhere() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await asyncio.gather(ctx.task(step.using(retry=Retry(2, backoff=0))))

    run = start(process)
    run.resolve({"1.0.1": TaskFailed("once")})
    run.resolve({"1.0.1": "twice"})
    assert run.result == ["twice"]


def test_a_set_of_futures_is_walked_in_the_same_order_on_every_replay() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        waiting = [asyncio.shield(ctx.task(step)) for _ in range(6)]
        done, _pending = await asyncio.wait(waiting)
        return [waiting.index(each) for each in done]

    run = play(process)
    assert run.result == [0, 1, 2, 3, 4, 5]


# Time.


def test_a_sleep_is_an_effect() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await asyncio.sleep(90, "slept")

    run = start(process)
    assert [(asked.task, asked.args) for asked in run.rounds[0]] == [("sleep", {"seconds": 90})]
    run.resolve({"1": None})
    assert run.result == "slept"


def test_a_timeout_cancels_what_is_awaited_in_it() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        try:
            async with asyncio.timeout(60):
                await ctx.task(step)
        except TimeoutError:
            return await ctx.task(other)

    run = start(process)
    run.resolve({"1": None})
    assert (run.steps, run.cancelled) == ([["1", "2"], ["3"]], ["2"])


def test_a_timeout_that_was_not_needed_is_cancelled() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        async with asyncio.timeout(60):
            return await ctx.task(step)

    run = start(process)
    run.resolve({"2": "done"})
    assert (run.result, run.cancelled) == ("done", ["1"])


def test_a_timeout_around_what_takes_no_step_asks_for_nothing() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        async with asyncio.timeout(60):
            await asyncio.sleep(0)
        return "done"

    assert (start(process).result, start(process).steps) == ("done", [])


def test_a_timeout_that_nobody_catches_ends_the_run_as_failed() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        await asyncio.wait_for(ctx.task(step), 5)

    run = start(process)
    run.resolve({"1": None})
    assert (run.end and run.end.status, type(run.error)) == ("failed", TimeoutError)


def test_time_is_that_of_the_journal() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        before = asyncio.get_running_loop().time()
        await ctx.task(step)
        return [before, asyncio.get_running_loop().time()]

    run = start(process)
    run.resolve({"1": None})
    assert run.result == [rounds.STARTED_MS / 1000, ctx_time(run)]


def ctx_time(run: Rounds) -> float:
    """When the result of the only step was written."""
    return next(event.ms for event in run.events if event.type == "EFFECT_RESOLVED") / 1000


def test_a_wait_without_an_end_is_a_wait() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        async with asyncio.timeout(float("inf")):
            return await ctx.task(step)

    run = start(process)
    run.resolve({"2": "done"})
    assert run.result == "done"


def test_a_timer_that_a_person_cancels_is_over() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await asyncio.sleep(3600, "slept")

    run = start(process)
    run.cancel("1")
    assert run.result == "slept"


# Where asyncio and ctx.parallel are one within the other.


def test_an_abandoned_branch_sees_both_kinds_of_cancellation_in_one() -> None:
    seen = list[Any]()

    async def branch(ctx: Context) -> None:
        try:
            async with asyncio.timeout(60):
                await ctx.task(step)
        except asyncio.CancelledError as error:
            seen.append(isinstance(error, BranchCancelled))
            raise

    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.race([lambda: branch(ctx), ctx.task(other)])

    run = start(process)
    run.resolve({"1.1.1": "won"})
    assert (run.result, seen, run.cancelled) == ("won", [True], ["1.0.1", "1.0.2"])


def test_an_abandoned_branch_ends_its_task_group_first() -> None:
    async def tidy(ctx: Context) -> None:
        try:
            await ctx.task(step)
        finally:
            await ctx.task(cleanup)

    async def branch(ctx: Context) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(tidy(ctx))

    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.race([lambda: branch(ctx), ctx.task(other)])

    run = start(process)
    run.resolve({"1.1.1": "won"})
    assert (run.end, run.steps[-1], run.reports) == (None, ["1.0.1.0.2"], [])
    run.resolve({"1.0.1.0.2": None})
    assert (run.result, run.reports) == ("won", [])


def test_a_branch_is_told_once_also_when_what_it_awaits_swallows_that_it_is_cancelled() -> None:
    seen = list[str]()

    async def deaf(ctx: Context) -> str:
        try:
            return await ctx.task(step)
        except asyncio.CancelledError:
            return "went on"

    async def branch(ctx: Context) -> None:
        try:
            await asyncio.create_task(deaf(ctx))
        except BranchCancelled:
            seen.append("told")
            await ctx.task(cleanup)
            seen.append("cleaned up")

    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.race([lambda: branch(ctx), ctx.task(other)])

    run = start(process)
    run.resolve({"1.1.1": "won"})
    run.resolve({"1.0.2": None})
    assert (run.result, seen) == ("won", ["told", "cleaned up"])


def test_a_branch_that_asyncio_tells_in_words_of_its_own_is_given_up_without_a_report() -> None:
    async def branch() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            # As asyncio.Condition does it, and others.
            raise asyncio.CancelledError from None

    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.race([branch, ctx.task(other)])

    run = start(process)
    run.resolve({"1.1.1": "won"})
    assert (run.result, run.reports) == ("won", [])


def test_a_cancelled_task_waits_for_its_group_of_branches() -> None:
    seen = list[str]()

    async def branch(ctx: Context) -> None:
        try:
            await ctx.task(step)
        except BranchCancelled:
            seen.append("the branch")
            await ctx.task(cleanup)
            raise

    async def grouped(ctx: Context) -> None:
        try:
            await ctx.parallel.all([lambda: branch(ctx)])
        except BranchCancelled:
            seen.append("not this")
        except asyncio.CancelledError as error:
            seen.append(f"the task: {error}")
            raise

    async def process(_: Any, ctx: Context) -> Any:
        task = asyncio.create_task(grouped(ctx))
        await ctx.task(other)
        task.cancel("no more")
        await asyncio.wait([task])
        return task.cancelled()

    run = start(process)
    run.resolve({"2": None})
    run.resolve({"1.0.1.0.2": None})
    assert (run.result, seen) == (True, ["the branch", "the task: no more"])


def test_a_task_that_is_cancelled_by_hand_is_a_failure_of_its_branch() -> None:
    async def branch() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    async def process(_: Any, ctx: Context) -> Any:
        (outcome,) = await ctx.parallel.settled([branch])
        return [outcome.ok, type(outcome.error).__name__]

    assert start(process).result == [False, "CancelledError"]


def test_a_branch_that_is_cancelled_as_it_returns_has_not_returned() -> None:
    async def branch() -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return "value"

    async def process(_: Any, ctx: Context) -> Any:
        (outcome,) = await ctx.parallel.settled([branch])
        return [outcome.ok, type(outcome.error).__name__]

    assert start(process).result == [False, "CancelledError"]


def test_a_timeout_of_ctx_gives_up_a_task_group() -> None:
    async def slow(ctx: Context) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(ctx.task(step))  # type: ignore[arg-type]

    async def process(_: Any, ctx: Context) -> Any:
        try:
            await ctx.timeout(5, lambda: slow(ctx))
        except TimeoutError as error:
            return str(error)

    run = start(process)
    run.resolve({"1.clock.1": None})
    assert (run.result, run.cancelled) == ("the branch did not end within 5 s", ["1.branch.1.0.1"])


def test_branches_see_the_context_variables_of_their_group() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    async def branch(ctx: Context, value: str) -> str:
        before = variable.get()
        variable.set(value)
        await ctx.task(step)
        return f"{before}, {variable.get()}"

    async def process(_: Any, ctx: Context) -> Any:
        variable.set("outer")
        inner = await ctx.parallel.all([lambda: branch(ctx, "a"), lambda: branch(ctx, "b")], limit=1)
        return [*inner, variable.get()]

    assert play(process).result == ["outer, a", "outer, b", "outer"]


# What a process leaves behind.


def left_running(ctx: Context) -> asyncio.Task[Any]:
    async def tidy() -> None:
        try:
            await ctx.task(step)
        finally:
            await ctx.task(cleanup)

    return asyncio.create_task(tidy())


def test_a_task_that_still_runs_when_the_process_returns_is_cancelled_and_waited_for() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        left_running(ctx)
        return await ctx.task(other)

    run = start(process)
    run.resolve({"2": "returned"})
    assert (run.end, run.steps[-1], run.cancelled) == (None, ["1.0.2"], ["1.0.1"])
    run.resolve({"1.0.2": None})
    assert (run.result, run.reports) == (
        "returned",
        ["the process returned while its task 1.0 still ran: cancelled"],
    )


def test_a_task_that_still_runs_when_the_process_fails_is_cancelled_without_a_word() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        left_running(ctx)
        await ctx.task(other)

    run = start(process)
    run.resolve({"2": TaskFailed("failed")})
    run.resolve({"1.0.2": None})
    assert (type(run.error), run.reports) == (TaskFailed, [])


def test_a_task_that_is_made_while_the_process_ends_is_cancelled_as_well() -> None:
    async def last_words(ctx: Context) -> None:
        try:
            await ctx.task(step)
        finally:
            asyncio.create_task(ctx.task(cleanup))  # noqa: RUF006 - nobody is to hold it

    async def process(_: Any, ctx: Context) -> Any:
        asyncio.create_task(last_words(ctx))  # noqa: RUF006
        return await ctx.task(other)

    run = start(process)
    run.resolve({"2": "returned"})
    assert (run.result, run.cancelled) == ("returned", ["1.0.1"])


def test_a_mistake_leaves_the_other_tasks_as_they_are() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        left_running(ctx)
        await ctx.task(other)
        raise ValueError("mend me")

    run = start(process)
    run.resolve({"2": None})
    assert (run.end and run.end.status, run.steps, run.cancelled) == ("stuck", [["2", "1.0.1"]], [])


def test_timers_that_nobody_has_cancelled_are_over_with_the_process() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        asyncio.get_running_loop().call_later(60, print)
        return await ctx.task(step)

    run = start(process)
    run.resolve({"2": "returned"})
    assert (run.result, run.cancelled) == ("returned", ["1"])


def test_what_a_task_failed_with_is_reported_when_nobody_has_looked_at_it() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        failing = asyncio.create_task(ctx.task(step))
        seen = asyncio.create_task(ctx.task(step))
        await asyncio.wait([failing, seen])
        return [await ctx.task(other), str(seen.exception())]

    run = start(process)
    run.resolve({"1.0.1": TaskFailed("unseen"), "2.0.1": TaskFailed("seen")})
    run.resolve({"3": "returned"})
    assert (run.result, run.reports) == (
        ["returned", "seen"],
        ["TaskFailed in the task 1.0, which nobody awaited: unseen"],
    )


def test_tasks_that_wait_for_each_other_are_a_mistake_with_a_line() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        await asyncio.Event().wait()  # here

    run = start(process)
    assert (str(run.error), run.end and run.end.place) == (
        "the process waits for something that never comes",
        line_of(process),
    )


def test_waiting_for_a_task_that_has_failed_is_a_mistake_at_the_line_that_failed() -> None:
    async def producer(queue: asyncio.Queue[Any]) -> None:
        await queue.put(1 / 0)  # here

    async def process(_: Any, ctx: Context) -> Any:
        queue: asyncio.Queue[Any] = asyncio.Queue()
        task = asyncio.create_task(producer(queue))
        return [await queue.get(), task]

    run = start(process)
    assert (run.end and run.end.place, type(run.error.__cause__)) == (line_of(producer), ZeroDivisionError)


# Ends on purpose.


def test_a_task_that_halts_the_run_cleans_up_and_is_told_once() -> None:
    seen = list[str]()

    async def halting(ctx: Context) -> None:
        try:
            ctx.halt("enough")
        finally:
            seen.append(str(await ctx.task(cleanup)))

    async def process(_: Any, ctx: Context) -> Any:
        async with asyncio.TaskGroup() as group:
            group.create_task(halting(ctx))
            group.create_task(ctx.task(step))  # type: ignore[arg-type]

    run = start(process)
    assert run.steps == [["1.0.1"]]
    run.resolve({"1.0.1": "cleaned up"})
    assert (run.end and run.end.status, seen, run.reports) == ("halted", ["cleaned up"], [])


@pytest.mark.parametrize("has_branch", [False, True])
def test_a_branch_that_halts_the_run_is_told_once(has_branch: bool) -> None:
    async def halting(ctx: Context) -> None:
        try:
            ctx.halt("enough")
        finally:
            await ctx.task(cleanup)
            ctx.log("cleaned up")

    async def process(_: Any, ctx: Context) -> Any:
        await (ctx.parallel.all([lambda: halting(ctx)]) if has_branch else halting(ctx))

    run = start(process)
    run.resolve(dict.fromkeys(run.pending, "cleaned"))
    logs = [event.data["message"] for event in run.events if event.type == "PROCESS_LOG"]
    assert (run.end and run.end.status, logs) == ("halted", ["cleaned up"])


def test_a_cleanup_that_halts_gives_up_itself() -> None:
    async def clean(ctx: Context) -> None:
        await ctx.task(cleanup)
        ctx.halt("too late")

    async def process(_: Any, ctx: Context) -> Any:
        ctx.on_cleanup(lambda: clean(ctx))
        return "returned"

    assert play(process).result == "returned"


def test_an_error_of_ours_is_not_taken_for_one_in_a_callback(monkeypatch: pytest.MonkeyPatch) -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return "returned"

    monkeypatch.setattr("babysitter.engine.loop_closing.Closing.go_on", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        start(process)


def test_a_run_that_has_returned_is_halted_by_none_of_its_tasks() -> None:
    async def late(ctx: Context) -> None:
        try:
            await ctx.task(step)
        finally:
            ctx.halt("too late")

    async def process(_: Any, ctx: Context) -> Any:
        asyncio.create_task(late(ctx))  # noqa: RUF006 - nobody is to hold it
        return await ctx.task(other)

    run = start(process)
    run.resolve({"2": "returned"})
    assert (run.result, run.reports[1:]) == (
        "returned",
        ["a task wanted the run halted, which had ended already: too late"],
    )


def test_a_person_who_cancels_a_run_that_has_returned_is_too_late() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        left_running(ctx)
        return await ctx.task(other)

    run = start(process)
    run.resolve({"2": "returned"})
    run.give_up()
    run.resolve({"1.0.2": None})
    assert run.result == "returned"


def test_a_callback_can_halt_the_run() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        asyncio.get_running_loop().call_soon(lambda: ctx.halt("enough"))
        await ctx.task(step)

    run = start(process)
    assert (run.end and run.end.status, run.reports) == ("halted", [])


def test_a_run_that_a_person_cancels_ends_its_tasks_and_cleans_up() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        ctx.on_cleanup(lambda: asyncio.gather(ctx.task(cleanup)))
        await asyncio.gather(ctx.task(step), ctx.task(other))

    run = start(process)
    assert (run.give_up(), run.cancelled) == (["cleanup.1.1.0.1"], ["1.0.1", "2.0.1"])
    run.resolve({"cleanup.1.1.0.1": None})
    assert run.end is not None
    assert run.end.status == "halted"


# Mistakes, and what is none.


@pytest.mark.parametrize("error", [ZeroDivisionError("here"), SystemExit("here")])
def test_an_error_in_a_callback_is_reported(error: BaseException) -> None:
    def fail(_: Any) -> None:
        raise error

    async def process(_: Any, ctx: Context) -> Any:
        task = asyncio.create_task(ctx.task(step))
        task.add_done_callback(fail)
        return await task

    run = play(process)
    assert (run.result, run.reports) == ("1.0.1", [f"{type(error).__name__} in a callback: here"])


def test_a_callback_logs_in_the_scope_that_has_set_it_up() -> None:
    async def branch(ctx: Context) -> None:
        asyncio.get_running_loop().call_soon(lambda: ctx.log("from a callback"))
        await ctx.task(step)

    async def process(_: Any, ctx: Context) -> Any:
        await ctx.parallel.all([lambda: branch(ctx)])

    run = start(process)
    assert [event.data["scope"] for event in run.events if event.type == "PROCESS_LOG"] == ["1.0."]


def test_a_call_that_its_cancelled_task_never_begins_is_no_slip() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        task = asyncio.create_task(ctx.task(step))
        task.cancel()
        return await asyncio.gather(task, return_exceptions=True) and "done"

    assert start(process).result == "done"


def test_a_call_that_is_never_awaited_is_named_also_in_a_task() -> None:
    async def forgetful(ctx: Context) -> None:
        ctx.task(step)  # here

    async def process(_: Any, ctx: Context) -> Any:
        await asyncio.gather(forgetful(ctx))

    run = start(process)
    assert (run.end and run.end.status, run.end and run.end.place) == ("stuck", line_of(forgetful))


def test_calls_in_the_result_of_a_branch_are_named_when_nobody_awaits_them() -> None:
    async def branch(ctx: Context) -> Any:
        return [ctx.task(step)]  # here

    async def process(_: Any, ctx: Context) -> Any:
        await ctx.parallel.all([lambda: branch(ctx)])
        await ctx.task(other)

    run = start(process)
    assert (run.end and run.end.status, run.end and run.end.place) == ("stuck", line_of(branch))


def test_leaving_the_program_is_a_mistake_also_in_a_task() -> None:
    async def leaving() -> None:
        raise SystemExit("here")

    async def process(_: Any, ctx: Context) -> Any:
        await asyncio.gather(leaving())

    run = start(process)
    assert (run.end and run.end.status, type(run.error), run.reports) == ("stuck", SystemExit, [])


@pytest.mark.parametrize("kind", [KeyboardInterrupt, DeadlineExceeded])
def test_an_interrupt_is_not_kept_in_a_task(kind: Any) -> None:
    async def interrupted() -> None:
        raise kind

    async def process(_: Any, ctx: Context) -> Any:
        await asyncio.wait([asyncio.create_task(interrupted())])
        return "went on"

    with pytest.raises(kind):
        start(process)


def test_an_interrupt_between_two_lines_of_ours_is_not_kept_in_a_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: Any) -> None:
        raise DeadlineExceeded

    async def process(_: Any, ctx: Context) -> Any:
        return "went on"

    monkeypatch.setattr(LoopReplay, "advance", interrupted)
    with pytest.raises(DeadlineExceeded):
        start(process)


def test_recording_may_run_a_loop_of_its_own() -> None:
    async def fetch() -> str:
        await asyncio.sleep(0)
        return "fetched"

    async def process(_: Any, ctx: Context) -> Any:
        fetched = ctx.record("fetch", lambda: asyncio.run(fetch()))
        return [fetched, *await asyncio.gather(ctx.task(step))]

    assert play(process).result == ["fetched", "1.0.1"]


def test_a_loop_that_runs_around_a_replay_is_given_its_place_back() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await asyncio.gather(ctx.task(step))

    async def around() -> Any:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        run = play(process)
        assert (asyncio.current_task(), asyncio.get_running_loop()) == (task, loop)
        return run.result

    assert asyncio.run(around()) == ["1.0.1"]


def test_what_a_task_gave_is_let_go_without_the_garbage_collector() -> None:
    class Given:
        pass

    given = list[weakref.ref[Given]]()

    async def give() -> Given:
        value = Given()
        given.append(weakref.ref(value))
        return value

    async def process(_: Any, ctx: Context) -> Any:
        await asyncio.gather(give())
        await ctx.parallel.all([give])
        await ctx.task(step)

    gc.collect()
    gc.disable()
    try:
        start(process)
        assert [reference() for reference in given] == [None, None]
    finally:
        gc.enable()


def test_what_a_task_failed_with_is_let_go_without_the_garbage_collector() -> None:
    class Held:
        pass

    held = list[weakref.ref[Held]]()

    async def fail() -> None:
        value = Held()
        held.append(weakref.ref(value))
        raise ValueError(id(value))

    async def process(_: Any, ctx: Context) -> Any:
        try:
            await asyncio.create_task(fail())
        except ValueError:
            await ctx.task(step)
        await ctx.task(other)

    gc.collect()
    gc.disable()
    try:
        run = start(process)
        run.resolve({"2": None})
        assert ([reference() for reference in held], run.end) == ([None], None)
    finally:
        gc.enable()
