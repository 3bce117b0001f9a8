"""Whatever rules there are, in whatever order: what says never is not answered, nor what needs a person."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from babysitter.rules import NEVER, Rule, deciding, is_like, needs_person, read_rule

IDS = ["confirm.deploy", "confirm.format", "ask"]
WORDS = st.sampled_from(["prod", "eu", "docs"])
ABOUT: dict[str, st.SearchStrategy[Any]] = {
    "match": st.sampled_from([None, "*", "confirm.*", "?onfirm.deploy", *IDS]),
    "tags": st.lists(WORDS, max_size=2, unique=True),
    "expert": st.sampled_from([None, "owner", "lawyer"]),
    "process": st.sampled_from([None, "rel*", "other"]),
    "project": st.sampled_from([None, "/work/shop", "/work/other"]),
}
NEVERS = st.builds(Rule, st.just("n"), st.just("never"), **ABOUT)
ALWAYSES = st.builds(
    Rule,
    st.just("a"),
    st.just("always"),
    **ABOUT,
    option=st.sampled_from([None, "live"]),
    after=st.integers(0, 2),
)
RULES = st.lists(st.one_of(NEVERS, ALWAYSES), max_size=8)
BREAKPOINTS = st.fixed_dictionaries(
    {"question": st.just("Go?")},
    optional={
        "id": st.sampled_from(IDS),
        "tags": st.lists(WORDS, unique=True),
        "expert": st.lists(st.sampled_from(["owner", "lawyer"]), unique=True),
        "options": st.just(["staging", "live"]),
        "assurance": st.just("dialog"),
        "strategy": st.sampled_from(["single", "quorum", "collect-all"]),
        "asks": st.just("budget"),
    },
)


def decided(rules: list[Rule], asked: dict[str, Any], has_earned: bool) -> Rule | None:
    return deciding(rules, asked, "release", "/work/shop", lambda rule: has_earned)


@given(rules=RULES, asked=BREAKPOINTS, has_earned=st.booleans(), data=st.data())
def test_never_beats_always_in_any_order(
    rules: list[Rule], asked: dict[str, Any], has_earned: bool, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(rules))
    says_never = any(rule.verdict == NEVER and rule.fits(asked, "release", "/work/shop") for rule in rules)
    verdicts = {
        found.verdict if (found := decided(each, asked, has_earned)) else None for each in (rules, shuffled)
    }
    # Which rule it is may differ; what it says may not.
    assert len(verdicts) == 1
    assert (verdicts == {NEVER}) is says_never


@given(rules=RULES, asked=BREAKPOINTS, has_earned=st.booleans())
def test_a_yes_is_that_of_a_rule_that_fits_and_can_give_it(
    rules: list[Rule], asked: dict[str, Any], has_earned: bool
) -> None:
    found = decided(rules, asked, has_earned)
    if found is None or found.verdict == NEVER:
        return
    assert not needs_person(asked)
    assert (found.fits(asked, "release", "/work/shop"), found.choice(asked)[0]) == (True, True)
    assert has_earned or not found.after


@given(rules=RULES, asked=BREAKPOINTS)
def test_one_rule_that_says_never_of_everything_is_enough(rules: list[Rule], asked: dict[str, Any]) -> None:
    found = decided([*rules, Rule("all", "never")], asked, True)
    assert found is not None
    assert found.verdict == NEVER


@given(rule=st.one_of(NEVERS, ALWAYSES))
def test_a_rule_survives_being_written(rule: Rule) -> None:
    assert read_rule(rule.as_json()).text == rule.text


@given(text=st.text("ab.*?[]!-\n", max_size=6), pattern=st.text("ab.*?[]!-", max_size=6))
def test_a_pattern_is_one_of_the_shell(text: str, pattern: str) -> None:
    assert is_like(text, pattern) is fnmatchcase(text, pattern)
