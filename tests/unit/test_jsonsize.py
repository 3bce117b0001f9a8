"""What a JSON text takes in memory, counted before it is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babysitter import jsonsize
from babysitter.errors import InvalidInput
from babysitter.jsonsize import check_size, measure
from babysitter.jsontext import parse_strict
from babysitter.limits import Limits

VALUES = st.recursive(
    st.none() | st.integers() | st.text('a,:[]{}"\\\n\u20ac', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text('a,:"\\', max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


def keys_of(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(keys_of, value.values()))
    return sum(map(keys_of, value)) if isinstance(value, list) else 0


@given(VALUES, st.integers(1, 9))
def test_keys_are_counted_wherever_a_piece_of_the_text_ends(value: Any, window: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonsize, "_WINDOW", window)
        assert measure(json.dumps(value))[1] == keys_of(value)


@given(VALUES)
def test_the_size_of_a_text_does_not_depend_on_its_pieces(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    whole = measure(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonsize, "_WINDOW", 1)
        assert measure(text) == whole


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("[]", 2 + 44 + 55),
        ("[1,2]", 5 + 44 + 55 + 44),
        ("{}", 2 + 44 + 90),
        ('{"a":1}', 7 + 44 + 90 + 80 + 32),
        ('"[{,:"', 6 + 32),
        (r'"\"[\\"', 7 + 32),
        (f'"{"é" * 98}"', 100 + 32),
        (f'"{"x" * 97}€"', 100 * 3 + 32),
        (f'"{"x" * 97}😀"', 100 * 7 + 32),
        (r'"\u00e9"', 8 * 3 + 32),
        (r'"\uD83d\ude00"', 14 * 7 + 32),
    ],
)
def test_the_parts_of_a_text_are_counted(text: str, size: int) -> None:
    assert measure(text)[0] == size


def test_too_many_keys_are_refused() -> None:
    with pytest.raises(InvalidInput, match="the JSON holds 2 keys, at most 1 are read"):
        check_size('{"a":{"b":1}}', Limits(keys=1))


def test_what_takes_too_much_memory_is_refused_with_its_size() -> None:
    with pytest.raises(InvalidInput, match="takes about 101 bytes in memory, at most 100 are allowed"):
        check_size("[]", Limits(memory_bytes=100))


def test_what_takes_as_much_as_is_allowed_is_accepted() -> None:
    check_size('[{"a":1}]', Limits(keys=1, memory_bytes=measure('[{"a":1}]')[0]))


@pytest.mark.parametrize("limits", [Limits(memory_bytes=100), Limits(keys=2)])
def test_a_small_text_is_counted_where_the_limits_are_small(limits: Limits) -> None:
    with pytest.raises(InvalidInput):
        parse_strict('{"a":1,"b":2,"c":3}', limits=limits)


def test_no_text_that_is_not_counted_takes_more_than_is_allowed() -> None:
    # The shapes that grow most: nothing that is below the threshold may be above a limit.
    limits = Limits(memory_bytes=67 * 1000, keys=250)
    for text in (
        "{}," * 333,
        '"":0,' * 200,
        "[]," * 333,
        "[" * 90 + "]" * 90,
        '"😀",' * 200,
        r'"\ud83d\ude00"' * 71,
    ):
        size, keys = measure(text[:1000])
        assert (size <= limits.memory_bytes, keys <= limits.keys) == (True, True), text[:9]


def test_a_key_that_stands_twice_is_found_quickly_among_many() -> None:
    # One by one, each among all the others, this would take minutes.
    names = [f'"{number}":0' for number in range(100_000)]
    with pytest.raises(InvalidInput, match="'x' twice"):
        parse_strict("{" + ",".join(['"x":0', *names, '"x":0']) + "}", limits=Limits())
