"""The examples of a document: its fenced blocks, and what the document says about them in comments.

A block is a file when its fence names one behind the language (```` ```python a/b.py ````), or its first
line does in a comment. What a reader does not see stands in an HTML comment right before the block:

- ``<!-- example: inputs = {"files": ["a"]} -->``: Python that is executed before the block;
- ``<!-- not run: it takes a minute -->``: the block is only looked at, and why.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

FENCE = re.compile(
    r"(?:<!--\s*(?P<word>example|not run):(?P<said>.*?)-->\s*\n)?"
    r"^(?P<indent> *)```(?P<language>\w+)[ \t]*(?P<named>[\w./-]+)?\n(?P<text>.*?)^(?P=indent)```[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
FILE = re.compile(r"# (?P<file>[\w./-]+\.(?:py|yaml|json|sh))\n")


class Block(NamedTuple):
    """One example.

    Attributes:
        line: where it stands in its document.
        setup: Python to be executed before it.
        reason: why it is not run, if it is not.
        file: the file that it is; None where it is none.
    """

    document: Path
    line: int
    language: str
    text: str
    setup: str
    reason: str
    file: str | None

    @property
    def place(self) -> str:
        return f"{self.document.name}, line {self.line}"


def blocks_of(document: Path) -> list[Block]:
    """The fenced blocks of a document, in order."""
    text = document.read_text("utf-8")
    return [_read(document, text, found) for found in FENCE.finditer(text)]


def _read(document: Path, text: str, found: re.Match[str]) -> Block:
    line = text.count("\n", 0, found.start("text"))
    said = (found["said"] or "").strip()
    indent = len(found["indent"])
    inside = "".join(line[indent:] or "\n" for line in found["text"].splitlines(keepends=True))
    setup, reason = (said, "") if found["word"] == "example" else ("", said)
    return Block(
        document, line, found["language"], inside, setup, reason, found["named"] or _in_comment(inside)
    )


def _in_comment(text: str) -> str | None:
    named = FILE.match(text)
    return named["file"] if named else None
