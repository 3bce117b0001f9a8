"""Whole runs against a model of a few lines: whatever commands, kills and damage do, both say the same."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from babysitter.errors import AlreadyResolved, JournalError, NoSuchEffect, ResultRejected
from babysitter.library import resolve
from babysitter.runs.answering import decide
from babysitter.runs.creation import create
from babysitter.runs.folder import open_run
from babysitter.runs.iterate import iterate
from babysitter.runs.results import ALREADY, RECORDED, Answer, accept

if TYPE_CHECKING:
    from collections.abc import Callable

    from babysitter.runs.results import Verdict
    from babysitter.runs.run import Run

pytestmark = pytest.mark.torture
COMMANDS = st.integers(0, 1)
PROCESS = """
from babysitter import agent

@agent
def ask(question):
    return question

async def process(inputs, ctx):
    async def branch(number):
        first = await ctx.task(ask, question=str(number))
        if not (await ctx.breakpoint(f"Go on with {number}?")).approved:
            return None
        return [first, await ctx.task(ask, question=f"{number} again")]

    ctx.log("began")
    outcomes = await ctx.parallel.settled([lambda n=n: branch(n) for n in range(2)])
    return [outcome.value if outcome.ok else str(outcome.error) for outcome in outcomes]
"""
BRANCHES = range(2)
FIRST, GATE, LAST = 1, 2, 3
STEPS = [f"1.{number}.{place}" for number in BRANCHES for place in (FIRST, GATE, LAST)]
GATES = STEPS[1::3]
FAILED = {"name": "No", "message": "it did not work"}
# A value that stands in its event, one in a file of its own, and a failure.
VALUES: list[Any] = ["one", {"é": ["日本 😀", None, 1.5]}, "large " * 8000, FAILED]


class Killed(BaseException):
    """The process is gone."""


class Model:
    """What has been asked for, what was answered first, and what follows from it."""

    def __init__(self) -> None:
        self.requested: set[str] = set()
        self.answers: dict[str, Any] = {}
        self.is_finished = False

    def wanted(self) -> set[str]:
        """The steps to which the answers lead."""
        found = set()
        for number in BRANCHES:
            for place in (FIRST, GATE, LAST):
                step = f"1.{number}.{place}"
                found.add(step)
                if self.answers.get(step, False) in (False, FAILED):
                    break
        return found

    def has_all(self) -> bool:
        return self.wanted() <= set(self.answers)

    def output(self) -> list[Any]:
        """What the process returns when it has all that it wants."""
        told: list[Any] = []
        for number in BRANCHES:
            first, gate, last = (self.answers.get(f"1.{number}.{place}") for place in (FIRST, GATE, LAST))
            told.append(FAILED["message"] if FAILED in (first, last) else [first, last] if gate else None)
        return told


class RunMachine(RuleBasedStateMachine):
    """Two commands on one run, which may have read it long ago."""

    steps_taken = finished = 0

    def __init__(self) -> None:
        super().__init__()
        self.project = Path(tempfile.mkdtemp())
        (self.project / "p.py").write_text(PROCESS)
        self.finders = list(sys.meta_path)
        self.model = Model()
        entry = resolve(str(self.project / "p.py"), str(self.project))
        made = create(
            str(self.project / "runs"), entry, {}, project=str(self.project), version="0", run_id="r"
        )
        self.folder = Path(made.folder)
        self.commands = [self.opened(), self.opened()]

    def teardown(self) -> None:
        RunMachine.finished += self.model.is_finished
        sys.meta_path[:] = self.finders
        shutil.rmtree(self.project)

    def opened(self) -> Run:
        return open_run(str(self.folder), "").load()

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("journal/*"))

    def is_late(self, run: Run) -> bool:
        return run.state.last_seq < len(self.files())

    @rule(number=COMMANDS)
    def start_again(self, number: int) -> None:
        self.commands[number] = self.opened()

    @rule(number=COMMANDS)
    def iterate(self, number: int) -> None:
        run, model = self.commands[number], self.model
        is_late, missing = self.is_late(run), model.wanted() - model.requested
        done = iterate(run)
        new = {effect.step for effect in done.new}
        # A command that has read the run long ago may not know what it could ask for.
        assert new == missing or (is_late and new <= missing)
        model.requested |= new
        if not is_late:
            model.is_finished = model.has_all()
            assert done.status == ("completed" if model.is_finished else "waiting")

    @rule(number=COMMANDS, step=st.sampled_from(STEPS), value=st.sampled_from(VALUES))
    def post(self, number: int, step: str, value: Any) -> None:
        run = self.commands[number]
        is_late = self.is_late(run)
        (verdict,) = accept(run, [answer(step, value)])
        if is_late and isinstance(verdict.error, NoSuchEffect):
            return
        self.check(step, value, verdict)

    @rule(number=COMMANDS, step=st.sampled_from(GATES), is_approved=st.booleans())
    def decide(self, number: int, step: str, is_approved: bool) -> None:
        run = self.commands[number]
        known = [effect for effect in run.state.effects.values() if effect.step == step]
        if known:
            (verdict,) = accept(run, [decide(run, known[0], is_approved, by="me")])
            self.check(step, is_approved, verdict)

    @precondition(lambda self: set(self.model.answers) - set(GATES))
    @rule(number=COMMANDS, value=st.sampled_from(VALUES), data=st.data())
    def post_again(self, number: int, value: Any, data: st.DataObject) -> None:
        """A second result: the same one, or another."""
        self.post(number, data.draw(st.sampled_from(sorted(set(self.model.answers) - set(GATES)))), value)

    @rule(number=COMMANDS, value=st.sampled_from(VALUES))
    def answer_the_first_that_waits(self, number: int, value: Any) -> None:
        """What most commands are for; left to chance alone hardly a run would come to its end."""
        self.start_again(number)
        for step in sorted(self.model.requested - set(self.model.answers))[:1]:
            if step in GATES:
                self.decide(number, step, True)
            else:
                self.post(number, step, value)
        self.iterate(number)

    def check(self, step: str, value: Any, verdict: Verdict) -> None:
        """Compare a verdict with what the model says, and let it have the answer."""
        model = self.model
        if step not in model.requested:
            assert isinstance(verdict.error, NoSuchEffect)
        elif step in GATES and not isinstance(value, bool):
            assert isinstance(verdict.error, ResultRejected)
        elif step not in model.answers:
            assert verdict.status == RECORDED
            model.answers[step] = value
        elif model.answers[step] == value:
            assert verdict.status == ALREADY
        else:
            assert isinstance(verdict.error, AlreadyResolved)

    @rule(
        number=COMMANDS, after=st.integers(0, 4), step=st.sampled_from(STEPS), value=st.sampled_from(VALUES)
    )
    def post_and_die(self, number: int, after: int, step: str, value: Any) -> None:
        self.die(number, after, lambda run: accept(run, [answer(step, value)]))
        effect = self.effects().get(step)
        if effect is not None and effect[0] in ("ok", "error"):
            self.model.answers.setdefault(step, value)

    @rule(number=COMMANDS, after=st.integers(0, 4))
    def iterate_and_die(self, number: int, after: int) -> None:
        missing = self.model.wanted() - self.model.requested
        self.die(number, after, iterate)
        new = set(self.effects()) - self.model.requested
        assert new <= missing
        self.model.requested |= new
        self.model.is_finished = self.opened().state.is_finished
        assert not self.model.is_finished or self.model.has_all()

    def die(self, number: int, after: int, act: Callable[[Run], object]) -> None:
        """Do something, killed when so many names have appeared, and read everything again."""
        left, real_link = after, os.link

        def link(*names: Any, **options: Any) -> None:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            real_link(*names, **options)

        with mock.patch("os.link", link):
            try:
                act(self.commands[number])
            except Killed:
                pass
        self.commands[number] = self.opened()

    @rule(data=st.data())
    def damage_a_byte(self, data: st.DataObject) -> None:
        """Change a bit of an event for a while: all is refused, or all is as it was."""
        path = data.draw(st.sampled_from(self.files()))
        raw, before = path.read_bytes(), self.effects()
        at, bit = data.draw(st.integers(0, len(raw) - 1)), data.draw(st.integers(0, 7))
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :])
        with suppress(JournalError):
            assert self.effects() == before
        with pytest.raises(JournalError, match=path.name):
            self.commands[0].journal.verify()
        path.write_bytes(raw)

    @rule()
    def delete_the_cache(self) -> None:
        shutil.rmtree(self.folder / "state", ignore_errors=True)

    @rule(name=st.sampled_from(["events.jsonl", "head.json"]), size=st.integers(0, 3000))
    def tear_the_cache(self, name: str, size: int) -> None:
        path = self.folder / "state" / name
        if path.exists():
            os.truncate(path, min(size, path.stat().st_size))

    def effects(self) -> dict[str, tuple[str, Any]]:
        """What a new command reads: each step's status, and its answer as it was given."""
        run = self.opened()
        return {
            effect.step: (effect.status, told_by(run.value_of(effect), effect.error))
            for effect in run.state.effects.values()
        }

    @invariant()
    def a_new_command_reads_what_the_model_has(self) -> None:
        RunMachine.steps_taken += 1
        expected = dict.fromkeys(self.model.requested, ("requested", None))
        for step, value in self.model.answers.items():
            expected[step] = ("error" if value == FAILED else "ok", value)
        run = self.opened()
        assert self.effects() == expected
        assert (run.state.is_finished, run.journal.verify().seq) == (
            self.model.is_finished,
            len(self.files()),
        )
        if self.model.is_finished:
            assert run.output() == self.model.output()


def answer(step: str, value: Any) -> Answer:
    if value == FAILED:
        return Answer(step, "error", None, value)
    return Answer(step, "ok", value)


def told_by(value: Any, error: Any) -> Any:
    """An answer as the model keeps it: of a decision, whether it was approved."""
    return error or (value["approved"] if isinstance(value, dict) and "approved" in value else value)


def test_a_run_is_what_the_model_says(torture: bool, count: Callable[[str, int], None]) -> None:
    RunMachine.steps_taken = RunMachine.finished = 0
    run_state_machine_as_test(
        RunMachine,
        settings=settings(
            max_examples=400 if torture else 20,
            stateful_step_count=40 if torture else 25,
            # Looking for the shortest way to a fault takes minutes with a disk below it.
            phases=set(Phase) if torture else set(Phase) - {Phase.shrink},
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    count("states of runs compared with the model", RunMachine.steps_taken)
    count("runs that the model saw to their end", RunMachine.finished)
