"""The clock of a play: it stands still, and jumps to what is due next."""

from __future__ import annotations

from typing import Any

from babysitter import Context, python
from babysitter.testing import begin, never, play, takes


@python
def work(name: str) -> str:
    return name


async def nap(inputs: Any, ctx: Context) -> Any:
    before = ctx.now()
    await ctx.sleep("3h")
    return (ctx.now() - before).total_seconds()


async def against_the_clock(inputs: Any, ctx: Context) -> Any:
    async def bell() -> str:
        await ctx.sleep("10m")
        return "too late"

    return await ctx.parallel.race([lambda: ctx.task(work, name="a"), bell])


async def woken_in_order(inputs: Any, ctx: Context) -> Any:
    woken: list[int] = []

    async def sleeper(seconds: int) -> None:
        await ctx.sleep(seconds)
        woken.append(seconds)

    await ctx.parallel.map(inputs, sleeper)
    return woken


def test_a_sleep_takes_its_time_and_none_of_ours() -> None:
    played = play(nap)
    assert (played.output, played.elapsed) == (10_800, 10_800)


def test_sleeps_end_in_the_order_in_which_they_are_due() -> None:
    assert play(woken_in_order, [30, 10, 20]).output == [10, 20, 30]


def test_a_moment_is_slept_until() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        await ctx.sleep_until("2026-05-01T12:00:00+02:00")
        return ctx.now().isoformat()

    played = play(process, at="2026-05-01T09:59:00Z")
    assert (played.output, played.elapsed) == ("2026-05-01T10:00:00+00:00", 60)


def test_a_result_without_a_time_comes_before_any_clock() -> None:
    played = play(against_the_clock, results={"work": "done"})
    assert (played.output, played.elapsed) == ("done", 0)


def test_a_result_that_takes_its_time_comes_after_it() -> None:
    played = play(against_the_clock, results={"work": takes("9m", "done")})
    assert (played.output, played.elapsed) == ("done", 540)


def test_a_result_that_takes_too_long_loses() -> None:
    assert play(against_the_clock, results={"work": takes("11m", "done")}).output == "too late"


def test_a_result_that_never_comes_loses() -> None:
    assert play(against_the_clock, results={"work": never}).output == "too late"


def test_the_time_of_a_result_can_be_computed() -> None:
    assert play(against_the_clock, results={"work": lambda name: takes(60, name)}).elapsed == 60


def test_time_passes_as_far_as_it_is_let() -> None:
    begun = begin(nap)
    assert (begun.advance("2h").status, begun.elapsed) == ("waiting", 7200)
    assert begun.advance("1h").output == 10_800


def test_what_is_due_on_the_way_comes_at_its_time() -> None:
    begun = begin(woken_in_order, [30, 10, 20]).advance(25)
    assert [str(asked) for asked in begun.pending] == ["sleep(seconds=30)"]
    assert begun.now.isoformat() == "2026-01-01T09:00:25+00:00"


def test_time_that_passes_after_the_end_changes_nothing() -> None:
    begun = begin(nap).advance("1d")
    assert (begun.output, begun.elapsed) == (10_800, 86_400)
