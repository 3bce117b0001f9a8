"""Agent effects that take too long: the clock ends them, in order with the sleeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from projects import Project

from babysitter.clock import iso
from babysitter.errors import AlreadyResolved
from babysitter.runs import creation
from babysitter.runs import iterate as iterate_module
from babysitter.runs import run as run_module
from babysitter.runs.results import find_effect
from babysitter.runs.run import Run
from babysitter.runs.sleeping import deadline_of, moments
from babysitter.runs.taking import take

if TYPE_CHECKING:
    from collections.abc import Callable

START = 1_795_484_901_123
ONE = """
async def process(inputs, ctx):
    try:
        return await ctx.task(ask.using(timeout="10m"), question="one")
    except TaskFailed as error:
        return [error.name, str(error), isinstance(error, TimeoutError)]
"""
RACE = """
async def process(inputs, ctx):
    async def nap(seconds):
        await ctx.sleep(seconds)
        ctx.log("end", of=f"nap {seconds}")

    async def work(seconds):
        try:
            await ctx.task(ask.using(timeout=seconds), question=str(seconds))
        except TaskFailed as error:
            ctx.log("end", of=f"{error.name} {seconds}")

    branches = {f"{kind}{number}": lambda kind=kind, length=length: {"nap": nap, "work": work}[kind](length)
                for number, (kind, length) in enumerate(inputs)}
    await ctx.parallel.all(branches)
"""


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the clock to so many seconds after the start."""

    def put(seconds: float) -> None:
        for module in (creation, run_module):
            monkeypatch.setattr(module, "now_ms", lambda: START + round(seconds * 1000))

    put(0)
    return put


def begin(run: Run, step: str = "1") -> None:
    take(run, find_effect(run, step), lambda effect: True, by="anna")


def test_it_counts_from_when_it_was_taken(project: Project, at: Any) -> None:
    project.begin(ONE)
    at(3600)
    begin(project.open())
    at(3600 + 599.999)
    before = project.iterate().status
    at(3600 + 600)
    ended = project.iterate()
    assert (before, ended.status, ended.run.output()) == (
        "waiting",
        "completed",
        ["TaskTimeout", "the agent gave no result within 600 s", True],
    )


def test_what_nobody_has_begun_waits_for_ever(project: Project, at: Any) -> None:
    project.begin(ONE)
    at(10**6)
    assert (project.iterate().status, moments(project.open())) == ("waiting", [])


def test_who_takes_it_again_has_the_whole_time(project: Project, at: Any) -> None:
    project.begin(ONE)
    begin(project.open())
    at(599)
    begin(project.open())
    at(1198)
    assert (project.iterate().status, moments(project.open())[0][0]) == ("waiting", START + 1_199_000)


def test_the_journal_says_when_it_was_over_and_that_the_clock_says_so(project: Project, at: Any) -> None:
    project.begin(ONE)
    begin(project.open())
    at(5000)
    project.iterate()
    data = project.data_of("EFFECT_RESOLVED")[0]
    assert (data["executor"], data["startedAt"], data["finishedAt"]) == (
        "clock",
        iso(START),
        iso(START + 600_000),
    )


def test_a_result_that_comes_before_counts_also_when_the_time_is_over(project: Project, at: Any) -> None:
    project.begin(ONE)
    begin(project.open())
    at(601)
    project.post("1", "in time for the journal")
    assert project.iterate().run.output() == "in time for the journal"


def test_one_that_comes_after_does_not(project: Project, at: Any) -> None:
    project.begin(ONE)
    begin(project.open())
    at(601)
    project.iterate()
    verdict = project.post("1", "late")
    assert isinstance(verdict.error, AlreadyResolved)


def test_a_clock_that_goes_back_ends_nothing_and_takes_nothing_back(project: Project, at: Any) -> None:
    project.begin(ONE)
    at(100)
    begin(project.open())
    at(-5000)
    before = project.iterate().status
    at(701)
    assert (before, project.iterate().status) == ("waiting", "completed")
    at(-5000)
    times = [event["recordedAt"] for event in project.events()]
    assert (project.iterate().status, times == sorted(times)) == ("completed", True)


def test_it_ends_once_also_when_another_iteration_was_first(
    project: Project, at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.begin(ONE)
    begin(project.open())
    at(600)
    append, others = Run.append, [project.open()]

    def append_late(run: Run, drafts: Any) -> Any:
        while others:
            iterate_module.iterate(others.pop())
        return append(run, drafts)

    run = project.open()
    monkeypatch.setattr(Run, "append", append_late)
    iterate_module.iterate(run)
    assert project.types().count("EFFECT_RESOLVED") == 1


def test_who_performs_an_effect_heeds_its_deadline_himself(project: Project, at: Any) -> None:
    project.begin(ONE)
    run = project.open()
    begin(run)
    at(700)
    effect = find_effect(run, "1")
    assert (moments(run, {effect.id}), len(moments(run))) == ([], 1)


@pytest.mark.parametrize(
    "told",
    ['"soon"', "-1", "True", "[1]", "None", "float(10**300)"],
    ids=["text", "less", "bool", "list", "no", "end"],
)
def test_a_length_of_time_that_is_none_is_no_deadline(project: Project, at: Any, told: str) -> None:
    project.begin(f"""
odd = define_task("odd", lambda args: {{"kind": "agent", "agent": {{"prompt": "x", "timeout": {told}}}}})

async def process(inputs, ctx):
    await ctx.task(odd)
""")
    run = project.open()
    begin(run)
    deadline = deadline_of(run, find_effect(run, "1"))
    assert deadline is None or iso(deadline) == "9999-12-31T23:59:59.999Z"


def test_an_orchestrator_task_has_one_as_well(project: Project, at: Any) -> None:
    project.begin("""
async def process(inputs, ctx):
    try:
        await ctx.orchestrator_task("Think", timeout="1m")
    except TaskFailed as error:
        return error.name
""")
    begin(project.open())
    at(60)
    assert project.iterate().run.output() == "TaskTimeout"


def test_an_orchestrator_task_takes_no_nonsense_for_a_time(project: Project) -> None:
    ended = project.begin(
        "async def process(inputs, ctx):\n    await ctx.orchestrator_task('x', timeout='soon')\n"
    )
    assert (ended.status, (ended.run.state.problem or {})["name"]) == ("stuck", "ValueError")


LENGTHS = st.lists(st.tuples(st.sampled_from(["nap", "work"]), st.integers(1, 9)), min_size=1, max_size=6)


@given(lengths=LENGTHS, looks=st.lists(st.integers(0, 12), max_size=5), until=st.integers(9, 20))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sleeps_and_deadlines_end_in_the_order_in_which_they_are_due(
    lengths: list[tuple[str, int]], looks: list[int], until: int, tmp_path_factory: Any, at: Any
) -> None:
    project = Project(tmp_path_factory.mktemp("project"))
    at(0)
    project.begin(RACE, [list(told) for told in lengths])
    run = project.open()
    for effect in list(run.state.pending.values()):
        if effect.kind == "agent":
            begin(run, effect.step)
    for moment in [*looks, until]:
        # Also back: whoever looks may have another clock.
        at(moment)
        project.iterate()
    ended = [(told["fields"]["of"]) for told in project.data_of("PROCESS_LOG")]
    names = {"nap": "nap", "work": "TaskTimeout"}
    due = sorted(range(len(lengths)), key=lambda number: (lengths[number][1], number))
    assert ended == [f"{names[lengths[number][0]]} {lengths[number][1]}" for number in due]
    assert project.iterate().status == "completed"
