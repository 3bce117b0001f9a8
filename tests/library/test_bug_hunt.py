"""Bug hunt: played, and once for real with a scripted agent on a small repository."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from scripted_agent import agent_command, does
from small_projects import ROOT, Babysitter

from babysitter.testing import approves, every_order, fails, in_turn, load, play, rejects
from tests.support.repositories import changed, commit

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def hunt() -> ModuleType:
    return load(ROOT / "processes" / "bug-hunt" / "process.py")


def hypothesis(name: str) -> dict[str, str]:
    return {"claim": f"it is {name}", "command": f"look at {name}"}


BUG = {"bug": "it is off by one", "reproduce": "make bug", "ask": False, "hypotheses": 3}
FOUND = {"hypotheses": [hypothesis("a"), hypothesis("b"), hypothesis("c")]}


def codes(**given: Any) -> Any:
    """How the commands end: a code, a failure, or several codes of which the last one stays."""
    left = {name: list(code) if isinstance(code, list) else [code] for name, code in given.items()}

    def ended(name: str, command: str, cwd: str) -> Any:
        told = left.get(command.removeprefix("look at "), left.get(name, [1]))
        return told.pop(0) if len(told) > 1 else told[0]

    return ended


def results(**given: Any) -> dict[str, Any]:
    usual = {"hypothesize": FOUND, "fix": "the end was left out", "judge": {"choice": 1}}
    return {**usual, "gate": codes(reproduction=[1, 0], b=0), **given}


def test_all_that_could_refute_is_run_at_once_and_exit_codes_decide(hunt: ModuleType) -> None:
    played = play(hunt, BUG, results=results())
    assert played.tasks == [["gate"], ["hypothesize"], ["gate"] * 3, ["fix"], ["gate"]]
    assert [each["verdict"] for each in played.output["hypotheses"]] == ["refuted", "stands", "refuted"]
    assert (played.output["cause"], played.output["fix"]) == ("it is b", "the end was left out")


@pytest.mark.parametrize("ending", [fails("TaskTimeout"), 126, 127])
def test_a_command_that_decides_nothing_refutes_nothing(ending: Any, hunt: ModuleType) -> None:
    played = play(hunt, BUG, results=results(gate=codes(reproduction=[1, 0], a=ending, b=0)))
    assert played.output["hypotheses"][0]["verdict"] == "undecided"


def test_of_several_that_stand_the_majority_says_where_to_begin(hunt: ModuleType) -> None:
    judges = in_turn({"choice": 1}, {"choice": 2}, {"choice": 2})
    given = results(gate=codes(reproduction=[1, 0], a=0, c=0), judge=judges)
    assert play(hunt, BUG, results=given).output["cause"] == "it is c"


@pytest.mark.parametrize("judge", [fails("AgentFailed", "no"), {"choice": 99}])
def test_a_vote_that_is_none_ends_nothing(judge: Any, hunt: ModuleType) -> None:
    given = results(gate=codes(reproduction=[1, 0], a=0, c=0), judge=lambda **asked: judge)
    assert play(hunt, BUG, results=given).status == "completed"


def test_when_all_are_refuted_others_are_sought_that_know_of_these(hunt: ModuleType) -> None:
    more = in_turn(FOUND, {"hypotheses": [hypothesis("d")]})
    played = play(hunt, BUG, results=results(gate=codes(reproduction=[1, 0], d=0), hypothesize=more))
    assert [len(asked.args["tried"]) for asked in played.asked("hypothesize")] == [0, 3]
    assert played.output["cause"] == "it is d"


def test_when_none_ever_stands_it_fails_with_all_of_them(hunt: ModuleType) -> None:
    played = play(hunt, {**BUG, "rounds": 2}, results=results(gate=1))
    assert played.error is not None
    assert played.error.message == "none of 6 hypotheses stands"
    assert played.asked("fix") == []


def test_a_bug_that_does_not_show_is_not_hunted(hunt: ModuleType) -> None:
    played = play(hunt, BUG, results=results(gate=0))
    assert (played.status, played.tasks) == ("failed", [["gate"]])


def test_a_fix_counts_when_the_reproduction_and_all_checks_pass(hunt: ModuleType) -> None:
    gate = codes(reproduction=[1, 0], b=0, tests=[1, 0])
    played = play(hunt, {**BUG, "checks": {"tests": "make test"}}, results=results(gate=gate))
    assert played.scores == {"score": [pytest.approx(83.333333), 100]}
    assert played.asked("fix")[1].args["why"] == "tests: failed, exit code 1"


def test_a_bug_that_stays_is_told(hunt: ModuleType) -> None:
    played = play(hunt, BUG, results=results(gate=codes(b=0)))
    assert played.error is not None
    assert (played.error.message, played.error.data["scores"]) == ("not fixed in 3 rounds", [0, 0, 0])


def test_no_command_is_run_before_a_person_has_said_yes_to_it(hunt: ModuleType) -> None:
    people = in_turn(rejects("not the second one"), approves())
    played = play(hunt, {**BUG, "ask": True}, results=results(), people=people)
    order = [task for batch in played.tasks for task in dict.fromkeys(batch)]
    assert order[:6] == ["gate", "hypothesize", "breakpoint", "hypothesize", "breakpoint", "gate"]
    asked = played.asked("breakpoint")[0].question
    assert asked == (
        "May these commands be run, all at once?"
        " 1. `look at a` (it is a)  2. `look at b` (it is b)  3. `look at c` (it is c)"
    )
    assert played.asked("hypothesize")[1].args["feedback"] == "not the second one"


def test_the_order_of_arrival_changes_nothing(hunt: ModuleType) -> None:
    verdicts = {"look at a": 1, "look at b": 0, "look at c": 1, "make bug": 1}
    given = results(gate=lambda name, command, cwd: verdicts[command])
    orders = every_order(hunt, {**BUG, "rounds": 1}, results=given, hash_seeds=0)
    assert (orders.is_complete, orders.played.status) == (True, "failed")


WRONG = "def last(items):\n    return items[len(items)]\n"
RIGHT = "def last(items):\n    return items[-1]\n"


def test_a_real_bug_is_found_and_fixed(project: Path, tmp_path: Path, babysitter: Babysitter) -> None:
    commit(project, {"last.py": WRONG})
    python = f"{sys.executable} -B -c"
    found = [
        {"claim": "the list is empty", "command": f"{python} 'import last; assert not [1]'"},
        {"claim": "it counts from one", "command": "grep -q 'items.len(items).' last.py"},
    ]
    agent = agent_command(
        tmp_path / "agent",
        {
            "hypotheses about the cause": [does({"hypotheses": found})],
            "Fix this bug": [does("it counted from one", **{"last.py": RIGHT})],
        },
    )
    inputs = ("-i", "bug=no last item", "-i", f"reproduce={python} 'import last; last.last([1])'")
    asked = babysitter("run", "bug-hunt", "--run-id", "r", *inputs, *agent)
    assert (asked.code, "May these commands be run" in asked.text) == (8, True)
    babysitter("approve", "r", "--yes")
    ended = babysitter("resume", "r", "--json", *agent)
    assert (ended.code, ended.data["cause"]) == (0, "it counts from one")
    assert [each["verdict"] for each in ended.data["hypotheses"]] == ["refuted", "stands"]
    assert changed(project) == ["last.py"]
