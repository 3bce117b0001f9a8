"""Forks: a run that begins with what another one had, and goes on by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from babysitter.errors import InvalidInput, ProcessError, RunExists
from babysitter.runs.folder import open_run
from babysitter.runs.forks import Told, commit_at, fork
from babysitter.runs.iterate import iterate
from babysitter.runs.replaying import replay
from babysitter.runs.verification import verify

if TYPE_CHECKING:
    from projects import Project

    from babysitter.runs.run import Run

CHANCE = """
async def process(inputs, ctx):
    first = await ctx.task(ask, question="a")
    drawn = ctx.record("drawn", lambda: "drawn")
    asked = [lambda i=i: ctx.task(ask, question=f"{i} {ctx.random.random()}") for i in range(3)]
    some = await ctx.parallel.all(asked)
    at = ctx.now().isoformat()
    last = await ctx.task(ask, question=f"{at} {ctx.uuid()} {drawn} {ctx.patched('new')}")
    return [first, some, last, ctx.artifacts]
"""
LARGE = "x" * 40_000


def forked(project: Project, step: str, new_id: str = "f") -> Run:
    run = open_run("r", str(project.runs_dir))
    told = Told(run)
    fork(run, step, new_id, runs_dir=str(project.runs_dir), version="0", told=told)
    return project.open(new_id)


def answer_all(project: Project, name: str = "r", value: Any = "answer") -> None:
    while pending := list(project.open(name).state.pending.values()):
        for effect in pending:
            verdict = project.post(effect.id, value, name)
            assert verdict.error is None
        project.iterate(name)


def results(run: Run) -> dict[str, Any]:
    return {e.step: run.value_of(e) for e in run.state.effects.values() if e.status == "ok"}


def test_a_fork_has_what_came_before_its_step_and_asks_for_that_first(project: Project) -> None:
    project.begin(CHANCE)
    answer_all(project)
    new = forked(project, "3")
    assert results(new) == dict.fromkeys(("1", "2.0.1", "2.1.1", "2.2.1"), "answer")
    assert [effect.step for effect in iterate(new).new] == ["3"]


def test_a_fork_asks_in_the_words_of_the_run_it_comes_from(project: Project) -> None:
    project.begin(CHANCE)
    answer_all(project)
    old = project.data_of("EFFECT_REQUESTED")[-1]
    forked(project, "3")
    (new,) = project.iterate("f").new
    assert (new.args_hash, new.id == old["effectId"]) == (old["argsHash"], False)


def test_a_fork_goes_on_to_its_end_and_holds_on_every_replay(project: Project) -> None:
    project.begin(CHANCE)
    answer_all(project)
    forked(project, "2")
    project.iterate("f")
    answer_all(project, "f", "other")
    run = project.open("f")
    assert (run.state.status, replay(run)["holds"]) == ("completed", True)
    assert verify(open_run("f", str(project.runs_dir))).head.seq == len(project.events("f"))


def test_the_run_that_was_forked_is_not_touched(project: Project) -> None:
    project.begin(CHANCE)
    answer_all(project)
    before = project.events()
    forked(project, "2")
    assert (project.events(), project.open().state.status) == (before, "completed")


def test_a_fork_says_where_it_comes_from(project: Project) -> None:
    project.begin(CHANCE)
    answer_all(project)
    old = project.effect("1")
    new = forked(project, "2")
    evidence = project.data_of("EFFECT_RESOLVED", "f")[0]["evidence"]
    assert new.state.created["forkedFrom"] == {"runId": "r", "step": "2"}
    assert evidence["copiedFrom"] == {"runId": "r", "effectId": old.id}


def test_what_a_fork_has_taken_over_has_cost_it_nothing(project: Project) -> None:
    project.begin(CHANCE)
    project.post("1", "first", usage={"outputTokens": 5})
    project.iterate()
    answer_all(project)
    new = forked(project, "3")
    assert [effect.usage for effect in new.state.effects.values()] == [None] * 4
    assert project.effect("1").usage == {"outputTokens": 5}


def test_a_group_is_forked_at_with_all_its_branches(project: Project) -> None:
    project.begin(CHANCE)
    answer_all(project)
    new = forked(project, "2")
    assert [effect.step for effect in iterate(new).new] == ["2.0.1", "2.1.1", "2.2.1"]


def test_in_a_branch_the_others_keep_what_they_have(project: Project) -> None:
    project.begin(CHANCE)
    answer_all(project)
    new = forked(project, "2.1.1")
    assert [effect.step for effect in iterate(new).new] == ["2.1.1"]


def test_large_values_and_files_go_along(project: Project) -> None:
    project.begin(CHANCE.replace('question="a"', f'question="{LARGE}"'))
    answer_all(project, value=LARGE)
    run = project.open()
    with open(f"{run.artifacts}/report", "w", encoding="utf-8") as file:
        file.write("kept")
    new = forked(project, "2")
    assert results(new) == {"1": LARGE}
    with open(f"{new.artifacts}/report", encoding="utf-8") as file:
        assert file.read() == "kept"


def test_what_nobody_has_answered_the_fork_asks_for_itself(project: Project) -> None:
    project.begin(CHANCE)
    project.answer("1", "answer")
    project.answer("2.0.1", "answer")
    new = forked(project, "2.1.1")
    assert (results(new).keys(), [e.step for e in iterate(new).new]) == ({"1", "2.0.1"}, ["2.1.1", "2.2.1"])


def test_a_fork_of_a_fork_has_the_same_chance(project: Project) -> None:
    project.begin(CHANCE)
    answer_all(project)
    forked(project, "3")
    run = open_run("f", str(project.runs_dir))
    fork(run, "2", "g", runs_dir=str(project.runs_dir), version="0", told=Told(run))
    old = [data["argsHash"] for data in project.data_of("EFFECT_REQUESTED")][1:4]
    assert [effect.args_hash for effect in project.iterate("g").new] == old


def test_an_edited_process_forks_as_it_is_now(project: Project) -> None:
    project.begin(CHANCE)
    answer_all(project)
    project.write(CHANCE.replace('"a"', '"b"'))
    new = forked(project, "2")
    assert (results(new), [e.step for e in iterate(new).new]) == ({}, ["1"])


def test_a_fork_of_a_run_that_an_agent_works_on_needs_people_as_well(project: Project) -> None:
    project.create(CHANCE, run_id="r", session=("claude", "s-1"))
    project.iterate()
    project.answer("1", "answer")
    assert forked(project, "2").is_guarded is True


def test_there_is_no_fork_at_a_step_that_was_never_asked_for(project: Project) -> None:
    project.begin(CHANCE)
    with pytest.raises(InvalidInput) as caught:
        forked(project, "9")
    assert str(caught.value) == "run 'r' has asked for nothing at step '9'"


def test_there_is_no_fork_under_an_id_that_is_taken(project: Project) -> None:
    project.begin(CHANCE)
    before = project.digest()
    with pytest.raises(RunExists):
        forked(project, "1", "r")
    assert project.digest() == before


def test_there_is_no_fork_of_a_process_with_a_mistake(project: Project) -> None:
    project.begin(CHANCE)
    project.write("async def process(inputs, ctx):\n    undefined_name\n")
    with pytest.raises(ProcessError):
        forked(project, "1")


def test_a_run_that_kept_no_files_has_none_to_bring_back(project: Project) -> None:
    project.begin(CHANCE)
    run = open_run("r", str(project.runs_dir))
    told = Told(run)
    with pytest.raises(InvalidInput) as caught:
        commit_at(run, "1", told)
    assert str(caught.value) == "run 'r' has kept no git tree from before step '1'"
