"""What a rule is about, and which of several decides."""

from __future__ import annotations

from typing import Any

import pytest

from babysitter.errors import InvalidInput
from babysitter.rules import Rule, deciding, needs_person, read_rule

ASKED = {"question": "Go?", "id": "confirm.deploy", "tags": ["prod", "eu"], "expert": ["owner"]}


def fits(asked: dict[str, Any] | None = None, **told: Any) -> bool:
    rule = Rule("r", "always", **told)
    return rule.fits(ASKED if asked is None else asked, "release-app", "/work/shop")


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"match": "confirm.deploy"},
        {"match": "confirm.*"},
        {"match": "*"},
        {"match": "confirm.deplo?"},
        {"match": "[bc]onfirm.*"},
        {"tags": ["prod"]},
        {"tags": ["eu", "prod"]},
        {"expert": "owner"},
        {"process": "release-*"},
        {"project": "/work/shop"},
        {"match": "*.deploy", "tags": ["eu"], "expert": "owner", "process": "*", "project": "/work/shop"},
    ],
)
def test_a_rule_fits_when_all_holds_that_it_says(told: dict[str, Any]) -> None:
    assert fits(**told)


@pytest.mark.parametrize(
    "told",
    [
        {"match": "confirm"},
        {"match": "CONFIRM.*"},
        {"match": "*.test"},
        {"tags": ["prod", "us"]},
        {"expert": "lawyer"},
        {"process": "release"},
        {"project": "/work"},
        {"match": "confirm.*", "tags": ["us"]},
    ],
)
def test_a_rule_does_not_fit_when_one_thing_does_not_hold(told: dict[str, Any]) -> None:
    assert not fits(**told)


@pytest.mark.parametrize(("match", "expected"), [(None, True), ("*", True), ("?*", False), ("", False)])
def test_a_breakpoint_without_an_id_fits_only_what_asks_for_none(match: str | None, expected: bool) -> None:
    assert fits({"question": "Go?"}, match=match) is expected


@pytest.mark.parametrize("odd", [7, ["confirm.deploy"], {"a": 1}, None])
def test_what_an_author_put_in_the_place_of_a_text_fits_nothing(odd: Any) -> None:
    asked = {"question": "Go?", "id": odd, "tags": odd, "expert": odd}
    found = [fits(asked, match="?*"), fits(asked, tags=["prod"]), fits(asked, expert="owner")]
    assert found == [False, False, False]


def test_a_project_is_compared_by_where_it_really_is(tmp_path: Any) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "way").symlink_to(tmp_path / "real")
    rule = Rule("r", "always", project=str(tmp_path / "real"))
    assert rule.fits(ASKED, "p", str(tmp_path / "way"))


@pytest.mark.parametrize(
    ("option", "options", "expected"),
    [
        (None, ["a", "b"], (True, "a")),
        (None, None, (True, None)),
        ("b", ["a", "b"], (True, "b")),
        ("c", ["a", "b"], (False, "c")),
        ("c", None, (False, "c")),
    ],
)
def test_a_yes_goes_with_the_first_option_or_the_one_that_is_named(
    option: str | None, options: list[str] | None, expected: tuple[bool, str | None]
) -> None:
    assert Rule("r", "always", option=option).choice({"options": options}) == expected


def decide(*rules: Rule, asked: dict[str, Any] | None = None, earned: tuple[str, ...] = ()) -> str | None:
    found = deciding(
        rules, ASKED if asked is None else asked, "p", "/work/shop", lambda rule: rule.name in earned
    )
    return found.name if found is not None else None


def test_of_several_that_say_yes_the_first_decides() -> None:
    wide, narrow = Rule("wide", "always"), Rule("narrow", "always", match="confirm.deploy")
    assert (decide(wide, narrow), decide(narrow, wide)) == ("wide", "narrow")


def test_a_rule_whose_option_is_not_there_leaves_it_to_the_next() -> None:
    assert decide(Rule("one", "always", option="live"), Rule("two", "always")) == "two"


@pytest.mark.parametrize(("earned", "expected"), [((), "later"), (("counting",), "counting")])
def test_a_rule_that_has_not_earned_it_leaves_it_to_the_next(earned: tuple[str, ...], expected: str) -> None:
    assert decide(Rule("counting", "always", after=2), Rule("later", "always"), earned=earned) == expected


def test_a_rule_that_does_not_count_asks_nobody_for_what_was_answered() -> None:
    def fail(rule: Rule) -> bool:
        raise AssertionError(rule.name)

    assert deciding([Rule("r", "always")], ASKED, "p", "/", fail) is not None


PERSONS = [
    {"assurance": "dialog"},
    {"asks": "budget"},
    {"strategy": "collect-all"},
    {"strategy": "quorum"},
    {"expert": ["owner", "lawyer"]},
]


@pytest.mark.parametrize("more", PERSONS)
def test_what_needs_a_person_is_answered_by_no_rule(more: dict[str, Any]) -> None:
    asked = {**ASKED, **more}
    assert (needs_person(asked), decide(Rule("r", "always"), asked=asked)) == (True, None)


@pytest.mark.parametrize("more", PERSONS)
def test_what_needs_a_person_can_be_kept_for_one_all_the_same(more: dict[str, Any]) -> None:
    assert decide(Rule("r", "always"), Rule("n", "never"), asked={**ASKED, **more}) == "n"


@pytest.mark.parametrize("more", [{}, {"strategy": "single"}, {"expert": "owner"}, {"attempt": 2}])
def test_any_other_breakpoint_can_be_answered_by_a_rule(more: dict[str, Any]) -> None:
    assert not needs_person({**ASKED, **more})


def test_a_rule_is_read_as_it_was_written() -> None:
    rule = Rule(
        "r",
        "always",
        match="a.*",
        tags=["x"],
        expert="o",
        process="p",
        project="/w",
        option="live",
        after=3,
    )
    assert (read_rule(rule.as_json()).text, len(rule.as_json())) == (rule.text, 9)


def test_two_rules_have_the_same_digest_only_when_they_say_the_same() -> None:
    one, same, other = Rule("r", "never", tags=["x"]), Rule("r", "never", tags=["x"]), Rule("r", "never")
    assert (one.digest == same.digest, one.digest == other.digest) == (True, False)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([], "a rule has a 'name' and a 'verdict'"),
        ({"name": "r"}, "a rule has a 'name' and a 'verdict'"),
        ({"name": "r", "verdict": "always", "when": "friday"}, "a rule has the unknown key 'when'"),
        ({"name": "a b", "verdict": "always"}, "'a b' is no 'name' of a rule"),
        ({"name": "r", "verdict": "often"}, "'often' is no 'verdict' of a rule"),
        ({"name": "r", "verdict": "always", "match": ""}, "'' is no 'match' of a rule"),
        ({"name": "r", "verdict": "always", "tags": "prod"}, "'prod' is no 'tags' of a rule"),
        ({"name": "r", "verdict": "always", "tags": []}, "[] is no 'tags' of a rule"),
        ({"name": "r", "verdict": "always", "expert": "a\nb"}, "'a\\nb' is no 'expert' of a rule"),
        ({"name": "r", "verdict": "always", "project": "here"}, "'here' is no 'project' of a rule"),
        ({"name": "r", "verdict": "always", "after": 0}, "0 is no 'after' of a rule"),
        ({"name": "r", "verdict": "always", "after": True}, "True is no 'after' of a rule"),
        (
            {"name": "r", "verdict": "never", "after": 1},
            "the rule 'r' says never, so it has no 'option' and no 'after'",
        ),
    ],
)
def test_what_is_no_rule_is_refused_with_what_is_wrong(told: Any, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_rule(told)
    assert caught.value.message == said
