"""What docs/hooks.md shows is done, block by block, from an empty folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from babysitter.executors import lifecycle
from tests.support.commands import sh

if TYPE_CHECKING:
    import pytest

DOCUMENT = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text("utf-8")
BLOCK = re.compile(
    r"(?:`(?P<file>\w+\.py)`:\n\n)?```(?P<language>sh|python|text)\n(?P<text>.*?)```", re.DOTALL
)


def test_every_block_does_what_it_says(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "somebody"))
    monkeypatch.delenv("BABYSITTER_HOME")
    printed = ""
    for found in BLOCK.finditer(DOCUMENT):
        if found["language"] == "python":
            (project / found["file"]).write_text(found["text"])
        elif found["language"] == "sh":
            ended = sh("set -e\n" + found["text"])
            assert ended.code == 0, ended
            printed = " ".join(ended.stdout.split())
        else:
            assert [
                line for line in found["text"].splitlines() if " ".join(line.split()) not in printed
            ] == []


def test_every_lifecycle_hook_is_documented() -> None:
    names = {
        value for value in vars(lifecycle).values() if isinstance(value, str) and value.startswith("on-")
    }
    assert set(re.findall(r"^\| `(on-[a-z-]+)`", DOCUMENT, re.MULTILINE)) == names
