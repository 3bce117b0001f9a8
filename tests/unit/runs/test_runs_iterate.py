from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from projects import ASK_ONCE, ASK_TWICE, Project, flushed_from_now_on

from babysitter.clock import iso
from babysitter.runs import creation
from babysitter.runs import iterate as iterate_module
from babysitter.runs import run as run_module
from babysitter.runs.iterate import iterate
from babysitter.runs.run import Run
from babysitter.runs.sleeping import due_at

if TYPE_CHECKING:
    from collections.abc import Callable

START = 1_795_484_901_123
SLEEPS = """
async def process(inputs, ctx):
    async def nap(seconds):
        await ctx.sleep(seconds)
        return ctx.log("woke", after=seconds)
    await ctx.parallel.map(inputs, nap)
    return "rested"
"""


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the clock to so many seconds after the start."""

    def put(seconds: float) -> None:
        for module in (creation, run_module):
            monkeypatch.setattr(module, "now_ms", lambda: START + round(seconds * 1000))

    put(0)
    return put


def woken(project: Project) -> list[float]:
    """The sleeps that have ended, by the seconds that they were to last, in the order of the journal."""
    asked = {data["effectId"]: data for data in project.data_of("EFFECT_REQUESTED")}
    resolved = project.data_of("EFFECT_RESOLVED")
    return [asked[data["effectId"]]["definition"]["sleep"]["seconds"] for data in resolved]


def test_everything_that_is_ready_is_requested_in_one_batch(project: Project) -> None:
    done = project.begin(
        "async def process(inputs, ctx):\n"
        "    await ctx.parallel.map([1, 2, 3], lambda n: ctx.task(ask, question=str(n)))\n"
    )
    batches = {tuple(data["batch"]) for data in project.data_of("EFFECT_REQUESTED")}
    assert ([effect.label for effect in done.new], batches) == (["Ask"] * 3, {(2, 4)})


def test_new_effects_are_those_of_this_iteration(project: Project) -> None:
    project.begin(ASK_TWICE)
    assert [effect.step for effect in project.answer("1").new] == ["2"]


def test_an_iteration_tells_how_the_run_stands(project: Project) -> None:
    told = project.begin(ASK_ONCE).status, project.answer("1").status
    assert told == ("waiting", "completed")


def test_a_sleep_that_is_not_due_is_left(project: Project, at: Any) -> None:
    project.begin(SLEEPS, [5])
    at(4.999)
    assert (project.iterate().status, woken(project)) == ("waiting", [])


def test_a_sleep_that_is_due_ends(project: Project, at: Any) -> None:
    project.begin(SLEEPS, [5])
    at(5)
    assert (project.iterate().status, project.open().output()) == ("completed", "rested")


def test_sleeps_end_in_the_order_in_which_they_are_due(project: Project, at: Any) -> None:
    project.begin(SLEEPS, [30, 10, 20, 10.5, 99])
    at(40)
    project.iterate()
    assert woken(project) == [10, 10.5, 20, 30]


def test_sleeps_that_are_due_together_end_in_the_order_of_their_requests(project: Project, at: Any) -> None:
    project.begin(SLEEPS, [10, 10.0001, 10.0002])
    at(60)
    project.iterate()
    assert woken(project) == [10, 10.0001, 10.0002]


def test_a_sleep_that_ended_says_when_it_was_due(project: Project, at: Any) -> None:
    project.begin(SLEEPS, [5])
    at(60)
    project.iterate()
    data = project.data_of("EFFECT_RESOLVED")[0]
    assert (data["finishedAt"], data["executor"]) == (iso(START + 5000), "clock")


def test_sleep_until_ends_at_its_moment(project: Project, at: Any) -> None:
    moment = iso(START + 7000)
    project.begin(f"async def process(inputs, ctx):\n    await ctx.sleep_until({moment!r})\n")
    at(6.999)
    before = project.iterate().status
    at(7)
    assert (before, project.iterate().status) == ("waiting", "completed")


def test_a_moment_that_has_passed_ends_at_once(project: Project, at: Any) -> None:
    project.begin("async def process(inputs, ctx):\n    await ctx.sleep_until('2020-01-01T00:00:00+00:00')\n")
    assert project.iterate().status == "completed"


@pytest.mark.parametrize("length", ["1e18", "'999999999d'", "10**30"])
def test_a_sleep_beyond_the_calendar_ends_with_it(project: Project, length: str) -> None:
    (effect,) = project.begin(f"async def process(inputs, ctx):\n    await ctx.sleep({length})\n").new
    assert iso(due_at(effect)) == "9999-12-31T23:59:59.999Z"


def test_a_clock_that_goes_back_does_not_take_a_sleep_back(project: Project, at: Any) -> None:
    project.begin(SLEEPS, [5])
    at(6)
    project.iterate()
    at(-3600)
    times = [event["recordedAt"] for event in project.events()]
    assert (project.iterate().status, times == sorted(times)) == ("completed", True)


def test_a_sleep_is_recorded_once_also_when_another_iteration_was_first(
    project: Project, at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.begin(SLEEPS, [5])
    at(5)
    append, others = Run.append, [project.open()]

    def append_late(run: Run, drafts: Any) -> Any:
        while others:
            iterate_module.iterate(others.pop())
        return append(run, drafts)

    run = project.open()
    monkeypatch.setattr(Run, "append", append_late)
    assert (iterate_module.iterate(run).status, woken(project)) == ("completed", [5])


def test_what_an_iteration_tells_without_writing_is_on_the_disk(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.begin(ASK_ONCE)
    run = project.open()
    project.post("1", 1)
    project.iterate()
    run.refresh()  # reads the end, which another command may only just have linked
    flushed = flushed_from_now_on(monkeypatch)
    assert iterate(run).status == "completed"
    assert flushed == [os.stat(run.journal.folder).st_ino]


def test_an_iteration_that_finds_nothing_new_flushes_what_it_read(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.begin(ASK_TWICE)
    run = project.open()
    project.answer("1")
    run.refresh()
    flushed = flushed_from_now_on(monkeypatch)
    assert (iterate(run).new, flushed) == ([], [os.stat(run.journal.folder).st_ino])
