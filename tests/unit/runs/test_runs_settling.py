"""Answers are decided about when the run goes on; a yes that does not hold any more is void by then."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.driven import Driven
from babysitter.errors import CorruptEvent, StorageError
from babysitter.runs import context_files
from babysitter.runs.answering import decide
from babysitter.runs.changes import accept_edit, load_to_change, rewind
from babysitter.runs.folder import open_run
from babysitter.runs.iterate import iterate
from babysitter.runs.repair import plan
from babysitter.runs.results import accept
from babysitter.runs.settling import settle
from babysitter.runs.stopping import cancel_effect, halt_run
from babysitter.runs.verification import verify
from tests.support.asking import PROCESS

if TYPE_CHECKING:
    from tests.support.asking import Question

TWO = ["alice", "bob"]


def types(question: Question) -> list[str]:
    """What has happened since the question was asked."""
    return [event.type for event in question.events()][2:]


def voided(question: Question) -> list[tuple[int, str]]:
    return [(data["answer"], data["reason"]) for data in question.data_of("ANSWER_VOIDED")]


def test_nothing_is_decided_until_the_run_goes_on(question: Question) -> None:
    question.ask(quorum=1)
    question.yes("ann")
    assert (types(question), question.effect().is_pending) == (["BREAKPOINT_ANSWERED"], True)
    assert question.output()[:3] == [True, None, "ann"]
    assert types(question) == ["BREAKPOINT_ANSWERED", "EFFECT_RESOLVED", "RUN_COMPLETED"]


def test_the_decision_names_the_answers_and_is_as_sure_as_the_least_sure_of_them(question: Question) -> None:
    question.ask(quorum=2)
    question.yes("ann", assurance="terminal")
    question.no("ben", assurance="command")
    question.yes("cid", assurance="dialog")
    question.iterate()
    (resolved,) = question.data_of("EFFECT_RESOLVED")
    assert resolved["evidence"] == {"answers": [3, 4, 5], "assurance": "dialog"}
    assert resolved["executor"] == "person"


def test_answers_that_do_not_decide_yet_change_nothing(question: Question) -> None:
    question.ask(strategy="collect-all", expert=TWO)
    question.yes("alice")
    assert (question.output(), question.output()) == (None, None)
    assert types(question) == ["BREAKPOINT_ANSWERED"]


def test_settling_twice_writes_once(question: Question) -> None:
    question.ask(quorum=1, expires="1h")
    question.yes("ann")
    late = question.open()
    settle(question.open())
    settle(late)
    assert types(question) == ["BREAKPOINT_ANSWERED", "EFFECT_RESOLVED"]


# What expires.


def test_a_yes_that_has_expired_is_void_and_the_question_is_open_again(question: Question) -> None:
    question.ask(expires="1h")
    question.yes("ann")
    question.clock.pass_by(3600)
    assert question.output() is None
    assert voided(question) == [(3, "expired")]
    assert question.yes("ann") == "recorded"
    assert question.output()[:3] == [True, None, "ann"]


def test_a_yes_counts_up_to_the_moment_at_which_it_expires(question: Question) -> None:
    question.ask(expires="1h")
    question.yes("ann")
    question.clock.pass_by(3599.999)
    assert question.output()[0] is True


def test_a_no_does_not_expire(question: Question) -> None:
    question.ask(expires="1h", quorum=2)
    question.no("ann")
    question.clock.pass_by(7200)
    question.no("ben")
    assert question.output()[:3] == [False, None, "ann, ben"]


def test_who_answers_again_after_theirs_expired_is_not_answered_already(question: Question) -> None:
    question.ask(expires="1h")
    question.yes("ann")
    question.clock.pass_by(3600)
    assert question.yes("ann") == "recorded"
    assert types(question) == ["BREAKPOINT_ANSWERED", "ANSWER_VOIDED", "BREAKPOINT_ANSWERED"]
    assert question.output()[0] is True


def test_what_has_expired_stands_in_nobodys_way(question: Question) -> None:
    question.ask(expires="1h")
    question.yes("ann")
    question.clock.pass_by(3600)
    assert question.yes("ben") == "recorded"
    assert question.output()[:3] == [True, None, "ben"]


def test_of_a_quorum_only_what_has_not_expired_counts(question: Question) -> None:
    question.ask(expires="1h", quorum=2)
    question.yes("ann")
    question.clock.pass_by(1800)
    question.yes("ben")
    question.clock.pass_by(1800)
    assert (question.output(), voided(question)) == (None, [(3, "expired")])
    question.yes("cid")
    assert question.output()[:3] == [True, None, "ben, cid"]


# Files.


def test_a_yes_on_a_file_that_was_changed_is_void(question: Question) -> None:
    question.write("plan.md", "one")
    question.write("other.md", "one")
    question.ask(files=["plan.md", "other.md"])
    question.yes("ann")
    question.write("other.md", "two")
    assert (question.output(), voided(question)) == (None, [(3, "changed: other.md")])
    question.yes("ann", shown=question.shown())
    assert question.output()[0] is True


def test_a_yes_on_a_file_that_is_gone_is_void(question: Question) -> None:
    question.write("plan.md", "one")
    question.ask(files=["plan.md"])
    question.yes("ann")
    os.remove(question.project / "plan.md")
    assert (question.output(), voided(question)) == (None, [(3, "changed: plan.md")])


def test_a_yes_on_a_file_that_a_link_has_replaced_is_void(question: Question) -> None:
    question.write("plan.md", "one")
    question.write("same.md", "one")
    question.ask(files=["plan.md"])
    question.yes("ann")
    os.remove(question.project / "plan.md")
    os.symlink("same.md", question.project / "plan.md")
    assert (question.output(), voided(question)) == (None, [(3, "changed: plan.md")])


def test_a_file_that_is_as_it_was_again_has_not_changed(question: Question) -> None:
    question.write("plan.md", "one")
    question.ask(files=["plan.md"])
    question.yes("ann")
    question.write("plan.md", "two")
    question.write("plan.md", "one")
    assert question.output()[0] is True


def test_a_no_stands_whatever_becomes_of_the_file(question: Question) -> None:
    question.write("plan.md", "one")
    question.ask(files=["plan.md"])
    question.no("ann", feedback="too long")
    question.write("plan.md", "two")
    assert question.output()[:4] == [False, None, "ann", "too long"]


def test_a_file_that_cannot_be_read_voids_nothing(
    question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    question.write("plan.md", "one")
    question.ask(files=["plan.md"])
    question.yes("ann")

    def fail(*_: Any) -> None:
        raise StorageError("'plan.md' cannot be read: Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("babysitter.runs.context_files.open_inside", fail)
        with pytest.raises(StorageError):
            question.iterate()
    assert types(question) == ["BREAKPOINT_ANSWERED"]
    assert question.output()[0] is True


def test_a_run_that_is_driven_reads_a_file_again_only_when_something_has_changed(
    question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    question.write("plan.md", "one")
    question.ask(files=["plan.md"], quorum=2, expires="1h")
    question.yes("ann")
    reads, read = list[str](), context_files.read
    monkeypatch.setattr(context_files, "read", lambda run, path: reads.append(path) or read(run, path))
    driven = Driven(question.open())
    for _ in range(3):
        driven.settle()
    assert reads == ["plan.md"]
    question.write("plan.md", "another")
    for _ in range(3):
        driven.settle()
    assert (reads, voided(question)) == (["plan.md"] * 2, [(3, "changed: plan.md")])


def test_a_run_that_is_driven_hears_of_what_has_expired(question: Question) -> None:
    question.ask(quorum=2, expires="1h")
    question.yes("ann")
    driven = Driven(question.open())
    driven.settle()
    question.clock.pass_by(3600)
    driven.settle()
    assert voided(question) == [(3, "expired")]


# Deadlines.


def test_at_the_deadline_the_answers_decide_if_they_do(question: Question) -> None:
    question.ask(deadline="1h", quorum=2, default=True)
    question.no("ann")
    question.no("ben")
    question.clock.pass_by(7200)
    assert question.output()[:3] == [False, None, "ann, ben"]


def test_after_the_deadline_the_default_is_taken_with_what_was_said_so_far(question: Question) -> None:
    question.ask(deadline="1h", quorum=2, default="eu", options=["us", "eu"])
    question.yes("ann", option="us")
    question.clock.pass_by(3600)
    approved, option, by, _, responses = question.output()
    (resolved,) = question.data_of("EFFECT_RESOLVED")
    assert (approved, option, by, [each["respondedBy"] for each in responses]) == (
        True,
        "eu",
        "deadline",
        ["ann"],
    )
    assert (resolved["executor"], resolved["evidence"]) == ("clock", {"answers": [3], "assurance": "script"})


def test_what_is_void_at_the_deadline_is_voided_with_it(
    question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    question.ask(deadline="1h", expires="1h", quorum=2)
    question.yes("ann")
    question.clock.pass_by(3600)
    # As a driver does when the time comes, which has settled a moment before that.
    monkeypatch.setattr("babysitter.runs.settling.settle", lambda run: None)
    assert question.output()[:3] == [False, None, "deadline"]
    assert types(question) == ["BREAKPOINT_ANSWERED", "ANSWER_VOIDED", "EFFECT_RESOLVED", "RUN_COMPLETED"]
    assert question.data_of("EFFECT_RESOLVED")[0]["evidence"] == {"answers": []}


# Beside what else happens to a run.


def test_what_was_answered_of_a_question_that_an_edit_has_taken_away_is_forgotten(question: Question) -> None:
    question.ask(quorum=2)
    question.yes("ann")
    question.write("process.py", PROCESS.replace("Go?", "Really?"))
    run = open_run("r", question.runs)
    accept_edit(run, "redo", load_to_change(run), by="me")
    assert run.state.answers == {}
    iterate(run)
    question.yes("ben")
    assert question.output() is None
    question.yes("ann")
    assert question.output()[:3] == [True, None, "ben, ann"]


def test_what_was_answered_before_a_way_back_is_asked_again(question: Question) -> None:
    question.ask(quorum=2)
    question.yes("ann")
    run = open_run("r", question.runs)
    rewind(run, "1", by="me", definitions=load_to_change(run))
    iterate(run)
    question.yes("ann")
    question.yes("ben")
    assert question.output()[:3] == [True, None, "ann, ben"]


def test_what_was_answered_of_a_question_that_was_given_up_is_forgotten(question: Question) -> None:
    question.ask(
        PROCESS.replace(
            "    told =",
            "    await ctx.parallel.settled([lambda: ctx.breakpoint('Go?', quorum=2)])\n    told =",
        ),
        quorum=1,
    )
    question.yes("ann")
    run = question.open()
    cancel_effect(run, question.effect(run), by="me")
    assert run.state.answers == {}
    assert question.iterate().status == "waiting"


def test_in_a_run_that_was_halted_nothing_is_decided_any_more(question: Question) -> None:
    question.ask(quorum=1)
    question.yes("ann")
    halt_run(question.open(), by="me", reason="enough")
    assert (question.iterate().status, types(question)[-1]) == ("halted", "RUN_HALTED")


def test_a_repair_says_whose_answers_it_cuts(question: Question) -> None:
    question.ask(quorum=2)
    question.yes("ann")
    made = plan(question.open().folder, 3)
    assert (made.answers_cut, made.asked_again) == ([question.effect().id], [question.effect().id])


def test_two_questions_are_decided_in_one_iteration(question: Question) -> None:
    question.ask(
        "async def process(inputs, ctx):\n"
        "    asked = [lambda n=n: ctx.breakpoint(f'{n}?', quorum=1) for n in range(2)]\n"
        "    return [told.responded_by for told in await ctx.parallel.all(asked)]\n"
    )
    run = question.open()
    for by, effect in zip(("ann", "ben"), list(run.state.pending.values()), strict=True):
        accept(run, [decide(run, effect, True, by=by)])
    assert question.output() == ["ann", "ben"]


@pytest.mark.parametrize("name", ["BREAKPOINT_ANSWERED", "ANSWER_VOIDED"])
def test_an_answer_to_what_is_no_breakpoint_is_no_event(question: Question, name: str) -> None:
    question.ask("async def process(inputs, ctx):\n    await ctx.sleep('1h')\n")
    run = question.open()
    (effect,) = run.state.pending.values()
    answer = {"approved": True, "respondedBy": "a", "assurance": "signed", "evidence": {}, "shown": ""}
    told = {"BREAKPOINT_ANSWERED": answer, "ANSWER_VOIDED": {"answer": 2, "reason": "expired"}}
    with pytest.raises(CorruptEvent, match=rf"event 3 \({name}\) lacks or misshapes"):
        run.append([(name, {"effectId": effect.id, **told[name]})])


def test_a_run_with_all_that_can_happen_to_answers_verifies(question: Question) -> None:
    question.write("plan.md", "one")
    question.ask(files=["plan.md"], expires="1h", quorum=2)
    question.yes("ann")
    question.write("plan.md", "two")
    question.yes("ben", shown=question.shown())
    question.clock.pass_by(3600)
    question.no("cid", shown=question.shown())
    question.yes("ann", shown=question.shown())
    question.yes("ben", shown=question.shown())
    assert question.output()[:3] == [True, None, "ann, ben"]
    found = verify(open_run("r", question.runs))
    assert (found.head.seq, voided(question)) == (
        len(question.events()),
        [(3, "changed: plan.md"), (5, "expired")],
    )
