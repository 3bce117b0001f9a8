"""What a breakpoint may ask, and of whom: what does not go together is refused where it is written."""

from __future__ import annotations

from typing import Any

import pytest

from babysitter import define_task
from babysitter.engine.breakpoints import LONGEST_SECONDS, Asked, checked
from tests.support.rounds import start

TWO = ["alice", "bob"]
NO_NAME = "is no name: letters, digits, '.', '_' and '-', at most 128"
NO_LENGTH = "is not a length of time; write it as '90s', '10m' or '1h30m'"
SINGLE_ASKS_ONE = (
    "the strategy 'single' asks one, and 2 experts are named; 'first-response' lets any of them decide,"
    " 'collect-all' asks all, 'quorum' so many of them"
)

REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"question": None}, TypeError, "ctx.breakpoint needs a question, found None"),
    ({"question": " "}, TypeError, "ctx.breakpoint needs a question, found ' '"),
    ({"question": ["?"]}, TypeError, "ctx.breakpoint needs a question, found ['?']"),
    ({"title": 7}, TypeError, "title=7 is not a text"),
    ({"previousFeedback": ["no"]}, TypeError, "previousFeedback=['no'] is not a text"),
    ({"options": "yes"}, TypeError, "options='yes' is not a list of texts"),
    ({"options": 3}, TypeError, "options=3 is not a list of texts"),
    ({"id": 7}, TypeError, "id=7 is not a text"),
    ({"id": ""}, ValueError, f"id='' {NO_NAME}"),
    ({"id": "a b"}, ValueError, f"id='a b' {NO_NAME}"),
    ({"id": "-a"}, ValueError, f"id='-a' {NO_NAME}"),
    ({"id": "é"}, ValueError, f"id='é' {NO_NAME}"),
    ({"id": "a" * 129}, ValueError, f"id='{'a' * 129}' {NO_NAME}"),
    ({"tags": 7}, TypeError, "tags=7 is neither a text nor a list of texts"),
    ({"tags": ["a", ""]}, TypeError, "tags=['a', ''] is neither a text nor a list of texts"),
    ({"expert": {"alice"}}, TypeError, "expert={'alice'} is neither a text nor a list of texts"),
    ({"expert": ""}, TypeError, "expert='' is neither a text nor a list of texts"),
    ({"expert": [None]}, TypeError, "expert=[None] is neither a text nor a list of texts"),
    (
        {"strategy": "majority"},
        ValueError,
        "there is no strategy 'majority'; it is one of single, first-response, collect-all, quorum",
    ),
    ({"quorum": "2"}, TypeError, "quorum='2' is not a number"),
    ({"quorum": True}, TypeError, "quorum=True is not a number"),
    ({"quorum": 0}, ValueError, "quorum=0 is less than 1"),
    ({"attempt": 1.0}, TypeError, "attempt=1.0 is not a number"),
    ({"attempt": -1}, ValueError, "attempt=-1 is less than 1"),
    ({"files": 7}, TypeError, "files=7 is not a list of paths"),
    ({"files": [7]}, TypeError, "files has 7, which is neither a path nor a mapping with a 'path'"),
    ({"files": [""]}, TypeError, "files has '', which is neither a path nor a mapping with a 'path'"),
    (
        {"files": [{"name": "a"}]},
        TypeError,
        "files has {'name': 'a'}, which is neither a path nor a mapping with a 'path'",
    ),
    ({"files": [{"path": "a", "note": 7}]}, TypeError, "note=7 is not a text"),
    ({"files": [{"path": "a", 7: "b"}]}, TypeError, "files=7 is not a text"),
    ({"files": ["a\0b"]}, ValueError, "files has 'a\\x00b', and no path has a NUL in it"),
    ({"deadline": "soon"}, ValueError, f"'soon' {NO_LENGTH}"),
    ({"deadline": 0}, ValueError, "deadline=0 is over at once"),
    ({"expires": "0s"}, ValueError, "expires='0s' is over at once"),
    (
        {"expires": -1},
        ValueError,
        "-1 is not a length of time; write seconds, or a text such as '10m' or '1h30m'",
    ),
    (
        {"assurance": 7},
        TypeError,
        "assurance=7 is not a text; it is one of dialog, command, terminal, signed",
    ),
    (
        {"assurance": "script"},
        ValueError,
        "there is no assurance 'script'; it is one of dialog, command, terminal, signed",
    ),
    # What does not go together.
    (
        {"quorum": 2, "strategy": "collect-all", "expert": TWO},
        ValueError,
        "quorum=2 belongs to the strategy 'quorum', and not to 'collect-all'",
    ),
    (
        {"strategy": "single", "expert": TWO},
        ValueError,
        SINGLE_ASKS_ONE,
    ),
    (
        {"strategy": "collect-all"},
        ValueError,
        "the strategy 'collect-all' needs expert=[…], those who are all to answer",
    ),
    (
        {"strategy": "quorum"},
        ValueError,
        "the strategy 'quorum' needs quorum=N, how many have to agree, or expert=[…]",
    ),
    ({"quorum": 3, "expert": TWO}, ValueError, "quorum=3 is more than the 2 experts that are named"),
    (
        # One who is named twice is one.
        {"quorum": 2, "expert": ["alice", "alice"]},
        ValueError,
        "quorum=2 is more than the 1 experts that are named",
    ),
    (
        {"default": False},
        ValueError,
        "default=False needs deadline=…, the time after which it is taken",
    ),
    (
        {"default": "live", "deadline": 1},
        ValueError,
        "default='live' is neither True nor False nor one of the options",
    ),
    (
        {"default": 1, "deadline": 1, "options": ["1"]},
        ValueError,
        "default=1 is neither True nor False nor one of the options",
    ),
    (
        {"default": True, "deadline": 1, "assurance": "dialog"},
        ValueError,
        "default=True would let time approve what demands a person ('dialog')",
    ),
    (
        {"default": "a", "options": ["a"], "deadline": 1, "assurance": "signed"},
        ValueError,
        "default='a' would let time approve what demands a person ('signed')",
    ),
]


@pytest.mark.parametrize(
    ("told", "error", "message"), REFUSED, ids=[str(message)[:60] for _, _, message in REFUSED]
)
def test_what_cannot_be_asked_is_refused(told: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        checked({"question": "Go?", **told})
    assert (type(caught.value), str(caught.value)) == (error, message)


def test_what_is_asked_stands_in_the_journal_in_one_form() -> None:
    told = checked(
        {
            "question": "Go?",
            "title": None,
            "options": (1, "two"),
            "id": "release.1_2-x",
            "tags": "a",
            "expert": ["alice", "bob", "alice"],
            "files": ["a.txt", {"path": "b.txt", "note": "read this"}],
            "deadline": "1h30m",
            "default": False,
            "expires": 90,
        }
    )
    assert told == {
        "question": "Go?",
        "options": ["1", "two"],
        "id": "release.1_2-x",
        "tags": ["a"],
        "expert": ["alice", "bob"],
        "files": [{"path": "a.txt"}, {"path": "b.txt", "note": "read this"}],
        "deadline": 5400,
        "default": False,
        "expires": 90,
    }


@pytest.mark.parametrize("told", ["a.txt", {"path": "a.txt"}])
def test_one_file_needs_no_list(told: Any) -> None:
    assert checked({"question": "Go?", "files": told})["files"] == [{"path": "a.txt"}]


@pytest.mark.parametrize("name", ["deadline", "expires"])
def test_no_time_is_longer_than_the_calendar(name: str) -> None:
    told = checked({"question": "Go?", name: 1e308})
    assert (told[name], Asked({"breakpoint": told}).until_ms(0) <= 1000 * LONGEST_SECONDS) == (
        LONGEST_SECONDS,
        True,
    )


def asked(**told: Any) -> Asked:
    return Asked({"breakpoint": checked({"question": "Go?", **told})})


@pytest.mark.parametrize(
    ("told", "strategy", "needed"),
    [
        ({}, "single", 1),
        ({"expert": "alice"}, "single", 1),
        ({"expert": TWO}, "first-response", 2),
        ({"quorum": 3}, "quorum", 3),
        ({"quorum": 1, "expert": TWO}, "quorum", 1),
        ({"strategy": "quorum", "expert": ["a", "b", "c"]}, "quorum", 2),
        ({"strategy": "quorum", "expert": ["a", "b", "c", "d"]}, "quorum", 3),
        ({"strategy": "collect-all", "expert": TWO}, "collect-all", 2),
    ],
)
def test_how_answers_become_one_follows_from_who_is_asked(
    told: dict[str, Any], strategy: str, needed: int
) -> None:
    found = asked(**told)
    assert (found.strategy, found.needed) == (strategy, needed)


@pytest.mark.parametrize(
    ("told", "is_collecting"),
    [
        ({}, False),
        ({"expert": TWO}, False),
        ({"deadline": 1, "default": True}, False),
        ({"strategy": "collect-all", "expert": TWO}, True),
        ({"quorum": 1}, True),
        ({"files": ["a.txt"]}, True),
        ({"files": []}, False),
        ({"expires": 1}, True),
    ],
)
def test_answers_are_kept_where_one_alone_does_not_decide_at_once(
    told: dict[str, Any], is_collecting: bool
) -> None:
    assert asked(**told).is_collecting is is_collecting


def test_what_an_author_describes_is_checked_too() -> None:
    task = define_task(
        "deploy", lambda _: {"kind": "breakpoint", "breakpoint": {"question": "Go?", "quorum": 0}}
    )
    with pytest.raises(ValueError, match="quorum=0 is less than 1"):
        task.define({})


def test_the_arguments_of_a_plain_breakpoint_are_what_they_always_were() -> None:
    async def process(_: Any, ctx: Any) -> None:
        await ctx.breakpoint("Go?")
        await ctx.breakpoint("Go?", expert="alice", previous_feedback="no", attempt=2)

    run = start(process)
    (plain,) = run.rounds[-1]
    run.resolve({"1": {"approved": True}})
    (other,) = run.rounds[-1]
    assert plain.args == {"question": "Go?", "title": None, "options": None}
    assert other.args == {**plain.args, "expert": ["alice"], "previousFeedback": "no", "attempt": 2}


def test_nothing_of_an_author_passes_for_a_question_of_babysitters_own() -> None:
    assert "asks" not in checked({"question": "Go?", "asks": "budget"})
