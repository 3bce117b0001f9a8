"""Kill whoever drives a run with many children at any moment, and go on: each child is made once."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.driving import Command, effects, end_processes, events, told, types, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Of the short test; the long one: scripts/test tests/crash/test_children_killed.py --torture
CHILDREN, AT_ONCE, KILLS = 24, 6, 15
MANY_CHILDREN, MANY_AT_ONCE, MANY_KILLS = 200, 20, 120
SEED = int(os.environ.get("KILL_SEED", "1"))
PROCESS = """
@shell
def square(number):
    return [{python!r}, "-S", "-I", "-c", "import sys; print(int(sys.argv[1]) ** 2)", str(number)]

async def child(inputs, ctx):
    first = int((await ctx.task(square, number=inputs["number"])).stdout)
    if inputs["number"] % 4 == 1:
        first += await ctx.subprocess(child, {{"number": 1000}})
    if inputs["number"] % 4 == 2 and not inputs.get("again"):
        ctx.continue_as_new({{"number": inputs["number"], "again": True}})
    if inputs["number"] % 4 == 3:
        raise Failed("odd one", {{"number": inputs["number"]}})
    return first + int((await ctx.task(square, number=inputs["number"] + 1)).stdout)

async def process(inputs, ctx):
    outcomes = await ctx.parallel.map(
        list(range(inputs["children"])), lambda number: one(ctx, number), limit=inputs["limit"]
    )
    return outcomes

async def one(ctx, number):
    try:
        return await ctx.subprocess(child, {{"number": number}})
    except TaskFailed as error:
        return error.message
"""


@pytest.fixture(autouse=True)
def nothing_is_left(project: Path) -> Iterator[None]:
    """No driver and nothing that one has started is alive when a test is over."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("this system has no /proc that tells what is left")
    yield
    assert end_processes() == {}


def expected(children: int) -> list[Any]:
    """What the process comes to."""
    told: list[Any] = []
    for number in range(children):
        both = number**2 + (number + 1) ** 2
        if number % 4 == 1:
            both += 1000**2 + 1001**2
        told.append("odd one" if number % 4 == 3 else both)
    return told


def driven_to_the_end(most: int, at_once: int, longest: float, chance: random.Random) -> tuple[Any, int]:
    """Kill the driver at random moments until the run is over; what it told, and after how many kills."""
    for kills in range(most):
        command = Command("resume", "r", "--jobs", str(at_once), "--json")
        time.sleep(chance.uniform(0.1, longest))
        command.send(signal.SIGKILL)
        ended = command.end()
        if ended.code == 0:
            return ended.told, kills
    return told(0, "resume", "r", "--jobs", str(at_once)), most


def runs() -> list[Path]:
    """The folders of all runs; those that a kill has left under a temporary name are none."""
    return [folder for folder in Path(".a5c/runs").iterdir() if folder.is_dir() and folder.name[0] != "."]


def children_of(run: str) -> dict[str, list[str]]:
    """The runs that say that they were made for an effect of this run, by effect."""
    found: dict[str, list[str]] = {}
    for folder in runs():
        about = json.loads((folder / "run.json").read_text())
        if about.get("parent", {}).get("runId") == run and "continuedFrom" not in about:
            found.setdefault(about["parent"]["effectId"], []).append(about["runId"])
    return found


def test_a_run_with_many_children_loses_nothing_when_its_driver_is_killed(
    torture: bool, count: Callable[[str, int], None]
) -> None:
    children, at_once, kills = (
        (MANY_CHILDREN, MANY_AT_ONCE, MANY_KILLS) if torture else (CHILDREN, AT_ONCE, KILLS)
    )
    write("p.py", PROCESS.format(python=sys.executable))
    told(0, "create", "p.py", "--run-id", "r", "-i", f"children={children}", "-i", f"limit={at_once}")
    ended, killed = driven_to_the_end(kills, at_once, 1.5 if torture else 0.9, random.Random(SEED))  # noqa: S311
    assert ended["output"] == expected(children)

    made, asked = (
        children_of("r"),
        [event["data"] for event in events("r") if event["type"] == "EFFECT_REQUESTED"],
    )
    assert {effect: len(runs) for effect, runs in made.items()} == {data["effectId"]: 1 for data in asked}
    for folder in runs():
        assert all(effect["resolved"] == 1 for effect in effects(folder.name).values())
        assert types(folder.name)[-1] in ("RUN_COMPLETED", "RUN_FAILED", "RUN_CONTINUED")
    verified = told(0, "verify", "--all")["runs"]
    # One more for each that calls itself, and one for each that goes on as new.
    assert len(verified) == 1 + children + children // 4 * 2
    count("kills of a driver of many children", killed)
    count("child runs driven by drivers that were killed", len(verified) - 1)


def test_two_drivers_of_one_family_make_each_child_once() -> None:
    write("p.py", PROCESS.format(python=sys.executable))
    told(0, "create", "p.py", "--run-id", "r", "-i", "children=8", "-i", "limit=4")
    commands = [Command("work", "r", "--jobs", "2", "--json") for _ in range(3)]
    ended = [command.end() for command in commands]
    assert [each.code for each in ended] == [0, 0, 0], [each.stderr for each in ended]
    assert told(0, "resume", "r")["output"] == expected(8)
    assert {len(runs) for runs in children_of("r").values()} == {1}
