"""Scores in a line."""

from __future__ import annotations

from typing import Any

import pytest

from babysitter.views.marks import UNICODE
from babysitter.views.scores import score_text


def text(*values: float, **told: Any) -> str:
    last = {"name": "score", "values": list(values), "best": max(values), "stalled": False, **told}
    return score_text(last, UNICODE)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (text(61), "61, best 61"),
        (text(61, 74, 82, target=90), "61 → 74 → 82 of 90, best 82"),
        (text(61, 82, 80, 81, target=90), "61 → 82 → 80 → 81 of 90, best 82, no better for 2"),
        (text(5, 5, best=5), "5 → 5, best 5, no better for 1"),
        (text(5, 5.1, stalled=True), "5 → 5.1, best 5.1, stalled"),
        (text(9, 4, best=4, lower=True, target=0), "9 → 4 of at most 0, best 4"),
        (text(1, name="coverage"), "coverage: 1, best 1"),
        (text(1 / 3), "0.3333333333, best 0.3333333333"),
    ],
)
def test_a_series_is_a_line(told: str, expected: str) -> None:
    assert told == expected


def test_of_a_long_series_the_first_number_and_the_last_ones_are_shown() -> None:
    assert text(*range(20)) == "0 → … → 13 → 14 → 15 → 16 → 17 → 18 → 19, best 19"


def test_eight_numbers_are_all_shown() -> None:
    assert text(*range(8)).startswith("0 → 1 → 2 → 3 → 4 → 5 → 6 → 7,")


def test_without_unicode_it_is_ascii() -> None:
    told = {"name": "score", "values": list(range(20)), "best": 19, "stalled": False}
    assert score_text(told) == "0 -> ... -> 13 -> 14 -> 15 -> 16 -> 17 -> 18 -> 19, best 19"
