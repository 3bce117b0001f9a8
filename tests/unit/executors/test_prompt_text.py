"""The text of a prompt."""

from __future__ import annotations

from typing import Any

import pytest

from babysitter.executors.prompt import ask_again, asked_of, render


def test_a_text_is_itself() -> None:
    assert render("  Do it.\n") == "Do it."


def test_an_object_becomes_sections_in_the_order_in_which_they_are_read() -> None:
    prompt = {
        "outputFormat": "A verdict.",
        "myNotes": "Hurry.",
        "instructions": ["Read it.", "Judge it."],
        "context": {"file": "a.py"},
        "task": "Review é",
        "role": "a reviewer",
    }
    assert render(prompt) == (
        "# Role\n\na reviewer\n\n"
        "# Task\n\nReview é\n\n"
        '# Context\n\n{\n  "file": "a.py"\n}\n\n'
        "# Instructions\n\n1. Read it.\n2. Judge it.\n\n"
        "# Output format\n\nA verdict.\n\n"
        "# My notes\n\nHurry."
    )


def test_empty_parts_are_left_out() -> None:
    assert render({"role": None, "task": "Go", "context": {}, "instructions": []}) == "# Task\n\nGo"


def test_zero_is_not_empty() -> None:
    assert render({"context": 0}) == "# Context\n\n0"


def test_anything_else_is_shown_as_json() -> None:
    assert render([1, None]) == "[\n  1,\n  null\n]"


def test_a_long_answer_is_cut_when_it_is_shown_again() -> None:
    assert len(ask_again("?", None, "x" * 100_000, ["wrong"])) < 5000


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ({"kind": "agent", "agent": {"prompt": "Do it", "outputSchema": {}}}, "Do it"),
        (
            {"kind": "skill", "title": "t", "skill": {"name": "review", "context": "all", "timeout": 5}},
            {"skill": "review", "context": "all"},
        ),
        ({"kind": "other", "title": "t", "prompt": "Do it", "labels": ["a"]}, "Do it"),
        ({"kind": "other", "title": "t", "labels": ["a"], "what": 1, "outputSchema": {}}, {"what": 1}),
        ({"kind": "other", "name": "n", "other": "text"}, {"name": "n", "other": "text"}),
    ],
    ids=["agent", "skill", "flat prompt", "flat", "flat with a name"],
)
def test_an_agent_is_asked_for_all_that_an_effect_describes(
    definition: dict[str, Any], expected: Any
) -> None:
    assert asked_of(definition["kind"], definition) == expected
