"""Breakpoints in a play, and the people who answer them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from babysitter.errors import InvalidInput, NoAnswer, ResultRejected
from babysitter.testing import approves, begin, in_turn, play, rejects

if TYPE_CHECKING:
    from babysitter import Context


async def ask(inputs: Any, ctx: Context) -> Any:
    said = await ctx.breakpoint("Merge this?", title="Merge", options=["now", "later"])
    return [said.approved, said.option, said.feedback, said.response, said.responded_by]


async def ask_signed(inputs: Any, ctx: Context) -> Any:
    return (await ctx.breakpoint("Deploy?", assurance="signed")).approved


def test_a_person_approves() -> None:
    assert play(ask, people=approves()).output == [True, None, None, None, "somebody"]


def test_a_person_rejects_and_says_why() -> None:
    assert play(ask, people=rejects("not on a Friday", by="ann")).output == [
        False,
        None,
        "not on a Friday",
        None,
        "ann",
    ]


def test_a_person_chooses_an_option() -> None:
    assert play(ask, people=approves("go", option="later")).output == [True, "later", None, "go", "somebody"]


def test_an_option_that_there_is_not_is_refused() -> None:
    with pytest.raises(ResultRejected, match="no option 'never'"):
        play(ask, people=approves(option="never"))


@pytest.mark.parametrize("name", ["Merge this?", "Merge", "1"])
def test_an_answer_is_found_by_question_title_or_step(name: str) -> None:
    people = {} if name == "1" else {name: rejects()}
    results = {"1": rejects()} if name == "1" else {}
    assert play(ask, people=people, results=results).output[0] is False


def test_a_function_answers_by_the_question() -> None:
    assert play(ask, people=lambda question: rejects(f"no: {question}")).output[2] == "no: Merge this?"


def test_answers_come_in_turn() -> None:
    async def until_yes(inputs: Any, ctx: Context) -> Any:
        asked = 1
        while not (await ctx.breakpoint("Now?")).approved:
            asked += 1
        return asked

    assert play(until_yes, people=in_turn(rejects(), rejects(), approves())).output == 3


def test_a_test_plays_also_somebody_who_signs() -> None:
    assert play(ask_signed, people=approves()).output is True


def test_a_value_is_no_answer_of_a_person() -> None:
    with pytest.raises(InvalidInput, match=r"the answer to the breakpoint 'Merge this.' is True"):
        play(ask, people={"Merge": True})


def test_a_question_that_nobody_answers_is_named() -> None:
    with pytest.raises(NoAnswer) as caught:
        play(ask, people={"Mergr": approves()})
    assert "people={'Merge this?': rejects('why')}" in caught.value.__notes__[0]


def test_a_question_is_answered_by_hand() -> None:
    assert begin(ask).answer("Merge", approves()).status == "completed"
