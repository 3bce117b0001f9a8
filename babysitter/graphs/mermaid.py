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
        yield from self._classes()

    def _node(self, listed: Listed, depth: int) -> Iterator[str]:
        node, indent = listed.node, "    " * depth
        if node.kind != GROUP:
            opened, closed = SHAPES.get(node.kind, RECTANGLE)
            yield f"{indent}{listed.id}{opened}{self._label(listed)}{closed}"
        elif node.lines:
            yield f"{indent}subgraph {listed.id}[{self._label(listed)}]"
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
        for each in inner:
            yield from self._node(each, depth + has_box)
        if has_box:
            yield f"{'    ' * depth}end"

    def _label(self, listed: Listed) -> str:
        is_alone = bool(listed.group) and len(listed.line.nodes) == 1
        told = "<br/>".join(escaped(text) for text in lines_of(listed.node, listed.line, is_alone=is_alone))
        return f'"{told}"'

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
    return "".join(told) or " "


def is_list(text: str) -> bool:
    """Mermaid takes such a beginning for a list, which it cannot draw."""
    number = text.lstrip("0123456789")
    return text[:1] in ("-", "+") or (number != text and number[:1] in (".", ")"))
