"""The journal as a script: each way of not following it is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from babysitter.errors import Failed, NondeterminismError, TaskCancelled, TaskFailed, TaskTimeout
from tests.support.rounds import Rounds, a_task, start

if TYPE_CHECKING:
    from babysitter import Context
    from tests.support.rounds import Event, Process

step, other = a_task("step"), a_task("other")


async def one_step(_: Any, ctx: Context) -> Any:
    return await ctx.task(step, n=1)


async def two_steps(_: Any, ctx: Context) -> Any:
    return [await ctx.task(step, n=1), await ctx.task(other, n=2)]


async def race(_: Any, ctx: Context) -> Any:
    return await ctx.parallel.race([lambda: ctx.task(step), lambda: ctx.task(other)])


async def nothing(_: Any, ctx: Context) -> Any: ...


def divergence(process: Process, run: Rounds) -> NondeterminismError:
    """How another process fails to follow the journal of a run."""
    with pytest.raises(NondeterminismError) as caught:
        Rounds(process, events=run.events)
    return caught.value


def answered(process: Process, results: dict[str, Any]) -> Rounds:
    """A run after these results, one by one."""
    run = start(process)
    for name, result in results.items():
        run.resolve({name: result})
    return run


# Requests.


def test_nothing_asked_for_where_the_journal_has_a_request() -> None:
    error = divergence(nothing, start(one_step))
    assert (str(error), error.step) == (
        "at step '1' the journal has task 'step', but the process now has nothing there",
        "1",
    )


def test_another_task_where_the_journal_has_a_request() -> None:
    async def process(_: Any, ctx: Context) -> None:
        await ctx.task(other, n=1)

    error = divergence(process, start(one_step))
    assert str(error) == "at step '1' the journal has task 'step', but the process now has task 'other'"


def test_other_arguments_than_the_journal_has() -> None:
    async def process(_: Any, ctx: Context) -> None:
        await ctx.task(step, n=2)

    error = divergence(process, start(one_step))
    assert str(error) == (
        "at step '1' the journal has task 'step', but the process now has the same task with other arguments"
    )


def test_the_same_arguments_for_another_task_are_not_the_same_request() -> None:
    async def process(_: Any, ctx: Context) -> None:
        await ctx.parallel.all([lambda: ctx.task(other), lambda: ctx.task(step)])

    assert divergence(process, start(race)).step == "1.0.1"


def test_a_divergence_says_what_usually_causes_it() -> None:
    assert divergence(nothing, start(one_step)).hint.startswith(
        "a process asks for the same things on every replay"
    )


def test_swapped_calls_are_noticed() -> None:
    async def process(_: Any, ctx: Context) -> None:
        await ctx.task(other, n=2)
        await ctx.task(step, n=1)

    assert divergence(process, answered(two_steps, {"1": "a"})).step == "1"


# Results and cancellations.


def test_a_result_where_nothing_ever_waited() -> None:
    run = start(one_step)
    effect = run.state.effects[next(iter(run.state.effects))]
    run.replay.waiting.clear()
    with pytest.raises(NondeterminismError) as caught:
        run.script.follow([("EFFECT_RESOLVED", effect, 1)])
    assert str(caught.value) == (
        "at step '1' the journal has a result for task 'step', but the process now has nothing waiting there"
    )


def test_a_late_result_for_an_abandoned_step_is_ignored() -> None:
    run = start(race)
    run.resolve({"1.1.1": "b", "1.0.1": "too late"})
    assert (run.result, Rounds(race, events=run.events).result) == ("b", "b")


def test_a_late_result_needs_no_cancellation_any_more() -> None:
    run = start(race)
    run.resolve({"1.1.1": "b", "1.0.1": "too late"})
    assert run.cancelled == []


def test_a_cancellation_of_a_step_that_still_waits() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.settled([lambda: ctx.task(step), lambda: ctx.task(other)])

    error = divergence(process, answered(race, {"1.1.1": "b"}))
    assert str(error) == (
        "at step '1.0.1' the journal has the cancellation of task 'step',"
        " but the process now has it still waiting"
    )


# Notes.


def test_a_recorded_value_that_the_process_does_not_ask_for() -> None:
    async def records(_: Any, ctx: Context) -> None:
        ctx.record("files", list)
        await ctx.task(step, n=1)

    error = divergence(one_step, start(records))
    assert str(error) == (
        "at step 'record 1' the journal has the recorded value 'files',"
        " but the process now has no such record"
    )


def test_a_recorded_value_by_another_name() -> None:
    async def records(_: Any, ctx: Context) -> None:
        ctx.record("files", list)
        await ctx.task(step)

    async def process(_: Any, ctx: Context) -> None:
        ctx.record("folders", list)
        await ctx.task(step)

    error = divergence(process, start(records))
    assert str(error) == "the process records 'folders' where its journal has 'files'"


def test_a_record_by_another_name_cannot_be_swallowed() -> None:
    async def records(_: Any, ctx: Context) -> None:
        ctx.record("files", list)
        await ctx.task(step)

    async def process(_: Any, ctx: Context) -> None:
        try:
            ctx.record("folders", list)
        except Exception:
            await ctx.task(step)

    assert "records 'folders'" in str(divergence(process, start(records)))


def test_log_lines_may_come_and_go() -> None:
    async def logs(_: Any, ctx: Context) -> None:
        ctx.log("begins")
        await ctx.task(step, n=1)

    assert Rounds(one_step, events=start(logs).events).draft() == []


# The end.


def test_more_to_do_where_the_journal_ends() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return [await ctx.task(step, n=1), await ctx.task(step, n=2)]

    error = divergence(process, answered(one_step, {"1": "a"}))
    assert str(error) == "the journal has the run completed, but the process now has more to do"


def test_another_output_than_the_journal_has() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return ["other", await ctx.task(step, n=1)]

    error = divergence(process, answered(one_step, {"1": "a"}))
    assert str(error) == (
        """the journal has another output of the run, but the process now has ["other","a"]"""
    )


def test_an_output_that_is_no_json_is_another_output() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return {await ctx.task(step, n=1)}

    assert "an output that is not JSON" in str(divergence(process, answered(one_step, {"1": "a"})))


def test_a_failure_where_the_journal_has_the_run_completed() -> None:
    async def process(_: Any, ctx: Context) -> None:
        await ctx.task(step, n=1)
        raise Failed("on purpose")

    error = divergence(process, answered(one_step, {"1": "a"}))
    assert str(error) == "the journal has the run completed, but the process now has failed"


def test_another_failure_than_the_journal_has() -> None:
    async def process(_: Any, ctx: Context) -> None:
        try:
            await ctx.task(step, n=1)
        except TaskFailed:
            raise Failed("on purpose") from None

    error = divergence(process, answered(one_step, {"1": TaskFailed("no")}))
    assert str(error) == "the journal has TaskFailed: no, but the process now has Failed('on purpose')"


def test_the_same_failure_follows_the_script() -> None:
    run = answered(one_step, {"1": TaskFailed("no")})
    assert Rounds(one_step, events=run.events).draft() == []


# A process that is stuck.


def test_a_process_that_is_stuck_at_once_is_stuck_and_not_diverged() -> None:
    async def process(_: Any, ctx: Context) -> None:
        raise NameError("a slip of an edit")

    again = Rounds(process, events=start(two_steps).events)
    assert again.end is not None
    assert (again.end.status, str(again.error)) == ("stuck", "a slip of an edit")


def test_a_process_that_gets_stuck_on_the_way_is_not_led_further() -> None:
    async def process(_: Any, ctx: Context) -> None:
        await ctx.task(step, n=1)
        raise NameError("a slip of an edit")

    again = Rounds(process, events=answered(two_steps, {"1": "a", "2": "b"}).events)
    assert again.end is not None
    assert (again.end.status, str(again.error)) == ("stuck", "a slip of an edit")


def test_a_stuck_process_goes_on_with_the_fix() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        first = await ctx.task(step, n=1)
        raise NameError("a slip") if first else ValueError

    stuck = answered(process, {"1": "a"})
    fixed = Rounds(two_steps, events=stuck.events)
    assert fixed.write_round() == ["2"]


# What a process sees of a failure.


def failure(error: TaskFailed) -> Any:
    async def process(_: Any, ctx: Context) -> Any:
        try:
            await ctx.task(step)
        except TaskFailed as failed:
            return failed

    return answered(process, {"1": error}).result


@pytest.mark.parametrize(
    ("name", "kind"),
    [("TaskTimeout", TaskTimeout), ("TaskCancelled", TaskCancelled), ("ShellFailed", TaskFailed)],
)
def test_a_failure_has_the_class_that_its_name_asks_for(name: str, kind: type[TaskFailed]) -> None:
    assert type(failure(TaskFailed("no", name=name))) is kind


def test_a_failure_tells_all_that_the_journal_has() -> None:
    error = failure(TaskFailed("exit 2", name="ShellFailed", data={"stdout": "x"}, exit_code=2))
    assert (error.name, error.message, error.data, error.exit_code) == (
        "ShellFailed",
        "exit 2",
        {"stdout": "x"},
        2,
    )
    assert (error.step, error.task_id, error.attempts, len(error.effect_id)) == ("1", "step", 1, 16)


# What is to be written.


def test_what_is_asked_for_is_to_be_requested_in_the_order_of_asking() -> None:
    run = Rounds(race)
    assert [call.step for _, call in run.script.to_request()] == ["1.0.1", "1.1.1"]


def test_what_was_requested_is_not_to_be_requested_again() -> None:
    assert start(race).script.to_request() == []


def test_what_was_given_up_is_to_be_cancelled() -> None:
    run = start(race)
    run.append([("EFFECT_RESOLVED", {"effectId": effect_at(run, "1.1.1"), "status": "ok", "value": 1})])
    assert run.script.to_cancel() == [effect_at(run, "1.0.1")]


def effect_at(run: Rounds, name: str) -> str:
    return next(effect.id for effect in run.state.effects.values() if effect.step == name)


def test_large_values_are_fetched_only_when_they_are_fed() -> None:
    run = start(one_step)
    fetched = list[str]()
    run.script._fetch = lambda effect: fetched.append(effect.step) or "from a file"
    assert fetched == []
    run.resolve({"1": None})
    assert (fetched, run.result) == (["1"], "from a file")


def test_an_event_that_another_writer_added_is_followed_as_well() -> None:
    run = start(one_step)
    seen = Rounds(one_step, events=run.events)
    run.resolve({"1": "a"})
    later: list[Event] = run.events[len(seen.events) :]
    for event in later:
        seen.state.apply(event)  # type: ignore[arg-type]
    seen.follow()
    assert seen.result == "a"
