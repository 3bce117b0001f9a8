"""What was used for a result: read from outside, added up, and never nothing where it is not known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babysitter.errors import InvalidInput
from babysitter.usage import (
    MOST,
    TOKENS,
    added,
    by_model,
    counts_of,
    is_partial,
    money_of,
    read_usage,
    sum_of,
    tokens_of,
)

CALL = {"inputTokens": 100, "outputTokens": 20, "cacheReadTokens": 5000, "cacheCreationTokens": 300}


def test_tokens_are_input_output_and_what_was_written_to_a_cache() -> None:
    assert tokens_of(CALL) == 420


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (None, None),
        ({}, None),
        ({"money": 1}, None),
        ({"cacheReadTokens": 5}, None),
        ({"outputTokens": 5}, 5),
        ({"inputTokens": 0, "outputTokens": 0}, 0),
        ({"inputTokens": "5", "outputTokens": True, "cacheCreationTokens": -1}, None),
        ({"inputTokens": MOST + 1}, None),
    ],
)
def test_tokens_are_unknown_where_nobody_has_counted_them(usage: Any, tokens: int | None) -> None:
    assert tokens_of(usage) == tokens


@pytest.mark.parametrize(
    ("usage", "money"),
    [
        (None, None),
        (CALL, None),
        ({"money": 0}, 0),
        ({"money": 0.5}, 0.5),
        ({"money": "0.5"}, None),
        ({"money": float("nan")}, None),
        ({"money": float("inf")}, None),
        ({"money": -1}, None),
        ({"money": True}, None),
    ],
)
def test_money_is_what_a_usage_says_it_is(usage: Any, money: float | None) -> None:
    assert money_of(usage) == money


def test_usages_are_added_kind_by_kind() -> None:
    more = {"inputTokens": 1, "outputTokens": 2, "messages": 3}
    assert added(CALL, more) == {
        "inputTokens": 101,
        "outputTokens": 22,
        "cacheReadTokens": 5000,
        "cacheCreationTokens": 300,
        "messages": 3,
    }


def test_what_is_unknown_makes_a_sum_a_part() -> None:
    assert (added(CALL, None), added(None, CALL), added(None, None)) == (
        {**CALL, "isPartial": True},
        {**CALL, "isPartial": True},
        None,
    )


@pytest.mark.parametrize("lost", ["inputTokens", "outputTokens"])
def test_a_sum_without_the_input_or_the_output_of_one_is_a_part(lost: str) -> None:
    less = {name: count for name, count in CALL.items() if name != lost}
    both = added(CALL, less)
    assert both is not None
    assert (is_partial(both), both[lost]) == (True, CALL[lost])


def test_a_part_stays_one_in_every_sum() -> None:
    both = added(added(CALL, None), CALL)
    assert (tokens_of(both), both is not None and is_partial(both)) == (840, True)


def test_money_is_added_in_one_currency() -> None:
    first, second = {**CALL, "money": 0.1, "currency": "EUR"}, {**CALL, "money": 0.2, "currency": "EUR"}
    both = added(first, second)
    assert both is not None
    assert (both["money"], both["currency"], is_partial(both)) == (0.3, "EUR", False)


def test_money_of_two_currencies_is_not_added() -> None:
    both = added({**CALL, "money": 1, "currency": "EUR"}, {**CALL, "money": 1, "currency": "USD"})
    assert both is not None
    assert (money_of(both), "currency" in both, tokens_of(both), is_partial(both)) == (None, False, 840, True)


def test_money_that_only_one_of_them_knows_is_a_part() -> None:
    both = added({**CALL, "money": 1}, CALL)
    assert both is not None
    assert (both["money"], is_partial(both)) == (1, True)


def test_one_model_stays_and_several_are_told_apart() -> None:
    small, large = {**CALL, "model": "small"}, {"inputTokens": 7, "outputTokens": 8, "model": "large"}
    same, both = added(small, small), added(added(small, large), large)
    assert same is not None
    assert both is not None
    assert (same["model"], "models" in same) == ("small", False)
    assert ("model" in both, both["models"]) == (
        False,
        {"small": CALL, "large": {"inputTokens": 14, "outputTokens": 16}},
    )


def test_whose_tokens_they_are_is_unknown_when_one_does_not_say() -> None:
    both = added({**CALL, "model": "small"}, CALL)
    assert both is not None
    assert (by_model(both), "model" in both, is_partial(both)) == (None, False, False)


def test_what_used_nothing_needs_no_model() -> None:
    nothing = {"inputTokens": 0, "outputTokens": 0, "model": "<synthetic>"}
    assert added({**CALL, "model": "small"}, nothing) == {**CALL, "model": "small"}


def test_the_sum_of_nothing_is_unknown() -> None:
    assert (sum_of([]), sum_of([None, None]), sum_of([CALL])) == (None, None, CALL)


@given(st.lists(st.dictionaries(st.sampled_from(TOKENS), st.integers(0, 1 << 40)), min_size=1))
def test_no_order_of_adding_changes_a_sum(usages: list[dict[str, int]]) -> None:
    forwards, backwards = sum_of(usages), sum_of(reversed(usages))
    assert forwards == backwards
    assert forwards is not None
    assert counts_of(forwards) == {
        name: sum(usage.get(name, 0) for usage in usages)
        for name in TOKENS
        if any(name in usage for usage in usages)
    }


def test_a_usage_from_outside_is_taken_as_it_is() -> None:
    told = {**CALL, "messages": 2, "model": "m-1", "money": 0.25, "currency": "EUR", "isPartial": True}
    assert read_usage(told) == told


def test_a_usage_that_says_it_is_whole_says_nothing_by_that() -> None:
    assert read_usage({"outputTokens": 1, "isPartial": False}) == {"outputTokens": 1}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (None, "a usage is an object"),
        ([1], "a usage is an object"),
        ({}, "has at least one of inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens, money"),
        ({"model": "m"}, "has at least one of"),
        ({"input_tokens": 1}, "a usage has no 'input_tokens'; it has inputTokens, outputTokens,"),
        ({"inputTokens": -1}, "'inputTokens' of a usage is -1; a whole number that is not negative"),
        ({"inputTokens": 1.0}, "'inputTokens' of a usage is 1.0"),
        ({"inputTokens": "1"}, "'inputTokens' of a usage is '1'"),
        ({"inputTokens": True}, "'inputTokens' of a usage is True"),
        ({"inputTokens": None}, "'inputTokens' of a usage is None"),
        ({"inputTokens": 1 << 60}, "a whole number"),
        ({"money": -0.5}, "'money' of a usage is -0.5; a number that is not negative"),
        ({"money": float("inf")}, "'money' of a usage is inf"),
        ({"money": 1, "currency": "US dollars"}, "'currency' of a usage is 'US dollars'"),
        ({"money": 1, "currency": ""}, "'currency' of a usage is ''"),
        (
            {"inputTokens": 1, "currency": "USD"},
            "'currency' of a usage is that of its 'money', which is absent",
        ),
        ({"inputTokens": 1, "model": ""}, "'model' of a usage is ''"),
        ({"inputTokens": 1, "model": "\x1b[2J"}, "'model' of a usage is"),
        ({"inputTokens": 1, "model": "m" * 201}, "a name of at most 200 characters"),
        ({"inputTokens": 1, "isPartial": 1}, "'isPartial' of a usage is 1; true or false"),
    ],
)
def test_a_usage_that_cannot_be_is_refused_with_what_is_expected(told: Any, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_usage(told)
    assert said in refused.value.message
