"""Breakpoints in a play, and the people who answer them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from babysitter import agent
from babysitter.errors import InvalidInput, NoAnswer, ResultRejected
from babysitter.testing import approves, begin, every_order, in_turn, never, play, rejects, takes

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


# Those that collect answers, and those that time decides: what a test gives is the decision.


@agent
def slow() -> str:
    return "Take your time"


async def ask_many(inputs: Any, ctx: Context) -> Any:
    said = await ctx.breakpoint("Merge?", **inputs)
    return [said.approved, said.option, said.responded_by, ctx.now().isoformat()[11:16]]


@pytest.mark.parametrize(
    "told",
    [
        {"expert": "alice"},
        {"expert": ["alice", "bob"], "strategy": "collect-all"},
        {"quorum": 3},
        {"quorum": 2, "expert": ["alice", "bob"], "assurance": "signed"},
        {"files": ["not/there.md"]},
        {"expires": "1h"},
    ],
    ids=str,
)
def test_one_answer_of_a_test_is_what_all_who_are_asked_come_to(told: dict[str, Any]) -> None:
    assert play(ask_many, told, people=approves()).output == [True, None, "somebody", "09:00"]
    assert play(ask_many, told, people=rejects(by="bob")).output == [False, None, "bob", "09:00"]


@pytest.mark.parametrize(
    "people",
    [None, never, takes("2h", approves()), takes("1h", approves())],
    ids=["nobody", "never", "later", "at that moment"],
)
def test_at_the_deadline_the_default_is_taken(people: Any) -> None:
    played = play(ask_many, {"deadline": "1h", "default": True}, people=people)
    assert played.output == [True, None, "deadline", "10:00"]


@pytest.mark.parametrize(("people", "at"), [(rejects(), "09:00"), (takes("59m", rejects()), "09:59")])
def test_who_answers_before_the_deadline_decides(people: Any, at: str) -> None:
    told = {"deadline": "1h", "default": True, "quorum": 2}
    assert play(ask_many, told, people=people).output == [False, None, "somebody", at]


def test_time_that_is_let_pass_decides_too() -> None:
    waiting = begin(ask_many, {"deadline": "1h", "default": "us", "options": ["eu", "us"]})
    assert [asked.question for asked in waiting.advance("59m").pending] == ["Merge?"]
    assert waiting.advance("1m").output == [True, "us", "deadline", "10:00"]


def test_before_the_deadline_it_is_answered_by_hand() -> None:
    waiting = begin(ask_many, {"deadline": "1h"}).advance("30m")
    assert waiting.answer("Merge?", approves(by="ann")).finish().output == [True, None, "ann", "09:30"]


def test_in_every_order_the_deadline_comes_when_nobody_answers() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        async def asking() -> str:
            return (await ctx.breakpoint("Go?", deadline="1h")).responded_by or ""

        return await ctx.parallel.race([asking, lambda: ctx.task(slow)])

    orders = every_order(process, results={slow: takes("2h", "slow")}, same=False)
    assert [order.played.output for order in orders.outcomes] == ["deadline"]


def test_a_no_may_be_followed_by_a_yes() -> None:
    async def until_yes(_: Any, ctx: Context) -> int:
        asked = 1
        while not (await ctx.breakpoint("Merge?")).approved:
            asked += 1
        return asked

    assert play(until_yes, people=in_turn(rejects("not yet"), approves())).output == 2
