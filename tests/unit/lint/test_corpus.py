"""How much of what breaks a replay is found: measured on a corpus of small processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cases import Case, cases_of

from babysitter.lint.rules import RULES

if TYPE_CHECKING:
    from pathlib import Path

HAZARDS, CLEAN = cases_of("hazards.txt"), cases_of("clean.txt")
ABOUT_COMMENTS = {"BS001", "BS002"}
ABOUT_SKILLS = {"BS701", "BS702", "BS703", "BS704", "BS705"}


def test_every_hazard_is_found_and_nothing_else(tmp_path: Path) -> None:
    wanted = {(case.title, *place) for case in HAZARDS for place in case.marked}
    found = {
        (case.title, *place)
        for number, case in enumerate(HAZARDS)
        for place in case.found(tmp_path / str(number))
    }
    rate = f"{len(found & wanted)} of {len(wanted)} in {len(HAZARDS)} processes"
    assert (rate, wanted - found, found - wanted) == ("261 of 261 in 167 processes", set(), set())


@pytest.mark.parametrize("case", CLEAN, ids=lambda case: case.title)
def test_a_clean_process_gives_no_alarm(case: Case, tmp_path: Path) -> None:
    assert case.found(tmp_path) == set()


def test_the_corpus_is_as_large_as_it_is_said_to_be() -> None:
    titles = [case.title for case in [*HAZARDS, *CLEAN]]
    assert len(HAZARDS) >= 60
    assert len(CLEAN) >= 30
    assert len(titles) == len(set(titles))


def test_every_process_of_the_corpus_is_python_and_every_hazard_is_marked() -> None:
    for case in [*HAZARDS, *CLEAN]:
        for name, text in case.files.items():
            compile(text, f"{case.title}: {name}", "exec", dont_inherit=True)
    assert [case.title for case in HAZARDS if not case.marked] == []
    assert [case.title for case in CLEAN if case.marked] == []


def test_every_rule_has_a_hazard() -> None:
    marked = {code for case in HAZARDS for _, _, code in case.marked}
    assert {rule.code for rule in RULES} - marked == ABOUT_COMMENTS | ABOUT_SKILLS
