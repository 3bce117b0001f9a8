"""Processes that use asyncio, in a play: their loop has the clock of the play."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from babysitter import python
from babysitter.errors import NondeterminismError
from babysitter.testing import every_order, never, play, takes

if TYPE_CHECKING:
    from pathlib import Path

    from babysitter import Context


@python
def work(n: Any) -> Any:
    return n


RESULTS = {"work": lambda n: n}


async def gathers(inputs: Any, ctx: Context) -> Any:
    async def chain(n: int) -> Any:
        return await ctx.task(work, n=await ctx.task(work, n=n) + 10)

    return await asyncio.gather(*(chain(n) for n in range(3)))


async def in_time(inputs: Any, ctx: Context) -> Any:
    try:
        async with asyncio.timeout(60):
            return await ctx.task(work, n=1)
    except TimeoutError:
        return "too late"


async def first_of_two(inputs: Any, ctx: Context) -> Any:
    tasks = [asyncio.create_task(ctx.task(work, n=n)) for n in range(2)]  # type: ignore[arg-type]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    return sorted(each.result() for each in done)


async def reads_the_clock(inputs: Any, ctx: Context) -> Any:
    import time

    return await asyncio.gather(ctx.task(work, n=time.perf_counter_ns()))


def test_branches_of_asyncio_are_one_batch() -> None:
    played = play(gathers, results=RESULTS)
    assert (played.output, played.tasks) == ([10, 11, 12], [["work"] * 3] * 2)


def test_they_end_alike_in_every_order() -> None:
    orders = every_order(gathers, results=RESULTS, hash_seeds=1)
    assert (orders.count, orders.played.output) == (90, [10, 11, 12])


def test_a_timeout_of_asyncio_is_on_the_clock_of_the_play() -> None:
    assert play(in_time, results={"work": takes("59s", "ok")}).output == "ok"
    played = play(in_time, results={"work": never})
    assert (played.output, played.elapsed) == ("too late", 60)


def test_what_depends_on_the_order_is_found() -> None:
    orders = every_order(first_of_two, results=RESULTS, same=False, hash_seeds=0)
    assert sorted(order.played.output for order in orders.outcomes) == [[0], [1]]


def test_the_real_clock_is_found_too() -> None:
    with pytest.raises(NondeterminismError):
        play(reads_the_clock, results=RESULTS)


def test_a_process_in_a_file_has_its_loop(project: Path) -> None:
    (project / "p.py").write_text(
        "import asyncio\nfrom babysitter import python\n"
        "@python\ndef work(n): return n\n"
        "async def process(inputs, ctx):\n"
        "    await asyncio.sleep(30)\n"
        "    return await asyncio.gather(*[ctx.task(work, n=n) for n in range(2)])\n"
    )
    played = play(project / "p.py", results={"work": 7})
    assert (played.output, played.elapsed) == ([7, 7], 30)


def test_asyncio_is_as_it_was_outside_of_a_play() -> None:
    async def gives(n: int) -> int:
        await asyncio.sleep(0)
        return n

    async def both() -> tuple[list[int], bool]:
        gathered = asyncio.gather(gives(1), gives(2))
        same_hash = hash(gathered) == object.__hash__(gathered)
        numbers = [await each for each in asyncio.as_completed([gives(3), gives(4)])]
        return sorted([*await gathered, *numbers]), same_hash

    assert play(gathers, results=RESULTS).status == "completed"
    assert asyncio.run(both()) == ([1, 2, 3, 4], True)
    loop = asyncio.new_event_loop()
    try:
        assert loop.run_until_complete(gives(5)) == 5
    finally:
        loop.close()
