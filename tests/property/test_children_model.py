"""A run with child runs against a model of a few lines: whoever goes on when, and is killed at what."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from babysitter.library import resolve
from babysitter.runs.creation import create
from babysitter.runs.folder import open_run, run_ids
from babysitter.runs.iterate import iterate
from babysitter.runs.results import Answer, accept
from babysitter.runs.stopping import cancel_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from babysitter.runs.run import Run

pytestmark = pytest.mark.torture
PROCESS = """
from babysitter import TaskFailed, agent

@agent
def ask(question):
    return question

async def grandchild(inputs, ctx):
    return await ctx.task(ask, question=str(inputs["n"]))

async def child(inputs, ctx):
    first = await ctx.task(ask, question=str(inputs["n"]))
    if inputs["n"] == 0:
        return [first, await ctx.subprocess(grandchild, inputs)]
    if inputs["n"] == 1 and not inputs.get("again"):
        ctx.continue_as_new({"n": 1, "again": True})
    return first

async def process(inputs, ctx):
    async def one(n):
        try:
            return await ctx.subprocess(child, {"n": n})
        except TaskFailed as error:
            return error.name
    return await ctx.parallel.map([0, 1, 2], one, limit=2)
"""
CHILDREN = st.integers(0, 2)
# What is killed: the writing of an event, and the naming of a new run.
DEATHS = st.tuples(st.sampled_from(["link", "rename"]), st.integers(0, 3))


class Killed(BaseException):
    """The process is gone."""


class ChildrenMachine(RuleBasedStateMachine):
    """One parent with three children; each rule is a command of its own."""

    finished = states = 0

    def __init__(self) -> None:
        super().__init__()
        self.project = Path(tempfile.mkdtemp())
        (self.project / "p.py").write_text(PROCESS)
        self.finders = list(sys.meta_path)
        self.runs_dir = str(self.project / "runs")
        entry = resolve(str(self.project / "p.py"), str(self.project))
        create(self.runs_dir, entry, {}, project=str(self.project), version="0", run_id="r")
        self.halted: set[int] = set()

    def teardown(self) -> None:
        ChildrenMachine.finished += self.opened("r").state.is_finished
        sys.meta_path[:] = self.finders
        shutil.rmtree(self.project)

    def opened(self, run_id: str) -> Run:
        return open_run(run_id, self.runs_dir).load()

    def runs_of(self, number: int) -> list[Run]:
        """The runs that are there for a child, and what is below it: the ones with its number as input."""
        runs = [self.opened(run_id) for run_id in sorted(run_ids(self.runs_dir)) if run_id != "r"]
        return [run for run in runs if run.inputs()["n"] == number]

    @rule(death=st.none() | DEATHS)
    def go_on_with_the_parent(self, death: tuple[str, int] | None) -> None:
        self.do(lambda: iterate(self.opened("r")), death)

    @rule(number=CHILDREN, death=st.none() | DEATHS)
    def go_on_with_a_child(self, number: int, death: tuple[str, int] | None) -> None:
        for run in self.runs_of(number)[:1]:
            self.do(lambda run=run: iterate(run), death)

    @rule(number=CHILDREN)
    def answer(self, number: int) -> None:
        for run in self.runs_of(number):
            asked = [effect for effect in run.state.pending.values() if effect.kind == "agent"]
            accept(run, [Answer(effect.id, "ok", f"to {effect.id}") for effect in asked])

    @rule()
    def answer_all_and_go_on(self) -> None:
        """What most commands are for; left to chance alone hardly a family would come to its end."""
        for number in range(3):
            self.answer(number)
        iterate(self.opened("r"))

    @rule(number=st.just(2))
    def give_a_child_up(self, number: int) -> None:
        for run in self.runs_of(number):
            if not run.state.is_finished:
                cancel_run(run, by="me", reason="enough")
                self.halted.add(number)

    def do(self, work: Callable[[], object], death: tuple[str, int] | None) -> None:
        """Do it; with ``death`` killed when so many names have appeared."""
        if death is None:
            work()
            return
        function, left = death
        real = getattr(os, function)

        def deadly(*names: Any, **options: Any) -> None:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            real(*names, **options)

        with mock.patch(f"os.{function}", deadly):
            try:
                work()
            except Killed:
                pass

    @invariant()
    def each_child_is_there_once_and_its_parent_has_what_it_came_to(self) -> None:
        ChildrenMachine.states += 1
        runs = {run_id: self.opened(run_id) for run_id in run_ids(self.runs_dir)}
        made = [
            (run.state.created["parent"]["effectId"], "continuedFrom" in run.state.created)
            for run in runs.values()
            if "parent" in run.state.created
        ]
        assert len(made) == len(set(made))
        for run in runs.values():
            run.journal.verify()
        resolved = [each for each in runs["r"].state.effects.values() if each.status in ("ok", "error")]
        for effect in resolved:
            last = last_of(runs, effect.id)
            if effect.status == "ok":
                assert (last.state.status, effect.value) == ("completed", last.output())
            else:
                assert (last.state.status, effect.error["name"]) == ("halted", "RunHalted")

    @invariant()
    def a_run_that_has_ended_has_no_child_that_lives(self) -> None:
        runs = [self.opened(run_id) for run_id in run_ids(self.runs_dir)]
        ended = {run.run_id for run in runs if run.state.is_finished}
        for run in runs:
            parent = run.state.created.get("parent", {}).get("runId")
            assert parent not in ended or run.state.is_finished
        if "r" in ended:
            output = self.opened("r").output()
            assert [told == "RunHalted" for told in output[:2]] == [False, False]
            assert output[2] != "RunHalted" or 2 in self.halted


def last_of(runs: dict[str, Run], effect_id: str) -> Run:
    """The run in which the child of an effect has come to its end."""
    found = [run for run in runs.values() if run.state.created.get("parent", {}).get("effectId") == effect_id]
    (last,) = [run for run in found if run.state.status != "continued"]
    return last


def test_children_are_what_the_model_says(torture: bool, count: Callable[[str, int], None]) -> None:
    ChildrenMachine.finished = ChildrenMachine.states = 0
    run_state_machine_as_test(
        ChildrenMachine,
        settings=settings(
            max_examples=300 if torture else 15,
            stateful_step_count=40 if torture else 25,
            # Looking for the shortest way to a fault takes minutes with a disk below it.
            phases=set(Phase) if torture else set(Phase) - {Phase.shrink},
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    count("states of families of runs compared with the model", ChildrenMachine.states)
    count("families that the model saw to their end", ChildrenMachine.finished)
