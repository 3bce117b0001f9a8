"""What people have said to a breakpoint, as ``show RUN EFFECT`` tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.clock import iso
from babysitter.runs.approval_records import records_of
from babysitter.runs.folder import open_run
from babysitter.runs.forks import Told, fork

if TYPE_CHECKING:
    from tests.support.asking import Question


def records(question: Question) -> list[dict[str, Any]]:
    run = question.open()
    return records_of(run, question.effect(run))


def test_a_question_that_nobody_has_answered_has_no_records(question: Question) -> None:
    question.ask()
    assert records(question) == []


def test_the_answer_that_is_the_result_is_one_record(question: Question) -> None:
    question.ask(expert="alice", options=["eu"])
    question.yes(option="eu", feedback="soon", assurance="terminal", evidence={"terminal": "tty1"})
    assert records(question) == [
        {
            "event": 3,
            "at": iso(question.clock.ms),
            "approved": True,
            "option": "eu",
            "feedback": "soon",
            "respondedBy": "alice",
            "experts": ["alice"],
            "assurance": "terminal",
            "shown": question.data_of("EFFECT_RESOLVED")[0]["evidence"]["shown"],
            "evidence": {"terminal": "tty1"},
        }
    ]


def test_each_answer_is_a_record_and_one_that_is_void_says_why(question: Question) -> None:
    question.write("plan.md", "one")
    question.ask(quorum=2, files=["plan.md"], expires="1h")
    shown = question.shown()
    question.yes("ann", assurance="dialog")
    until = question.clock.ms + 3_600_000
    question.no("ben", response="no way")
    question.clock.pass_by(3600)
    question.iterate()
    first, second = records(question)
    files = question.data_of("EFFECT_REQUESTED")[0]["files"]
    kept = {"shown": shown, "files": files, "untilMs": until, "at": iso(until - 3_600_000)}
    assert first == {
        **kept,
        "event": 3,
        "approved": True,
        "respondedBy": "ann",
        "assurance": "dialog",
        "voided": "expired",
    }
    assert second == {
        **kept,
        "event": 4,
        "approved": False,
        "response": "no way",
        "respondedBy": "ben",
        "assurance": "script",
    }


def test_the_records_stay_when_it_is_decided(question: Question) -> None:
    question.ask(quorum=2)
    question.yes("ann")
    question.yes("ben")
    before = records(question)
    question.iterate()
    assert (records(question), [each["event"] for each in before]) == (before, [3, 4])


def test_what_time_has_decided_is_nobodys_answer(question: Question) -> None:
    question.ask(deadline="1h", default=True)
    question.clock.pass_by(3600)
    question.iterate()
    assert (records(question), question.effect().status) == ([], "ok")


def test_of_a_signature_the_record_has_what_people_can_read(question: Question) -> None:
    question.ask()
    signed = {"message": "m", "signature": "s", "publicKey": "p", "fingerprint": "f", "signer": "anna"}
    question.yes("anna", assurance="signed", evidence=signed)
    (record,) = records(question)
    assert record["evidence"] == {"fingerprint": "f", "signer": "anna"}


def test_a_fork_has_the_decision_and_not_the_answers(question: Question) -> None:
    question.ask(
        "async def process(inputs, ctx):\n"
        "    first = await ctx.breakpoint('One?', quorum=2)\n"
        "    return [first.responded_by, (await ctx.breakpoint('Two?')).approved]\n"
    )
    question.yes("ann")
    question.yes("ben")
    question.iterate()
    run = open_run("r", question.runs)
    made = fork(run, "2", "f", runs_dir=question.runs, version="0", told=Told(run)).load()
    (effect,) = made.state.effects.values()
    assert (records_of(made, effect), made.value_of(effect)["respondedBy"]) == ([], "ann, ben")
