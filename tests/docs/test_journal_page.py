"""docs/journal.md has every type of event, with the keys that the code looks at and recorded runs have."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from babysitter.engine.shapes import SHAPES, Absent

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "journal.md").read_text("utf-8")
ROW = re.compile(r"^\| ([A-Z]+(?:_[A-Z]+)*) \| .+? \| (.+) \|$", re.MULTILINE)
KEY = re.compile(r"`([A-Za-z0-9]+)`(\?)?")
# The journal's own, in every event.
CHAIN = {"prev", "batch"}
ROWS = {name: dict(KEY.findall(keys)) for name, keys in ROW.findall(PAGE)}


def recorded() -> dict[str, set[str]]:
    """The keys of every type of event in the recorded runs."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in ROOT.glob("tests/golden/runs/*/journal/*.json"):
        event = json.loads(file.read_text("utf-8"))
        found[event["type"]] |= event["data"].keys()
    return found


def test_the_page_has_the_types_of_the_code() -> None:
    assert sorted(ROWS) == sorted(SHAPES)


@pytest.mark.parametrize("type", SHAPES)
def test_the_page_has_the_keys_that_the_code_looks_at(type: str) -> None:
    assert {name for name, _ in SHAPES[type]} - set(ROWS[type]) == set()


@pytest.mark.parametrize("type", SHAPES)
def test_a_key_that_may_be_absent_is_marked(type: str) -> None:
    may_be_absent = {name for name, kinds in SHAPES[type] if Absent in kinds}
    # `value` or `resultRef`: said in words.
    in_words = {name for name in may_be_absent if name.endswith("Ref")} | {"error", "definition"}
    marked = {name for name, mark in ROWS[type].items() if mark}
    assert may_be_absent - marked - in_words == set()


@pytest.mark.parametrize("type", recorded())
def test_the_page_has_the_keys_of_recorded_runs(type: str) -> None:
    assert recorded()[type] - CHAIN - set(ROWS[type]) == set()
