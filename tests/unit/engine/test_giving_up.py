"""Giving a run up: the process halts it, or a person cancels it; every branch hears of it once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from babysitter import BranchCancelled, Context, Failed, TaskCancelled, TaskFailed
from babysitter.errors import NondeterminismError
from tests.support.rounds import Rounds, a_task, given_up, start

if TYPE_CHECKING:
    from tests.support.rounds import Process

step, other, cleanup = a_task("step"), a_task("other"), a_task("cleanup")


def halted(run: Rounds) -> dict[str, Any]:
    """What the journal says about the end."""
    assert (run.state.status, run.events[-1].type) == ("halted", "RUN_HALTED")
    return run.events[-1].data


async def beside(ctx: Context, last: list[str]) -> Any:
    """A branch that waits, and notes that it was given up."""
    try:
        return await ctx.task(other)
    finally:
        last.append("given up")


# The process halts


def test_a_halt_ends_the_run_with_its_reason_and_data() -> None:
    async def process(_: Any, ctx: Context) -> None:
        ctx.halt("nothing to do", found=(1, 2))

    assert halted(start(process)) == {"reason": "nothing to do", "data": {"found": [1, 2]}}


def test_a_halt_without_data_has_none() -> None:
    async def process(_: Any, ctx: Context) -> None:
        ctx.halt("nothing to do")

    assert halted(start(process)) == {"reason": "nothing to do"}


def test_nothing_of_the_process_comes_after_a_halt() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        try:
            ctx.halt("enough")
        except Exception:
            return "swallowed"
        return "gone on"  # type: ignore[unreachable]

    assert halted(start(process))["reason"] == "enough"


@pytest.mark.parametrize("by_replay", [False, True])
def test_a_halt_in_a_branch_gives_up_all_others(by_replay: bool) -> None:
    last: list[str] = []

    async def stops(ctx: Context) -> None:
        await ctx.task(step)
        ctx.halt("enough")

    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.settled([lambda: stops(ctx), lambda: beside(ctx, last)])

    run = start(process, by_replay=by_replay)
    run.resolve({"1.0.1": None})
    assert (halted(run)["reason"], run.cancelled, last[-1:]) == ("enough", ["1.1.1"], ["given up"])


def test_what_a_finally_asks_for_is_waited_for() -> None:
    async def waits(ctx: Context) -> None:
        try:
            await ctx.task(other)
        finally:
            await ctx.task(cleanup)

    async def stops(ctx: Context) -> None:
        await ctx.task(step)
        ctx.halt("enough")

    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.all([lambda: waits(ctx), lambda: stops(ctx)])

    run = start(process)
    assert run.resolve({"1.1.1": None}) == ["1.0.2"]
    assert run.end is None
    run.resolve({"1.0.2": None})
    assert halted(run)["reason"] == "enough"


def test_a_branch_whose_turn_was_coming_sees_no_result_any_more() -> None:
    seen: list[Any] = []

    async def stops(ctx: Context) -> None:
        await ctx.task(step)
        ctx.halt("enough")

    async def sees(ctx: Context) -> None:
        seen.append(await ctx.parallel.all([lambda: ctx.task(other)]))

    async def process(_: Any, ctx: Context) -> Any:
        await ctx.parallel.all([lambda: stops(ctx), lambda: sees(ctx)])

    run = start(process)
    run.resolve({"1.0.1": None, "1.1.1.0.1": "too late"})
    assert (halted(run)["reason"], seen) == ("enough", [])


def test_branches_that_have_not_begun_never_begin() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        async def branch(at: int) -> None:
            if at == 0:
                ctx.halt("enough")
            await ctx.task(step)

        await ctx.parallel.map([0, 1, 2], branch, limit=2)

    run = start(process)
    assert (halted(run)["reason"], run.rounds) == ("enough", [])


def test_what_was_prepared_and_never_asked_for_is_no_slip() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        prepared = [ctx.task(step), ctx.task(other)]
        ctx.halt("enough")
        await ctx.parallel.all(prepared)  # type: ignore[unreachable]

    assert halted(start(process))["reason"] == "enough"


def test_the_first_reason_stands() -> None:
    async def waits(ctx: Context) -> None:
        try:
            await ctx.task(other)
        finally:
            ctx.halt("second")

    async def process(_: Any, ctx: Context) -> Any:
        async def stops() -> None:
            ctx.halt("first")

        await ctx.parallel.all([lambda: waits(ctx), stops])

    assert halted(start(process))["reason"] == "first"


def test_a_halt_that_is_swallowed_by_force_still_ends_the_run() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        try:
            ctx.halt("enough")
        except BaseException:
            await ctx.task(step)
        return "gone on"

    run = start(process)
    run.resolve({"1": None})
    assert halted(run)["reason"] == "enough"


def test_a_failure_on_the_way_out_is_reported_and_does_not_count() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        try:
            ctx.halt("enough")
        finally:
            raise Failed("no good")

    run = start(process)
    assert (halted(run)["reason"], run.reports) == (
        "enough",
        ["Failed while the run was given up: no good"],
    )


def test_a_mistake_on_the_way_out_is_to_be_mended() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        try:
            ctx.halt("enough")
        finally:
            {}["nothing"]

    run = start(process)
    assert run.end is not None
    assert (run.end.status, type(run.error)) == ("stuck", KeyError)


def test_a_branch_that_failed_first_does_not_stop_a_halt() -> None:
    async def stops_late(ctx: Context) -> None:
        try:
            await ctx.task(other)
        finally:
            ctx.halt("enough")

    async def process(_: Any, ctx: Context) -> Any:
        await ctx.parallel.all([lambda: ctx.task(step), lambda: stops_late(ctx)])

    run = start(process)
    run.resolve({"1.0.1": TaskFailed("no")})
    assert halted(run)["reason"] == "enough"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "ctx.halt needs a reason, a text for people, found []"),
        (("  ",), "ctx.halt needs a reason, a text for people, found '  '"),
    ],
)
def test_a_halt_has_a_reason(arguments: Any, message: str) -> None:
    async def process(_: Any, ctx: Context) -> Any:
        ctx.halt(*arguments)

    run = start(process)
    assert (type(run.error), str(run.error)) == (TypeError, message)


def test_the_data_of_a_halt_is_json() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        ctx.halt("enough", found={1, 2})

    run = start(process)
    assert str(run.error).startswith("the data of ctx.halt cannot be written as JSON: ")


# The process goes on in another run


def test_continuing_ends_the_run_with_the_inputs_of_the_next() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        await ctx.task(step)
        ctx.continue_as_new({"round": (2,)})

    run = start(process)
    run.resolve({"1": None})
    told = run.events[-1]
    assert (run.state.status, told.type, told.data["inputs"], told.data["runId"]) == (
        "continued",
        "RUN_CONTINUED",
        {"round": [2]},
        "run-1-c2",
    )


def test_inputs_that_are_no_json_are_told_at_the_authors_line() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        ctx.continue_as_new(object())

    run = start(process)
    assert str(run.error).startswith("the inputs of ctx.continue_as_new cannot be written as JSON: ")


# A person gives it up


@pytest.mark.parametrize("by_replay", [False, True])
def test_a_person_who_cancels_the_run_ends_it_after_what_it_does_at_last(by_replay: bool) -> None:
    async def process(_: Any, ctx: Context) -> Any:
        try:
            await ctx.task(step)
        finally:
            await ctx.task(cleanup)

    run = start(process, by_replay=by_replay)
    assert run.give_up("no more use") == ["2"]
    assert (run.state.status, run.state.is_cancelled, run.cancelled) == ("waiting", True, ["1"])
    run.resolve({"2": None})
    assert halted(run) == {"reason": "no more use", "by": "me"}


def test_a_person_may_do_so_before_anything_was_asked_for() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        await ctx.task(step)

    run = Rounds(process)
    run.append([given_up("no more use")])
    assert (run.write_round(), halted(run)["reason"], run.state.effects) == ([], "no more use", {})


def test_the_process_sees_the_time_at_which_it_was_given_up() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        try:
            await ctx.task(step)
        finally:
            await ctx.task(cleanup, at=ctx.now().timestamp())

    run = start(process)
    run.give_up()
    (given,) = [event for event in run.events if event.type == "RUN_CANCELLED"]
    assert run.rounds[-1][0].args == {"at": given.ms / 1000}


def test_the_reason_of_the_process_stands_when_it_was_first() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        try:
            ctx.halt("enough")
        finally:
            await ctx.task(cleanup)

    run = start(process)
    run.give_up("no more use")
    run.resolve({"1": None})
    assert halted(run) == {"reason": "enough"}


def test_an_effect_that_a_person_cancels_fails_at_its_await() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        try:
            await ctx.task(step)
        except TaskCancelled as error:
            return [error.message, error.step, error.task_id, error.name]

    run = start(process)
    run.cancel("1")
    assert run.result == ["task 'step' was cancelled by a person", "1", "step", "TaskCancelled"]


def test_an_effect_that_its_process_abandoned_is_no_failure() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        seen: list[str] = []

        async def loses() -> None:
            try:
                await ctx.task(other)
            except BranchCancelled:
                seen.append("abandoned")
                raise

        await ctx.parallel.race([lambda: ctx.task(step), loses])
        return seen

    run = start(process)
    run.resolve({"1.0.1": None})
    assert run.result == ["abandoned"]


def test_a_persons_cancellation_of_what_was_abandoned_just_before_is_none_any_more() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.race([lambda: ctx.task(step), lambda: ctx.task(other)])

    run = start(process)
    run.append(
        [
            ("EFFECT_RESOLVED", {"effectId": run.effect_at("1.0.1"), "status": "ok", "value": "won"}),
            ("EFFECT_CANCELLED", {"effectId": run.effect_at("1.1.1"), "reason": "cancelled"}),
        ]
    )
    run.write_round()
    assert (run.result, [event.type for event in run.events].count("EFFECT_CANCELLED")) == ("won", 1)


# The journal as a script


def ends_with(process: Process, *events: tuple[str, dict[str, Any]]) -> Rounds:
    """A run with these as its last events, replayed."""
    run = start(process, by_replay=True)
    run.append(events)
    return run


async def stops(_: Any, ctx: Context) -> Any:
    await ctx.task(step)
    ctx.halt("enough")


async def waits(_: Any, ctx: Context) -> Any:
    await ctx.task(step)


def test_a_halt_of_another_reason_is_a_divergence() -> None:
    run = start(stops)
    run.resolve({"1": None})
    events = [*run.events[:-1], run.events[-1]._replace(data={"reason": "another"})]
    with pytest.raises(
        NondeterminismError, match="has the run halted: another, but the process now has enough"
    ):
        Rounds(stops, events=events)


def test_a_halt_where_the_process_waits_is_a_divergence() -> None:
    with pytest.raises(NondeterminismError, match="has the run halted, but the process now has more to do"):
        ends_with(waits, ("RUN_HALTED", {"reason": "enough"}))


def test_a_halt_from_outside_fits_any_process() -> None:
    run = ends_with(waits, ("RUN_HALTED", {"reason": "enough", "by": "me", "isAtOnce": True}))
    assert (run.end, run.state.status) == (None, "halted")


def test_a_continuation_with_other_inputs_is_a_divergence() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        ctx.continue_as_new({"round": 2})

    run = start(process)
    events = [*run.events[:-1], run.events[-1]._replace(data={"runId": "x", "sha256": "0"})]
    with pytest.raises(NondeterminismError, match="has the run continued with other inputs"):
        Rounds(process, events=events)


def test_a_cancellation_of_what_the_process_still_wants_is_a_divergence() -> None:
    run = start(waits, by_replay=True)
    with pytest.raises(NondeterminismError, match="has the cancellation of task 'step', but the process"):
        run.append([("EFFECT_CANCELLED", {"effectId": run.effect_at("1"), "reason": "abandoned"})])
