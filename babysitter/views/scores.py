"""Scores in a line: ``61 → 82 → 74 → 80 of 90, best 82, no better for 2``."""

from __future__ import annotations

from babysitter.views.marks import ASCII

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.views.marks import Marks

USUAL_NAME = "score"
# Of a long history the first number and the last ones.
MOST_NUMBERS = 8


def score_text(told: dict[str, Any], marks: Marks = ASCII) -> str:
    """What a loop has reached in its rounds, after its name where it has one of its own.

    It takes what commands print of a series with ``--json``.
    """
    name = "" if told["name"] == USUAL_NAME else f"{told['name']}: "
    best = f", best {number_text(told['best'])}"
    return f"{name}{_numbers(told['values'], marks)}{_target(told)}{best}{_stall(told)}"


def _numbers(values: list[float], marks: Marks) -> str:
    texts = [number_text(value) for value in values]
    if len(texts) > MOST_NUMBERS:
        texts = [texts[0], marks.ellipsis, *texts[-(MOST_NUMBERS - 1) :]]
    return f" {marks.arrow} ".join(texts)


def _target(told: dict[str, Any]) -> str:
    if "target" not in told:
        return ""
    return f" of {'at most ' if told.get('lower') else ''}{number_text(told['target'])}"


def _stall(told: dict[str, Any]) -> str:
    """For how many rounds nothing has been better, and whether that was long enough."""
    values, best = told["values"], told["best"]
    count = len(values) - 1 - values.index(best) if best in values else 0
    return f"{f', no better for {count}' if count else ''}{', stalled' if told['stalled'] else ''}"


def number_text(value: float) -> str:
    """A number for people: at most ten digits of one that is not whole."""
    return str(value) if isinstance(value, int) else f"{value:.10g}"
