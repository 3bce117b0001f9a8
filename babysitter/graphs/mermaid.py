"""A shape as a Mermaid flowchart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from babysitter.graphs.labels import branches_text, lines_of, word_of
from babysitter.graphs.listing import Listing
from babysitter.graphs.shape import CANCELLED, END, FAILED, GROUP, OK, PENDING, START

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.graphs.drawn import Drawn
    from babysitter.graphs.listing import Listed
    from babysitter.graphs.shape import Line, Node

# What comes around the label of each kind.
SHAPES = {
    START: ("([", "])"),
    END: ("([", "])"),
    "breakpoint": ("{", "}"),
    "sleep": ("(", ")"),
    "subprocess": ("[[", "]]"),
}
RECTANGLE = ("[", "]")
# Without it the direction changes with each level. Many branches are better below each other.
DIRECTION, MOST_BESIDE = "direction TB", 6
UNTAKEN = "untaken"
# Lines only, so that the colours of a theme, light or dark, stay behind the text.
CLASSES = {
    UNTAKEN: "stroke-dasharray:5 5",
    OK: "stroke:#2da44e,stroke-width:2px",
    FAILED: "stroke:#e5534b,stroke-width:3px",
    PENDING: "stroke:#bf8700,stroke-width:2px",
    CANCELLED: "stroke:#8b949e,stroke-width:2px",
}
# Characters that mean something in a label, or in the Markdown and HTML that one may be taken for.
SPECIAL = frozenset('"#<>&`\\*~$%')
# What Mermaid goes on reading when all of that is put in place: the end of a line, and a picture. A space
# without width keeps their letters apart.
TAKEN_FOR = (("#92;n", "#92;#8203;n"), (":fa-", ":#8203;fa-"))


def mermaid(drawn: Drawn) -> str:
    """The text of a flowchart; it ends with a line break."""
    return "\n".join(["flowchart TD", *_Text(Listing(drawn)).lines()]) + "\n"


class _Text:
    def __init__(self, listing: Listing) -> None:
        self._listing = listing

    def lines(self) -> Iterator[str]:
        for each in self._listing.of(""):
            yield from self._node(each, 1)
        for source, target, way in self._listing.ways:
            arrow, word = "-->" if way.is_taken else "-.->", word_of(way)
            told = f'|"{escaped(word)}"|' if word else ""
            yield f"    {source} {arrow}{told} {target}"
        for source, target in self._anchors():
            yield f"    {source} ~~~ {target}"
        yield from self._classes()

    def _anchors(self) -> Iterator[tuple[str, str]]:
        """Ways that are not drawn, into all groups, where the process's own line has a loop.

        Mermaid lays a group out by itself, and begins with it, so that in a loop everything else stands
        below; one that a way leads into from outside it puts where it belongs.
        """
        first = self._listing.nodes[0]
        if any(way.is_back for way in first.line.ways.values()):
            groups = [each for each in self._listing.nodes if each.node.lines]
            plain = dict.fromkeys(self._plain_in(each).id for each in groups)
            yield from ((first.id, each) for each in plain)

    def _plain_in(self, group: Listed) -> Listed:
        """A node in a group that is none itself, the deeper ones last."""
        inner = [each for each in self._listing.nodes if each.group == group.id]
        plain = next((each for each in inner if not each.node.lines), None)
        return plain if plain is not None else self._plain_in(inner[0])

    def _node(self, listed: Listed, depth: int) -> Iterator[str]:
        node, indent = listed.node, "    " * depth
        if node.kind != GROUP:
            opened, closed = SHAPES.get(node.kind, RECTANGLE)
            yield f"{indent}{listed.id}{opened}{self._label(listed)}{closed}"
        elif node.lines:
            yield f"{indent}subgraph {listed.id}[{self._label(listed)}]"
            if len(node.lines) <= MOST_BESIDE:
                yield f"{indent}    {DIRECTION}"
            for number, line in enumerate(node.lines.values()):
                yield from self._branch(listed, number, line, depth + 1)
            yield f"{indent}end"
        else:
            # A subgraph without anything in it is no box that a way can lead to.
            yield f"{indent}{listed.id}[{self._label(listed)}]"

    def _branch(self, group: Listed, number: int, line: Line, depth: int) -> Iterator[str]:
        told, inner = branches_text(line), self._listing.of(group.id, number)
        has_box = len(inner) > 1 and bool(told)
        if has_box:
            yield f'{"    " * depth}subgraph {group.id}b{number + 1}["{escaped(told)}"]'
            yield f"{'    ' * (depth + 1)}{DIRECTION}"
        for each in inner:
            yield from self._node(each, depth + has_box)
        if has_box:
            yield f"{'    ' * depth}end"

    def _label(self, listed: Listed) -> str:
        is_alone = bool(listed.group) and len(listed.line.nodes) == 1
        told = [escaped(text) for text in lines_of(listed.node, listed.line, is_alone=is_alone)]
        # There is room for one line above what is in a group.
        is_heading = listed.node.kind == GROUP and listed.node.lines
        return f'"{(" · " if is_heading else "<br/>").join(told)}"'

    def _classes(self) -> Iterator[str]:
        used: dict[str, list[str]] = {}
        for listed in self._listing.nodes:
            name = class_of(listed.node)
            if name:
                used.setdefault(name, []).append(listed.id)
        for name in [name for name in CLASSES if name in used]:
            yield f"    classDef {name} {CLASSES[name]}"
            yield f"    class {','.join(used[name])} {name}"


def class_of(node: Node) -> str:
    """By which rule a node is drawn, if by one of its own."""
    return node.state or ("" if node.is_taken else UNTAKEN)


def escaped(text: str) -> str:
    """A text as it can stand between quotation marks, whatever is in it."""
    told = [f"#{ord(char)};" if char in SPECIAL else char for char in text]
    if is_list(text):
        told[0] = f"#{ord(text[0])};"
    written = "".join(told)
    for piece, instead in TAKEN_FOR:
        written = written.replace(piece, instead)
    return written or " "


def is_list(text: str) -> bool:
    """Mermaid takes such a beginning for a list, which it cannot draw."""
    number = text.lstrip("0123456789")
    return text[:1] in ("-", "+") or (number != text and number[:1] in (".", ")"))
