"""What goes round a process: a person permits it, in the journal, for one time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gated import GATE, begin, created, data_of, guard, open_breakpoint, opened

from babysitter.approvals import permits, place
from babysitter.approvals.about import about_now
from babysitter.approvals.levels import LEVELS
from babysitter.approvals.permits import WHAT, demand, is_permitted, permit
from babysitter.errors import InvalidInput, PersonNeeded, RunFinished
from babysitter.runs.answering import decide
from babysitter.runs.iterate import iterate
from babysitter.runs.results import accept

if TYPE_CHECKING:
    from pathlib import Path

    from babysitter.runs.run import Run


def allow(run: Run, what: str) -> None:
    about = {"repair": {"before": 2}, "rewind": {"to": "1"}}.get(what)
    permit(run, what, by="me", assurance="command", evidence={"promptId": "p"}, about=about)


@pytest.fixture
def at_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permits, "is_person_there", lambda: True)
    # Whatever has started the tests is not above this terminal.
    monkeypatch.setattr(place, "ancestors", lambda: iter(()))


def test_the_levels_go_from_nobody_to_a_signature() -> None:
    assert LEVELS == ("policy", "rule", "script", "dialog", "command", "terminal", "signed")


def test_a_permit_is_in_the_journal() -> None:
    run = guard(begin())
    allow(run, "policy")
    (told,) = data_of(run, "PERMITTED")
    told.pop("prev")
    assert told == {"what": "policy", "by": "me", "assurance": "command", "evidence": {"promptId": "p"}}


def test_only_what_is_known_can_be_permitted() -> None:
    with pytest.raises(InvalidInput, match="'everything' is nothing that can be permitted"):
        allow(begin(), "everything")


def test_of_a_run_that_has_ended_nothing_is_left_to_permit() -> None:
    run = begin("async def process(inputs, ctx):\n    pass\n")
    with pytest.raises(RunFinished):
        allow(run, "policy")


@pytest.mark.parametrize("what", WHAT)
def test_a_permit_counts_for_what_it_says_and_nothing_else(what: str) -> None:
    run = guard(begin())
    allow(run, what)
    assert [other for other in WHAT if is_permitted(run, other)] == [what]


def test_a_permit_about_something_counts_for_that_alone() -> None:
    run = guard(begin())
    permit(run, "rebind", by="me", assurance="command", evidence={}, about={"run": "a"})
    counts = [is_permitted(run, "rebind", {"run": name}) for name in ("a", "b")]
    assert (counts, is_permitted(run, "rebind")) == ([True, False], True)


@pytest.mark.parametrize("what", ["release", "rebind"])
def test_the_release_that_was_permitted_uses_the_permit_up(what: str) -> None:
    run = guard(begin())
    allow(run, what)
    run.append([("SESSION_RELEASED", {"sessionId": "s-1", "reason": "a person wanted it"})])
    assert not is_permitted(opened(), what)


def test_an_edit_is_permitted_as_it_is_now(project: Path) -> None:
    run = guard(begin())
    allow(run, "edit")
    (told,) = data_of(run, "PERMITTED")
    assert told["about"] == {"sourceDigests": run.state.source_digests}


@pytest.mark.parametrize("number", ["", "1", "4", "two", "-2", "²"])
def test_a_permit_to_go_back_names_an_event_that_is_there(number: str) -> None:
    run = guard(begin())
    with pytest.raises(InvalidInput, match="from 2 to 3, and not"):
        about_now(run, "repair", number)


def test_a_permit_to_go_back_is_about_the_event_to_go_back_to_before() -> None:
    run = guard(begin())
    told = [about_now(run, "repair", number) for number in ("2", "3")]
    assert told == [{"before": 2}, {"before": 3}]


def test_to_go_back_somewhere_is_not_permitted() -> None:
    run = guard(begin())
    with pytest.raises(InvalidInput, match="names the event"):
        permit(run, "repair", by="me", assurance="command", evidence={})


# Commands that go round the process


def test_a_run_that_no_session_was_bound_to_demands_nothing() -> None:
    run = begin()
    demand(run, "repair")
    assert data_of(run, "PERMITTED") == []


def test_a_run_that_has_ended_demands_nothing() -> None:
    run = guard(begin())
    accept(run, [decide(run, open_breakpoint(run), True, by="me", assurance="command")])
    iterate(run)
    demand(run, "repair")
    assert (run.state.status, data_of(run, "PERMITTED")) == ("completed", [])


def test_what_is_permitted_is_not_asked_for_again() -> None:
    run = guard(begin())
    allow(run, "repair")
    demand(run, "repair")
    assert len(data_of(run, "PERMITTED")) == 1


def test_without_a_person_it_is_refused_and_both_ways_are_named() -> None:
    with pytest.raises(
        PersonNeeded, match="to answer breakpoints that demand nothing without asking needs a person"
    ) as caught:
        demand(guard(begin()), "policy")
    wanted = ["/babysitter:approve policy in the session", "babysitter approve r --permit policy"]
    assert [text for text in wanted if text not in caught.value.hint] == []


@pytest.mark.usefixtures("at_terminal")
def test_a_person_at_a_terminal_permits_it_by_calling_the_command() -> None:
    run = guard(begin())
    demand(run, "policy")
    (told,) = data_of(run, "PERMITTED")
    assert (told["what"], told["assurance"], sorted(told["evidence"])) == (
        "policy",
        "terminal",
        ["parent", "pid", "terminal"],
    )


@pytest.mark.usefixtures("at_terminal")
def test_a_terminal_inside_a_session_is_no_person() -> None:
    with pytest.raises(PersonNeeded):
        demand(guard(begin()), "policy", environ={"CLAUDECODE": "1"})


# Breakpoints by policy

POLICY = {"breakpoints": "policy"}
TWO = """
async def process(inputs, ctx):
    first = await ctx.breakpoint("One?")
    second = await ctx.breakpoint("Two?", options=["a", "b"])
    return [first.approved, first.option, second.option, second.responded_by]
"""


def test_a_policy_answers_one_breakpoint_after_the_other() -> None:
    run = begin(TWO, options=POLICY)
    assert (run.state.status, run.output()) == ("completed", [True, None, "a", "policy"])


def test_an_answer_by_policy_says_that_nobody_was_asked() -> None:
    run = begin(TWO, options=POLICY)
    assert [told["evidence"]["assurance"] for told in data_of(run, "EFFECT_RESOLVED")] == ["policy", "policy"]


def test_a_breakpoint_that_demands_a_person_stays_open() -> None:
    run = begin(GATE.replace("options=", 'assurance="dialog", options='), options=POLICY)
    assert open_breakpoint(run).kind == "breakpoint"


def test_what_an_iteration_has_answered_itself_is_not_told_as_new() -> None:
    source = TWO.replace('"Two?", ', '"Two?", assurance="dialog", ')
    run = created(source, options=POLICY)
    assert ([effect.label for effect in iterate(run).new], len(run.state.effects)) == (["Two?"], 2)


def test_a_permitted_policy_answers_from_then_on() -> None:
    run = begin()
    allow(run, "policy")
    assert (iterate(run).status, run.output()) == ("completed", [True, "staging", "policy"])


def test_without_a_policy_a_breakpoint_stays_open() -> None:
    assert open_breakpoint(begin(TWO)).label == "One?"
