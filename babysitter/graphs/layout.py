"""Where everything is put: from top to bottom, what was not come to in a column of its own.

Each node has a row of its own, so no two boxes can meet, and a way that is not just down goes in a
lane beside them: left of the first column, or between the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from babysitter.graphs.labels import branches_text, lines_of, word_of
from babysitter.graphs.listing import inner_ways
from babysitter.graphs.shape import GROUP
from babysitter.views.text import width_of

if TYPE_CHECKING:
    from babysitter.graphs.keys import Key
    from babysitter.graphs.shape import Line, Node, Way

    Point = tuple[float, float]

CHARACTER, LINE_HEIGHT = 7.5, 17.0
PADDING, GAP, LANE = 14.0, 40.0, 12.0
WRAPPED_AT = 34
BRANCH_GAP = 18.0


class Box:
    """A node with its place; what is in a group is in ``pictures``, each with where it begins.

    ``texts`` are its lines, the first ``title_lines`` of them the title.
    """

    def __init__(self, node: Node, told: list[str]) -> None:
        self.node = node
        self.texts = [part for text in told for part in wrapped(text)]
        self.title_lines = len(wrapped(told[0]))
        self.x = self.y = self.width = self.height = 0.0
        self.column = 0
        self.pictures: list[tuple[float, float, Picture]] = []

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def half(self) -> float:
        return self.y + self.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height


class Path:
    """A way with the points that it goes through, and where its word stands."""

    def __init__(self, way: Way, points: list[Point], word_at: Point, anchor: str) -> None:
        self.way = way
        self.points = points
        self.word = word_of(way)
        self.word_at = word_at
        self.anchor = anchor


class Picture:
    """One line of control, laid out from (0, 0) on.

    Attributes:
        heading: which branches it stands for.
    """

    def __init__(self, line: Line, *, is_branch: bool = False) -> None:
        nodes = line.order()
        is_alone = is_branch and len(nodes) == 1
        # Of a single node the branches are told in its box, but for a group, whose box has only its mode.
        has_heading = is_branch and (not is_alone or nodes[0].kind == GROUP)
        self.heading = branches_text(line) if has_heading else ""
        self.boxes: dict[Key, Box] = {}
        for node in nodes:
            told = lines_of(node, line, is_alone=is_alone and not has_heading)
            self.boxes[node.key] = measured(Box(node, told))
        self.paths: list[Path] = []
        self._place(list(inner_ways(line)))

    def _place(self, ways: list[Way]) -> None:
        boxes = list(self.boxes.values())
        has_both = any(box.node.is_taken for box in boxes) and not all(box.node.is_taken for box in boxes)
        for box in boxes:
            box.column = int(has_both and not box.node.is_taken)
        router = Router(self.boxes, ways)
        left = LANE * len(router.left) + (_words(router.left) if router.left else 0)
        first = max((box.width for box in boxes if box.column == 0), default=0)
        gutter = left + first + LANE
        second = gutter + LANE * (len(router.between) + 1)
        self._stack(boxes, (left, second))
        self.paths = router.paths(left, gutter)
        self._measure(boxes)

    def _stack(self, boxes: list[Box], columns: tuple[float, float]) -> None:
        """Put the boxes into their rows, each in the middle of its column."""
        widths = [max((box.width for box in boxes if box.column == each), default=0) for each in (0, 1)]
        y = LINE_HEIGHT + 4 if self.heading else 0.0
        for box in boxes:
            box.x = columns[box.column] + (widths[box.column] - box.width) / 2
            box.y = y
            y += box.height + GAP
        self.height = max(0.0, y - GAP)

    def _measure(self, boxes: list[Box]) -> None:
        right = [box.x + box.width for box in boxes]
        right += [path.word_at[0] + text_width(path.word) for path in self.paths if path.anchor == "start"]
        self.width = max([*right, text_width(self.heading)], default=0.0)


def measured(box: Box) -> Box:
    """The box with its size; that of a group is what is in it."""
    text = max(text_width(each) for each in box.texts)
    box.width = max(90.0, text + 2 * PADDING)
    box.height = LINE_HEIGHT * len(box.texts) + PADDING
    if box.node.kind == "breakpoint":
        box.width += box.height * 0.9
        box.height *= 1.8
    if box.node.kind == GROUP:
        _fill(box)
    return box


def _fill(box: Box) -> None:
    """Put the branches of a group side by side into its box."""
    pictures = [Picture(line, is_branch=True) for line in box.node.lines.values()]
    if not pictures:
        return
    width = sum(each.width for each in pictures) + BRANCH_GAP * (len(pictures) - 1)
    box.width = max(box.width, width + 2 * PADDING)
    x, top = (box.width - width) / 2, box.height
    for each in pictures:
        box.pictures.append((x, top, each))
        x += each.width + BRANCH_GAP
    box.height = top + max(each.height for each in pictures) + PADDING


class Router:
    """Which ways go straight down, and in which lane the others go."""

    def __init__(self, boxes: dict[Key, Box], ways: list[Way]) -> None:
        self._boxes = boxes
        self._order = list(boxes)
        self.straight: list[Way] = []
        self.left: list[Way] = []
        self.between: list[Way] = []
        for way in ways:
            self._lane_of(way).append(way)

    def _lane_of(self, way: Way) -> list[Way]:
        source, target = self._ends(way)
        if source.column != target.column:
            return self.between
        if not way.is_back and not self._are_boxes_between(way, source.column):
            return self.straight
        return self.between if source.column else self.left

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
        """All ways, each with its points."""
        return [
            *(self._down(way) for way in self.straight),
            *(self._aside(way, left - LANE * (number + 1), -1) for number, way in enumerate(self.left)),
            *(self._aside(way, gutter + LANE * number, 1) for number, way in enumerate(self.between)),
        ]

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
            outermost = lane - LANE * (len(self.left) - 1 - self.left.index(way))
            return Path(way, points, (outermost - 4, (start[1] + end[1]) / 2 + 4), "end")
        if target.column and not way.is_back:
            return Path(way, points, (target.x, target.y - 6), "start")
        return Path(way, points, (min(start[0], lane) + 4, start[1] - 4), "start")


def _side(box: Box, lane: float) -> float:
    return box.x if lane < box.middle else box.x + box.width


def _apart(box: Box, part: int) -> float:
    return 0.0 if box.node.kind == "breakpoint" else part * min(8.0, box.height / 6)


def _words(ways: list[Way]) -> float:
    return max(text_width(word_of(way)) for way in ways) + 8


def text_width(text: str) -> float:
    return CHARACTER * width_of(text)


def wrapped(text: str) -> list[str]:
    """A text in lines that are not too long; a long word is cut."""
    lines = [""]
    for word in text.split(" "):
        rest = word
        while width_of(rest) > WRAPPED_AT:
            lines += [rest[:WRAPPED_AT]]
            rest = rest[WRAPPED_AT:]
        if width_of(lines[-1]) + 1 + width_of(rest) > WRAPPED_AT and lines[-1]:
            lines.append(rest)
        else:
            lines[-1] = f"{lines[-1]} {rest}".strip()
    return [line for line in lines if line] or [" "]
