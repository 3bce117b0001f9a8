"""No alarm on what is known to replay: the library, the recorded runs, the examples of the documents."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from babysitter.lint.linter import look_through

ROOT = Path(__file__).parents[3]
FENCE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
# The example of what `process check` finds.
SHOWS_HAZARDS = "# hasty.py"
PROCESSES = sorted(
    file
    for folder in ("processes", "tests/golden/processes", "tests/host/processes", "bench/processes")
    for file in (ROOT / folder).rglob("*.py")
    if "async def process(" in file.read_text("utf-8")
)
DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(ROOT.glob("skills/*/SKILL.md")),
]
EXAMPLES = [
    (f"{file.name}-{number}", text)
    for file in DOCUMENTS
    for number, text in enumerate(FENCE.findall(file.read_text("utf-8")))
    if "await ctx." in text and not text.startswith(SHOWS_HAZARDS)
]
PIECE = "from babysitter import *\nasync def process(inputs, ctx):\n    pass\n"


def found_in(file: Path) -> list[str]:
    return [
        f"{each.file}:{each.span.line} {each.code} {each.reason}" for each in look_through(str(file)).findings
    ]


@pytest.mark.parametrize("file", PROCESSES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_process_of_ours_gives_no_alarm(file: Path) -> None:
    assert found_in(file) == []


@pytest.mark.parametrize("text", [text for _, text in EXAMPLES], ids=[name for name, _ in EXAMPLES])
def test_an_example_of_a_document_gives_no_alarm(text: str, tmp_path: Path) -> None:
    tree = ast.parse(text)
    if "async def process(" not in text:
        inside = ast.parse(PIECE)
        function = inside.body[-1]
        assert isinstance(function, ast.AsyncFunctionDef)
        function.body = tree.body
        tree = inside
    file = tmp_path / "process.py"
    file.write_text(ast.unparse(ast.fix_missing_locations(tree)))
    assert found_in(file) == []


def test_there_is_something_to_look_through() -> None:
    assert (len(PROCESSES) > 30, len(EXAMPLES) > 15) == (True, True)
