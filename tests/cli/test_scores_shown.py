"""What commands show of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.commands import call, told, write

if TYPE_CHECKING:
    from pathlib import Path

LOOP = """
async def improve(ctx, values, **aim):
    for value in values:
        score = ctx.score(await ctx.task(ask.using(title=str(value)), question="better?"), **aim)
    return score

async def process(inputs, ctx):
    await improve(ctx, [61, 74, 82], target=90)
    await ctx.parallel.map(["a"], lambda item: improve(ctx, [9, 4.5], name="defects", lower=True, target=0))
    await ctx.task(ask.using(title="end"), question="end")
"""
STATUS = ["scope", "name", "round", "best", "reached", "stalled", "target", "values"]


@pytest.fixture(autouse=True)
def run(project: Path) -> None:
    """A run ``r`` that has told five scores, step by step, and waits."""
    write("p.py", LOOP)
    new = told("create", "p.py", "--run-id", "r")["new"]
    while "end" not in new["agent"].values():
        ((effect, title),) = new["agent"].items()
        told("post", "r", effect, "--value", title)
        new = told("iterate", "r")["new"]


@pytest.fixture
def lines() -> list[str]:
    """The lines of the status."""
    return [" ".join(line.split()) for line in call("status", "r").stdout.splitlines()]


def test_the_status_has_every_series_in_one_object() -> None:
    own, branch = told("status", "r")["scores"]
    assert own == {
        "scope": "",
        "name": "score",
        "round": 3,
        "best": 82,
        "reached": False,
        "stalled": False,
        "target": 90,
        "values": [61, 74, 82],
    }
    assert branch == {**branch, "name": "defects", "lower": True, "target": 0, "values": [9, 4.5]}
    assert (branch["scope"][:2], branch["scope"][-1]) == ("4.", ".")


def test_people_see_a_line_for_each(lines: list[str]) -> None:
    at = lines.index("scores")
    path = told("status", "r")["scores"][1]["scope"][:-1]
    assert lines[at + 1 : at + 3] == [
        "61 → 74 → 82 of 90, best 82",
        f"{path}: defects: 9 → 4.5 of at most 0, best 4.5",
    ]


def test_a_show_of_the_run_has_them_too() -> None:
    assert told("show", "r")["scores"] == told("status", "r")["scores"]


def test_the_events_say_each_in_a_line_and_no_effect_comes_of_it() -> None:
    listed = [line.split("PROCESS_LOG")[1].strip() for line in events("r")]
    assert listed == [
        "score 61 of 90, best 61, round 1",
        "score 74 of 90, best 74, round 2",
        "score 82 of 90, best 82, round 3",
        "score defects: 9 of at most 0, best 9, round 1",
        "score defects: 4.5 of at most 0, best 4.5, round 2",
    ]
    assert len(told("tasks", "r")["tasks"]) == 6


def events(run: str) -> list[str]:
    return call("events", run, "--type", "PROCESS_LOG").stdout.splitlines()[1:]


def test_going_back_takes_away_what_was_reached_after_that() -> None:
    told("rewind", "r", "--to", "3")
    assert [each["values"] for each in told("status", "r")["scores"]] == [[61, 74]]


def test_a_run_that_is_driven_says_each_as_it_comes_and_all_at_the_end() -> None:
    ended = call("run", "p.py", "--plain", "--agent-command", "echo 5")
    said = [line for line in ended.stdout.splitlines() if line.startswith("score")]
    assert said == [
        "score     5 of 90, best 5",
        "score     5 → 5 of 90, best 5, no better for 1",
        "score     5 → 5 → 5 of 90, best 5, no better for 2",
        "score     a: defects: 5 of at most 0, best 5",
        "score     a: defects: 5 → 5 of at most 0, best 5, no better for 1",
        "score  5 → 5 → 5 of 90, best 5, no better for 2",
        "score  a: defects: 5 → 5 of at most 0, best 5, no better for 1",
    ]


def test_a_packed_run_has_its_scores(project: Path) -> None:
    write("q.py", "async def process(inputs, ctx):\n    ctx.score(5)\n")
    told("run", "q.py", "--run-id", "q")
    before: Any = told("status", "q")["scores"]
    told("archive", "q")
    assert (told("status", "q")["scores"], before[0]["values"]) == (before, [5])
