"""The loop of improvement: when it stops, and what it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from babysitter import python
from babysitter.patterns import improve
from babysitter.testing import play

if TYPE_CHECKING:
    from babysitter import Context


@python
def rate(number: int, before: str | None) -> float:
    return 0.0


async def process(inputs: dict[str, Any], ctx: Context) -> dict[str, Any]:
    async def one(number: int, before: str | None) -> tuple[float, str]:
        return await ctx.task(rate, number=number, before=before), f"text {number}"

    told: dict[str, Any] = (await improve(ctx, one, **inputs)).as_json()
    return told


def improved(scores: list[float], **options: Any) -> tuple[dict[str, Any], Any]:
    played = play(process, options, results={"rate": lambda number, before: scores[number - 1]})
    return played.output, played


def test_it_stops_at_the_target() -> None:
    told, played = improved([40, 95, 99], target=90)
    assert told == {"history": [40, 95], "reason": "reached", "result": "text 2", "round": 2, "score": 95}
    assert played.scores == {"score": [40, 95]}


def test_it_stops_when_nothing_becomes_better_and_gives_the_best() -> None:
    told, _ = improved([40, 60, 60, 50, 99], patience=2)
    assert (told["reason"], told["history"], told["result"]) == ("stalled", [40, 60, 60, 50], "text 2")


def test_it_stops_after_so_many_rounds() -> None:
    told, _ = improved([10, 20, 30, 40], rounds=3)
    assert (told["reason"], told["result"]) == ("rounds", "text 3")


def test_without_patience_it_goes_on_to_the_last_round() -> None:
    assert improved([10, 10, 10, 10], rounds=4, patience=None)[0]["reason"] == "rounds"


def test_each_round_gets_the_result_of_the_one_before() -> None:
    _, played = improved([1, 2, 3], rounds=3)
    assert [asked.args for asked in played.asked("rate")] == [
        {"number": 1, "before": None},
        {"number": 2, "before": "text 1"},
        {"number": 3, "before": "text 2"},
    ]


def test_the_scores_have_the_name_that_is_given() -> None:
    assert improved([99], name="quality")[1].scores == {"quality": [99]}


def test_a_second_loop_begins_anew() -> None:
    async def process(inputs: Any, ctx: Context) -> list[str]:
        async def one(number: int, before: Any) -> tuple[float, None]:
            return scores.pop(0), None

        scores = [50, 80, 10, 20, 30]
        first = await improve(ctx, one, rounds=2)
        second = await improve(ctx, one, rounds=3)
        return [first.reason, second.reason]

    played = play(process)
    assert (played.output, played.scores) == (["rounds", "rounds"], {"score": [50, 80, 10, 20, 30]})


@pytest.mark.parametrize("rounds", [0, True, 2.0])
def test_rounds_are_counted_from_one(rounds: Any) -> None:
    with pytest.raises(AssertionError, match=r"rounds=\) is a whole number from 1 on"):
        improved([1], rounds=rounds)


def test_a_round_that_gives_no_pair_is_a_mistake_of_the_process() -> None:
    async def process(inputs: Any, ctx: Context) -> None:
        async def one(number: int, before: Any) -> Any:
            return 90

        await improve(ctx, one)

    problem = play(process).problem
    assert problem is not None
    assert "round 1 of improve gave 90; it gives its score and its result" in problem
