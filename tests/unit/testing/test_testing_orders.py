"""Every order of arrival, and starting again at every event."""

from __future__ import annotations

import random
import time
from functools import partial
from typing import Any

import pytest

from babysitter import BranchCancelled, Context, Failed, python
from babysitter.errors import NondeterminismError
from babysitter.testing import Play, approves, play, takes
from babysitter.testing import every_order as found_everywhere
from babysitter.testing.crashes import points

every_order = partial(found_everywhere, hash_seeds=0)  # most processes here have nothing to do with sets


@python
def work(n: Any) -> Any:
    return n


RESULTS = {"work": lambda n: n}


async def race(inputs: Any, ctx: Context) -> Any:
    return await ctx.parallel.race([lambda: ctx.task(work, n=1), lambda: ctx.task(work, n=2)])


async def chains(inputs: Any, ctx: Context) -> Any:
    async def chain(n: int) -> Any:
        return await ctx.task(work, n=[n, await ctx.task(work, n=n)])

    return await ctx.parallel.map(range(inputs), chain)


async def reads_the_clock(inputs: Any, ctx: Context) -> Any:
    return await ctx.task(work, n=time.perf_counter_ns())


async def rolls_dice(inputs: Any, ctx: Context) -> Any:
    return await ctx.task(work, n=random.random())  # noqa: S311 - that is the mistake


async def iterates_a_set(inputs: Any, ctx: Context) -> Any:
    names = {"a", "b", "c", "d", "e"}
    return await ctx.parallel.settled([ctx.task(work, n=n) for n in names])


async def sorts_a_set(inputs: Any, ctx: Context) -> Any:
    return await ctx.parallel.settled([ctx.task(work, n=n) for n in sorted({"a", "b", "c", "d", "e"})])


async def forgets_only_later(inputs: Any, ctx: Context) -> Any:
    # Right until it is started again behind the first result.
    n = await ctx.task(work, n=1)
    return await ctx.task(work, n=[n, time.perf_counter_ns()])


async def notes_everything(inputs: Any, ctx: Context) -> Any:
    async def one(n: int) -> Any:
        ctx.log("begins", n=n)
        drawn = ctx.record("drawn", random.random)
        ctx.progress(n, 3)
        return await ctx.task(work, n=[drawn, ctx.uuid(), ctx.random.random(), ctx.now().isoformat()])

    return len(await ctx.parallel.map(range(3), one))


async def gives_up(inputs: Any, ctx: Context) -> Any:
    async def slow() -> None:
        try:
            await ctx.task(work, n="slow")
        except BranchCancelled:
            ctx.log("given up")
            await ctx.task(work, n="undo")
            raise

    async def quick() -> Any:
        await ctx.task(work, n="quick")
        raise ValueError("no good")

    try:
        return await ctx.parallel.all([slow, quick])
    except ValueError as error:
        return str(error)


async def with_a_bell(inputs: Any, ctx: Context) -> Any:
    async def bell() -> str:
        await ctx.sleep("1m")
        await ctx.sleep("1m")
        return "bell"

    return await ctx.parallel.race([lambda: ctx.task(work, n="work"), bell])


@pytest.mark.parametrize(("chains_of_two", "count"), [(1, 1), (2, 6), (3, 90)])
def test_all_orders_are_played_when_they_are_few(chains_of_two: int, count: int) -> None:
    orders = every_order(chains, chains_of_two, results=RESULTS)
    assert (orders.count, orders.is_complete, orders.told) == (count, True, f"all {count} orders")
    assert orders.played.output == [[n, n] for n in range(chains_of_two)]


def test_of_many_orders_some_are_played_by_chance() -> None:
    orders = every_order(chains, 5, results=RESULTS, most=20, seed=3)
    assert (orders.count, orders.is_complete, orders.told) == (20, False, "20 orders by chance, seed 3")


def test_a_few_more_orders_than_allowed_are_a_sample_too() -> None:
    assert every_order(chains, 3, results=RESULTS, most=89).is_complete is False


def test_the_same_seed_plays_the_same_orders() -> None:
    def found(seed: int) -> list[list[str]]:
        return [
            order.steps
            for order in every_order(race3, results=RESULTS, most=2, seed=seed, same=False).outcomes
        ]

    assert found(1) == found(1)


async def race3(inputs: Any, ctx: Context) -> Any:
    return await ctx.parallel.race([ctx.task(work, n=n) for n in range(6)])


def test_an_outcome_that_depends_on_the_order_is_told_with_both_orders() -> None:
    with pytest.raises(AssertionError) as caught:
        every_order(race, results=RESULTS)
    assert str(caught.value) == (
        "the outcome depends on the order in which results come (all 2 orders):\n"
        "  1 times completed with 1\n"
        "    after work(n=1)\n"
        "    order=['1.0.1']\n"
        "  1 times completed with 2\n"
        "    after work(n=2)\n"
        "    order=['1.1.1']\n"
        "  play(…, order=…) repeats one of them"
    )


@pytest.mark.parametrize("is_failed", [False, True])
def test_outcomes_that_differ_at_their_end_or_in_their_data_are_different(is_failed: bool) -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        first = await race(inputs, ctx)
        if is_failed:
            raise Failed("no good", first)
        return ["x" * 300, first]

    orders = every_order(process, results=RESULTS, same=False)
    assert (len(orders.outcomes), orders.difference.count("x" * 300)) == (2, 0 if is_failed else 2)


def test_an_order_that_was_told_is_repeated() -> None:
    outcomes = every_order(race, results=RESULTS, same=False).outcomes
    again = [play(race, results=RESULTS, order=order.steps).output for order in outcomes]
    assert again == [order.played.output for order in outcomes] == [1, 2]


def test_of_a_sample_the_seed_is_told() -> None:
    with pytest.raises(AssertionError, match="3 orders by chance, seed 8"):
        every_order(race3, results=RESULTS, most=3, seed=8)


def test_an_example_is_not_given_where_outcomes_differ() -> None:
    orders = every_order(race, results=RESULTS, same=False)
    with pytest.raises(AssertionError, match="depends on the order"):
        _ = orders.played


def test_a_clock_can_come_before_or_after_a_result() -> None:
    orders = every_order(with_a_bell, results=RESULTS, same=False)
    assert (orders.count, sorted(order.played.output for order in orders.outcomes)) == (3, ["bell", "work"])


def test_what_takes_its_time_and_the_clock_keep_their_order() -> None:
    orders = every_order(with_a_bell, results={"work": takes("90s", "work")})
    assert (orders.count, orders.played.output, orders.played.elapsed) == (1, "work", 90)


@pytest.mark.parametrize("process", [reads_the_clock, rolls_dice, forgets_only_later])
def test_clock_and_chance_in_a_process_are_found(process: Any) -> None:
    with pytest.raises(NondeterminismError, match=r"at step|started again after event"):
        every_order(process, results=RESULTS)


@pytest.mark.parametrize("process", [reads_the_clock, rolls_dice, forgets_only_later])
def test_a_single_play_finds_them_too(process: Any) -> None:
    with pytest.raises(NondeterminismError, match=r"at step|started again after event"):
        play(process, results=RESULTS)


def test_the_order_of_a_set_is_found_in_another_interpreter() -> None:
    with pytest.raises(NondeterminismError, match=r"in another interpreter, .*task 'work' at step") as caught:
        found_everywhere(iterates_a_set, results=RESULTS, most=5, same=False, hash_seeds=3)
    assert "most often a set is to blame" in caught.value.__notes__[0]


@pytest.mark.parametrize("process", [sorts_a_set, notes_everything, gives_up])
def test_a_process_that_repeats_itself_is_left_in_peace(process: Any) -> None:
    assert found_everywhere(process, results=RESULTS, most=150).played.status == "completed"


def test_a_breakpoint_can_be_answered_at_any_time() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        return [
            each.approved if hasattr(each, "approved") else each
            for each in await ctx.parallel.all([ctx.breakpoint("Go?"), ctx.task(work, n=1)])
        ]

    orders = every_order(process, results=RESULTS, people=approves())
    assert (orders.count, orders.played.output) == (2, [True, 1])


def test_it_is_started_again_once_after_every_event(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[int, list[str]]] = []

    def note(play: Play, length: int) -> None:
        came = [event.data["effectId"] for event in play.events[:length] if event.type == "EFFECT_RESOLVED"]
        tried.append((length, came))

    monkeypatch.setattr(Play, "check_that_it_repeats", note)
    every_order(chains, 1, results=RESULTS)
    assert [length for length, _ in tried] == [1, 2, 3, 4, 5, 6]
    tried.clear()
    every_order(chains, 2, results=RESULTS)
    assert len(tried) == len({(length, *came) for length, came in tried})
    assert {len(came) for _, came in tried} == {0, 1, 2, 3, 4}


def test_it_is_started_again_after_every_event_but_those_that_came_together() -> None:
    played = play(chains, 2, results=RESULTS)
    types = [event.type for event in played.events]
    first = types.index("EFFECT_RESOLVED") + 1
    assert [at for at in range(1, len(types) + 1) if at not in points(played.events)] == [first, first + 4]
