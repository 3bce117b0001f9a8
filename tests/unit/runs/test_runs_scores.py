"""Scores of a run on disk: which of them count when it is killed, edited, or goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from babysitter.runs.changes import accept_edit, load_to_change, rewind
from babysitter.runs.execution import Execution
from babysitter.runs.folder import open_run
from babysitter.runs.forks import Told, fork
from babysitter.runs.iterate import iterate
from babysitter.runs.results import Answer
from babysitter.runs.results import accept as post

if TYPE_CHECKING:
    from projects import Project

LOOP = """
async def process(inputs, ctx):
    while True:
        value = await ctx.task(ask, question="better?")
        score = ctx.score(value{options})
        if score.is_done:
            return score.history
"""
TWO = """
async def improve(ctx, name):
    for round in range(2):
        ctx.score(await ctx.task(ask, question=name))

async def process(inputs, ctx):
    await ctx.parallel.map(["a", "b"], lambda name: improve(ctx, name))
"""
Scores = dict[tuple[str, str], list[float]]


def loop(options: str = ", 90") -> str:
    return LOOP.format(options=options)


def scores(project: Project, name: str = "r") -> Scores:
    """What counts, by scope and name."""
    told = project.open(name).state.scores
    return {place: [score["value"] for score in series] for place, series in told.items()}


def written(project: Project) -> list[tuple[int, float]]:
    """Round and number of all that was ever written, in order."""
    told = [data["score"] for data in project.data_of("PROCESS_LOG")]
    return [(score["round"], score["value"]) for score in told]


def begun(project: Project, source: str, *values: float) -> None:
    project.begin(source)
    answer(project, *values)


def answer(project: Project, *values: float) -> None:
    """Answer one effect after the other, each in a command of its own."""
    for value in values:
        step = next(iter(project.open().state.pending.values())).step
        project.answer(step, value)


def go_back(project: Project, step: str) -> None:
    run = open_run("r", str(project.runs_dir))
    rewind(run, step, load_to_change(run), by="somebody")


def accept(project: Project, rule: str = "redo") -> None:
    run = open_run("r", str(project.runs_dir))
    accept_edit(run, rule, load_to_change(run), by="somebody")
    iterate(run)


ONE = ("", "score")


def test_each_round_is_written_once_by_whatever_command(project: Project) -> None:
    begun(project, loop(), 61, 74)
    for _ in range(3):
        project.iterate()
    assert (written(project), scores(project)) == ([(1, 61), (2, 74)], {ONE: [61, 74]})


@pytest.mark.parametrize("lost", [1, 2])
def test_what_a_kill_took_of_a_batch_is_written_by_the_next(lost: int, project: Project) -> None:
    begun(project, loop(), 61, 74)
    # The batch of the second round: the score, and the next request. Nobody was told of it.
    journal = sorted((project.runs_dir / "r" / "journal").iterdir())
    for path in journal[-lost:]:
        path.unlink()
    (project.runs_dir / "r" / "state" / "head.json").unlink()
    project.iterate()
    assert (written(project), scores(project)) == ([(1, 61), (2, 74)], {ONE: [61, 74]})
    answer(project, 95)
    assert project.open().output() == [61, 74, 95]


def test_what_lies_behind_the_step_gone_back_to_counts_no_more_at_once(project: Project) -> None:
    begun(project, loop(), 61, 74, 82)
    go_back(project, "2")
    assert scores(project) == {ONE: [61]}


def test_what_lies_before_the_step_gone_back_to_is_not_written_again(project: Project) -> None:
    begun(project, loop(), 61, 74, 82)
    go_back(project, "3")
    project.iterate()
    assert (written(project), scores(project)) == ([(1, 61), (2, 74), (3, 82)], {ONE: [61, 74]})


@pytest.mark.parametrize("again", [74, 70])
def test_a_round_that_is_done_again_counts_again(again: int, project: Project) -> None:
    begun(project, loop(), 61, 74, 82)
    go_back(project, "2")
    project.iterate()
    answer(project, again)
    assert (written(project)[3:], scores(project)) == ([(2, again)], {ONE: [61, again]})


@pytest.mark.parametrize("step", ["1", "2", "3"])
def test_a_run_that_went_back_and_did_the_same_again_has_the_scores_of_one_that_did_not(
    step: str, project: Project
) -> None:
    begun(project, loop(), 61, 74, 95)
    go_back(project, step)
    project.iterate()
    answer(project, *[61, 74, 95][int(step) - 1 :])
    assert (scores(project), project.open().output()) == ({ONE: [61, 74, 95]}, [61, 74, 95])


def test_going_back_in_a_branch_leaves_the_scores_of_the_others(project: Project) -> None:
    begun(project, TWO, 1, 2, 3, 4)
    before = scores(project)
    first, other = sorted(before)
    go_back(project, f"{first[0]}2")
    assert scores(project) == {first: before[first][:1], other: before[other]}


def test_an_edit_of_what_lies_ahead_keeps_all_scores_and_says_nothing_of_them(project: Project) -> None:
    begun(project, loop(), 61, 74)
    project.write(loop() + "\n# more to come\n")
    answer(project, 82)
    (changed,) = project.data_of("PROCESS_CHANGED")
    assert ("scores" in changed, scores(project)) == (False, {ONE: [61, 74, 82]})


def test_an_edit_of_what_is_told_is_told_anew_from_there_on(project: Project) -> None:
    begun(project, loop(), 61, 74)
    project.write(loop(", 80"))
    project.iterate()
    series = project.open().state.scores[ONE]
    assert [(score["value"], score["target"]) for score in series] == [(61, 80), (74, 80)]
    assert written(project) == [(1, 61), (2, 74)] * 2


def test_an_edit_that_is_undone_counts_as_it_did(project: Project) -> None:
    begun(project, loop(), 61, 74)
    for options in (", 80", ", 90"):
        project.write(loop(options))
        project.iterate()
    series = project.open().state.scores[ONE]
    assert [(score["value"], score["target"]) for score in series] == [(61, 90), (74, 90)]


def test_a_score_that_an_edit_takes_out_counts_no_more(project: Project) -> None:
    begun(project, loop(), 61, 74)
    project.write(loop().replace("ctx.score(value, 90)", "ctx.score(value, 90, name='other')"))
    project.iterate()
    assert scores(project) == {("", "other"): [61, 74]}


LATER = """
async def process(inputs, ctx):
    await ctx.task(ask, question="a")
    {0}
    await ctx.task(ask, question="b")
    {1}
    await ctx.task(ask, question="c")
"""


def test_a_score_that_an_edit_puts_later_counts_when_it_is_told_again(project: Project) -> None:
    begun(project, LATER.format("ctx.score(5)", ""), 0)
    project.write(LATER.format("", "ctx.score(5)"))
    project.iterate()
    taken_out = scores(project)
    answer(project, 0)
    assert (taken_out, scores(project), written(project)) == ({}, {ONE: [5]}, [(1, 5), (1, 5)])


def test_a_driven_run_notes_a_score_that_its_edit_has_put_later(project: Project) -> None:
    begun(project, LATER.format("ctx.score(5)", ""), 0)
    project.write(LATER.format("", "ctx.score(5)"))
    run = project.open()
    execution = Execution(run)
    execution.start()
    execution.write_round()
    post(run, [Answer("2", "ok", 0)])
    execution.follow()
    execution.write_round()
    assert scores(project) == {ONE: [5]}


WORDS = """
async def process(inputs, ctx):
    for word in {0!r}:
        value = await ctx.task(ask.using(title=word), question=word)
        if word != "x":
            ctx.score(value)
"""


@pytest.mark.parametrize(("rule", "after"), [("redo", [61]), ("keep", [61, 74])])
def test_after_an_accepted_edit_the_scores_count_that_rest_on_what_it_keeps(
    rule: str, after: list[float], project: Project
) -> None:
    begun(project, WORDS.format(["a", "b", "c"]), 61, 74)
    project.write(WORDS.format(["a", "x", "b", "c"]))
    accept(project, rule)
    at_the_edit = scores(project)
    answer(project, 0)
    assert (at_the_edit, scores(project)) == ({ONE: [61]}, {ONE: after})


def test_a_prompt_that_is_edited_takes_no_score_away(project: Project) -> None:
    begun(project, loop(), 61, 74)
    project.write(loop().replace("async def", "ask = ask.using(title='Edited')\n\nasync def"))
    project.iterate()
    (changed,) = project.data_of("PROCESS_CHANGED")
    assert ("plan" in changed, scores(project), len(written(project))) == (True, {ONE: [61, 74]}, 2)


def test_names_that_differ_only_in_a_secret_stay_two_series(project: Project) -> None:
    source = """
        async def process(inputs, ctx):
            for letter in "ab":
                ctx.score(1, name="of ghp_" + letter * 36)
            await ctx.task(ask, question="a")
        """
    begun(project, source)
    project.iterate()
    assert (list(scores(project).values()), written(project)) == ([[1], [1]], [(1, 1), (1, 1)])
    assert all(name.startswith("of [redacted] ") for _, name in scores(project))


def test_a_fork_tells_the_scores_of_what_it_has(project: Project) -> None:
    begun(project, loop(), 61, 74, 82)
    run = open_run("r", str(project.runs_dir))
    told = Told(run)
    iterate(fork(run, "3", "f", runs_dir=str(project.runs_dir), version="0", told=told).load())
    (series,) = project.open("f").state.scores.values()
    assert [score["value"] for score in series] == [61, 74]


def test_a_mistake_behind_a_score_leaves_it_written_once(project: Project) -> None:
    begun(project, loop() + "        {}[score.round]\n", 61)
    stuck = (project.open().state.status, scores(project))
    project.write(loop())
    project.iterate()
    assert (stuck, written(project)) == (("stuck", {ONE: [61]}), [(1, 61)])


def test_the_scores_of_a_run_that_was_continued_begin_anew(project: Project) -> None:
    source = """
        async def process(inputs, ctx):
            score = ctx.score(await ctx.task(ask, question="a"))
            if inputs["more"]:
                ctx.continue_as_new({"more": inputs["more"] - 1})
            await ctx.task(ask, question="b")
        """
    project.begin(source, {"more": 1})
    answer(project, 5)
    assert (scores(project), scores(project, "r-c2")) == ({ONE: [5]}, {})
