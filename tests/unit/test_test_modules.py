"""Folders of tests are no packages, so two modules of one name would be taken for each other."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parents[1]
# Loaded by pytest itself, each for its own folder.
OF_PYTEST = {"conftest"}
# Processes that tests copy or load by their path, and what is imported by its whole name.
APART = ("golden/processes", "host/processes", "support")


def test_every_module_of_the_tests_has_a_name_of_its_own() -> None:
    found = [
        path.stem
        for path in TESTS.rglob("*.py")
        if not str(path.relative_to(TESTS)).startswith(APART) and path.stem not in OF_PYTEST
    ]
    assert [name for name, number in Counter(found).items() if number > 1] == []
