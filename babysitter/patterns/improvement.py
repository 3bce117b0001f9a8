"""The loop that goes on until something is good enough, or does not become better."""

from __future__ import annotations

from babysitter.engine.outcomes import Record
from babysitter.engine.scores import Aim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from babysitter.engine.context import Context

REACHED, STALLED, ROUNDS = "reached", "stalled", "rounds"


class Improved(Record):
    """What a loop of improvement has come to.

    Attributes:
        result: of the best round; of several that are as good, the first.
        score: of that round.
        reason: why it stopped: ``reached`` the target, ``stalled``, or all ``rounds`` were made.
        round: which one was the best, counted from 1.
        history: the scores of all rounds.
    """

    __slots__ = ("result", "score", "reason", "round", "history")

    def __init__(self, rounds: list[tuple[float, Any]], reason: str) -> None:
        self.history = [score for score, _ in rounds]
        self.score = max(self.history)
        self.round = self.history.index(self.score) + 1
        self.result = rounds[self.round - 1][1]
        self.reason = reason

    @property
    def reached(self) -> bool:
        """It is good enough."""
        return self.reason == REACHED


async def improve(
    ctx: Context,
    round: Callable[[int, Any], Awaitable[tuple[float, Any]]],
    *,
    target: float = 90,
    rounds: int = 5,
    patience: int | None = 2,
    name: str = "score",
) -> Improved:
    """Call ``round(number, before)`` until its score is the target, or nothing becomes better.

    ``number`` counts from 1, ``before`` is the result of the round before, None in the first. It gives
    ``(score, result)``; the score is noted with ``ctx.score`` under ``name``. After ``patience`` rounds that
    were not better than the best before them it has stalled; with None it goes on to the last of ``rounds``.
    What an agent has changed on disk stays as the last round left it, which need not be the best one.

    Raises:
        TypeError, ValueError: ``rounds`` is no whole number from 1 on, a round gave no score and result, or
            ``ctx.score`` would refuse a value.
    """
    if isinstance(rounds, bool) or not isinstance(rounds, int) or rounds < 1:
        raise ValueError(f"improve(…, rounds=) is a whole number from 1 on, found {rounds!r}")
    aim = Aim(target, patience=patience, min_change=0, lower=False)
    made: list[tuple[float, Any]] = []
    before: Any = None
    for number in range(1, rounds + 1):
        value, before = _pair(number, await round(number, before))
        noted = ctx.score(value, target, patience=patience, name=name)
        made.append((noted.value, before))
        # Not what ctx.score says: that knows the numbers of an earlier loop of this name and branch, too.
        score = aim.judge([value for value, _ in made])
        if score.is_done:
            return Improved(made, REACHED if score.reached else STALLED)
    return Improved(made, ROUNDS)


def _pair(number: int, given: Any) -> tuple[float, Any]:
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise TypeError(f"round {number} of improve gave {given!r}; it gives its score and its result")
    return given[0], given[1]
