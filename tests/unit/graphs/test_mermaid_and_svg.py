"""The texts that a drawing becomes: what they look like, and that no title can break them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from drawings import check_mermaid, draw
from hypothesis import given, settings
from hypothesis import strategies as st

from babysitter.graphs.drawn import START_KEY, Drawn, completed, drawn_process
from babysitter.graphs.layout import Picture
from babysitter.graphs.mermaid import mermaid
from babysitter.graphs.shape import GROUP, Line, Node
from babysitter.graphs.svg import svg
from babysitter.testing import load
from babysitter.testing.processes import given as given_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.graphs.layout import Box

LIBRARY = Path(__file__).parents[3] / "processes"
GOLDEN = Path(__file__).parent / "golden"
SEQUENCE = """
async def process(inputs, ctx):
    await ctx.task(build)
    if not (await ctx.breakpoint("Deploy?")).approved:
        await ctx.sleep("10m")
        raise Failed("not now")
    await ctx.subprocess("quality-checks")
"""
PARALLEL = """
async def process(inputs, ctx):
    async def both(name):
        await ctx.task(check, name=name)
        await ctx.task(draft)

    while True:
        await ctx.parallel.map(["a", "b"], both, limit=2)
        await ctx.parallel.race({"one": lambda: ctx.task(build), "two": lambda: ctx.task(draft)})
"""
DRAWN = {"sequence": SEQUENCE, "parallel": PARALLEL}
SHAPES = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("form", [mermaid, svg])
def test_a_drawing_is_as_it_was(tmp_path: Path, name: str, form: object) -> None:
    text = form(draw(tmp_path, DRAWN[name], name=f"{name}.py"))  # type: ignore[operator]
    ending = "svg" if form is svg else "mmd"
    assert text == (GOLDEN / f"{name}.{ending}").read_text("utf-8")


@pytest.mark.parametrize("name", DRAWN)
def test_mermaid_can_be_read(tmp_path: Path, name: str) -> None:
    check_mermaid(mermaid(draw(tmp_path, DRAWN[name])))


@pytest.mark.parametrize("name", DRAWN)
def test_boxes_do_not_meet(tmp_path: Path, name: str) -> None:
    for boxes in pictures(Picture(draw(tmp_path, DRAWN[name]).line)):
        for number, box in enumerate(boxes):
            assert [other for other in boxes[:number] if meet(box, other)] == []


@pytest.mark.parametrize("name", sorted(path.parent.name for path in LIBRARY.glob("*/process.py")))
def test_every_shipped_process_can_be_drawn(name: str) -> None:
    source = given_process(load(LIBRARY / name / "process.py"))
    drawn = drawn_process(name, source, completed(source, {}))
    check_mermaid(mermaid(drawn))
    assert ET.fromstring(svg(drawn)).tag.endswith("svg")  # noqa: S314 - it is our own
    assert len(drawn.line.nodes) > 2


def pictures(picture: Picture) -> Iterator[list[Box]]:
    yield list(picture.boxes.values())
    for box in picture.boxes.values():
        for _, _, inner in box.pictures:
            yield from pictures(inner)


def meet(one: Box, other: Box) -> bool:
    apart = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not apart and one.y < other.bottom and other.y < one.bottom


def test_an_svg_fetches_nothing_and_has_the_colour_of_its_page(tmp_path: Path) -> None:
    text = svg(draw(tmp_path, SEQUENCE))
    assert "currentColor" in text
    assert [word for word in ("href", "@import", "<script", "<image", "url(http") if word in text] == []


ANYTHING = st.text(alphabet=st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    [
        '"];',
        "</text><script>",
        "%%{init: {}}%%",
        "1. one",
        "- a",
        "`**x**`",
        "end",
        "a\nb",
        "#35;",
        "]]>",
        "\x00\x1b",
    ]
)


def titled(title: str, mode: str, name: str) -> Drawn:
    drawn = Drawn(title)
    group, inner = Node(("g",), GROUP), Node(("i",), "breakpoint")
    group.mode, inner.titles = mode, {title: None}
    line = group.lines[inner.key] = Line()
    line.nodes[inner.key], line.names, line.times = inner, [name], 1
    drawn.line.nodes[group.key] = group
    drawn.line.connect(START_KEY, group.key, name, is_taken=False)
    return drawn


@given(ANYTHING, ANYTHING, ANYTHING)
@settings(max_examples=200)
def test_whatever_a_title_holds_both_can_be_read(title: str, mode: str, name: str) -> None:
    drawn = titled(title, mode, name)
    check_mermaid(mermaid(drawn))
    root = ET.fromstring(svg(drawn))  # noqa: S314 - it is our own
    assert {each.tag.removeprefix(SHAPES) for each in root.iter()} <= {
        "svg", "title", "style", "defs", "marker", "path", "g", "text", "rect", "polygon",
    }  # fmt: skip
