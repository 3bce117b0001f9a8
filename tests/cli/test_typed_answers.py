"""What a person types at a question: a number, the text of an option, yes or no, and words behind it."""

from __future__ import annotations

import pytest

from babysitter.cli.typed_answers import choices, read_answer

PLACES = ["eu", "eu west", "Everywhere"]
NUMBERS = ["2", "4"]


def read(text: str, options: list[str]) -> tuple[bool, str | None, str | None] | None:
    told = read_answer(text, options)
    return None if told is None else (told["approved"], told.get("option"), told.get("feedback"))


@pytest.mark.parametrize(
    ("text", "option", "feedback"),
    [
        ("2", "eu west", None),
        ("2. by night", "eu west", "by night"),
        ("eu", "eu", None),
        ("eu west by night", "eu west", "by night"),
        ("eu east", "eu", "east"),
        ("EU West", "eu west", None),
        ("everywhere now", "Everywhere", "now"),
    ],
)
def test_an_option_is_typed_by_number_or_text(text: str, option: str, feedback: str | None) -> None:
    assert read(text, PLACES) == (True, option, feedback)


@pytest.mark.parametrize("text", ["y", "yes", "0", "4", "eur", "east", "2eu"])
def test_what_is_no_option_is_none(text: str) -> None:
    assert read(text, PLACES) is None


@pytest.mark.parametrize(
    ("text", "options"),
    [("Live", ["LIVE", "live"]), ("2", NUMBERS), ("No", ["yes", "no"]), ("no thanks", ["yes", "no"])],
)
def test_what_may_mean_two_things_decides_nothing(text: str, options: list[str]) -> None:
    assert read(text, options) is None


@pytest.mark.parametrize(
    ("text", "options", "option"),
    [
        ("live", ["LIVE", "live"], "live"),
        ("2.", NUMBERS, "4"),
        ("4", NUMBERS, "4"),
        ("1.", NUMBERS, "2"),
        ("2", ["1", "2"], "2"),
        ("no", ["yes", "no"], "no"),
    ],
)
def test_what_can_mean_one_thing_only_is_taken(text: str, options: list[str], option: str) -> None:
    assert read(text, options) == (True, option, None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "y or n"),
        (["a"], "1, its text or n"),
        (["1", "2"], "1-2, its text or n"),
        (NUMBERS, "1.-2., its text or n"),
    ],
)
def test_what_can_be_typed_is_said(options: list[str], said: str) -> None:
    assert choices({"options": options}) == said
