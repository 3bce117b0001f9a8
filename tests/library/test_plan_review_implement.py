"""Plan, approval, implementation: played, and once for real with a scripted agent on a small repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scripted_agent import agent_command, does
from small_projects import ROOT, Babysitter

from babysitter.testing import approves, every_order, in_turn, load, play, rejects
from tests.support.repositories import changed, commit

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

GOOD = {"score": 95, "defects": []}


@pytest.fixture
def plan() -> ModuleType:
    return load(ROOT / "processes" / "plan-review-implement" / "process.py")


def results(**given: Any) -> dict[str, Any]:
    usual = {
        "make_plan": lambda attempt, **asked: {"plan": f"# Plan {attempt}"},
        "write_plan": lambda attempt, plan: f"artifacts/plan-{attempt}.md",
        "implement": "done",
        "gate": 0,
        "review": GOOD,
    }
    return {**usual, **given}


GOAL = {"goal": "rename it", "checks": {"tests": "make test", "lint": "make lint"}}


def test_nothing_is_implemented_before_a_yes_to_the_plan_that_is_shown(plan: ModuleType) -> None:
    played = play(plan, GOAL, results=results(), people=approves())
    assert played.tasks == [
        ["make_plan"],
        ["write_plan"],
        ["breakpoint"],
        ["implement"],
        ["review", "gate", "gate"],
    ]
    (asked,) = played.asked("breakpoint")
    assert asked.definition["breakpoint"]["files"] == [{"path": "artifacts/plan-1.md"}]
    assert (played.output["plan"], played.output["attempts"]) == ("# Plan 1", 1)


def test_a_no_makes_a_new_plan_with_what_was_said_of_the_last(plan: ModuleType) -> None:
    played = play(plan, GOAL, results=results(), people=in_turn(rejects("smaller"), approves()))
    second = played.asked("make_plan")[1].args
    assert (second["before"], second["feedback"]) == ("# Plan 1", "smaller")
    assert played.asked("implement")[0].args["plan"] == "# Plan 2"


def test_three_plans_that_are_rejected_end_it_with_the_last_feedback(plan: ModuleType) -> None:
    people = in_turn(rejects("a"), rejects("b"), rejects("c"))
    played = play(plan, GOAL, results=results(), people=people)
    assert played.error is not None
    assert (played.error.message, played.asked("implement")) == ("not approved in 3 attempts: c", [])


def test_gates_that_fail_and_defects_are_told_to_the_next_round(plan: ModuleType) -> None:
    reviews = in_turn({"score": 90, "defects": ["half of it"]}, GOOD)
    gate = in_turn(0, 2, 0, 0)
    played = play(plan, GOAL, results=results(gate=gate, review=reviews), people=approves())
    assert played.asked("implement")[1].args["why"] == "lint: failed, exit code 2\n\nhalf of it"
    assert played.output["scores"] == [pytest.approx(63.333333), pytest.approx(98.333333)]


def test_a_gate_that_fails_is_not_made_up_for_by_a_review(plan: ModuleType) -> None:
    inputs = {**GOAL, "target": 50, "rounds": 1}
    gate = in_turn(0, 1)
    played = play(plan, inputs, results=results(gate=gate), people=approves())
    assert (played.status, played.scores) == ("failed", {"score": [49]})


def test_a_standstill_ends_it(plan: ModuleType) -> None:
    played = play(plan, GOAL, results=results(gate=1), people=approves())
    assert played.error is not None
    assert played.error.data["stopped"] == "stalled"


def test_it_ends_the_same_whatever_of_a_round_ends_first(plan: ModuleType) -> None:
    orders = every_order(plan, GOAL, results=results(), people=approves(), hash_seeds=0)
    assert (orders.is_complete, orders.played.output["stopped"]) == (True, "reached")


def test_a_real_plan_is_shown_rejected_made_again_and_carried_out(
    project: Path, tmp_path: Path, babysitter: Babysitter
) -> None:
    commit(project, {"old.txt": "text\n"})
    agent = agent_command(
        tmp_path / "agent",
        {
            "too long": [does({"plan": "# Short"})],
            "Plan how": [does({"plan": "# A very long plan"})],
            "Do what the plan says": [
                does("not yet", **{"other.txt": ""}),
                does("done", **{"new.txt": "text\n"}),
            ],
            "Review what": [does(GOOD)],
        },
    )
    inputs = ("-i", "goal=rename old.txt", "-i", 'checks={"there": "test -s new.txt"}')
    asked = babysitter("run", "plan-review-implement", "--run-id", "r", "--json", *inputs, *agent)
    artifacts = project / ".a5c" / "runs" / "r" / "artifacts"
    assert (asked.code, (artifacts / "plan-1.md").read_text()) == (8, "# A very long plan\n")
    babysitter("reject", "r", "--feedback", "too long")
    assert babysitter("resume", "r", *agent).code == 8
    assert (artifacts / "plan-2.md").read_text() == "# Short\n"
    babysitter("approve", "r", "--yes")
    ended = babysitter("resume", "r", "--json", *agent)
    assert (ended.code, ended.data["plan"], ended.data["attempts"]) == (0, "# Short", 2)
    assert (ended.data["stopped"], len(ended.data["scores"])) == ("reached", 2)
    assert changed(project) == ["new.txt", "other.txt"]


def test_a_project_that_is_moved_while_a_person_thinks_goes_on(
    project: Path, tmp_path: Path, babysitter: Babysitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(project, {"a": ""})
    rules = {"Plan how": [does({"plan": "# Short"})], "Review what": [does(GOOD)], "Do what": [does("done")]}
    agent = agent_command(tmp_path / "agent", rules)
    inputs = ("-i", "goal=x", "-i", 'checks={"there": "true"}')
    babysitter("run", "plan-review-implement", "--run-id", "r", *inputs, *agent)
    project.rename(tmp_path / "elsewhere")
    # The command line of these tests begins in the project's folder, wherever that is.
    project.symlink_to(tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path / "elsewhere")
    babysitter("approve", "r", "--yes")
    assert babysitter("resume", "r", *agent).code == 0


def test_a_plan_that_was_changed_after_the_yes_is_asked_about_again(
    project: Path, tmp_path: Path, babysitter: Babysitter
) -> None:
    commit(project, {"a": ""})
    agent = agent_command(tmp_path / "agent", {"Plan how": [does({"plan": "# Short"})]})
    inputs = ("-i", "goal=x", "-i", 'checks={"there": "true"}')
    babysitter("run", "plan-review-implement", "--run-id", "r", *inputs, *agent)
    babysitter("approve", "r", "--yes")
    (project / ".a5c/runs/r/artifacts/plan-1.md").write_text("# Another\n")
    again = babysitter("resume", "r", "--json", *agent)
    assert (again.code, list(again.json["pending"])) == (8, ["breakpoint"])
