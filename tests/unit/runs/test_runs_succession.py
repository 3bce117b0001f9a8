"""Runs that are continued as new: the next one is made once, and whoever goes on follows."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING

import pytest

from babysitter.errors import CorruptEvent, EditNeedsPerson, InvalidInput, ProcessError, RunExists
from babysitter.runs import succession
from babysitter.runs.creation import Origin
from babysitter.runs.iterate import iterate
from babysitter.runs.succession import newest, newest_there

if TYPE_CHECKING:
    from projects import Project

    from babysitter.runs.run import Run

ROUNDS = """
async def process(inputs, ctx):
    if inputs["left"] == 0:
        return "done"
    await ctx.task(ask, question=str(inputs["left"]))
    ctx.continue_as_new({"left": inputs["left"] - 1})
"""
COUNTDOWN = """
async def process(inputs, ctx):
    if inputs["left"]:
        ctx.continue_as_new({"left": inputs["left"] - 1})
    return "done"
"""
LARGE = """
async def process(inputs, ctx):
    if len(inputs["text"]) > 9:
        return len(inputs["text"])
    ctx.continue_as_new({"text": "é" * 100_000})
"""


def continued(project: Project, run_id: str, step: str = "1") -> Run:
    project.post(step, "yes", name=run_id)
    return iterate(project.open(run_id)).run


def test_an_iteration_goes_on_in_the_next_run(project: Project) -> None:
    project.begin(ROUNDS, {"left": 2})
    run = continued(project, "r")
    assert (run.run_id, run.inputs(), [effect.label for effect in run.state.pending.values()]) == (
        "r-c2",
        {"left": 1},
        ["Ask"],
    )
    assert (project.open().state.status, run.state.created["continuedFrom"]) == ("continued", {"runId": "r"})


def test_whoever_names_the_first_run_goes_on_with_the_last(project: Project) -> None:
    project.begin(ROUNDS, {"left": 2})
    continued(project, "r")
    continued(project, "r-c2")
    done = iterate(project.open("r"))
    assert (done.run.run_id, done.status, done.run.output()) == ("r-c3", "completed", "done")


def test_a_long_chain_is_followed_without_recursion(project: Project) -> None:
    # A frame for each run of the chain would be too many.
    limit, before = len(inspect.stack()) + 100, sys.getrecursionlimit()
    project.create(COUNTDOWN, {"left": 120}, run_id="r")
    sys.setrecursionlimit(limit)
    try:
        done = project.iterate()
        again = newest(project.open()).run_id
    finally:
        sys.setrecursionlimit(before)
    assert (done.run.run_id, done.status, again) == ("r-c121", "completed", "r-c121")


def test_a_kill_before_the_next_run_is_made_loses_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.begin(ROUNDS, {"left": 1})

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(succession, "create", killed)
    with pytest.raises(KeyboardInterrupt):
        continued(project, "r")
    monkeypatch.undo()
    assert newest_there(project.open()).run_id == "r"
    assert iterate(project.open()).run.run_id == "r-c2"
    assert iterate(project.open()).run.run_id == "r-c2"


def test_large_inputs_go_on_in_a_file(project: Project) -> None:
    done = project.begin(LARGE, {"text": ""})
    assert (done.status, done.run.output()) == ("completed", 100_000)
    assert "inputsRef" in project.data_of("RUN_CONTINUED")[0]


def test_a_foreign_run_is_not_gone_on_with(project: Project) -> None:
    project.begin(ROUNDS, {"left": 1})
    project.create(run_id="r-c2", inputs={"left": 0})
    with pytest.raises(RunExists, match="a run that is not its own has that id"):
        continued(project, "r")


def test_inputs_that_do_not_fit_are_refused_when_the_run_goes_on(project: Project) -> None:
    with pytest.raises(InvalidInput, match="left"):
        project.begin(
            "from pydantic import BaseModel\n"
            "class Inputs(BaseModel):\n    left: int\n"
            "async def process(inputs: Inputs, ctx):\n"
            "    ctx.continue_as_new({'left': 'many'})\n",
            {"left": 1},
        )


def test_going_on_without_a_single_step_is_stopped(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(succession, "MOST_IDLE", 3)
    with pytest.raises(ProcessError, match="3 runs in a row have continued as new"):
        project.begin("async def process(inputs, ctx):\n    ctx.continue_as_new(inputs)\n")
    assert len([folder for folder in project.runs_dir.iterdir() if folder.is_dir()]) == 4


def test_the_session_goes_on_with_the_next_run(project: Project) -> None:
    project.begin(ROUNDS, {"left": 1}, session=("claude", "s-1"))
    project.open().append([("SESSION_BOUND", {"host": "claude", "sessionId": "s-1"})])
    state = continued(project, "r").state
    assert (state.guard is not None, state.session and state.session["sessionId"]) == (True, "s-1")


def test_a_session_that_was_released_is_not_bound_again(project: Project) -> None:
    project.begin(ROUNDS, {"left": 1}, session=("claude", "s-1"))
    project.open().append([("SESSION_BOUND", {"host": "claude", "sessionId": "s-1"})])
    project.open().append([("SESSION_RELEASED", {"sessionId": "s-1", "reason": "by a person"})])
    state = continued(project, "r").state
    assert (state.guard is not None, state.session) == (True, None)


def test_the_policy_for_breakpoints_goes_on_to_the_next_run(project: Project) -> None:
    done = project.begin(
        """
        async def process(inputs, ctx):
            if (await ctx.breakpoint("Go?")).approved and inputs["left"]:
                ctx.continue_as_new({"left": 0})
            return "done"
        """,
        {"left": 1},
        options={"breakpoints": "policy"},
    )
    assert (done.run.run_id, done.status) == ("r-c2", "completed")


def test_a_guarded_run_does_not_go_on_with_an_edited_process(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated = ROUNDS.replace('        return "done"', "        return await ctx.breakpoint('Sure?')")
    project.begin(gated, {"left": 1}, session=("claude", "s-1"))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(succession, "create", killed)
    with pytest.raises(KeyboardInterrupt):
        continued(project, "r")
    monkeypatch.undo()
    project.write(ROUNDS)
    with pytest.raises(EditNeedsPerson, match="the process was edited"):
        iterate(project.open())
    project.write(gated)
    assert iterate(project.open()).run.run_id == "r-c2"


def test_a_parent_follows_a_child_that_goes_on(project: Project) -> None:
    done = project.begin(
        """
        async def child(inputs, ctx):
            if inputs["left"] == 0:
                return "done"
            ctx.continue_as_new({"left": inputs["left"] - 1})

        async def process(inputs, ctx):
            return await ctx.subprocess(child, {"left": 3})
        """
    )
    assert (done.status, done.run.output()) == ("completed", "done")
    (result,) = project.data_of("EFFECT_RESOLVED")
    assert result["evidence"]["childRun"].endswith("-c4")


def test_runs_that_lead_in_a_circle_are_not_followed_for_ever(project: Project) -> None:
    project.create("async def process(inputs, ctx):\n    return 1\n", run_id="r")
    origin = Origin({"continuedFrom": {"runId": "r"}})
    project.create(run_id="r-c2", origin=origin)
    for run_id, following in (("r", "r-c2"), ("r-c2", "r")):
        project.open(run_id).append([("RUN_CONTINUED", {"runId": following, "inputs": {}, "sha256": ""})])
    with pytest.raises(CorruptEvent, match="goes on as one that it goes on from"):
        newest_there(project.open("r"))
