"""The table of rules in docs/checks.md is the table in the code."""

from __future__ import annotations

from pathlib import Path

from babysitter.lint.rules import RULES

DOCUMENT = Path(__file__).parents[2] / "docs" / "checks.md"


def test_the_documented_rules_are_those_of_the_code() -> None:
    lines = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| BS")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    assert cells == [[rule.code, rule.name, rule.severity, rule.about, rule.cure] for rule in RULES]
