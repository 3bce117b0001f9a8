"""Weighted scores."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babysitter.patterns import weighted


def test_each_score_counts_as_often_as_its_weight_says() -> None:
    assert weighted({"tests": 100, "review": 80}, {"tests": 3, "review": 1}) == 95


@given(st.lists(st.floats(min_value=0.001, max_value=1000), min_size=1))
def test_full_marks_in_everything_are_full_marks(weights: list[float]) -> None:
    names = [str(number) for number in range(len(weights))]
    assert weighted(dict.fromkeys(names, 100), dict(zip(names, weights, strict=True))) == 100


def test_a_weight_of_0_leaves_its_score_out() -> None:
    assert weighted({"a": 10, "b": 90}, {"a": 1, "b": 0}) == 10


@pytest.mark.parametrize(
    ("scores", "weights", "said"),
    [
        ({"a": 1}, {"b": 1}, "each score needs its weight, and each weight its score; 'a' has only one"),
        ({"a": True}, {"a": 1}, "the score of 'a' is a number, found True"),
        ({"a": 101}, {"a": 1}, "the score of 'a' is from 0 to 100, found 101"),
        ({"a": float("nan")}, {"a": 1}, "the score of 'a' is from 0 to 100, found nan"),
        ({"a": 1}, {"a": "2"}, "the weight of 'a' is a number, found '2'"),
        ({"a": 1}, {"a": -1}, "the weight of 'a' is from 0 on, found -1"),
        ({"a": 1}, {"a": 0}, r"the weights {'a': 0} add up to 0, so there is no mean"),
        ({}, {}, "the weights {} add up to 0, so there is no mean"),
        ({"a": 1}, {"a": float("inf")}, "add up to inf"),
    ],
)
def test_what_has_no_mean_is_refused(scores: Any, weights: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        weighted(scores, weights)
