"""The loop that asks: made again with what was said, until a yes or until that is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from babysitter import agent
from babysitter.patterns import until_approved
from babysitter.testing import approves, in_turn, play, rejects

if TYPE_CHECKING:
    from babysitter import Context


@agent
def draft(attempt: int, feedback: str | None) -> str:
    return f"draft {attempt}"


async def process(inputs: dict[str, Any], ctx: Context) -> dict[str, Any]:
    approved = await until_approved(
        ctx,
        lambda attempt, feedback: ctx.task(draft, attempt=attempt, feedback=feedback),
        lambda text: f"Is {text!r} right?",
        title="Draft",
        files=lambda text: [f"{text}.md"],
        tags=["text"],
        **inputs,
    )
    return {"text": approved.result, "attempt": approved.attempt, "option": approved.decision.option}


RESULTS = {"draft": lambda attempt, feedback: f"v{attempt}"}


def test_a_yes_is_the_end_of_it() -> None:
    played = play(process, {"options": ["a", "b"]}, results=RESULTS, people=approves(option="b"))
    assert played.output == {"text": "v1", "attempt": 1, "option": "b"}


def test_the_first_question_says_nothing_of_attempts() -> None:
    (asked,) = play(process, results=RESULTS, people=approves()).asked("breakpoint")
    assert asked.definition["breakpoint"] == {
        "question": "Is 'v1' right?",
        "files": [{"path": "v1.md"}],
        "tags": ["text"],
    }


def test_after_a_no_it_is_made_again_with_what_was_said() -> None:
    played = play(process, results=RESULTS, people=in_turn(rejects("shorter"), rejects(), approves()))
    assert [asked.args["feedback"] for asked in played.asked("draft")] == [None, "shorter", None]
    second = played.asked("breakpoint")[1].definition["breakpoint"]
    assert (second["question"], second["previousFeedback"], second["attempt"], second["files"]) == (
        "Is 'v2' right?",
        "shorter",
        2,
        [{"path": "v2.md"}],
    )
    assert played.output["attempt"] == 3


def test_after_so_many_the_last_feedback_is_the_failure() -> None:
    played = play(process, {"attempts": 2}, results=RESULTS, people=in_turn(rejects("no"), rejects("no!")))
    assert played.error is not None
    assert (played.error.name, played.error.message, played.error.data) == (
        "Failed",
        "not approved in 2 attempts: no!",
        {"feedback": "no!", "attempts": 2},
    )


def test_a_single_no_may_be_enough() -> None:
    played = play(process, {"attempts": 1}, results=RESULTS, people=rejects())
    assert (played.status, str(played.error and played.error.message)) == ("failed", "not approved")


@pytest.mark.parametrize("attempts", [0, True, "3"])
def test_attempts_are_counted_from_one(attempts: Any) -> None:
    problem = play(process, {"attempts": attempts}, results=RESULTS, people=approves()).problem
    assert problem is not None
    assert "attempts=) is a whole number from 1 on" in problem
