"""Processes that are drawn, and a reader of Mermaid that takes nothing but what a flowchart may have."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from babysitter.graphs.drawn import completed, drawn_process
from babysitter.graphs.listing import as_json
from babysitter.testing import load
from babysitter.testing.processes import given
from babysitter.views.text import printable

if TYPE_CHECKING:
    from pathlib import Path

    from babysitter.graphs.drawn import Drawn

HEAD = """
from babysitter import Failed, Retry, TaskFailed, agent, python, shell

@shell
def build():
    "Build it"
    return ["true"]

@shell(title="check {name}")
def check(name):
    return ["true"]

@agent
def draft(feedback=None):
    "Write a draft"
    return "Write"

"""
SHAPES = {"start": "([", "end": "([", "breakpoint": "{", "sleep": "(", "subprocess": "[["}


def draw(folder: Path, source: str, inputs: Any = None, name: str = "drawn.py") -> Drawn:
    """The shape of a process with this source, which has ``HEAD`` before it."""
    file = folder / name
    file.write_text(HEAD + dedent(source))
    known = given(load(file))
    return drawn_process(file.stem, known, completed(known, inputs or {}))


def nodes(drawn: Drawn) -> list[str]:
    """All nodes in order: the kind and the title of each, ``~`` before one that is drawn dashed."""
    listed = as_json(drawn)["nodes"]
    return [f"{'' if each['isTaken'] else '~'}{each['kind']} {each['title']}" for each in listed]


def ways(drawn: Drawn) -> list[str]:
    """All ways: from title to title, with their word, in order."""
    told = as_json(drawn)
    titles = {each["id"]: each["title"] for each in told["nodes"]}
    return [
        f"{titles[each['from']]} {'->' if each['isTaken'] else '~>'} {titles[each['to']]}"
        f"{': ' + each['word'] if 'word' in each else ''}{' (back)' if each['isBack'] else ''}"
        for each in told["edges"]
    ]


ID = r"n\d+(?:b\d+)?"
LABEL = r'"[^"\n]+"'
NODE = re.compile(rf"({ID})(?:\(\[{LABEL}\]\)|\[\[{LABEL}\]\]|\[{LABEL}\]|\({LABEL}\)|\{{{LABEL}\}})$")
SUBGRAPH = re.compile(rf"subgraph ({ID})\[{LABEL}\]$")
WAY = re.compile(rf"({ID}) (?:-->|-\.->|~~~)(?:\|{LABEL}\|)? ({ID})$")
RULE = re.compile(r"classDef (\w+) [a-z-]+:[#\w ]+(?:,[a-z-]+:[#\w ]+)*$")
MEMBERS = re.compile(rf"class ({ID}(?:,{ID})*) (\w+)$")
ENTITY = re.compile(r"#\d+;")


def check_mermaid(text: str) -> None:
    """Refuse what Mermaid might read otherwise than it is meant.

    Raises:
        AssertionError: says which line.
    """
    first, *lines = text.removesuffix("\n").split("\n")
    assert first == "flowchart TD"
    reader = Reader()
    for line in lines:
        reader.read(line.strip())
    assert reader.open == [], "a subgraph is not closed"
    assert reader.empty == [], "a subgraph has nothing in it"


class Reader:
    """Reads line by line: a node is there before something is said of it, and each once."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.rules: set[str] = set()
        self.open: list[str] = []
        self.empty: list[str] = []

    def read(self, line: str) -> None:
        self.check_labels(line)
        if found := NODE.match(line):
            self.add(found[1])
        elif found := SUBGRAPH.match(line):
            self.add(found[1])
            self.open.append(found[1])
            self.empty.append(found[1])
        elif line == "direction TB":
            assert self.open, "it would be that of all"
        elif line == "end":
            self.open.pop()
        elif found := WAY.match(line):
            assert {found[1], found[2]} <= self.known, line
        elif found := RULE.match(line):
            self.rules.add(found[1])
        else:
            found = MEMBERS.match(line)
            assert found, line
            assert found[2] in self.rules, line
            assert set(found[1].split(",")) <= self.known, line

    def add(self, id: str) -> None:
        assert id not in self.known, f"{id} is there twice"
        self.known.add(id)
        self.empty = [each for each in self.empty if each not in self.open]

    def check_labels(self, line: str) -> None:
        for label in re.findall(LABEL, line):
            rest = ENTITY.sub("", label[1:-1].replace("<br/>", ""))
            assert not set(rest) & set('#<>&`\\*~$%"'), line
            assert rest == printable(rest), line
