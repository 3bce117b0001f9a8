"""Scores: what a loop has reached, whether that is enough, and what of it counts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.engine.loop_replay import LoopReplay
from babysitter.engine.scores import Aim, keep, keep_only, keys_of, number, series_json, unwritten
from babysitter.jsontext import compact, loads
from tests.support.rounds import Rounds, a_task, line_of, start

if TYPE_CHECKING:
    from babysitter import Context, Score
    from tests.support.rounds import Process

step = a_task("step")


def judged(*history: float, target: float | None = None, **aim: Any) -> Score:
    """The last of these numbers, as an author gets it."""
    told = {"patience": None, "min_change": 0, "lower": False, **aim}
    return Aim(target, **told).judge(list(history))


# What an author is told.


def test_a_score_has_its_number_its_round_the_best_and_all_before_it() -> None:
    score = judged(61, 82, 74, target=90)
    assert (score.value, score.target, score.best, score.round, score.history) == (
        74,
        90,
        82,
        3,
        [61, 82, 74],
    )


@pytest.mark.parametrize(
    ("value", "aim", "reached"),
    [
        (89, {"target": 90}, False),
        (90, {"target": 90}, True),
        (91.5, {"target": 90}, True),
        (91, {}, False),
        (3, {"target": 0, "lower": True}, False),
        (0, {"target": 0, "lower": True}, True),
        (-1, {"target": 0, "lower": True}, True),
    ],
)
def test_a_target_is_reached_by_what_is_as_good_or_better(
    value: float, aim: dict[str, Any], reached: bool
) -> None:
    score = judged(value, **aim)
    assert (score.reached, score.is_done, score.stalled) == (reached, reached, False)


def test_a_target_that_was_reached_and_lost_again_is_not_reached() -> None:
    assert judged(95, 80, target=90).reached is False


@pytest.mark.parametrize(
    ("history", "aim", "stalled"),
    [
        ([5], {"patience": 1}, False),
        ([5, 5], {"patience": 1}, True),
        ([5, 6], {"patience": 1}, False),
        ([5, 4, 3], {"patience": 3}, False),
        ([5, 4, 3, 5], {"patience": 3}, True),
        ([5, 4, 3, 5, 6], {"patience": 3}, False),
        ([5, 4, 3], {}, False),
        # Better, but not by enough; and by enough when it is taken together.
        ([5, 5.5, 6], {"patience": 2, "min_change": 1}, True),
        ([5, 5.5, 6.5], {"patience": 2, "min_change": 1}, False),
        ([5, 6], {"patience": 1, "lower": True}, True),
        ([5, 4], {"patience": 1, "lower": True}, False),
        ([5, 4.5], {"patience": 1, "lower": True, "min_change": 0.5}, True),
    ],
)
def test_so_many_scores_that_do_not_beat_the_best_before_them_are_a_stall(
    history: list[float], aim: dict[str, Any], stalled: bool
) -> None:
    score = judged(*history, **aim)
    assert (score.stalled, score.is_done, score.reached) == (stalled, stalled, False)


def test_the_best_of_what_is_better_when_it_is_less_is_the_least() -> None:
    assert judged(9, 4, 6, lower=True).best == 4


def test_numbers_of_any_size_are_compared() -> None:
    assert judged(10**300, -1.7e308, 0.5, patience=2).stalled is True


def test_what_is_done_with_a_history_changes_no_other() -> None:
    told: list[Score] = []

    async def process(_: Any, ctx: Context) -> None:
        for value in (1, 2):
            told.append(ctx.score(value))
            told[-1].history.clear()
        told.append(ctx.score(3))

    start(process)
    assert told[-1].history == [1, 2, 3]


def test_a_score_can_be_returned_and_handed_to_a_task() -> None:
    assert loads(compact(judged(1, 2, target=2))) == {
        "best": 2,
        "history": [1, 2],
        "reached": True,
        "round": 2,
        "stalled": False,
        "target": 2,
        "value": 2,
    }


def test_each_name_and_each_branch_counts_for_itself() -> None:
    told: list[tuple[str, int]] = []

    async def branch(ctx: Context, item: str) -> None:
        await ctx.task(step)
        told.append((item, ctx.score(1).round))
        told.append((f"{item} other", ctx.score(1, name="other").round))

    async def process(_: Any, ctx: Context) -> None:
        told.append(("root", ctx.score(1).round))
        await ctx.parallel.map(["a", "b"], lambda item: branch(ctx, item))
        told.append(("root", ctx.score(1).round))

    run = start(process)
    run.resolve(dict.fromkeys(run.pending))
    assert sorted(told) == [("a", 1), ("a other", 1), ("b", 1), ("b other", 1), ("root", 1), ("root", 2)]


def test_the_target_and_the_direction_may_change_on_the_way() -> None:
    told: list[Score] = []

    async def process(_: Any, ctx: Context) -> None:
        told.extend([ctx.score(5, 3), ctx.score(4, 6), ctx.score(6, 5, lower=True)])

    start(process)
    assert [(score.reached, score.best) for score in told] == [(True, 5), (False, 5), (False, 4)]


# What an author may not tell.


def refusal(tell: Any) -> tuple[str, str, Any]:
    """The error that a process is stuck in, and whether it is at the line of its call."""

    async def process(_: Any, ctx: Context) -> None:
        tell(ctx)  # here

    run = start(process)
    assert run.end is not None
    assert run.end.status == "stuck"
    return type(run.error).__name__, str(run.error), run.events[1:]


@pytest.mark.parametrize(
    ("tell", "name", "message"),
    [
        (lambda ctx: ctx.score("9"), "TypeError", "the value of ctx.score is a number, found '9'"),
        (lambda ctx: ctx.score(None), "TypeError", "the value of ctx.score is a number, found None"),
        (lambda ctx: ctx.score(True), "TypeError", "the value of ctx.score is a number, found True"),
        (
            lambda ctx: ctx.score(float("nan")),
            "ValueError",
            "the value of ctx.score is a finite number, found nan",
        ),
        (
            lambda ctx: ctx.score(1, float("inf")),
            "ValueError",
            "the target of ctx.score is a finite number, found inf",
        ),
        (
            lambda ctx: ctx.score(1 << 2000),
            "ValueError",
            "the value of ctx.score is a number that fits a float, found one of 2001 bits",
        ),
        (lambda ctx: ctx.score(1, "90"), "TypeError", "the target of ctx.score is a number, found '90'"),
        (
            lambda ctx: ctx.score(1, patience=0),
            "ValueError",
            "the patience of ctx.score is a whole number from 1 on, found 0",
        ),
        (
            lambda ctx: ctx.score(1, patience=2.0),
            "TypeError",
            "the patience of ctx.score is a whole number, found 2.0",
        ),
        (
            lambda ctx: ctx.score(1, patience=True),
            "TypeError",
            "the patience of ctx.score is a whole number, found True",
        ),
        (
            lambda ctx: ctx.score(1, min_change=-0.5),
            "ValueError",
            "the min_change of ctx.score is a number from 0 on, found -0.5",
        ),
        (
            lambda ctx: ctx.score(1, min_change=None),
            "TypeError",
            "the min_change of ctx.score is a number, found None",
        ),
        (
            lambda ctx: ctx.score(1, lower=1),
            "TypeError",
            "ctx.score(…, lower=) is True or False, found 1",
        ),
        (
            lambda ctx: ctx.score(1, name=" "),
            "TypeError",
            "the name of ctx.score is a text that is not empty, found ' '",
        ),
        (
            lambda ctx: ctx.score(1, name=3),
            "TypeError",
            "the name of ctx.score is a text that is not empty, found 3",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_noted(tell: Any, name: str, message: str) -> None:
    assert refusal(tell) == (name, message, [])


def test_what_is_refused_is_refused_at_the_line_of_the_call() -> None:
    async def process(_: Any, ctx: Context) -> None:
        ctx.score(None)  # type: ignore[arg-type] # here

    run = start(process)
    assert run.end is not None
    assert run.end.place == line_of(process)


def test_what_was_refused_is_no_round() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        ctx.score(1)
        for wrong in ({"value": "x"}, {"value": 1, "name": "\ud800"}, {"value": 2, "patience": 0}):
            with pytest.raises((TypeError, ValueError)):
                ctx.score(**wrong)  # type: ignore[arg-type]
        return [ctx.score(2).history, ctx.score(1, name="\ue000").history]

    assert start(process).result == [[1, 2], [1]]


def test_a_number_is_what_json_makes_of_it() -> None:
    class Level(int):
        pass

    class Share(float):
        pass

    assert [type(number("value", each)) for each in (Level(3), Share(0.5), 3, 0.5)] == [
        int,
        float,
        int,
        float,
    ]


# What the journal has.


def told(run: Rounds) -> list[dict[str, Any]]:
    return [event.data for event in run.events if event.type == "PROCESS_LOG"]


def loop(values: list[float], **options: Any) -> Process:
    """A process that asks for something and tells the next number, again and again."""

    async def process(_: Any, ctx: Context) -> Any:
        for value in values:
            await ctx.task(step)
            ctx.score(value, **options)

    return process


def finished(process: Process, *, by_replay: bool = True) -> Rounds:
    run = start(process, by_replay=by_replay)
    while run.pending:
        run.resolve(dict.fromkeys(run.pending))
    return run


def test_a_score_is_written_once_however_often_it_is_replayed() -> None:
    run = finished(loop([61, 74], target=90, patience=1))
    assert [(data["scope"], data["score"]) for data in told(run)] == [
        (
            "",
            {
                "name": "score",
                "value": 61,
                "round": 1,
                "best": 61,
                "reached": False,
                "stalled": False,
                "target": 90,
            },
        ),
        (
            "",
            {
                "name": "score",
                "value": 74,
                "round": 2,
                "best": 74,
                "reached": False,
                "stalled": False,
                "target": 90,
            },
        ),
    ]
    assert len({data["key"] for data in told(run)}) == 2


def test_what_is_not_given_is_not_written() -> None:
    (data,) = told(finished(loop([1])))
    assert sorted(data["score"]) == ["best", "name", "reached", "round", "stalled", "value"]


def test_that_less_is_better_is_written() -> None:
    (data,) = told(finished(loop([1], lower=True)))
    assert data["score"]["lower"] is True


def test_scores_and_log_lines_are_written_in_the_order_of_telling() -> None:
    async def process(_: Any, ctx: Context) -> None:
        ctx.log("a")
        ctx.score(1)
        ctx.log("b")

    assert [data.get("message") for data in told(start(process))] == ["a", None, "b"]


def test_a_score_renames_no_step_and_no_log_line() -> None:
    async def plain(_: Any, ctx: Context) -> None:
        ctx.log("said")
        await ctx.task(step)

    async def scoring(_: Any, ctx: Context) -> None:
        ctx.score(1)
        ctx.log("said")
        await ctx.task(step)

    first, second = start(plain), start(scoring)
    assert (first.steps, told(first)) == (second.steps, told(second)[1:])


def test_what_an_author_is_told_does_not_depend_on_what_the_journal_has() -> None:
    histories: list[list[float]] = []

    async def process(_: Any, ctx: Context) -> None:
        for value in (1, 2):
            await ctx.task(step)
            histories.append(ctx.score(value).history)

    run = finished(process)
    without = [event for event in run.events if event.type != "PROCESS_LOG"]
    histories.clear()
    Rounds(process, events=without)
    assert histories == [[1], [1, 2]]


# What of it counts.


def line(round: int, value: float, name: str = "score", scope: str = "") -> dict[str, Any]:
    told = {"name": name, "value": value, "round": round}
    return {"scope": scope, "key": f"{scope}{name}{round}={value}", "score": told}


def standing_of(*lines: dict[str, Any]) -> Any:
    standing: Any = {}
    for data in lines:
        keep(standing, data)
    return standing


def values(standing: Any) -> dict[tuple[str, str], list[float]]:
    return {place: [score["value"] for score in series] for place, series in standing.items()}


def test_scores_stand_by_scope_and_name_in_the_order_of_rounds() -> None:
    found = standing_of(line(1, 5), line(1, 9, "other"), line(2, 6), line(1, 7, scope="3.0."))
    assert values(found) == {("", "score"): [5, 6], ("", "other"): [9], ("3.0.", "score"): [7]}


def test_a_round_that_is_told_anew_takes_the_place_of_itself_and_of_later_ones() -> None:
    found = standing_of(line(1, 5), line(2, 6), line(3, 7), line(2, 8))
    assert values(found) == {("", "score"): [5, 8]}


def test_the_same_score_stands_once() -> None:
    assert values(standing_of(line(1, 5), line(1, 5))) == {("", "score"): [5]}


def test_only_what_is_named_is_kept() -> None:
    found = standing_of(line(1, 5), line(2, 6), line(1, 9, "other"))
    keep_only(found, ["score1=5"])
    assert (values(found), keys_of(found)) == ({("", "score"): [5]}, {"score1=5"})


def test_a_series_is_told_by_its_last_round_and_all_its_numbers() -> None:
    (series,) = standing_of(line(1, 5), line(2, 6)).values()
    assert series_json(series) == {"name": "score", "round": 2, "values": [5, 6]}


def test_what_the_journal_has_is_not_written_again() -> None:
    lines = [line(1, 5), {"scope": "", "key": "k", "message": "m"}, line(2, 6)]
    assert unwritten(lines, standing_of(line(1, 5))) == lines[1:]


def test_after_a_score_that_is_new_those_of_later_rounds_are_new_too() -> None:
    known = standing_of(line(1, 5), line(2, 6), line(1, 9, "other"))
    lines = [line(1, 4), line(2, 6), line(1, 9, "other")]
    assert unwritten(lines, known) == lines[:2]


def test_tasks_of_asyncio_have_series_of_their_own() -> None:
    async def improve(ctx: Context, first: int) -> list[float]:
        for value in (first, first + 1):
            await ctx.task(step)
            score = ctx.score(value)
        return score.history

    async def process(_: Any, ctx: Context) -> Any:
        return await asyncio.gather(improve(ctx, 1), improve(ctx, 5))

    run = start(process, by_replay=True, replay=LoopReplay)
    while run.pending:
        run.resolve(dict.fromkeys(run.pending))
    assert (run.result, values(run.state.scores)) == (
        [[1, 2], [5, 6]],
        {("1.0.", "score"): [1, 2], ("2.0.", "score"): [5, 6]},
    )
