"""An agent pays for each byte that it reads: what an iteration prints is small."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.commands import call, write

if TYPE_CHECKING:
    from scenes import Scene

MANY = """
@agent(title={title!r})
def work(n):
    return "A long text that nobody needs to see again. " * 50

async def process(inputs, ctx):
    return await ctx.parallel.map(range({count}), lambda n: ctx.task(work, n=n))
"""
TITLES = ["Do the work", "x" * 500, "日本語の長い題名" * 30, "\u202e\x07" * 100]


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize(("count", "most"), [(100, 10_000), (1000, 60_000)])
def test_what_an_iteration_prints_is_small(scene: Scene, title: str, count: int, most: int) -> None:
    write("many.py", MANY.format(title=title, count=count))
    first = call("create", "many.py", "--run-id", "new", "--json").stdout
    again = call("iterate", "new", "--json").stdout
    assert (len(first.encode()) < most, len(again.encode()) < most / 2) == (True, True)
    assert len(first) > count * 20
