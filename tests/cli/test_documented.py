"""The examples of docs/commands.md that stand there as scripts, in an empty project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.commands import call, sh, told

pytestmark = pytest.mark.usefixtures("project")
DOCUMENT = (Path(__file__).parents[2] / "docs" / "commands.md").read_text("utf-8")


def example(section: str) -> str:
    """The one script of a section."""
    text = DOCUMENT.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    (script,) = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return str(script)


def test_a_run_that_is_given_up_tidies_up() -> None:
    ended = sh(example("cancel, halt"))
    assert (ended.code, told("status", "release-1")["reason"]) == (1, "not this week"), ended
    assert Path("log").read_text() == "tidied\n"
    assert call("verify", "release-1").code == 0
