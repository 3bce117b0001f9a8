"""The example of docs/asyncio.md, in one call and step by step."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.commands import told

pytestmark = pytest.mark.usefixtures("project")
DOCUMENT = (Path(__file__).parents[2] / "docs" / "asyncio.md").read_text("utf-8")
SAID = {"tasks": [["a", "aa"], ["b", "bb"], ["c", "cc"]], "last": "f"}


@pytest.fixture
def process() -> str:
    """The example as a file of the project."""
    (source,) = re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    Path("saying.py").write_text(source)
    return "saying.py"


def test_the_example_runs(process: str) -> None:
    assert told("run", process)["output"] == SAID


def test_the_example_goes_on_from_call_to_call(process: str) -> None:
    run = told("create", process)["run"]
    told("iterate", run)
    told("iterate", run)
    assert told("work", run, "--wait")["output"] == SAID
    assert told("verify", run)["status"] == "completed"
