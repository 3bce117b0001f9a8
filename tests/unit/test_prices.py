"""What tokens cost: by the name of the model, as the user's configuration has it."""

from __future__ import annotations

from typing import Any

import pytest

from babysitter.prices import Prices, priced

SONNET = {"input": 3, "output": 15, "cacheRead": 0.3, "cacheWrite": 3.75}
PRICES = Prices(
    {
        "currency": "EUR",
        "models": {
            "claude-*": {"input": 1, "output": 1},
            "claude-sonnet-*": SONNET,
            "claude-sonnet-4-[0-4]": {"input": 2, "output": 2},
        },
    }
)
MILLION = {"inputTokens": 1_000_000, "outputTokens": 0}


def money(model: str | None, prices: Prices = PRICES, **counts: Any) -> float | None:
    return prices.money_of({**(counts or MILLION), **({"model": model} if model else {})})


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-sonnet-4-5", 3),
        ("claude-sonnet-4-3", 2),
        ("claude-haiku-4-5", 1),
        ("gpt-5", None),
        ("CLAUDE-sonnet-4-5", None),
        (None, None),
    ],
)
def test_the_longest_pattern_that_fits_is_the_price(model: str | None, expected: float | None) -> None:
    assert money(model) == expected


@pytest.mark.parametrize("model", ["gpt-5", None])
def test_what_no_pattern_fits_has_the_price_of_the_others(model: str | None) -> None:
    assert money(model, Prices({"default": SONNET})) == 3


def test_each_kind_of_token_has_its_price() -> None:
    told = money(
        "claude-sonnet-4-5",
        inputTokens=1_000_000,
        outputTokens=100_000,
        cacheReadTokens=10_000_000,
        cacheCreationTokens=1_000_000,
    )
    assert told == 3 + 1.5 + 3 + 3.75


def test_a_cache_without_a_price_of_its_own_costs_what_input_costs() -> None:
    assert money("claude-x", inputTokens=0, outputTokens=0, cacheReadTokens=500_000) == 0.5


@pytest.mark.parametrize(
    "counts", [{"inputTokens": 5}, {"outputTokens": 5}, {"cacheReadTokens": 5}, {"money": 1}]
)
def test_what_is_not_wholly_known_has_no_price(counts: dict[str, Any]) -> None:
    assert PRICES.money_of({**counts, "model": "claude-sonnet-4-5"}) is None


def test_of_several_models_each_has_its_own_price() -> None:
    models = {"claude-sonnet-4-5": MILLION, "claude-haiku-4-5": MILLION}
    assert PRICES.money_of({"inputTokens": 2_000_000, "outputTokens": 0, "models": models}) == 4


def test_without_a_price_for_one_of_its_models_the_money_is_unknown() -> None:
    models = {"claude-sonnet-4-5": MILLION, "gpt-5": MILLION}
    assert PRICES.money_of({"inputTokens": 2_000_000, "outputTokens": 0, "models": models}) is None


def test_the_smallest_amount_is_not_lost() -> None:
    prices = Prices({"default": {"input": 0.03, "output": 0.1}})
    assert money(None, prices, inputTokens=1, outputTokens=2) == 2.3e-07


def test_money_is_put_where_it_is_not_told() -> None:
    usage = {**MILLION, "model": "claude-sonnet-4-5"}
    assert priced(usage, PRICES) == {**usage, "money": 3, "currency": "EUR"}


@pytest.mark.parametrize(
    ("usage", "prices", "currency"),
    [
        ({"money": 7}, None, "USD"),
        ({"money": 7}, PRICES, "EUR"),
        ({"money": 7, "currency": "CHF"}, PRICES, "CHF"),
    ],
)
def test_money_that_is_told_stands(usage: dict[str, Any], prices: Prices | None, currency: str) -> None:
    told = {**MILLION, "model": "claude-sonnet-4-5", **usage}
    assert priced(told, prices) == {**told, "currency": currency}


@pytest.mark.parametrize("prices", [None, PRICES, Prices({"currency": "USD"})])
def test_without_a_price_nothing_is_added(prices: Prices | None) -> None:
    usage = {**MILLION, "model": "gpt-5"}
    assert priced(usage, prices) == usage
