"""One score of several."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# So that 100 in everything is 100, whatever the weights are as binary fractions.
DIGITS = 6


def weighted(scores: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The mean of scores from 0 to 100, each counted as often as its weight says.

    Raises:
        TypeError: a score or a weight is no number; of what passed or failed, write ``100 if passed else 0``.
        ValueError: the names are not the same, a score is not from 0 to 100, a weight is negative, or all
            weights are 0.
    """
    if set(scores) != set(weights):
        odd = sorted(set(scores) ^ set(weights))
        raise ValueError(f"each score needs its weight, and each weight its score; {odd[0]!r} has only one")
    for name in scores:
        _check("score", name, scores[name], most=100)
        _check("weight", name, weights[name], most=float("inf"))
    whole = sum(weights.values())
    if not 0 < whole < float("inf"):
        raise ValueError(f"the weights {dict(weights)!r} add up to {whole}, so there is no mean")
    return round(sum(scores[name] * weights[name] for name in scores) / whole, DIGITS)


def _check(what: str, name: str, value: Any, *, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"the {what} of {name!r} is a number, found {value!r}")
    if not 0 <= value <= most:
        wanted = "from 0 to 100" if most == 100 else "from 0 on"
        raise ValueError(f"the {what} of {name!r} is {wanted}, found {value!r}")
