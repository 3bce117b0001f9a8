"""A budget in tokens holds whatever the order of results, whoever goes on, and wherever it is counted."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from babysitter.engine.budget_gate import PILOTS
from babysitter.library import resolve
from babysitter.runs.answering import decide
from babysitter.runs.children import family
from babysitter.runs.creation import create
from babysitter.runs.folder import open_run
from babysitter.runs.iterate import iterate
from babysitter.runs.results import Answer, accept
from babysitter.runs.verification import verify

if TYPE_CHECKING:
    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

PROCESS = """
from babysitter import agent, shell

@agent
def ask(number):
    return f"{number}"

@shell
def clean():
    return ["true"]

async def child(inputs, ctx):
    return await ctx.parallel.map(inputs["numbers"], lambda number: ctx.task(ask, number=number))

async def process(inputs, ctx):
    ctx.on_cleanup(lambda: ctx.task(clean))
    groups = inputs["groups"]
    async def one(numbers):
        if inputs["children"]:
            return await ctx.subprocess(child, {"numbers": numbers})
        return await child({"numbers": numbers}, ctx)
    return await ctx.parallel.map(groups, one)
"""
MOST_TURNS = 400


class Case:
    """A run with a budget, and a model of what it has spent."""

    def __init__(self, groups: list[list[int]], *, children: bool, limit: int, reached: str = "ask") -> None:
        project = Path(tempfile.mkdtemp())
        (project / "p.py").write_text(PROCESS)
        self.runs_dir = str(project / "runs")
        entry = resolve(str(project / "p.py"), str(project))
        create(
            self.runs_dir,
            entry,
            {"groups": groups, "children": children},
            project=str(project),
            version="0",
            run_id="r",
            options={"budget": {"run": {"tokens": limit}, "reached": reached}},
        )
        self.limit = self.more = limit
        self.spent = 0
        self.dearest: int | None = None
        self.asked: set[str] = set()

    def load(self) -> Run:
        return open_run("r", self.runs_dir).load()

    def go_on(self) -> Run:
        """One command that iterates; nothing is asked for when nothing is left."""
        run = self.load()
        before = set(self.asked)
        iterate(run)
        waiting = {effect.id for _, effect in self.pending("agent")}
        if waiting - before:
            self.check_within(len(waiting))
        self.asked |= waiting
        return run

    def check_within(self, running: int) -> None:
        """Something was asked for just now: it was within the limit, as far as anybody could know."""
        assert self.spent < self.limit or self.dearest == 0
        if self.dearest is None:
            assert running <= PILOTS
        else:
            assert self.spent + running * self.dearest <= self.limit

    def pending(self, kind: str) -> list[tuple[Run, Effect]]:
        members = family(self.load())
        return [(run, each) for run in members for each in run.state.pending.values() if each.kind == kind]

    def answer(self, run: Run, effect: Effect, tokens: int) -> None:
        (verdict,) = accept(run, [Answer(effect.id, "ok", "done", usage={"inputTokens": tokens})])
        assert verdict.status == "recorded"
        self.spent += tokens
        self.dearest = max(self.dearest or 0, tokens)

    def decide(self, run: Run, effect: Effect, approved: bool) -> None:
        (verdict,) = accept(run, [decide(run, effect, approved, by="me")])
        assert verdict.status == "recorded"

    def clean_up(self, run: Run) -> None:
        pending = [each for each in run.state.pending.values() if each.kind == "shell"]
        value = {"exitCode": 0, "stdout": "", "stderr": ""}
        accept(run, [Answer(each.id, "ok", value, executor="local") for each in pending])


def drive(case: Case, data: st.DataObject, says: list[bool]) -> Run:
    """Until it has ended: results in any order, and iterations in between or not."""
    for _ in range(MOST_TURNS):
        run = case.go_on()
        if run.state.is_finished:
            return run
        questions = case.pending("breakpoint")
        agents = case.pending("agent")
        assert questions or agents or run.state.pending
        # Only when nothing is at work, for what is might take less than is expected; and only once.
        assert len(questions) + bool(agents) <= 1 or not questions
        if agents:
            for owner, effect in data.draw(st.permutations(agents))[: data.draw(st.integers(1, len(agents)))]:
                case.answer(owner, effect, data.draw(st.integers(0, 60)))
        elif questions:
            assert questions[0][0].run_id == "r"
            case.decide(*questions[0], says.pop() if len(says) > 1 else says[0])
            case.limit += case.more
        case.clean_up(case.load())
    raise AssertionError("it never ends")


GROUPS = st.lists(st.lists(st.integers(0, 5), max_size=8), min_size=1, max_size=3)


@settings(max_examples=40, deadline=None)
@given(GROUPS, st.booleans(), st.data())
def test_who_gets_more_each_time_is_asked_gets_all_results(
    groups: list[list[int]], children: bool, data: st.DataObject
) -> None:
    case = Case(groups, children=children, limit=100)
    run = drive(case, data, [True])
    assert run.state.status == "completed"
    assert run.output() == [["done" for _ in numbers] for numbers in groups]
    verify(open_run("r", case.runs_dir))


@settings(max_examples=30, deadline=None)
@given(GROUPS, st.booleans(), st.data())
def test_a_run_that_gets_no_more_is_halted_after_its_cleanup(
    groups: list[list[int]], children: bool, data: st.DataObject
) -> None:
    case = Case(groups, children=children, limit=30, reached="halt")
    run = drive(case, data, [False])
    cleaned = [effect.status for effect in run.state.effects.values() if effect.task_id == "clean"]
    assert (run.state.status in ("completed", "halted"), cleaned) == (True, ["ok"])
    if run.state.status == "halted":
        ending: Any = run.state.ending
        assert (ending["by"], "the budget of 30 tokens" in ending["reason"]) == ("budget", True)
    verify(open_run("r", case.runs_dir))


@settings(max_examples=30, deadline=None)
@given(GROUPS, st.booleans(), st.data(), st.lists(st.booleans(), min_size=1, max_size=3))
def test_what_is_recorded_of_the_budget_is_read_again_as_it_was(
    groups: list[list[int]], children: bool, data: st.DataObject, says: list[bool]
) -> None:
    from babysitter.runs.spending import Spending

    case = Case(groups, children=children, limit=40)
    run = drive(case, data, [*says, False])
    assert Spending(case.load()).ledger().whole.used["tokens"] == case.spent
    assert run.state.status in ("completed", "halted")
