"""Scores: numbers that a loop of improvement has reached, and whether that is enough.

What an author is told rests on what the process has told in this replay, and
never on the journal. The journal has each score once. What counts of them is
kept by scope and name, in the order of rounds (``Standing``).
"""

from __future__ import annotations

from babysitter.engine.outcomes import Record
from babysitter.ids import sha256_hex
from babysitter.jsontext import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Standing = dict[tuple[str, str], list[dict[str, Any]]]

KEY_LENGTH = 16


class Score(Record):
    """What a loop has reached, as of this round.

    Attributes:
        value: the number of this round.
        target: what it is measured by; None: nothing.
        best: the best number so far.
        reached: ``value`` is as good as ``target``, or better.
        stalled: for as many rounds as ``patience`` says nothing was better than the best before them.
        round: which one it is, counted from 1.
        history: the numbers of all rounds so far.
    """

    __slots__ = ("best", "history", "reached", "round", "stalled", "target", "value")

    def __init__(
        self, history: list[float], target: float | None, *, best: float, reached: bool, stalled: bool
    ) -> None:
        self.value = history[-1]
        self.target = target
        self.best = best
        self.reached = reached
        self.stalled = stalled
        self.round = len(history)
        self.history = history

    @property
    def is_done(self) -> bool:
        """There is no use in another round: it is good enough, or does not become better."""
        return self.reached or self.stalled


class Aim:
    """What a number is measured by.

    Raises:
        TypeError, ValueError: a value makes no sense.
    """

    __slots__ = ("lower", "min_change", "patience", "target")

    def __init__(self, target: float | None, *, patience: int | None, min_change: float, lower: bool) -> None:
        if patience is not None and (isinstance(patience, bool) or not isinstance(patience, int)):
            raise TypeError(f"the patience of ctx.score is a whole number, found {patience!r}")
        if patience is not None and patience < 1:
            raise ValueError(f"the patience of ctx.score is a whole number from 1 on, found {patience}")
        if not isinstance(lower, bool):
            raise TypeError(f"ctx.score(…, lower=) is True or False, found {lower!r}")
        self.target = None if target is None else number("target", target)
        self.patience = patience
        self.min_change = number("min_change", min_change)
        self.lower = lower
        if self.min_change < 0:
            raise ValueError(f"the min_change of ctx.score is a number from 0 on, found {min_change!r}")

    def judge(self, history: list[float]) -> Score:
        """The last of these numbers, by this aim."""
        best, reached = best_of(history, lower=self.lower), self._is_reached_by(history[-1])
        return Score(
            list(history), self.target, best=best, reached=reached, stalled=self._is_stalled(history)
        )

    def _is_reached_by(self, value: float) -> bool:
        if self.target is None:
            return False
        return value <= self.target if self.lower else value >= self.target

    def _is_stalled(self, history: list[float]) -> bool:
        if self.patience is None or len(history) <= self.patience:
            return False
        before = best_of(history[: -self.patience], lower=self.lower)
        since = best_of(history[-self.patience :], lower=self.lower)
        gain = before - since if self.lower else since - before
        return gain <= self.min_change


def best_of(history: Iterable[float], *, lower: bool) -> float:
    """The best of these numbers; ``lower``: the least."""
    return min(history) if lower else max(history)


def number(what: str, value: Any) -> float:
    """The number as JSON gives it back.

    Raises:
        TypeError, ValueError: it is none, or not a finite one.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"the {what} of ctx.score is a number, found {value!r}")
    try:
        as_float = float(value)
    except OverflowError:
        size = int(value).bit_length()
        raise ValueError(
            f"the {what} of ctx.score is a number that fits a float, found one of {size} bits"
        ) from None
    if as_float - as_float != 0:
        raise ValueError(f"the {what} of ctx.score is a finite number, found {value!r}")
    return as_float if isinstance(value, float) else int(value)


def checked_name(name: Any) -> str:
    """The name under which numbers are compared with each other.

    Raises:
        TypeError: it is no text, or an empty one.
    """
    if not isinstance(name, str) or not name.strip():
        raise TypeError(f"the name of ctx.score is a text that is not empty, found {name!r}")
    return name


def told(scope: str, name: str, score: Score, *, lower: bool) -> dict[str, Any]:
    """The data of its PROCESS_LOG. The key is of all that it says, so a replay knows it again."""
    data: dict[str, Any] = {"name": name, "value": score.value, "round": score.round, "best": score.best}
    data |= {"reached": score.reached, "stalled": score.stalled}
    if score.target is not None:
        data["target"] = score.target
    if lower:
        data["lower"] = True
    key = sha256_hex(canonical({"scope": scope, "score": data}).encode())[:KEY_LENGTH]
    return {"scope": scope, "key": key, "score": data}


def keep(standing: Standing, data: dict[str, Any]) -> list[dict[str, Any]]:
    """Take in the data of a PROCESS_LOG with a score; gives the series that it belongs to.

    It stands in its round: what was told of that round and later ones counts no
    more, because a process that tells a round anew was edited, or went back.
    """
    score = data["score"]
    series = standing.setdefault((data["scope"], score["name"]), [])
    del series[max(0, score["round"] - 1) :]
    series.append({**score, "key": data["key"]})
    return series


def keep_only(standing: Standing, keys: Iterable[str]) -> None:
    """What has another key counts no more. In place, as whoever has a series keeps it."""
    kept = set(keys)
    for place, series in list(standing.items()):
        series[:] = [score for score in series if score["key"] in kept]
        if not series:
            del standing[place]


def keys_of(standing: Standing) -> set[str]:
    """The keys of all scores that count."""
    return {score["key"] for series in standing.values() for score in series}


def series_json(series: list[dict[str, Any]]) -> dict[str, Any]:
    """A series as one object: what its last round says, and the numbers of all its rounds."""
    last = {name: item for name, item in series[-1].items() if name not in ("key", "value")}
    return {**last, "values": [score["value"] for score in series]}


def unwritten(lines: Iterable[dict[str, Any]], standing: Standing) -> list[dict[str, Any]]:
    """Of what a process has told, log lines and scores, that which the journal lacks.

    When it lacks one score it lacks those of later rounds too, whatever it had there.
    """
    known, ahead, found = keys_of(standing), set[tuple[str, str]](), []
    for data in lines:
        if "score" in data:
            place = (data["scope"], data["score"]["name"])
            if data["key"] in known and place not in ahead:
                continue
            ahead.add(place)
        found.append(data)
    return found
