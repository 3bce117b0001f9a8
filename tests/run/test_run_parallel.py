"""What overlaps, what does not, and that nothing waits for what it does not need."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from tests.support.commands import call
from tests.support.driving import effects, events, told, write

MARKS = """
@shell
def work(label, seconds):
    return {"argv": ["sleep", str(seconds)]}

def named(label):
    return work.using(title=label)
"""


def intervals(run: str) -> dict[str, tuple[str, str]]:
    """When each effect was at work. Times of this form sort as text."""
    return {
        label: (effect["result"]["startedAt"], effect["result"]["finishedAt"])
        for label, effect in effects(run).items()
    }


def most_at_once(run: str) -> int:
    """How many effects were at work at the same time; one that ends as another begins makes room for it."""
    changes = [change for begin, end in intervals(run).values() for change in ((begin, 1), (end, -1))]
    busy = most = 0
    for _, change in sorted(changes):
        busy += change
        most = max(most, busy)
    return most


def run_map(jobs: int, count: int) -> str:
    write(
        "many.py",
        MARKS
        + """
async def process(inputs, ctx):
    async def one(number):
        await ctx.task(named(f"item {number}"), label=number, seconds=0.1)
    await ctx.parallel.map(list(range(inputs["count"])), one)
""",
    )
    return told(0, "run", "many.py", "--jobs", str(jobs), "-i", f"count={count}")["run"]


def test_effects_of_parallel_branches_are_performed_at_the_same_time() -> None:
    assert most_at_once(run_map(jobs=3, count=3)) == 3


def test_one_job_never_performs_two_effects_at_once() -> None:
    assert most_at_once(run_map(jobs=1, count=4)) == 1


def test_three_jobs_never_perform_more_than_three_effects_at_once() -> None:
    assert most_at_once(run_map(jobs=3, count=9)) == 3


def test_a_chain_in_a_fast_branch_goes_on_while_a_slow_one_runs() -> None:
    write(
        "chain.py",
        MARKS
        + """
async def process(inputs, ctx):
    async def chain():
        for number in range(3):
            await ctx.task(named(f"fast {number}"), label=number, seconds=0)
    await ctx.parallel.all([lambda: ctx.task(named("slow"), label="slow", seconds=1), chain])
""",
    )
    at = intervals(told(0, "run", "chain.py", "--jobs", "2")["run"])
    assert at["fast 2"][1] < at["slow"][1]


def test_what_is_asked_for_later_waits_for_a_free_job_and_not_for_its_batch() -> None:
    """With two jobs and one slow effect all others pass by it, one after the other."""
    write(
        "mixed.py",
        MARKS
        + """
async def process(inputs, ctx):
    times = [1, 0, 0, 0, 0]
    await ctx.parallel.map(list(range(5)), lambda n: ctx.task(named(f"item {n}"), label=n, seconds=times[n]))
""",
    )
    at = intervals(told(0, "run", "mixed.py", "--jobs", "2")["run"])
    assert all(at[f"item {number}"][1] < at["item 0"][1] for number in range(1, 5))


def test_each_result_is_recorded_before_the_next_one_is_there() -> None:
    write(
        "steps.py",
        MARKS
        + """
async def process(inputs, ctx):
    await ctx.parallel.map([0, 1, 2], lambda n: ctx.task(named(f"item {n}"), label=n, seconds=n * 0.4))
""",
    )
    run = told(0, "run", "steps.py", "--jobs", "3")["run"]
    resolved = [event for event in events(run) if event["type"] == "EFFECT_RESOLVED"]
    assert all(recorded_before(earlier, later) for earlier, later in pairwise(resolved))


def recorded_before(earlier: dict[str, Any], later: dict[str, Any]) -> bool:
    return bool(earlier["recordedAt"] < later["data"]["finishedAt"])


def test_two_hundred_effects_of_both_kinds_end_and_leave_no_descriptor_open_and_no_child_unreaped() -> None:
    write(
        "crowd.py",
        """
        import os

        LOOK = (
            'sleep 0.3; echo "$(ls /proc/$PPID/fd | wc -l)'
            ' $(cat /proc/[0-9]*/stat 2>/dev/null | grep -c ") Z $PPID ")"'
        )

        @shell
        def say(number):
            return f"echo {number}"

        @python
        def square(number):
            return number * number

        @shell
        def look(time):
            "What the driver has open, and its dead children"
            return LOOK

        async def process(inputs, ctx):
            await ctx.task(say, number=0)
            before = (await ctx.task(look, time="before")).stdout.split()
            said, squares = await ctx.parallel.all([
                lambda: ctx.parallel.map(list(range(180)), lambda n: ctx.task(say, number=n)),
                lambda: ctx.parallel.map(list(range(20)), lambda n: ctx.task(square, number=n)),
            ])
            await ctx.task(say, number=1)
            after = (await ctx.task(look, time="after")).stdout.split()
            return [sum(int(result.stdout) for result in said), sum(squares), before, after]
        """,
    )
    said, squares, before, after = told(0, "run", "crowd.py", "--jobs", "8")["output"]
    assert (said, squares, after) == (sum(range(180)), sum(n * n for n in range(20)), before)


def test_a_branch_that_only_holds_a_group_is_named_by_its_item() -> None:
    write(
        "nested.py",
        MARKS
        + """
async def process(inputs, ctx):
    async def one(file):
        await ctx.parallel.all({
            name: lambda name=name: ctx.task(named("check"), label=name, seconds=0)
            for name in ("types", "lint")
        })
    await ctx.parallel.map([{"in": "a"}, "src/b.py"], one)
    await ctx.subprocess("nested.py#child", {})

async def child(inputs, ctx):
    async def one(file):
        await ctx.parallel.all([lambda: ctx.task(named("inner"), label=file, seconds=0)])
    await ctx.parallel.map(["src/c.py"], one)
""",
    )
    lines = call("run", "nested.py", "--plain", "--run-id", "n").stdout.splitlines()
    started = sorted(line.removeprefix("start").strip() for line in lines if line.startswith("start"))
    for told_ in ('{"in":"a"} / types: check', "src/b.py / lint: check"):
        assert told_ in started
    assert any("src/c.py: inner" in told_ for told_ in started)
    assert not any("f288a24f83" in line for line in lines)
