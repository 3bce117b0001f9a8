"""Groups: which branches run side by side, what settles them, and how the others are given up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from babysitter import Context, Outcome
from babysitter.errors import AllFailed, BranchCancelled, TaskFailed
from tests.support.rounds import Rounds, a_task, start

first, second, third, cleanup = a_task("first"), a_task("second"), a_task("third"), a_task("cleanup")


def failed(step: str = "") -> TaskFailed:
    return TaskFailed(f"no {step}".strip())


async def three(ctx: Context, mode: str, **options: Any) -> Any:
    join = getattr(ctx.parallel, mode)
    return await join([lambda: ctx.task(first), lambda: ctx.task(second), lambda: ctx.task(third)], **options)


async def caught(awaitable: Any) -> Any:
    """What a group gives, or the error that leaves it."""
    try:
        return await awaitable
    except Exception as error:
        return error


# Order and batches.


def test_what_lies_deeper_is_asked_for_later() -> None:
    async def process(_: Any, ctx: Context) -> None:
        both = ctx.parallel.all
        await both([both([both([ctx.task(first)]), ctx.task(first)]), ctx.task(first)])

    assert [asked.step for asked in start(process).rounds[0]] == ["1.1.1", "1.0.1.1.1", "1.0.1.0.1.0.1"]


def test_what_one_result_leads_to_is_asked_for_before_the_next_is_looked_at() -> None:
    async def process(_: Any, ctx: Context) -> None:
        async def branch() -> None:
            await ctx.task(first)
            await ctx.parallel.all([ctx.task(first)])

        await ctx.parallel.all([branch, branch])

    run = start(process)
    run.resolve({"1.1.1": 1, "1.0.1": 1})
    assert [asked.step for asked in run.rounds[1]] == ["1.1.2.0.1", "1.0.2.0.1"]


def test_results_come_in_the_order_of_the_branches_whatever_arrives_first() -> None:
    run = start(lambda _, ctx: three(ctx, "all"))
    run.resolve({"1.2.1": "c"})
    run.resolve({"1.0.1": "a", "1.1.1": "b"})
    assert run.result == ["a", "b", "c"]


def test_all_that_is_ready_in_any_branch_is_one_batch() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        nested = [lambda: three(ctx, "all"), lambda: three(ctx, "settled"), lambda: ctx.task(first)]
        return await ctx.parallel.all(nested)

    assert [sorted(batch) for batch in start(process).batches] == [
        ["first"] * 3 + ["second"] * 2 + ["third"] * 2
    ]


def test_chains_in_branches_go_on_independently() -> None:
    async def chain(ctx: Context, name: str) -> str:
        begun = await ctx.task(first, of=name)
        return f"{begun} {await ctx.task(second, of=name)}"

    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.all([lambda: chain(ctx, "a"), lambda: chain(ctx, "b")])

    run = start(process)
    assert run.resolve({"1.1.1": "b1"}) == ["1.1.2"]
    assert run.resolve({"1.1.2": "b2"}) == []
    run.resolve({"1.0.1": "a1"})
    run.resolve({"1.0.2": "a2"})
    assert run.result == ["a1 a2", "b1 b2"]


def test_several_results_at_once_ask_for_one_batch() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        async def chain(name: str) -> Any:
            await ctx.task(first, of=name)
            return await ctx.task(second, of=name)

        return await ctx.parallel.map(["a", "b", "c"], chain, key=str)

    run = start(process)
    assert run.resolve({"1.c.1": 1, "1.a.1": 1}) == ["1.c.2", "1.a.2"]


@pytest.mark.parametrize("mode", ["all", "settled"])
def test_an_empty_group_is_an_empty_list(mode: str) -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await getattr(ctx.parallel, mode)([])

    assert start(process).result == []


def test_a_map_over_nothing_is_an_empty_list() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.map([], lambda item: ctx.task(first, item=item))

    assert start(process).result == []


def test_an_empty_mapping_is_an_empty_dict() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.all({})

    assert start(process).result == {}


# Limits.


def limited(limit: int) -> Any:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.map(
            range(5), lambda item: ctx.task(first, item=item), limit=limit, key=name
        )

    return process


def name(item: int) -> str:
    return f"i{item}"


def test_a_limit_starts_so_many_branches_and_no_more() -> None:
    assert start(limited(2)).steps == [["1.i0.1", "1.i1.1"]]


def test_the_next_branch_starts_when_one_ends() -> None:
    run = start(limited(2))
    assert run.resolve({"1.i1.1": 0}) == ["1.i2.1"]
    assert run.pending == ["1.i0.1", "1.i2.1"]


def test_as_many_branches_start_as_end() -> None:
    run = start(limited(2))
    assert run.resolve({"1.i1.1": 0, "1.i0.1": 0}) == ["1.i2.1", "1.i3.1"]


def test_a_branch_holds_its_place_until_all_its_steps_are_done() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        async def chain(item: int) -> Any:
            await ctx.task(first, item=item)
            return await ctx.task(second, item=item)

        return await ctx.parallel.map([1, 2], chain, limit=1, key=name)

    run = start(process)
    assert run.resolve({"1.i1.1": 0}) == ["1.i1.2"]
    assert run.resolve({"1.i1.2": 0}) == ["1.i2.1"]


def test_a_limit_beyond_the_number_of_branches_changes_nothing() -> None:
    assert start(limited(50)).steps == [[f"1.i{item}.1" for item in range(5)]]


def test_plain_values_make_room_for_the_next_branch_at_once() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        thunks: list[Any] = [lambda: 1, lambda: 2, lambda: ctx.task(first)]
        return await ctx.parallel.all(thunks, limit=1)

    assert start(process).steps == [["1.2.1"]]


def test_a_limit_holds_for_all_and_settled_too() -> None:
    for mode in ("all", "settled"):
        assert start(lambda _, ctx, mode=mode: three(ctx, mode, limit=2)).batches == [["first", "second"]]


# Failure in all and map.


async def all_of_three(_: Any, ctx: Context) -> Any:
    return await caught(three(ctx, "all"))


def test_when_a_branch_fails_the_others_are_cancelled() -> None:
    run = start(all_of_three)
    run.resolve({"1.1.1": failed()})
    assert run.cancelled == ["1.0.1", "1.2.1"]


def test_the_first_error_to_arrive_is_the_one_that_is_raised() -> None:
    run = start(all_of_three)
    run.resolve({"1.2.1": failed("third"), "1.0.1": failed("first")})
    assert str(run.result) == "no third"


def test_branches_not_yet_started_never_start_after_a_failure() -> None:
    run = start(lambda _, ctx: caught(three(ctx, "all", limit=1)))
    run.resolve({"1.0.1": failed()})
    assert run.batches == [["first"]]


def test_a_result_that_arrives_with_the_failure_stays_in_the_journal_and_changes_nothing() -> None:
    run = start(all_of_three)
    run.resolve({"1.0.1": failed(), "1.1.1": "too late"})
    assert ([effect.status for effect in run.state.effects.values()], run.cancelled) == (
        ["error", "ok", "cancelled"],
        ["1.2.1"],
    )


def test_the_error_carries_what_the_other_branches_gave() -> None:
    run = start(all_of_three)
    run.resolve({"1.0.1": "a"})
    run.resolve({"1.1.1": failed()})
    error = run.result
    assert error.partial == [Outcome(True, "a"), Outcome(False, None, error), None]


def test_the_partial_results_of_named_branches_have_their_names() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await caught(ctx.parallel.all({"a": ctx.task(first), "b": ctx.task(second)}))

    run = start(process)
    run.resolve({"1.a.1": 1, "1.b.1": failed()})
    assert run.result.partial == {"a": Outcome(True, 1), "b": Outcome(False, None, run.result)}


def test_an_error_that_leaves_two_groups_has_the_partial_results_of_the_outer() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await caught(ctx.parallel.all([lambda: three(ctx, "all"), lambda: ctx.task(first)]))

    run = start(process)
    run.resolve({"1.0.1.0.1": failed()})
    assert run.result.partial == [Outcome(False, None, run.result), None]


def test_an_error_of_the_authors_code_carries_partial_results_as_well() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await caught(ctx.parallel.all([lambda: "a", lambda: 1 // 0]))

    assert start(process).result.partial[0] == Outcome(True, "a")


def test_an_error_that_takes_no_attributes_has_to_do_without_partial_results() -> None:
    @dataclass(frozen=True)
    class Refused(Exception):
        reason: str

    def refuse() -> None:
        raise Refused("frozen")

    async def process(_: Any, ctx: Context) -> Any:
        return await caught(ctx.parallel.all([lambda: "a", refuse]))

    assert start(process).result == Refused("frozen")


def test_a_map_fails_as_all_does() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await caught(ctx.parallel.map([1, 2], lambda item: ctx.task(first, item=item), key=name))

    run = start(process)
    run.resolve({"1.i1.1": failed()})
    assert (type(run.result), run.cancelled) == (TaskFailed, ["1.i2.1"])


# settled, any, race.


def test_settled_goes_on_when_a_branch_fails() -> None:
    run = start(lambda _, ctx: three(ctx, "settled"))
    run.resolve({"1.1.1": failed()})
    run.resolve({"1.2.1": "c", "1.0.1": "a"})
    assert [(outcome.ok, outcome.value, str(outcome.error)) for outcome in run.result] == [
        (True, "a", "None"),
        (False, None, "no"),
        (True, "c", "None"),
    ]


def test_any_gives_the_first_success_and_cancels_the_rest() -> None:
    run = start(lambda _, ctx: three(ctx, "any"))
    run.resolve({"1.0.1": failed()})
    run.resolve({"1.2.1": "c"})
    assert (run.result, run.cancelled) == ("c", ["1.1.1"])


def test_any_raises_all_failed_with_every_error_in_the_order_of_the_branches() -> None:
    run = start(lambda _, ctx: caught(three(ctx, "any")))
    run.resolve({"1.2.1": failed("third"), "1.0.1": failed("first"), "1.1.1": failed("second")})
    assert isinstance(run.result, AllFailed)
    assert [str(error) for error in run.result.errors] == ["no first", "no second", "no third"]


def test_a_race_gives_the_first_to_end_and_cancels_the_rest() -> None:
    run = start(lambda _, ctx: three(ctx, "race"))
    run.resolve({"1.1.1": "b"})
    assert (run.result, run.cancelled) == ("b", ["1.0.1", "1.2.1"])


def test_a_race_raises_the_error_of_the_first_to_end() -> None:
    run = start(lambda _, ctx: caught(three(ctx, "race")))
    run.resolve({"1.1.1": failed()})
    assert (str(run.result), run.cancelled) == ("no", ["1.0.1", "1.2.1"])


def test_of_two_results_that_arrive_together_the_first_wins_the_race_on_every_replay() -> None:
    run = start(lambda _, ctx: three(ctx, "race"))
    run.resolve({"1.2.1": "c", "1.0.1": "a"})
    again = Rounds(run.process, events=run.events)
    assert (run.result, again.result) == ("c", "c")


def test_a_winner_by_name_gives_its_value_as_it_is() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.race({"a": ctx.task(first), "b": ctx.task(second)})

    run = start(process)
    run.resolve({"1.b.1": [1, 2]})
    assert run.result == [1, 2]


# Giving up.


def test_except_exception_does_not_catch_that_a_branch_is_given_up() -> None:
    async def branch(ctx: Context) -> str:
        try:
            await ctx.task(first)
        except Exception:
            await ctx.task(cleanup)
        return "not reached"

    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.race([lambda: branch(ctx), lambda: ctx.task(second)])

    run = start(process)
    assert run.resolve({"1.1.1": "won"}) == []
    assert run.result == "won"


async def tidy(ctx: Context, seen: list[str], name: str) -> None:
    try:
        await ctx.task(first, of=name)
    except BranchCancelled:
        seen.append(name)
        raise


def test_a_branch_that_is_given_up_hears_of_it_once() -> None:
    seen = list[str]()

    async def process(_: Any, ctx: Context) -> Any:
        async def branch() -> None:
            try:
                await tidy(ctx, seen, "inner")
            finally:
                await ctx.task(cleanup)
                seen.append("cleaned")

        return await ctx.parallel.race([branch, lambda: ctx.task(second)])

    run = start(process)
    run.resolve({"1.1.1": "won"})
    run.resolve({"1.0.2": None})
    assert seen == ["inner", "cleaned"]


def test_inner_groups_are_given_up_before_the_branch_that_waits_for_them() -> None:
    seen = list[str]()

    async def process(_: Any, ctx: Context) -> Any:
        async def outer() -> None:
            try:
                await ctx.parallel.all([lambda: tidy(ctx, seen, "a"), lambda: tidy(ctx, seen, "b")])
            except BranchCancelled:
                seen.append("outer")
                raise

        return await ctx.parallel.race([outer, lambda: ctx.task(second)])

    start(process).resolve({"1.1.1": "won"})
    assert seen == ["a", "b", "outer"]


async def with_cleanup(ctx: Context) -> None:
    try:
        await ctx.task(first)
    finally:
        await ctx.task(cleanup)


async def race_against_cleanup(_: Any, ctx: Context) -> Any:
    return await ctx.parallel.race([lambda: with_cleanup(ctx), lambda: ctx.task(second)])


def test_the_finally_of_a_branch_that_is_given_up_may_ask_for_effects() -> None:
    assert start(race_against_cleanup).resolve({"1.1.1": "won"}) == ["1.0.2"]


def test_a_group_waits_for_the_finally_of_its_branches() -> None:
    run = start(race_against_cleanup)
    run.resolve({"1.1.1": "won"})
    assert run.end is None
    run.resolve({"1.0.2": None})
    assert run.result == "won"


def test_an_error_while_giving_up_is_reported_and_does_not_replace_the_first() -> None:
    run = start(race_against_cleanup)
    run.resolve({"1.1.1": "won"})
    run.resolve({"1.0.2": failed()})
    assert (run.result, run.reports) == ("won", ["TaskFailed while branch 1.0 was given up: no"])


def test_a_second_failure_does_not_replace_the_first() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await caught(ctx.parallel.all([lambda: with_cleanup(ctx), lambda: ctx.task(second)]))

    run = start(process)
    run.resolve({"1.1.1": failed("first")})
    run.resolve({"1.0.2": failed("second")})
    assert str(run.result) == "no first"


def test_a_branch_may_refuse_to_be_given_up_and_is_waited_for() -> None:
    async def stubborn(ctx: Context) -> None:
        try:
            await ctx.task(first)
        except BranchCancelled:
            await ctx.task(third)

    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.race([lambda: stubborn(ctx), lambda: ctx.task(second)])

    run = start(process)
    assert run.resolve({"1.1.1": "won"}) == ["1.0.2"]
    run.resolve({"1.0.2": "ignored"})
    assert run.result == "won"


def test_a_parent_given_up_while_its_own_group_ends_hears_of_that_and_not_of_the_result() -> None:
    seen = list[str]()

    async def process(_: Any, ctx: Context) -> Any:
        async def parent() -> None:
            try:
                await race_against_cleanup(None, ctx)
            except BaseException as error:
                seen.append(type(error).__name__)
                raise

        return await ctx.parallel.race([parent, lambda: ctx.task(third)])

    run = start(process)
    run.resolve({"1.0.1.1.1": "won inside"})
    run.resolve({"1.1.1": "won outside"})
    run.resolve({"1.0.1.0.2": None})
    assert (seen, run.result) == (["BranchCancelled"], "won outside")


def test_an_effect_asked_for_and_given_up_within_one_round_is_never_requested() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await caught(ctx.parallel.all([lambda: ctx.task(first), lambda: 1 // 0]))

    run = start(process)
    assert (run.batches, run.cancelled, type(run.result)) == ([], [], ZeroDivisionError)
