"""What was used for a result: tokens, the model, the money; as far as somebody has said it.

Unknown is not zero. A key that is absent is not known, and ``None`` is a usage of which nothing is
known. Journals are read by this too, so whatever is no count counts as not known.
"""

from __future__ import annotations

from babysitter.errors import InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Usage = dict[str, Any]

INPUT, OUTPUT = "inputTokens", "outputTokens"
CACHE_READ, CACHE_WRITE = "cacheReadTokens", "cacheCreationTokens"
TOKENS = (INPUT, OUTPUT, CACHE_READ, CACHE_WRITE)
MESSAGES, MODEL, MODELS = "messages", "model", "models"
MONEY, CURRENCY, PARTIAL = "money", "currency", "isPartial"
DEFAULT_CURRENCY = "USD"
# What is read again and again from a cache would drown what is new.
_COUNTED = (INPUT, OUTPUT, CACHE_WRITE)
# Where nothing is said of a cache there was none; without one of these nobody knows the rest.
_NEEDED = (INPUT, OUTPUT, MONEY)

MOST = 1 << 53
# Of money: a single token of the cheapest kind still counts, and the noise of adding does not.
DIGITS = 12
MOST_MODEL = 200
MOST_CURRENCY = 12


def tokens_of(usage: Usage | None) -> int | None:
    """What counts as tokens: input, output, what was written to a cache; not what was read from one."""
    told = [usage[name] for name in _COUNTED if _is_count(usage.get(name))] if usage else []
    return sum(told) if told else None


def money_of(usage: Usage | None) -> float | None:
    """What it has cost, in the currency that it names."""
    told = usage.get(MONEY) if usage else None
    return told if told is not None and _is_money(told) else None


def currency_of(usage: Usage) -> str:
    """The currency of its money."""
    told: Any = usage.get(CURRENCY)
    return str(told) if _is_currency(told) else DEFAULT_CURRENCY


def is_partial(usage: Usage) -> bool:
    """It is known that there was more."""
    return usage.get(PARTIAL) is True


def counts_of(usage: Usage) -> dict[str, int]:
    """The tokens of each kind that is known."""
    return {name: usage[name] for name in TOKENS if _is_count(usage.get(name))}


def by_model(usage: Usage) -> dict[str, dict[str, int]] | None:
    """The tokens by model; None when it is not known whose they are."""
    told = usage.get(MODELS)
    if isinstance(told, dict) and all(isinstance(each, dict) for each in told.values()):
        return {model: counts_of(each) for model, each in told.items()}
    counts = counts_of(usage)
    if not any(counts.values()):
        return {}
    return {usage[MODEL]: counts} if is_model(usage.get(MODEL)) else None


def added(first: Usage | None, second: Usage | None) -> Usage | None:
    """Both together. Where only one is known that part is known, and the sum ``isPartial``."""
    if first is None or second is None:
        known = first if second is None else second
        return None if known is None else {**known, PARTIAL: True}
    both = (first, second)
    total: Usage = {}
    for name in (*TOKENS, MESSAGES):
        counts = [each[name] for each in both if _is_count(each.get(name))]
        if counts:
            total[name] = sum(counts)
    money, is_all = _added_money(first, second)
    total |= {**_added_models(first, second), **money}
    lacks = any((name in first) != (name in second) for name in _NEEDED)
    return {**total, PARTIAL: True} if lacks or not is_all or any(map(is_partial, both)) else total


def _added_money(first: Usage, second: Usage) -> tuple[Usage, bool]:
    """The money of both, and whether it is all of it; what is in two currencies cannot be added."""
    told = [each for each in (first, second) if money_of(each) is not None]
    currencies = {currency_of(each) for each in told}
    if len(currencies) > 1:
        return {}, False
    if not told:
        return {}, True
    named = {CURRENCY: told[0][CURRENCY]} if CURRENCY in told[0] else {}
    return {MONEY: round(sum(each[MONEY] for each in told), DIGITS), **named}, True


def _added_models(first: Usage, second: Usage) -> Usage:
    """The one model of both, or the tokens by model; nothing where one of them does not say."""
    models: dict[str, dict[str, int]] = {}
    for usage in (first, second):
        told = by_model(usage)
        if told is None:
            return {}
        for model, counts in told.items():
            known = models.setdefault(model, {})
            known.update({name: known.get(name, 0) + count for name, count in counts.items()})
    if len(models) > 1:
        return {MODELS: models}
    return {MODEL: next(iter(models))} if models else {}


def sum_of(parts: Iterable[Usage | None]) -> Usage | None:
    """All together, as ``added``; None when nothing is known of any."""
    first, *rest = list(parts) or [None]
    for part in rest:
        first = added(first, part)
    return first


def read_usage(told: Any) -> Usage:
    """A usage that somebody gives from outside, checked.

    Raises:
        InvalidInput: it is none; says what is wrong, and what is known.
    """
    if not isinstance(told, dict):
        raise InvalidInput(f"a usage is an object such as {{{INPUT!r}: 1200, {OUTPUT!r}: 80}}")
    for name, value in told.items():
        if name not in _CHECKS:
            raise InvalidInput(f"a usage has no {str(name)[:80]!r}; it has {', '.join(_CHECKS)}")
        fits, expected = _CHECKS[name]
        if not fits(value):
            raise InvalidInput(f"{name!r} of a usage is {repr(value)[:80]}; {expected} is expected")
    if not any(name in told for name in (*TOKENS, MONEY)):
        raise InvalidInput(f"a usage has at least one of {', '.join((*TOKENS, MONEY))}")
    if CURRENCY in told and MONEY not in told:
        raise InvalidInput(f"{CURRENCY!r} of a usage is that of its {MONEY!r}, which is absent")
    return {name: value for name, value in told.items() if value is not False}


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MOST


def _is_money(value: Any) -> bool:
    # A comparison that no NaN and no infinity passes.
    return type(value) in (int, float) and 0 <= value <= MOST


def is_model(value: Any) -> bool:
    """It can be the name of a model."""
    return isinstance(value, str) and 0 < len(value) <= MOST_MODEL and value.isprintable()


def _is_currency(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MOST_CURRENCY and value.isascii() and value.isalpha()


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


_WHOLE = "a whole number that is not negative"
_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys((*TOKENS, MESSAGES), (_is_count, _WHOLE)),
    MODEL: (is_model, f"a name of at most {MOST_MODEL} characters"),
    MONEY: (_is_money, "a number that is not negative"),
    CURRENCY: (_is_currency, "a word such as 'USD'"),
    PARTIAL: (_is_bool, "true or false"),
}
