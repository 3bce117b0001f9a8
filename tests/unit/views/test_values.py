"""JSON values for people."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babysitter.views.text import printable
from babysitter.views.values import outline, pairs, table

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ["null"]),
        (3.5, ["3.5"]),
        ("text", ["text"]),
        ("", [""]),
        ([], ["[]"]),
        ({}, ["{}"]),
        ("two\nlines", ["two", "lines"]),
        ({"a": 1, "b": {}}, ["a: 1", "b: {}"]),
        ([1, "x"], ["- 1", "- x"]),
        ({"a": {"b": [1]}}, ["a:", "  b:", "    - 1"]),
        ({"a": "two\nlines"}, ["a:", "  two", "  lines"]),
        ([{"a": [1]}], ["-", "  a:", "    - 1"]),
    ],
)
def test_a_value_is_outlined(value: Any, expected: list[str]) -> None:
    assert outline(value) == expected


def test_a_list_of_flat_objects_is_a_table() -> None:
    value = [
        {"check": "tests", "seconds": 4.25, "why": None},
        {"check": "lint", "seconds": 10, "why": "E501"},
    ]
    assert outline(value) == [
        "check  seconds  why",
        "tests     4.25",
        "lint        10  E501",
    ]


def test_objects_with_different_keys_are_no_table() -> None:
    assert outline([{"a": 1}, {"b": 2}]) == ["-", "  a: 1", "-", "  b: 2"]


def test_a_long_value_says_how_much_is_left_out() -> None:
    assert outline(list(range(10)), 3) == ["- 0", "- 1", "- 2", "... 7 lines more"]


@given(JSON)
def test_every_line_of_an_outline_is_printable(value: Any) -> None:
    assert all(line == printable(line) for line in outline(value))


def test_a_table_is_cut_where_the_terminal_ends() -> None:
    assert table(["id", "title"], [["1", "a long title"]], width=10) == ["id  title", "1   a lon…"]


def test_pairs_stand_in_two_columns_and_long_values_below() -> None:
    assert pairs([("id", "x"), ("status", "ok"), ("prompt", "two\nlines"), ("inputs", {"a": 1})]) == [
        "id      x",
        "status  ok",
        "prompt",
        "  two",
        "  lines",
        "inputs",
        "  a: 1",
    ]
