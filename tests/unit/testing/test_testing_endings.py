"""Failure, time and change in a play: retries, timeouts, cancellation, cleanups, child runs, hooks."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from babysitter import Retry, TaskFailed, python
from babysitter.errors import BranchTimeout, NoAnswer, NondeterminismError
from babysitter.testing import approves, begin, fails, given_up, in_turn, never, play, takes
from babysitter.testing import every_order as found_everywhere

if TYPE_CHECKING:
    from babysitter import Context


every_order = partial(found_everywhere, hash_seeds=0)  # most processes here have nothing to do with sets


@python
def work(name: str) -> str:
    return name


@python(retry=Retry(3, "10s"))
def flaky(name: str) -> str:
    return name


async def tries(inputs: Any, ctx: Context) -> Any:
    return await ctx.task(flaky, name="a")


async def in_time(inputs: Any, ctx: Context) -> Any:
    try:
        return await ctx.timeout("1m", lambda: ctx.task(work, name="a"))
    except BranchTimeout:
        return "too late"


async def cleans_up(inputs: Any, ctx: Context) -> Any:
    async def undo() -> None:
        await ctx.task(work, name="undo")

    await ctx.task(work, name="do")
    ctx.on_cleanup(undo)
    await ctx.task(work, name="more")
    return "done"


async def child(inputs: Any, ctx: Context) -> Any:
    return await ctx.task(work, name=inputs["name"])


async def parent(inputs: Any, ctx: Context) -> Any:
    return await ctx.subprocess(child, {"name": "a"})


async def by_name(inputs: Any, ctx: Context) -> Any:
    return await ctx.subprocess("build", {"name": "a"})


async def hooked(inputs: Any, ctx: Context) -> Any:
    return await ctx.hook("notify", {"text": "done"})


ECHO = {"work": lambda name: name}


def test_a_task_is_tried_again_until_it_goes_well() -> None:
    played = play(tries, results={"flaky": in_turn(fails(), fails("TaskTimeout"), "ok")})
    assert (played.output, played.elapsed) == ("ok", 30)
    assert [asked.attempt for asked in played.asked("flaky")] == [1, 2, 3]
    assert played.tasks == [["flaky"], ["sleep"], ["flaky"], ["sleep"], ["flaky"]]


def test_a_failure_stands_when_there_is_no_further_attempt() -> None:
    played = play(tries, results={"flaky": fails("OutOfDisk", "no space")})
    assert (repr(played.error), played.elapsed) == ("OutOfDisk: no space", 30)


def test_a_branch_ends_in_its_time_or_is_given_up() -> None:
    assert play(in_time, results={"work": takes("59s", "ok")}).output == "ok"
    assert play(in_time, results={"work": takes("61s", "ok")}).output == "too late"
    assert play(in_time, results={"work": never}).elapsed == 60


def test_a_timeout_may_come_first_in_some_order() -> None:
    orders = every_order(in_time, results=ECHO, same=False)
    assert sorted(order.played.output for order in orders.outcomes) == ["a", "too late"]


def test_a_run_is_halted_with_its_reason() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        ctx.halt("nothing to do", files=0)

    played = play(process)
    assert (played.status, played.reason, played.told) == (
        "halted",
        "nothing to do",
        "halted: nothing to do",
    )


def test_cleanups_are_performed_at_the_end() -> None:
    assert [asked.args["name"] for asked in play(cleans_up, results=ECHO).requests] == ["do", "more", "undo"]


def test_cleanups_are_performed_when_a_person_gives_the_run_up() -> None:
    begun = begin(cleans_up).answer("work").cancel_run("not today")
    assert [asked.args["name"] for asked in begun.cancelled] == ["more"]
    assert (begun.answer("work").status, begun.reason) == ("halted", "not today")


def test_a_process_that_cleans_up_repeats_itself_also_when_it_was_given_up() -> None:
    begun = begin(cleans_up).answer("work").cancel_run()
    begun.answer("work")
    for at in range(1, len(begun.events) + 1):
        begun.check_that_it_repeats(at)


def test_a_process_is_given_up_at_each_moment_once() -> None:
    plays = given_up(cleans_up, results=ECHO)
    assert [[asked.args["name"] for asked in played.requests] for played in plays] == [
        ["do"],
        ["do", "more", "undo"],
        ["do", "more", "undo"],
    ]
    # While it cleans up it has returned already.
    assert [played.status for played in plays] == ["halted", "halted", "completed"]


def test_a_process_without_a_step_cannot_be_given_up() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        return 1

    assert given_up(process) == []


def test_a_process_that_waits_for_ever_is_given_up_too() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        await ctx.task(work, name="a")
        await ctx.task(work, name="b")

    plays = given_up(process, results={"work": lambda name: never if name == "b" else name})
    assert [played.status for played in plays] == ["halted", "halted"]


def test_a_cleanup_that_depends_on_chance_is_found_when_it_is_given_up() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        async def undo() -> None:
            await ctx.task(work, name=str(time.perf_counter_ns()))

        ctx.on_cleanup(undo)
        await ctx.task(work, name="a")

    with pytest.raises(NondeterminismError):
        given_up(process, results=ECHO)


def test_a_person_cancels_one_request() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        try:
            return await ctx.task(work, name="a")
        except TaskFailed as error:
            return type(error).__name__

    begun = begin(process).cancel("work")
    assert begun.output == "TaskCancelled"
    for at in range(1, len(begun.events) + 1):
        begun.check_that_it_repeats(at)


def test_a_process_goes_on_in_a_new_run() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        await ctx.sleep("1h")
        ctx.continue_as_new({"round": inputs["round"] + 1})

    played = play(process, {"round": 1})
    assert (played.status, played.next_inputs) == ("continued", {"round": 2})
    assert played.told == 'continued with {"round":2}'


def test_a_child_run_gives_what_the_test_gives() -> None:
    assert play(by_name, subprocesses={"build": "built"}).output == "built"


def test_a_child_run_is_named_by_its_function_and_can_be_played_too() -> None:
    played = play(parent, subprocesses={"child": lambda inputs: play(child, inputs, results=ECHO).output})
    assert played.output == "a"


def test_a_child_run_without_an_answer_is_named() -> None:
    with pytest.raises(NoAnswer, match="no answer for subprocess 'build', asked for at step '1'") as caught:
        play(by_name)
    assert caught.value.__notes__[0].startswith("hint: write subprocesses={'build': …}: the output")


async def races_a_child(inputs: Any, ctx: Context) -> Any:
    return await ctx.parallel.race([lambda: ctx.task(work, name="a"), lambda: ctx.subprocess(child, {})])


async def waits_for_a_child(inputs: Any, ctx: Context) -> Any:
    return await ctx.subprocess(child, {})


def test_a_child_run_that_is_given_up_keeps_no_play_from_its_end() -> None:
    played = play(races_a_child, results=ECHO, subprocesses={"child": never})
    assert (played.output, played.told) == ("a", 'completed with "a"')


def test_a_race_that_a_child_run_may_lose_has_one_outcome_for_each_winner() -> None:
    orders = every_order(races_a_child, results=ECHO, subprocesses={"child": "a"})
    assert (orders.count, orders.played.output) == (2, "a")


def test_a_play_that_waits_for_a_child_run_is_given_up_at_once() -> None:
    begun = begin(waits_for_a_child, subprocesses={"child": never}).cancel_run("no")
    assert (begun.status, begun.reason) == ("halted", "no")


def test_hooks_give_nothing_where_nothing_is_said_of_them() -> None:
    assert play(hooked).output == []


def test_a_hook_gives_what_the_test_computes_from_its_payload() -> None:
    assert play(hooked, hooks={"notify": lambda payload: [payload["text"]]}).output == ["done"]


def test_a_hook_that_the_test_forgot_is_named() -> None:
    with pytest.raises(NoAnswer, match="no answer for hook 'notify'"):
        play(hooked, hooks={"other": []})


def test_the_agent_of_the_session_gets_an_answer_that_fits() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        return await ctx.orchestrator_task("Sum it up", returns={"type": "string"})

    assert play(process, results={"orchestrator_task": lambda prompt: prompt.upper()}).output == "SUM IT UP"


def test_tasks_of_the_session_are_told_apart_by_their_titles() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        return [await ctx.orchestrator_task(f"Do {title}", title=title) for title in ("this", "that")]

    assert play(process, results={"this": 1, "that": 2}).output == [1, 2]


def test_a_new_path_is_taken_and_repeats() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        await ctx.task(work, name="a")
        return await ctx.task(work, name="new" if ctx.patched("p") else "old")

    assert every_order(process, results=ECHO).played.output == "new"


def test_a_decision_and_a_retry_hold_in_every_order() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        said, done = await ctx.parallel.all([ctx.breakpoint("Go?"), ctx.task(flaky, name="a")])
        return [said.approved, done]

    orders = every_order(process, results={"flaky": in_turn(fails(), "ok")}, people=approves())
    assert (orders.count > 3, orders.played.output) == (True, [True, "ok"])
