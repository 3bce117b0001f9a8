"""Where everything is put: from top to bottom, what was not come to in a column of its own.

Each node has a row of its own, so no two boxes can meet, and a way that is not just down goes in a
lane beside them: left of the first column, or between the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from babysitter.graphs.labels import branches_text, lines_of
from babysitter.graphs.lettering import SMALL_WRAPPED_AT, text_width, wrapped
from babysitter.graphs.listing import inner_ways
from babysitter.graphs.routing import LANE, Router, lanes_of, words_width
from babysitter.graphs.shape import GROUP

if TYPE_CHECKING:
    from babysitter.graphs.keys import Key
    from babysitter.graphs.routing import Path
    from babysitter.graphs.shape import Line, Node, Way

LINE_HEIGHT, PADDING, GAP = 17.0, 14.0, 40.0
BRANCH_GAP = 18.0
# A diamond is that much higher than a box with the same text.
TALLER = 1.8
# More branches than fit beside each other go on below.
WIDEST = 1400.0


class Box:
    """A node with its place; what is in a group is in ``pictures``, each with where it begins.

    ``texts`` are its lines, the first ``title_lines`` of them the title.
    """

    def __init__(self, node: Node, told: list[str]) -> None:
        self.node = node
        title = wrapped(told[0])
        self.texts = [*title, *(part for text in told[1:] for part in wrapped(text, SMALL_WRAPPED_AT))]
        self.title_lines = len(title)
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
        left = LANE * lanes_of(router.left) + words_width(router.left)
        first = max((box.width for box in boxes if box.column == 0), default=0)
        gutter = left + first + LANE
        second = gutter + LANE * (lanes_of(router.between) + 1)
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
    text = max(text_width(each, is_small=number >= box.title_lines) for number, each in enumerate(box.texts))
    box.width = max(90.0, text + 2 * PADDING)
    box.height = LINE_HEIGHT * len(box.texts) + PADDING
    if box.node.kind == "breakpoint":
        # So wide and high that the corners of the text are within the four sides.
        box.height *= TALLER
        box.width = max(text, 60.0) / (1 - LINE_HEIGHT * len(box.texts) / box.height) + PADDING
    if box.node.kind == GROUP:
        _fill(box)
    return box


def _fill(box: Box) -> None:
    """Put the branches of a group side by side into its box."""
    pictures = [Picture(line, is_branch=True) for line in box.node.lines.values()]
    if not pictures:
        return
    rows = _rows(pictures)
    box.width = max(box.width, *(_width_of(row) + 2 * PADDING for row in rows))
    for row in rows:
        x = (box.width - _width_of(row)) / 2
        for each in row:
            box.pictures.append((x, box.height, each))
            x += each.width + BRANCH_GAP
        box.height += max(each.height for each in row) + PADDING


def _rows(pictures: list[Picture]) -> list[list[Picture]]:
    rows = [[pictures[0]]]
    for each in pictures[1:]:
        if _width_of([*rows[-1], each]) > WIDEST:
            rows.append([])
        rows[-1].append(each)
    return rows


def _width_of(row: list[Picture]) -> float:
    return sum(each.width for each in row) + BRANCH_GAP * (len(row) - 1)
