"""A shape as an SVG of its own: nothing is fetched, and it can be read on light and on dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from babysitter.graphs.layout import LINE_HEIGHT, PADDING, Picture
from babysitter.graphs.mermaid import class_of
from babysitter.graphs.shape import END, GROUP, MORE, START
from babysitter.views.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.graphs.drawn import Drawn
    from babysitter.graphs.layout import Box
    from babysitter.graphs.routing import Path

MARGIN = 20.0
ROUND = {START: 16.0, END: 16.0, "sleep": 12.0, GROUP: 10.0}
# Where it stands in a page it has the colour of the text there; on its own, that of the reader's scheme.
STYLE = """\
.shape{font:13px system-ui,sans-serif;color:#1f2328}
@media (prefers-color-scheme:dark){.shape{color:#e6edf3}}
.shape text{fill:currentColor;stroke:none}
.shape .box,.shape .way{fill:none;stroke:currentColor;stroke-width:1.3}
.shape .way{opacity:.75}
.shape .group{fill:currentColor;fill-opacity:.05;stroke-opacity:.5}
.shape .more{stroke-opacity:.4}
.shape .small{font-size:11px;opacity:.75}
.shape .untaken{stroke-dasharray:5 4}
.shape .ok{stroke:#2da44e;stroke-width:2}
.shape .failed{stroke:#e5534b;stroke-width:3}
.shape .pending{stroke:#bf8700;stroke-width:2}
.shape .cancelled{stroke:#8b949e;stroke-width:2}
.shape marker path{fill:currentColor;stroke:none}"""
MARKER = (
    '<marker id="shape-arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"'
    ' orient="auto-start-reverse"><path d="M0 0L10 5L0 10z"/></marker>'
)


def svg(drawn: Drawn) -> str:
    """The text of an SVG file; it ends with a line break."""
    picture = Picture(drawn.line)
    title = f"{drawn.name}, run {drawn.run}" if drawn.run else drawn.name
    lines = [
        _root(_number(picture.width + 2 * MARGIN), _number(picture.height + 2 * MARGIN)),
        f"<title>{escaped(printable(title))}</title>",
        f"<style>\n{STYLE}\n</style>",
        f"<defs>{MARKER}</defs>",
        *_picture(picture, MARGIN, MARGIN),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _root(width: str, height: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="shape" role="img" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}">'
    )


def _picture(picture: Picture, x: float, y: float) -> Iterator[str]:
    yield f'<g transform="translate({_number(x)} {_number(y)})">'
    if picture.heading:
        yield f'<text class="small" x="0" y="12">{escaped(picture.heading)}</text>'
    for path in picture.paths:
        yield from _path(path)
    for box in picture.boxes.values():
        yield from _box(box)
    yield "</g>"


def _path(path: Path) -> Iterator[str]:
    name = "way" if path.way.is_taken else "way untaken"
    points = "L".join(f"{_number(x)} {_number(y)}" for x, y in path.points)
    yield f'<path class="{name}" d="M{points}" marker-end="url(#shape-arrow)"/>'
    if path.word:
        x, y = path.word_at
        yield (
            f'<text class="small" x="{_number(x)}" y="{_number(y)}" text-anchor="{path.anchor}">'
            f"{escaped(path.word)}</text>"
        )


def _box(box: Box) -> Iterator[str]:
    kind = box.node.kind
    names = " ".join(filter(None, ["box", kind if kind in (GROUP, MORE) else "", class_of(box.node)]))
    yield _diamond(box, names) if kind == "breakpoint" else _rectangle(box, names)
    if kind == "subprocess":
        yield _rails(box, names)
    yield from _texts(box)
    for x, y, picture in box.pictures:
        yield from _picture(picture, box.x + x, box.y + y)


def _diamond(box: Box, names: str) -> str:
    corners = [
        (box.middle, box.y),
        (box.x + box.width, box.half),
        (box.middle, box.bottom),
        (box.x, box.half),
    ]
    points = " ".join(f"{_number(x)},{_number(y)}" for x, y in corners)
    return f'<polygon class="{names}" points="{points}"/>'


def _rectangle(box: Box, names: str) -> str:
    return (
        f'<rect class="{names}" x="{_number(box.x)}" y="{_number(box.y)}" width="{_number(box.width)}"'
        f' height="{_number(box.height)}" rx="{_number(ROUND.get(box.node.kind, 3.0))}"/>'
    )


def _rails(box: Box, names: str) -> str:
    """The two lines by which a process within a process is known."""
    ends = [box.x + 6, box.x + box.width - 6]
    drawn = "".join(f"M{_number(x)} {_number(box.y)}V{_number(box.bottom)}" for x in ends)
    return f'<path class="{names}" d="{drawn}"/>'


def _texts(box: Box) -> Iterator[str]:
    height = LINE_HEIGHT * len(box.texts)
    top = box.y + PADDING / 2 if box.node.kind == GROUP else box.half - height / 2
    for number, text in enumerate(box.texts):
        small = "" if number < box.title_lines else ' class="small"'
        x, y = _number(box.middle), _number(top + LINE_HEIGHT * number + 13)
        yield f'<text{small} x="{x}" y="{y}" text-anchor="middle">{escaped(text)}</text>'


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def escaped(text: str) -> str:
    """A text as XML can have it: what no XML may hold is spelled out before, by ``printable``."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
