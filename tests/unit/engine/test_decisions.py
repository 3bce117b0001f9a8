"""How answers become a decision: by each strategy, in each order in which it matters."""

from __future__ import annotations

from typing import Any

import pytest

from babysitter.engine.breakpoints import Asked, checked
from babysitter.engine.decisions import (
    BY_DEADLINE,
    GivenAnswer,
    at_deadline,
    decision,
    experts_heard,
    experts_met,
    standing,
)

THREE = ["alice", "bob", "carol"]


def asked(**told: Any) -> Asked:
    return Asked({"breakpoint": checked({"question": "Go?", **told})})


def given(*words: str) -> list[GivenAnswer]:
    """Answers as ``"alice yes live"``: who, yes or no, the option; who has a capital is no expert."""
    return [_answer(seq, *each.split()) for seq, each in enumerate(words, 3)]


def _answer(seq: int, by: str, said: str, option: str | None = None) -> GivenAnswer:
    data: dict[str, Any] = {"approved": said == "yes", "respondedBy": by}
    data |= {} if option is None else {"option": option}
    return GivenAnswer(seq, data | ({} if by[0].isupper() else {"experts": [by]}))


def brief(told: dict[str, Any] | None) -> str:
    """A decision as ``"yes live by alice, bob of 3"``; ``open`` when there is none."""
    if told is None:
        return "open"
    words = ["yes" if told["approved"] else "no", *([told["option"]] if told["option"] else [])]
    return f"{' '.join(words)} by {told['respondedBy']} of {len(told['allResponses'])}"


BY_FIRST: list[tuple[dict[str, Any], list[str], str]] = [
    ({}, [], "open"),
    ({"strategy": "single"}, ["Zoe yes"], "yes by Zoe of 1"),
    ({"strategy": "single"}, ["Zoe no"], "no by Zoe of 1"),
    ({"expert": "alice"}, ["alice yes"], "yes by alice of 1"),
    ({"strategy": "first-response", "expert": THREE}, ["bob no"], "no by bob of 1"),
    ({"expert": THREE}, ["carol yes live"], "yes live by carol of 1"),
    # Two can stand there when another one was voided meanwhile: still the first decides.
    ({"expert": THREE}, ["carol no", "bob yes"], "no by carol of 2"),
]
ALL = {"strategy": "collect-all", "expert": THREE}
BY_ALL: list[tuple[dict[str, Any], list[str], str]] = [
    (ALL, [], "open"),
    (ALL, ["alice no"], "open"),
    (ALL, ["alice yes", "bob yes"], "open"),
    (ALL, ["carol yes", "alice yes", "bob yes"], "yes by carol, alice, bob of 3"),
    (ALL, ["carol yes", "alice no", "bob yes"], "no by alice of 3"),
    (ALL, ["carol no", "alice no", "bob yes"], "no by carol, alice of 3"),
    (ALL, ["alice yes eu", "bob yes eu", "carol yes eu"], "yes eu by alice, bob, carol of 3"),
    # All agree, and not on which: the process sees what each has said.
    (ALL, ["alice yes eu", "bob yes us", "carol yes eu"], "yes by alice, bob, carol of 3"),
]
TWO_OF_THREE = {"quorum": 2, "expert": THREE}
BY_QUORUM: list[tuple[dict[str, Any], list[str], str]] = [
    (TWO_OF_THREE, ["alice yes"], "open"),
    (TWO_OF_THREE, ["alice yes", "bob no"], "open"),
    (TWO_OF_THREE, ["alice yes", "bob no", "carol yes"], "yes by alice, carol of 3"),
    (TWO_OF_THREE, ["alice no", "bob no"], "no by alice, bob of 2"),
    (TWO_OF_THREE, ["alice yes eu", "bob yes us"], "open"),
    (TWO_OF_THREE, ["alice yes eu", "bob yes us", "carol yes us"], "yes us by bob, carol of 3"),
    # Nobody said no, and no two can agree any more: everybody has decided that.
    ({"quorum": 2, "expert": ["a", "b"]}, ["a yes eu", "b yes us"], "no by a, b of 2"),
    ({"quorum": 3, "expert": THREE}, ["alice no"], "no by alice of 1"),
    ({"strategy": "quorum", "expert": THREE}, ["alice yes", "carol yes"], "yes by alice, carol of 2"),
    # Nobody in particular is asked: as many against it end it.
    ({"quorum": 2}, ["Ann yes", "Ben no"], "open"),
    ({"quorum": 2}, ["Ann yes", "Ben no", "Cid yes"], "yes by Ann, Cid of 3"),
    ({"quorum": 2}, ["Ann no", "Ben yes", "Cid no"], "no by Ann, Cid of 3"),
    ({"quorum": 2}, ["Ann yes eu", "Ben yes us", "Cid yes"], "open"),
    ({"quorum": 1}, ["Ann yes"], "yes by Ann of 1"),
]


@pytest.mark.parametrize(("told", "words", "expected"), [*BY_FIRST, *BY_ALL, *BY_QUORUM])
def test_what_answers_come_to(told: dict[str, Any], words: list[str], expected: str) -> None:
    assert brief(decision(asked(**told), given(*words))) == expected


def test_one_who_is_two_of_the_experts_is_one_voice() -> None:
    both = GivenAnswer(3, {"approved": True, "respondedBy": "zoe", "experts": ["alice", "bob"]})
    assert decision(asked(quorum=2, expert=THREE), [both]) is None
    assert (
        brief(decision(asked(strategy="collect-all", expert=["alice", "bob"]), [both])) == "yes by zoe of 1"
    )


def test_a_decision_has_the_words_of_those_who_decided_and_the_answers_of_all() -> None:
    answers = [
        GivenAnswer(3, {"approved": True, "respondedBy": "a", "response": "fine", "feedback": "soon"}),
        GivenAnswer(4, {"approved": False, "respondedBy": "b", "feedback": "never"}),
        GivenAnswer(5, {"approved": True, "respondedBy": "c", "response": "fine", "feedback": "later"}),
    ]
    silent: dict[str, Any] = {"response": None, "feedback": None, "option": None}
    assert decision(asked(quorum=2), answers) == {
        "approved": True,
        "response": "fine",
        "feedback": "soon\nlater",
        "option": None,
        "respondedBy": "a, c",
        "allResponses": [
            {**silent, "approved": True, "respondedBy": "a", "response": "fine", "feedback": "soon"},
            {**silent, "approved": False, "respondedBy": "b", "feedback": "never"},
            {**silent, "approved": True, "respondedBy": "c", "response": "fine", "feedback": "later"},
        ],
    }


# Deadlines.

IN_TIME: list[tuple[dict[str, Any], list[str], str]] = [
    ({}, [], f"no by {BY_DEADLINE} of 0"),
    ({"default": False}, [], f"no by {BY_DEADLINE} of 0"),
    ({"default": True}, [], f"yes by {BY_DEADLINE} of 0"),
    ({"default": True, "options": ["eu", "us"]}, [], f"yes eu by {BY_DEADLINE} of 0"),
    ({"default": "us", "options": ["eu", "us"]}, [], f"yes us by {BY_DEADLINE} of 0"),
    # What was said counts where it is enough, and is told where it is not.
    ({"default": True, "quorum": 2}, ["Ann no"], f"yes by {BY_DEADLINE} of 1"),
    ({"default": True, "quorum": 2}, ["Ann no", "Ben no"], "no by Ann, Ben of 2"),
    ({**ALL}, ["alice yes", "bob yes"], f"no by {BY_DEADLINE} of 2"),
]


@pytest.mark.parametrize(("told", "words", "expected"), IN_TIME)
def test_what_is_decided_when_the_time_is_over(told: dict[str, Any], words: list[str], expected: str) -> None:
    assert brief(at_deadline(asked(deadline="1h", **told), given(*words))) == expected


# Who answers for whom.


@pytest.mark.parametrize(
    ("experts", "names", "owner", "met"),
    [
        (THREE, {"bob"}, "zoe", ["bob"]),
        (THREE, {"carol", "alice"}, "zoe", ["alice", "carol"]),
        (THREE, {"Bob"}, "zoe", []),
        (["owner"], {"zoe"}, "zoe", ["owner"]),
        (["owner"], {"bob"}, "zoe", []),
        # Who has made a run of an earlier version is not known, so it is anybody.
        (["owner"], {"bob"}, None, ["owner"]),
        (["owner", "bob"], {"bob"}, "bob", ["owner", "bob"]),
        # Nobody is the owner by saying so.
        (["owner"], {"owner"}, "zoe", []),
    ],
)
def test_who_is_one_of_those_that_are_asked(
    experts: list[str], names: set[str], owner: str | None, met: list[str]
) -> None:
    assert experts_met(asked(expert=experts), names, owner) == met


def test_the_same_person_is_known_by_name_or_by_key() -> None:
    answer = GivenAnswer(3, {"approved": True, "respondedBy": "a", "evidence": {"fingerprint": "SHA256:x"}})
    asked_who = [("a", None), ("b", "SHA256:x"), ("b", "SHA256:y"), ("b", None)]
    assert [answer.is_of(by, key) for by, key in asked_who] == [True, True, False, False]


def test_two_without_a_key_are_not_the_same() -> None:
    answer = GivenAnswer(3, {"approved": True, "respondedBy": "a", "evidence": {}})
    assert not answer.is_of("b", None)


def test_where_a_breakpoint_stands_is_told() -> None:
    answers = given("alice yes", "bob no")
    assert experts_heard(answers) == {"alice", "bob"}
    assert standing(asked(**TWO_OF_THREE), answers) == {
        "strategy": "quorum",
        "approvals": 1,
        "rejections": 1,
        "needed": 2,
        "waitingFor": ["carol"],
    }
    assert standing(asked(), []) == {"strategy": "single", "approvals": 0, "rejections": 0}
