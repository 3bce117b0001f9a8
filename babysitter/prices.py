"""What tokens cost, as the user's configuration says it."""

from __future__ import annotations

from babysitter.usage import (
    CACHE_READ,
    CACHE_WRITE,
    CURRENCY,
    DEFAULT_CURRENCY,
    DIGITS,
    INPUT,
    MONEY,
    OUTPUT,
    by_model,
    counts_of,
    money_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.usage import Usage

MILLION = 1_000_000
# By their names in the configuration.
_KINDS = {INPUT: "input", OUTPUT: "output", CACHE_READ: "cacheRead", CACHE_WRITE: "cacheWrite"}


class Prices:
    """Prices of a million tokens, by patterns of the names of models.

    Attributes:
        currency: what they are in.
    """

    __slots__ = ("_default", "_models", "currency")

    def __init__(self, told: dict[str, Any]) -> None:
        """Take them as ``prices`` of a configuration that was checked."""
        self.currency: str = told.get("currency") or DEFAULT_CURRENCY
        self._models: dict[str, dict[str, float]] = told.get("models") or {}
        self._default: dict[str, float] | None = told.get("default")

    def money_of(self, usage: Usage) -> float | None:
        """What it costs at these prices; None when not all of it has a price, or is known."""
        counts = counts_of(usage)
        if INPUT not in counts or OUTPUT not in counts:
            return None
        parts = by_model(usage)
        priced = {"": counts} if parts is None else parts
        money = 0.0
        for model, each in priced.items():
            price = self._price_of(model)
            if price is None:
                return None
            # What reading or writing a cache costs need not be said; it is input.
            money += sum(count * price.get(_KINDS[kind], price["input"]) for kind, count in each.items())
        return round(money / MILLION, DIGITS)

    def _price_of(self, model: str) -> dict[str, float] | None:
        """By the longest pattern that fits."""
        from fnmatch import fnmatchcase

        fitting = [pattern for pattern in self._models if fnmatchcase(model, pattern)] if model else []
        return self._models[max(fitting, key=_length)] if fitting else self._default


def _length(pattern: str) -> tuple[int, str]:
    return len(pattern), pattern


def priced(usage: Usage, prices: Prices | None) -> Usage:
    """The usage with its money, as far as that can be known; what it says itself stands."""
    if money_of(usage) is not None:
        currency = DEFAULT_CURRENCY if prices is None else prices.currency
        return usage if CURRENCY in usage else {**usage, CURRENCY: currency}
    money = None if prices is None else prices.money_of(usage)
    return usage if prices is None or money is None else {**usage, MONEY: money, CURRENCY: prices.currency}
