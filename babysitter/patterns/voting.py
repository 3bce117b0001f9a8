"""What most of several answers say."""

from __future__ import annotations

from babysitter.engine.outcomes import Record
from babysitter.jsontext import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


class Vote(Record):
    """How a vote ended.

    Attributes:
        answer: the one that was given most often; of several, the one that was given first.
        count: how many gave it.
        share: the part of all answers that it has, from 0 to 1.
        tied: answers that were given as often, in the order of the answers; empty when there is no tie.
    """

    __slots__ = ("answer", "count", "share", "tied")

    def __init__(self, answer: Any, count: int, of: int, tied: list[Any]) -> None:
        self.answer = answer
        self.count = count
        self.share = count / of
        self.tied = tied

    @property
    def is_majority(self) -> bool:
        """More than half gave it."""
        return self.share > 0.5


def vote(answers: Iterable[Any], key: Callable[[Any], Any] | None = None) -> Vote:
    """The answer that was given most often, with its share, and whether others were given as often.

    ``key`` says of an answer what is counted, such as ``lambda answer: answer["verdict"]``; answers with the
    same one are the same, and the first of them stands for all. Both are JSON values.

    Raises:
        ValueError: there is no answer.
        TypeError: what is counted is no JSON value.
    """
    groups: dict[str, list[Any]] = {}
    for answer in answers:
        groups.setdefault(_identity(answer if key is None else key(answer)), []).append(answer)
    if not groups:
        raise ValueError("vote needs at least one answer; of none, none can win")
    most = max(len(group) for group in groups.values())
    best, *tied = [group[0] for group in groups.values() if len(group) == most]
    return Vote(best, most, sum(len(group) for group in groups.values()), tied)


def _identity(counted: Any) -> str:
    try:
        return canonical(counted)
    except (TypeError, ValueError) as error:
        raise TypeError(f"vote counts JSON values, found {counted!r}: {error}") from None
