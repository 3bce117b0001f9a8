"""The corpus: small processes in text files, with a mark on each line that a rule has to find.

``=== title`` begins a case, ``--- FILE`` another file of it, and ``#> CODE`` marks a line.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from babysitter.lint.linter import look_through

CORPUS = Path(__file__).parent / "corpus"
MARK = re.compile(r"#> (BS\d+)$")
BEFORE = """\
from babysitter import agent, python, shell
@shell
def work(**args):
    return "true"
"""

# File, line and code.
Place = tuple[str, int, str]


class Case(NamedTuple):
    """One process.

    Attributes:
        files: name → text.
    """

    title: str
    files: dict[str, str]

    @property
    def marked(self) -> set[Place]:
        """What is to be found."""
        return {
            (name, number, found[1])
            for name, text in self.files.items()
            for number, line in enumerate(text.splitlines(), 1)
            if (found := MARK.search(line))
        }

    def found(self, folder: Path) -> set[Place]:
        """What is found, when it is written there."""
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        findings = look_through(str(folder / "process.py")).findings
        return {(str(Path(each.file).relative_to(folder)), each.span.line, each.code) for each in findings}


def cases_of(name: str) -> list[Case]:
    """The cases of one file of the corpus."""
    title, *others = re.split(r"^=== (.+)\n", (CORPUS / name).read_text("utf-8"), flags=re.MULTILINE)
    assert title == ""
    return [_case(*pair) for pair in zip(others[::2], others[1::2], strict=True)]


def _case(title: str, text: str) -> Case:
    first, *others = re.split(r"^--- (.+)\n", text, flags=re.MULTILINE)
    files = dict(zip(others[::2], others[1::2], strict=True))
    return Case(title, {"process.py": BEFORE + first, **files})
