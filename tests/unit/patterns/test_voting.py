"""A vote: who wins, by how much, and whether anybody else did."""

from __future__ import annotations

import pytest

from babysitter.patterns import vote


def test_the_answer_that_was_given_most_often_wins() -> None:
    voted = vote(["no", "yes", "yes"])
    assert (voted.answer, voted.count, round(voted.share, 2), voted.is_majority, voted.tied) == (
        "yes",
        2,
        0.67,
        True,
        [],
    )


def test_a_tie_is_told_and_the_first_stands_for_it() -> None:
    voted = vote(["b", "a", "a", "b", "c"])
    assert (voted.answer, voted.tied, voted.is_majority) == ("b", ["a"], False)


def test_half_is_no_majority() -> None:
    assert not vote([True, False]).is_majority


def test_what_is_counted_can_be_a_part_of_the_answers() -> None:
    answers = [{"is": True, "why": "a"}, {"is": False}, {"is": True, "why": "b"}]
    assert vote(answers, key=lambda answer: answer["is"]).answer == {"is": True, "why": "a"}


def test_values_are_told_apart_as_json_tells_them() -> None:
    assert vote([1, True, "1", {"a": 1, "b": 2}, {"b": 2, "a": 1}]).count == 2


def test_of_no_answers_none_wins() -> None:
    with pytest.raises(ValueError, match="vote needs at least one answer; of none, none can win"):
        vote([])


def test_what_is_no_json_value_is_refused() -> None:
    with pytest.raises(TypeError, match="vote counts JSON values, found "):
        vote([object()])
