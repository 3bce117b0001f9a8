"""The tree of a run, folded from events."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stories import START, Shown

from babysitter.clock import iso
from babysitter.views.marks import (
    AGENT,
    CANCELLED,
    CHILD,
    CLOCK,
    FAILED,
    NONZERO,
    OK,
    PARTLY,
    PENDING,
    PERSON,
    REQUESTED,
    RUNNING,
    STATES,
)
from babysitter.views.nodes import Branch, Effect, Group
from babysitter.views.tree import Tree


def effect(shown: Shown, step: str) -> Effect:
    return shown.view.tree.effects[f"effect-{step}"]


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("shell", REQUESTED),
        ("python", REQUESTED),
        ("subprocess", CHILD),
        ("agent", AGENT),
        ("skill", AGENT),
        ("breakpoint", PERSON),
        ("sleep", CLOCK),
    ],
)
def test_a_requested_effect_waits_for_whoever_answers_its_kind(kind: str, state: str) -> None:
    shown = Shown()
    shown.request("1", kind=kind)
    assert effect(shown, "1").state == state


def test_an_effect_that_is_executed_is_running() -> None:
    shown = Shown()
    shown.request("1")
    shown.execute("1")
    assert effect(shown, "1").state == RUNNING


def test_an_effect_takes_the_time_from_its_start_not_from_its_request() -> None:
    shown = Shown()
    shown.request("1")
    shown.wait(10)
    shown.execute("1")
    shown.wait(2)
    shown.resolve("1")
    assert effect(shown, "1").elapsed(shown.now + 99_000) == 2000


def test_an_effect_that_was_done_elsewhere_has_the_times_of_its_result() -> None:
    shown = Shown()
    shown.request("1")
    shown.resolve("1", startedAt=iso(START + 1000), finishedAt=iso(START + 4500))
    assert effect(shown, "1").elapsed(0) == 3500


def test_times_that_cannot_be_read_are_passed_over() -> None:
    shown = Shown()
    shown.request("1", kind="agent")
    shown.wait(3)
    shown.resolve("1", startedAt="yesterday", finishedAt=7)
    assert effect(shown, "1").elapsed(0) == 3000


def test_a_queued_effect_has_no_time_yet() -> None:
    shown = Shown()
    shown.request("1")
    assert effect(shown, "1").elapsed(shown.now) is None


def test_a_command_that_may_fail_and_did_is_told_from_one_that_ended_well() -> None:
    shown = Shown()
    shown.request("1")
    shown.resolve("1", {"exitCode": 3})
    assert (effect(shown, "1").state, effect(shown, "1").verdict) == (NONZERO, "exit 3")


def test_the_exit_code_of_a_large_result_comes_from_its_evidence() -> None:
    shown = Shown()
    shown.request("1")
    shown.resolve("1", resultRef="tasks/x", evidence={"exitCode": 2})
    assert effect(shown, "1").exit_code == 2


def test_a_sleep_knows_when_it_is_due() -> None:
    shown = Shown()
    shown.request("1", kind="sleep", seconds=90)
    shown.request("2", kind="sleep", until=iso(START + 5000))
    assert [effect(shown, step).due_ms for step in "12"] == [START + 90_000, START + 5000]


def test_an_effect_is_named_with_the_branches_it_is_in() -> None:
    shown = Shown()
    shown.request("1.h.1", "Read", mode="map", item="src/a.py")
    shown.request("1.h.2.unit.1", "Test")
    shown.request("1.h.2.0.1", "Lint")
    assert [each.name for each in shown.view.tree.effects.values()] == [
        "src/a.py: Read",
        "src/a.py / unit: Test",
        "src/a.py: Lint",
    ]


def test_an_item_that_its_title_has_does_not_stand_before_it_as_well() -> None:
    shown = Shown()
    shown.request("1.h.1", "Check the links of a.md", mode="map", item="a.md")
    shown.request("1.h.2.0.1", "Mend a.md", mode="map", item="line 3")
    names = [each.name for each in shown.view.tree.effects.values()]
    assert names == ["Check the links of a.md", "line 3: Mend a.md"]
    branches = shown.view.tree.branches
    assert branches["1.h.2.0"].heading == "line 3: Mend a.md"
    shown.request("2.h.1", "Check the links of a.md", mode="map", item="a.md")
    assert branches["2.h"].heading == "Check the links of a.md"


def test_which_attempt_it_is_does_not_pass_for_an_item() -> None:
    shown = Shown()
    shown.request("1.h.1", "Deploy", mode="map", item="1")
    found = effect(shown, "1.h.1")
    found.attempt, found.max_attempts = 1, 3
    found.result = FAILED
    branch = shown.view.tree.branches["1.h"]
    assert (found.name, branch.heading) == ("1: Deploy (attempt 1 of 3)",) * 2


def test_a_group_of_groups_is_there_although_no_effect_names_it() -> None:
    shown = Shown()
    shown.request("3.0.2.1.1", mode="race")
    outer, inner = shown.view.tree.groups["3"], shown.view.tree.groups["3.0.2"]
    assert (outer.mode, inner.mode, inner.parent.parent is outer) == ("", "race", True)


def test_a_branch_stands_where_its_last_step_stands() -> None:
    shown = Shown()
    shown.request("1.0.1")
    shown.fail("1.0.1")
    shown.run("1.0.2")
    assert shown.view.tree.branches["1.0"].state == OK


@pytest.mark.parametrize(
    ("mode", "state"),
    [("all", PARTLY), ("map", PARTLY), ("settled", OK), ("any", OK), ("race", OK)],
)
def test_what_one_failed_branch_of_two_means_depends_on_the_mode(mode: str, state: str) -> None:
    shown = Shown()
    shown.request("1.0.1", mode=mode)
    shown.request("1.1.1", mode=mode)
    shown.fail("1.0.1")
    shown.resolve("1.1.1")
    assert shown.view.tree.groups["1"].state == state


def test_a_group_goes_on_while_any_branch_does() -> None:
    shown = Shown()
    shown.request("1.0.1")
    shown.request("1.1.1")
    shown.fail("1.0.1")
    shown.execute("1.1.1")
    assert shown.view.tree.root.state == RUNNING


def test_groups_have_failed_when_the_run_ended_by_what_failed_in_them() -> None:
    shown = Shown()
    for step in ("1.0.1", "2.0.1.0.1", "2.0.1.1.1", "2.1.1"):
        shown.request(step, mode="race")
        shown.fail(step)
    groups = shown.view.tree.groups
    assert {groups[path].state for path in ("1", "2", "2.0.1")} == {PARTLY}
    shown.ends_by("2.0.1.1.1")
    assert [groups[path].state for path in ("1", "2", "2.0.1")] == [PARTLY, FAILED, FAILED]


def test_a_failure_kept_by_settled_has_left_the_groups_inside_of_it_only() -> None:
    shown = Shown()
    shown.request("1.0.1", mode="settled")
    shown.request("1.1.1.0.1", mode="all")
    shown.fail("1.1.1.0.1")
    shown.resolve("1.0.1")
    shown.ends_by("1.1.1.0.1")
    groups = shown.view.tree.groups
    assert (groups["1"].state, groups["1.1.1"].state) == (OK, FAILED)


@pytest.mark.parametrize("end", ["resolve", "fail"])
def test_a_child_run_stands_as_its_effect_does_whatever_failed_in_it(end: str) -> None:
    shown, child = Shown(), Shown()
    child.tell = lambda event: shown.view.event_below(event, "1.child.", "child-1")
    shown.request("1", kind="subprocess")
    child.request("2")
    child.fail("2")
    group = shown.view.tree.groups["1"]
    assert group.state == PARTLY
    getattr(shown, end)("1")
    assert group.state == (OK if end == "resolve" else FAILED)


def test_what_a_child_run_ended_by_has_left_no_group_of_its_parent() -> None:
    shown, child = Shown(), Shown()
    child.tell = lambda event: shown.view.event_below(event, "1.0.1.child.", "child-1")
    shown.request("1.0.1", kind="subprocess")
    child.request("2.0.1")
    child.fail("2.0.1")
    child.ends_by("2.0.1")
    shown.fail("1.0.1")
    groups = shown.view.tree.groups
    assert (groups["1.0.1.child.2"].state, groups["1"].state) == (FAILED, PARTLY)


def test_a_branch_with_progress_and_no_steps_keeps_nobody_waiting() -> None:
    shown = Shown()
    shown.progress(1, 2, scope="1.0.")
    assert not shown.view.tree.groups["1"].is_pending


def test_a_group_takes_the_time_from_its_first_start_to_its_last_end() -> None:
    shown = Shown()
    shown.run("1.0.1", seconds=2)
    shown.run("1.1.1", seconds=3)
    assert shown.view.tree.groups["1"].elapsed(shown.now + 60_000) == 5000


def test_events_about_unknown_effects_are_passed_over() -> None:
    shown = Shown()
    shown.resolve("7")
    shown.cancel("8")
    shown.execute("9")
    shown.view.output("effect-9", "words")
    assert shown.view.tree.effects == {}


def test_an_effect_that_is_over_does_not_start_again() -> None:
    shown = Shown()
    shown.run("1")
    shown.execute("1")
    assert effect(shown, "1").state == OK


STEPS = st.recursive(
    st.sampled_from(["1", "2", "3"]),
    lambda inner: st.builds(
        "{}.{}.{}".format, st.sampled_from("12"), st.sampled_from(["0", "1", "h"]), inner
    ),
    max_leaves=4,
)
ACTS = st.lists(
    st.tuples(STEPS, st.sampled_from(["execute", "resolve", "fail", "cancel", "odd"])), max_size=30
)


def tell(acts: list[tuple[str, str]]) -> Shown:
    """A run in which each step is asked for when it is first named."""
    shown = Shown()
    ended: set[str] = set()
    for step, act in acts:
        if f"effect-{step}" not in shown.view.tree.effects:
            shown.request(step, mode="map", item=f"item of {step}")
        elif step not in ended:
            if act == "odd":
                shown.resolve(step, {"exitCode": 2})
            else:
                getattr(shown, act)(step)
            ended.update({step} - ({step} if act == "execute" else set()))
        shown.wait(0.1)
    return shown


def containers(tree: Tree) -> list[Any]:
    return [*tree.branches.values(), *tree.groups.values()]


@given(ACTS)
def test_every_tally_counts_the_children_as_they_are(acts: list[tuple[str, str]]) -> None:
    for each in containers(tell(acts).view.tree):
        states = [child.state for child in each.children]
        assert each.tally == {state: states.count(state) for state in STATES}


@given(ACTS)
def test_every_state_follows_from_the_children(acts: list[tuple[str, str]]) -> None:
    assert all(each.state == each.derive() for each in containers(tell(acts).view.tree))


@given(ACTS)
def test_the_run_is_pending_exactly_while_a_last_step_is(acts: list[tuple[str, str]]) -> None:
    def is_pending(node: Branch | Group | Effect) -> bool:
        if isinstance(node, Effect):
            return node.state in PENDING
        children = node.children[-1:] if isinstance(node, Branch) else node.children
        return any(map(is_pending, children))

    tree = tell(acts).view.tree
    assert tree.root.is_pending == is_pending(tree.root)


@given(ACTS)
def test_effects_are_found_by_their_state(acts: list[tuple[str, str]]) -> None:
    tree = tell(acts).view.tree
    assert {each.id: each.state for each in tree.effects.values()} == {
        effect_id: state for state, effects in tree.by_state.items() for effect_id in effects
    }


def test_a_cancelled_branch_makes_no_cancelled_group() -> None:
    shown = Shown()
    shown.run("1.0.1", mode="any")
    shown.request("1.1.1", mode="any")
    shown.cancel("1.1.1")
    assert (shown.view.tree.branches["1.1"].state, shown.view.tree.groups["1"].state) == (CANCELLED, OK)


def series(shown: Shown) -> dict[tuple[str, str], list[float]]:
    return {place: [each["value"] for each in told] for place, told in shown.view.tree.scores.items()}


def test_scores_are_kept_by_branch_and_name() -> None:
    shown = Shown()
    shown.score(1, 5)
    shown.score(2, 6)
    shown.score(1, 9, scope="1.0.")
    assert series(shown) == {("", "score"): [5, 6], ("1.0.", "score"): [9]}


@pytest.mark.parametrize("type", ["PROCESS_CHANGED", "RUN_REWOUND"])
def test_what_counts_no_more_of_scores_after_a_change_is_forgotten(type: str) -> None:
    shown = Shown()
    shown.request("1.0.1")
    for number in (1, 2, 3):
        shown.score(number, number, scope="1.0.")
    shown.event(type, {"plan": [["asked", "effect-1.0.1", "1.0.1"]], "scores": ["1.0.1=1", "1.0.2=2"]})
    branch = shown.view.tree.branches["1.0"]
    assert (series(shown), [each["value"] for each in branch.scores]) == ({("1.0.", "score"): [1, 2]}, [1, 2])


def test_a_change_that_names_no_scores_keeps_them() -> None:
    shown = Shown()
    shown.score(1, 5)
    shown.event("PROCESS_CHANGED", {"plan": []})
    shown.event("PROCESS_CHANGED", {})
    assert (series(shown), len(shown.view.tree.root.scores)) == ({("", "score"): [5]}, 1)


def test_a_branch_with_a_score_and_no_steps_keeps_nobody_waiting() -> None:
    shown = Shown()
    shown.score(1, 2, scope="1.0.")
    assert shown.view.tree.root.state == OK


def test_scores_of_a_child_run_hang_below_its_place() -> None:
    shown = Shown()
    child = Shown(shown.view)
    child.tell = lambda event: shown.view.event_below(event, "1.child.", "child-1")
    child.score(1, 5)
    assert series(shown) == {("1.child.", "score"): [5]}


def test_causes_that_name_each_other_are_told_once() -> None:
    tree, effect = Tree(), cast("Effect", SimpleNamespace(step="1"))
    tree.known["e"] = effect
    tree.ended_by = {"": ["e"], "1.child.": ["e"]}
    assert tree.causes() == [effect]
