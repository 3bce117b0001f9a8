"""The examples of a document: its fenced blocks, and what the document says about them in comments.

What a reader does not see stands in an HTML comment right before the block:

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
    r"^(?P<indent> *)```(?P<language>\w+)[ \t]*\n(?P<text>.*?)^(?P=indent)```[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
FILE = re.compile(r"# (?P<file>[\w./-]+\.(?:py|yaml|json|sh))\n")


class Block(NamedTuple):
    """One example.

    Attributes:
        line: where it stands in its document.
        setup: Python to be executed before it.
        reason: why it is not run, if it is not.
    """

    document: Path
    line: int
    language: str
    text: str
    setup: str
    reason: str

    @property
    def place(self) -> str:
        return f"{self.document.name}, line {self.line}"

    @property
    def file(self) -> str | None:
        """The file that it is, when its first line is a comment with a name."""
        named = FILE.match(self.text)
        return named["file"] if named else None


def blocks_of(document: Path) -> list[Block]:
    """The fenced blocks of a document, in order."""
    text = document.read_text("utf-8")
    return [_read(document, text, found) for found in FENCE.finditer(text)]


def _read(document: Path, text: str, found: re.Match[str]) -> Block:
    line = text.count("\n", 0, found.start("text"))
    said = (found["said"] or "").strip()
    indent = len(found["indent"])
    inside = "".join(line[indent:] or "\n" for line in found["text"].splitlines(keepends=True))
    is_setup = found["word"] == "example"
    return Block(
        document, line, found["language"], inside, said if is_setup else "", "" if is_setup else said
    )
