"""The texts that a drawing becomes: what they look like, and that no title can break them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from drawings import check_mermaid, draw
from hypothesis import given, settings
from hypothesis import strategies as st

from babysitter.graphs.drawn import START_KEY, Drawn, completed, drawn_process
from babysitter.graphs.labels import lines_of
from babysitter.graphs.layout import LINE_HEIGHT, Picture
from babysitter.graphs.lettering import text_width
from babysitter.graphs.listing import as_json
from babysitter.graphs.mermaid import escaped, mermaid
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


LOOPS = """
async def process(inputs, ctx):
    for each in range(2):
        await ctx.task(build)
        for other in range(2):
            calls = [ctx.task(check, name="a"), ctx.task(draft)]
            await ctx.parallel.map([1], lambda n: ctx.parallel.all(calls))
            if (await ctx.breakpoint("Good enough for all of the people who are going to read it?")).approved:
                continue
            await ctx.task(check, name="b")
            await ctx.parallel.settled({"one": ctx.task(draft), "two": ctx.task(build)})
    await ctx.breakpoint("Whatever you say?")
    await ctx.task(build)
"""


def test_steps_of_a_branch_stand_below_each_other(tmp_path: Path) -> None:
    text = mermaid(draw(tmp_path, PARALLEL))
    subgraphs = text.count("subgraph ")
    assert (subgraphs, text.count("direction TB")) == (3, 3)


def test_many_branches_stand_below_each_other(tmp_path: Path) -> None:
    calls = ",\n".join(f"ctx.task(check, name='{n}')" for n in range(7))
    text = mermaid(
        draw(tmp_path, f"async def process(inputs, ctx):\n    await ctx.parallel.all([{calls}])\n")
    )
    assert "direction" not in text


def test_groups_of_a_loop_are_held_in_their_place(tmp_path: Path) -> None:
    looped = mermaid(draw(tmp_path, LOOPS))
    assert [line.split() for line in looped.splitlines() if "~~~" in line] == [
        ["n1", "~~~", "n5"],
        ["n1", "~~~", "n10"],
    ]
    assert "~~~" not in mermaid(draw(tmp_path, SEQUENCE))


def test_the_heading_of_a_group_is_one_line(tmp_path: Path) -> None:
    drawn = draw(tmp_path, PARALLEL)
    group = next(node for node in drawn.line.nodes.values() if node.kind == GROUP)
    group.states = {"ok": 2}
    assert '["map, at most 2 at a time · 2 ok"]' in mermaid(drawn)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\\nb", "a#92;#8203;nb"),
        ("fa:fa-car", "fa:#8203;fa-car"),
        ("1. one", "#49;. one"),
        ("- a", "#45; a"),
        ("", " "),
    ],
)
def test_what_mermaid_would_take_for_something_else_is_written_otherwise(text: str, written: str) -> None:
    assert escaped(text) == written


def test_a_long_word_of_a_way_is_cut() -> None:
    drawn = titled("a", "b", "word " * 30)
    assert f'|"{("word " * 10)[:47]}…"|' in mermaid(drawn)


def test_no_word_of_an_svg_stands_on_another_one(tmp_path: Path) -> None:
    paths = [path for path in Picture(draw(tmp_path, LOOPS).line).paths if path.word]
    assert len(paths) == 8
    assert [(a.word, b.word) for a, b in combinations(paths, 2) if a.covers(b)] == []


def test_the_text_of_a_diamond_is_within_it(tmp_path: Path) -> None:
    boxes = Picture(draw(tmp_path, LOOPS).line).boxes.values()
    box = next(each for each in boxes if each.node.kind == "breakpoint")
    width = max(text_width(text) for text in box.texts)
    assert len(box.texts) > 1
    assert width / box.width + LINE_HEIGHT * len(box.texts) / box.height < 1


def test_a_group_that_may_have_failed_has_no_colour_and_tells_of_its_branches() -> None:
    drawn = titled("a", "map", "b")
    node = drawn.line.nodes[START_KEY]
    node.states, node.branch_states = {"partly": 1}, {"partly": 1, "failed": 2}
    assert "2 failed, 1 partly failed" in Picture(drawn.line).boxes[START_KEY].texts
    assert "class " not in mermaid(drawn)
    assert 'partly"' in svg(drawn)


def test_a_branch_alone_in_its_line_is_named_once() -> None:
    line, node = Line(), Node(("shell", "a"), "shell")
    line.names = ["a.md"]
    node.titles = {"Check a.md": None}
    assert lines_of(node, line, is_alone=True) == ["Check a.md", "shell"]
    node.titles = {"Check": None}
    assert lines_of(node, line, is_alone=True) == ["Check", "shell", "a.md"]


def test_states_and_time_of_a_node_are_one_line() -> None:
    drawn = titled("a", "map", "b")
    drawn.line.nodes[START_KEY].states = {"failed": 1, "cancelled": 1, "ok": 1}
    drawn.line.nodes[START_KEY].took_ms = 200
    assert "1 failed, 1 cancelled, 1 ok · 0.2 s" in Picture(drawn.line).boxes[START_KEY].texts


def test_ways_that_are_not_beside_each_other_share_a_lane(tmp_path: Path) -> None:
    loops = "".join(f"    for _ in 'ab':\n        await ctx.task(check, name='{n}')\n" for n in range(20))
    picture = Picture(draw(tmp_path, f"async def process(inputs, ctx):\n{loops}").line)
    lanes = {path.points[1][0] for path in picture.paths if path.way.is_back}
    assert (len(lanes), picture.width < 300) == (1, True)


def test_branches_that_do_not_fit_beside_each_other_go_on_below(tmp_path: Path) -> None:
    calls = ",\n".join(f"'service-{n}': ctx.task(check, name='{n}')" for n in range(40))
    drawn = draw(tmp_path, f"async def process(inputs, ctx):\n    await ctx.parallel.all({{{calls}}})\n")
    picture = Picture(drawn.line)
    [group] = [box for box in picture.boxes.values() if box.node.kind == GROUP]
    inner = [(x, y, x + each.width, y + each.height) for x, y, each in group.pictures]
    assert picture.width < 1500
    assert all(right <= group.width and bottom <= group.height for _, _, right, bottom in inner)
    assert [
        (one, other)
        for one, other in combinations(inner, 2)
        if one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
    ] == []


def test_branches_that_only_hold_a_group_are_named_by_their_items(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            for _ in range(2):
                inner = lambda: ctx.parallel.map([1], lambda n: ctx.task(build))
                await ctx.parallel.map([{"a": [_]}], lambda one: inner())
        """,
    )
    groups = [each for each in as_json(drawn)["nodes"] if each["kind"] == "group"]
    assert [(each["mode"], each["branches"]) for each in groups] == [
        ("map", [{"times": 1, "names": ['{"a":[0]}', '{"a":[1]}']}]),
        ("map", [{"times": 1, "names": ["1"]}]),
    ]


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
