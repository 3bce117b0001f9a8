"""Branches: names of steps, and streams of chance."""

from __future__ import annotations

from uuid import RFC_4122, UUID

from babysitter.engine.branches import Branch
from babysitter.errors import BranchCancelled


def branch(scope: str = "") -> Branch:
    return Branch(lambda: None, scope, None, 0)


def test_steps_are_counted_from_one_behind_their_scope() -> None:
    inner = branch("3.0.")
    assert [inner.next_step(None), inner.next_step(None)] == ["3.0.1", "3.0.2"]


def test_a_key_names_a_step_and_takes_no_number() -> None:
    own = branch("3.0.")
    assert [own.next_step("build"), own.next_step(None)] == ["3.0.build", "3.0.1"]


def test_a_key_that_comes_again_has_an_occurrence_number() -> None:
    own = branch()
    assert [own.next_step("build") for _ in range(3)] == ["build", "build~2", "build~3"]


def test_uuids_of_a_scope_are_the_same_for_each_replay_of_a_run() -> None:
    first, again = branch("1.0."), branch("1.0.")
    assert [first.uuid("r"), first.uuid("r")] == [again.uuid("r"), again.uuid("r")]


def test_uuids_differ_within_a_scope_between_scopes_and_between_runs() -> None:
    own = branch("1.0.")
    assert len({own.uuid("r"), own.uuid("r"), branch("1.1.").uuid("r"), branch("1.0.").uuid("other")}) == 4


def test_a_uuid_says_that_it_was_made_by_a_rule_of_our_own() -> None:
    made = UUID(branch().uuid("r"))
    assert (made.version, made.variant) == (8, RFC_4122)


def test_chance_of_a_scope_is_the_same_for_each_replay_of_a_run() -> None:
    first, again = branch("1.0.").random("r"), branch("1.0.").random("r")
    assert [first.random(), first.random()] == [again.random(), again.random()]


def test_chance_is_one_stream_for_a_scope() -> None:
    own = branch()
    assert own.random("r").random() != own.random("r").random()


def test_chance_differs_between_scopes_and_between_runs() -> None:
    drawn = [branch(scope).random(run).random() for scope, run in [("", "r"), ("1.0.", "r"), ("", "other")]]
    assert len(set(drawn)) == 3


def test_a_branch_that_is_given_up_does_not_see_what_was_on_its_way() -> None:
    own = branch()
    own.inbox_value = "result"
    own.drop_inbox()
    assert (own.inbox_value, type(own.inbox_error)) == (None, BranchCancelled)
