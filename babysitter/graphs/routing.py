"""The ways between boxes: straight down, or in a lane beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from babysitter.graphs.labels import word_of
from babysitter.graphs.lettering import text_width

if TYPE_CHECKING:
    from collections.abc import Iterable

    from babysitter.graphs.keys import Key
    from babysitter.graphs.layout import Box
    from babysitter.graphs.shape import Way

    Point = tuple[float, float]

LANE, WORD_HEIGHT = 12.0, 13.0
STRAIGHT, LEFT, BETWEEN = "straight", "left", "between"


class Path:
    """A way with the points that it goes through, and where its word stands."""

    def __init__(self, way: Way, points: list[Point], word_at: Point, anchor: str) -> None:
        self.way = way
        self.points = points
        self.word = word_of(way)
        self.word_at = word_at
        self.anchor = anchor

    def covers(self, other: Path) -> bool:
        """The words of both would stand on one another."""
        (left, right), (others_left, others_right) = self._across(), other._across()
        is_beside = right <= others_left or others_right <= left
        return not is_beside and abs(self.word_at[1] - other.word_at[1]) < WORD_HEIGHT

    def _across(self) -> tuple[float, float]:
        x, width = self.word_at[0], text_width(self.word)
        return (x - width, x) if self.anchor == "end" else (x, x + width)


class Router:
    """Which ways go straight down, and in which lane the others go.

    Attributes:
        left, between: the ways that go beside the boxes, each with the number of its lane.
    """

    def __init__(self, boxes: dict[Key, Box], ways: list[Way]) -> None:
        self._boxes = boxes
        self._order = list(boxes)
        self.straight: list[Way] = []
        left: list[Way] = []
        between: list[Way] = []
        for way in ways:
            lane = self._lane_of(way)
            (left if lane == LEFT else between if lane == BETWEEN else self.straight).append(way)
        self.left, self.between = self._laned(left), self._laned(between)

    def _laned(self, ways: list[Way]) -> dict[Way, int]:
        """Ways that are nowhere beside each other share a lane; the short ones are next to the boxes."""
        lanes: list[list[tuple[int, int]]] = []
        found = {}
        for way in sorted(ways, key=self._length):
            low, high = self._rows(way)
            free = (n for n, rows in enumerate(lanes) if all(high < a or b < low for a, b in rows))
            number = next(free, len(lanes))
            lanes += [[]] if number == len(lanes) else []
            lanes[number].append((low, high))
            found[way] = number
        return found

    def _rows(self, way: Way) -> tuple[int, int]:
        ends = sorted(self._order.index(key) for key in (way.source, way.target) if key is not None)
        return ends[0], ends[-1]

    def _length(self, way: Way) -> int:
        low, high = self._rows(way)
        return high - low

    def _lane_of(self, way: Way) -> str:
        source, target = self._ends(way)
        if source.column != target.column:
            return BETWEEN
        if not way.is_back and not self._are_boxes_between(way, source.column):
            return STRAIGHT
        return BETWEEN if source.column else LEFT

    def _ends(self, way: Way) -> tuple[Box, Box]:
        assert way.source is not None
        assert way.target is not None
        return self._boxes[way.source], self._boxes[way.target]

    def _are_boxes_between(self, way: Way, column: int) -> bool:
        assert way.source is not None
        assert way.target is not None
        at, to = self._order.index(way.source), self._order.index(way.target)
        return any(self._boxes[key].column == column for key in self._order[at + 1 : to])

    def paths(self, left: float, gutter: float) -> list[Path]:
        """All ways, each with its points; no word stands on another one."""
        found = [
            *(self._down(way) for way in self.straight),
            *(self._aside(way, left - LANE * (number + 1), -1) for way, number in self.left.items()),
            *(self._aside(way, gutter + LANE * number, 1) for way, number in self.between.items()),
        ]
        told = [path for path in found if path.word]
        for number, path in enumerate(told):
            while any(path.covers(other) for other in told[:number]):
                path.word_at = (path.word_at[0], path.word_at[1] + WORD_HEIGHT)
        return found

    def _down(self, way: Way) -> Path:
        source, target = self._ends(way)
        points = [(source.middle, source.bottom), (target.middle, target.y)]
        return Path(way, points, (source.middle + 6, (source.bottom + target.y) / 2 + 4), "start")

    def _aside(self, way: Way, lane: float, side: int) -> Path:
        """Out of the side of a box, along the lane, into the side of the other."""
        source, target = self._ends(way)
        # Those that leave a box, and those that come in, are not on one height.
        start = (_side(source, lane), source.half + _apart(source, 1))
        end = (_side(target, lane), target.half - _apart(target, 1))
        points = [start, (lane, start[1]), (lane, end[1]), end]
        if side < 0:
            # Left of all lanes, so that no other one goes through it.
            outermost = lane - LANE * (lanes_of(self.left) - 1 - self.left[way])
            return Path(way, points, (outermost - 4, (start[1] + end[1]) / 2 + 4), "end")
        if target.column and not way.is_back:
            return Path(way, points, (target.x, target.y - 6), "start")
        if way.is_back and lane > end[0]:
            # Where it comes in: several may leave the same box.
            return Path(way, points, (end[0] + 10, end[1] - 4), "start")
        return Path(way, points, (min(start[0], lane) + 4, start[1] - 4), "start")


def _side(box: Box, lane: float) -> float:
    return box.x if lane < box.middle else box.x + box.width


def _apart(box: Box, part: int) -> float:
    return 0.0 if box.node.kind == "breakpoint" else part * min(8.0, box.height / 6)


def lanes_of(ways: dict[Way, int]) -> int:
    """How many lanes ways go in."""
    return max(ways.values(), default=-1) + 1


def words_width(ways: Iterable[Way]) -> float:
    """How much room the words of ways take beside their lanes."""
    return max((text_width(word_of(way)) + 8 for way in ways), default=0)
