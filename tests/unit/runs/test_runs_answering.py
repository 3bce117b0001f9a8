"""Who may answer a breakpoint, on what, and what the journal keeps of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from babysitter.errors import AlreadyResolved, PersonNeeded, ResultRejected
from babysitter.paths import user_name
from babysitter.runs.answering import decide, is_for
from babysitter.runs.results import accept

if TYPE_CHECKING:
    from tests.support.asking import Question

THREE = ["alice", "bob", "carol"]
SILENT: dict[str, Any] = {"response": None, "feedback": None, "option": None}


def test_the_one_answer_that_decides_is_the_result(question: Question) -> None:
    question.ask(expert="alice", options=["eu", "us"])
    assert question.yes(option="us", feedback="soon") == "recorded"
    (resolved,) = question.data_of("EFFECT_RESOLVED")
    said = {**SILENT, "approved": True, "option": "us", "feedback": "soon", "respondedBy": "alice"}
    assert resolved["value"] == {**said, "allResponses": [said]}
    assert resolved["evidence"] == {
        "assurance": "script",
        "experts": ["alice"],
        "shown": question_digest(resolved),
    }
    assert question.data_of("BREAKPOINT_ANSWERED") == []


def question_digest(resolved: dict[str, Any]) -> str:
    digest = resolved["evidence"]["shown"]
    assert len(digest) == 64
    return str(digest)


def test_an_answer_that_is_kept_beside_others_has_an_event_of_its_own(question: Question) -> None:
    question.ask(quorum=2, expires="1h", expert=["alice", "bob"])
    question.no(feedback="not yet", evidence={"terminal": "tty1"})
    (kept,) = question.data_of("BREAKPOINT_ANSWERED")
    assert kept == {
        "effectId": question.effect().id,
        "approved": False,
        "feedback": "not yet",
        "respondedBy": "alice",
        "assurance": "script",
        "shown": question.shown(),
        "experts": ["alice"],
        "untilMs": question.clock.ms + 3_600_000,
        "evidence": {"terminal": "tty1"},
    }
    assert question.effect().is_pending


# Whose answer it is.


def test_who_is_not_asked_answers_nothing(question: Question) -> None:
    question.ask(expert=["alice", "owner"])
    with pytest.raises(ResultRejected) as caught:
        question.yes("alic")
    assert caught.value.message == (
        f"the breakpoint asks alice, owner ({user_name()}), and this is an answer of 'alic'"
    )
    assert caught.value.hint.startswith(
        "who answers for one of them says so: --as NAME, or `answersAs: [NAME]`"
    )
    assert question.effect().is_pending


def test_whoever_has_made_the_run_is_its_owner(question: Question) -> None:
    question.ask(expert="owner")
    assert question.yes(user_name()) == "recorded"


def test_nobody_is_the_owner_by_saying_so(question: Question) -> None:
    question.ask(expert="owner")
    with pytest.raises(ResultRejected, match="the breakpoint asks owner"):
        question.yes("owner")


def test_a_person_answers_as_whatever_they_go_by(question: Question) -> None:
    question.ask(quorum=2, expert=THREE)
    assert question.yes("zoe", names=lambda: ["security", "carol"]) == "recorded"
    (kept,) = question.data_of("BREAKPOINT_ANSWERED")
    assert (kept["respondedBy"], kept["experts"]) == ("zoe", ["carol"])


def test_the_same_person_counts_once(question: Question) -> None:
    question.ask(quorum=2)
    said = [
        question.yes("ann"),
        question.yes("ann"),
        question.yes("ann", feedback="really"),
        question.no("ann"),
    ]
    stands = f"'ann' has answered {question.effect().id!r} already; the first answer stands"
    assert said == ["recorded", "already", stands, stands]
    assert question.output() is None


def test_the_same_key_under_another_name_counts_once(question: Question) -> None:
    question.ask(quorum=2)
    key = {"fingerprint": "SHA256:x"}
    assert question.yes("ann", evidence=key) == "recorded"
    assert question.yes("ben", evidence=key) == (
        f"'ann' has answered {question.effect().id!r} already; the first answer stands"
    )


def test_an_expert_answers_once_whoever_speaks_for_them(question: Question) -> None:
    question.ask(quorum=2, expert=THREE)
    assert question.yes("zoe", names=lambda: ["alice", "bob"]) == "recorded"
    assert question.yes("alice") == (
        f"'alice' has answered {question.effect().id!r} already; the first answer stands"
    )
    assert question.yes("carol") == "recorded"


def test_who_has_answered_or_is_answered_for_is_not_asked(question: Question) -> None:
    question.ask(quorum=3, expert=THREE)
    question.yes("zoe", names=lambda: ["alice", "bob"])
    run = question.open()
    effect = question.effect(run)
    names: dict[str, list[str]] = {"zoe": ["carol"], "alice": [], "carol": [], "ben": ["bob", "carol"]}
    asked = {by: is_for(run, effect, by, lambda also=also: also) for by, also in names.items()}
    assert asked == {"zoe": False, "alice": False, "carol": True, "ben": True}


def test_where_nobody_in_particular_is_asked_everybody_is_who_has_not_answered(question: Question) -> None:
    question.ask(quorum=2)
    question.yes("ann")
    run = question.open()
    assert [is_for(run, question.effect(run), by, tuple) for by in ("ann", "ben")] == [False, True]


# When.


def test_what_is_decided_takes_no_more_answers(question: Question) -> None:
    question.ask(quorum=1)
    question.yes("ann")
    assert question.no("ben") == (
        f"{question.effect().id!r} has been answered, and is decided when the run goes on"
    )


def test_an_answer_again_is_answered_already_also_when_it_has_decided(question: Question) -> None:
    question.ask(quorum=2)
    question.yes("ann", feedback="a")
    question.yes("ben", feedback="b")
    assert question.output()[:3] == [True, None, "ann, ben"]
    again = [question.yes("ben", feedback="b"), question.yes("ann", feedback="a")]
    other = [question.yes("ben", feedback="c"), question.yes("cid"), question.no("ann", feedback="a")]
    stands = f"effect {question.effect().id!r} has another result already; the first one stands"
    assert (again, other) == (["already"] * 2, [stands] * 3)


@pytest.mark.parametrize("told", [{}, {"quorum": 2}, {"expert": "ann"}], ids=str)
def test_after_the_deadline_nobody_answers(question: Question, told: dict[str, Any]) -> None:
    question.ask(deadline="1h", **told)
    question.clock.pass_by(3600)
    verdict = question.say(True, "ann")
    assert isinstance(verdict.error, AlreadyResolved)
    assert verdict.error.message == f"the time to answer {question.effect().id!r} is over"
    assert question.output()[:3] == [False, None, "deadline"]


def test_an_answer_that_was_given_in_time_is_answered_already_afterwards(question: Question) -> None:
    question.ask(deadline="1h", quorum=2)
    question.yes("ann")
    question.clock.pass_by(3600)
    assert question.yes("ann") == "already"


def test_the_last_moment_before_the_deadline_is_in_time(question: Question) -> None:
    question.ask(deadline="1h")
    question.clock.pass_by(3599.999)
    assert (question.yes("ann"), question.output()[:1]) == ("recorded", [True])


# On what.


def test_a_yes_is_on_what_was_asked_at_first(question: Question) -> None:
    question.write("plan.md", "one")
    question.ask(files=["plan.md"])
    question.write("plan.md", "two")
    with pytest.raises(ResultRejected) as caught:
        question.yes()
    digest = question.shown()[:8]
    assert caught.value.message == (
        f"plan.md has changed since it was asked; as it is now it has the digest {digest}"
    )
    assert f"--shown {digest}" in caught.value.hint
    assert question.yes(shown=digest) == "recorded"


def test_a_yes_on_something_else_than_is_shown_now_is_refused(question: Question) -> None:
    question.write("plan.md", "one")
    question.ask(files=["plan.md"])
    before = question.shown()
    question.write("plan.md", "two")
    with pytest.raises(ResultRejected, match="something else is shown by now than what this answers"):
        question.yes(shown=before)
    question.write("plan.md", "one")
    assert question.yes(shown=before) == "recorded"


@pytest.mark.parametrize("length", [0, 1, 7])
def test_the_beginning_of_a_digest_has_to_be_long_enough_to_be_one(question: Question, length: int) -> None:
    question.ask()
    with pytest.raises(ResultRejected, match="is too short for a digest of what is shown"):
        question.yes(shown=question.shown()[:length])


def test_without_files_it_is_the_question_that_is_shown(question: Question) -> None:
    question.ask()
    with pytest.raises(ResultRejected, match="something else is shown"):
        question.yes(shown="0" * 8)
    assert question.yes(shown=question.shown()[:8]) == "recorded"


def test_a_no_is_on_what_is_shown_as_well(question: Question) -> None:
    question.write("plan.md", "one")
    question.ask(files=["plan.md"])
    question.write("plan.md", "two")
    with pytest.raises(ResultRejected, match=r"plan\.md has changed"):
        question.no()


def test_the_answer_names_the_files_as_they_were_when_it_was_given(question: Question) -> None:
    question.write("plan.md", "one")
    question.ask(files=[{"path": "plan.md", "note": "all of it"}])
    asked = question.data_of("EFFECT_REQUESTED")[0]["files"]
    question.yes()
    (kept,) = question.data_of("BREAKPOINT_ANSWERED")
    assert kept["files"] == asked
    assert (asked[0]["path"], asked[0]["note"], asked[0]["bytes"]) == ("plan.md", "all of it", 3)


# How sure it is.


def test_a_level_below_the_demanded_one_is_refused(question: Question) -> None:
    question.ask(quorum=2, assurance="terminal")
    with pytest.raises(
        ResultRejected, match="demands the assurance 'terminal', and this answer has 'command'"
    ):
        question.yes(assurance="command")
    assert question.yes(assurance="terminal") == "recorded"


def test_an_agents_run_is_not_answered_by_a_script(question: Question) -> None:
    question.ask(quorum=2)
    question.open().append([("SESSION_BOUND", {"host": "claude-code", "sessionId": "s"})])
    with pytest.raises(PersonNeeded, match="so a person answers its breakpoints"):
        question.yes()
    assert question.yes(assurance="dialog") == "recorded"


def test_a_policy_decides_by_itself_where_answers_are_collected(question: Question) -> None:
    question.ask(quorum=2, expert=["alice", "bob"])
    question.open().append(
        [("PERMITTED", {"what": "policy", "by": "me", "assurance": "terminal", "evidence": {}})]
    )
    assert question.output()[:3] == [True, None, "policy"]


def test_what_is_no_breakpoint_has_no_answers(question: Question) -> None:
    question.ask("async def process(inputs, ctx):\n    await ctx.sleep('1h')\n")
    run = question.open()
    (effect,) = run.state.pending.values()
    with pytest.raises(ResultRejected, match="is a sleep effect, not a breakpoint"):
        decide(run, effect, True, by="ann")


def test_an_answer_to_what_was_cancelled_is_refused(question: Question) -> None:
    question.ask(quorum=2)
    run = question.open()
    answer = decide(run, question.effect(run), True, by="ann")
    run.append([("EFFECT_CANCELLED", {"effectId": answer.effect, "reason": "cancelled", "by": "me"})])
    (verdict,) = accept(run, [answer])
    assert "was cancelled" in str(verdict.error)
