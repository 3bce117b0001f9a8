"""Test first: played, and once for real with a scripted agent on a small repository."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from scripted_agent import agent_command, does
from small_projects import ROOT, Babysitter, write

from babysitter.testing import approves, every_order, exits, fails, in_turn, load, play, rejects
from tests.support.repositories import changed, commit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

GOOD = {"score": 100, "defects": []}
CHECKS = {"checks": {"lint": "lint", "types": "types"}}


@pytest.fixture
def tdd() -> ModuleType:
    return load(ROOT / "processes" / "tdd-convergence" / "process.py")


def codes(**given: list[int]) -> Any:
    """What each command exits with, one time after the other; the last one for good."""
    left = {name: list(exit_codes) for name, exit_codes in given.items()}

    def ended(name: str, command: str, cwd: str) -> Any:
        exit_codes = left.get(name, [0])
        code = exit_codes.pop(0) if len(exit_codes) > 1 else exit_codes[0]
        return exits(code, f"{name} says {code}")

    return ended


def results(**given: Any) -> dict[str, Any]:
    usual = {
        "write_tests": {"files": ["test_a.py"]},
        "digests": ["same"],
        "gate": codes(tests=[1, 0]),
        "implement": "done",
        "review": GOOD,
    }
    return {**usual, **given}


def goal(**inputs: Any) -> dict[str, Any]:
    return {"goal": "add two numbers", **inputs}


def test_tests_come_first_then_rounds_in_which_everything_is_looked_at_at_once(tdd: ModuleType) -> None:
    played = play(tdd, goal(**CHECKS), results=results())
    look = ["review", "digests", "gate", "gate", "gate"]
    assert played.tasks == [["write_tests"], ["digests"], ["gate"], ["implement"], look, look]
    assert (played.output["stopped"], played.output["scores"]) == ("reached", [100])


def test_what_failed_is_told_to_the_next_round(tdd: ModuleType) -> None:
    reviews = in_turn({"score": 40, "defects": ["no negative numbers"]}, GOOD, GOOD)
    played = play(tdd, goal(), results=results(gate=codes(tests=[1, 1, 0]), review=reviews))
    assert [asked.args["why"] for asked in played.asked("implement")] == [
        "",
        "tests: failed, exit code 1\ntests says 1\n\nno negative numbers",
    ]
    assert played.scores == {"score": [10, 100]}


def test_a_check_that_fails_is_not_made_up_for(tdd: ModuleType) -> None:
    inputs = goal(**CHECKS, rounds=1)
    played = play(tdd, inputs, results=results(gate=codes(tests=[1, 0], lint=[1])))
    assert played.scores == {"score": [89]}
    assert played.error is not None
    assert played.error.message == "not done: rounds after 1 rounds at 89"


def test_it_gives_up_when_nothing_becomes_better(tdd: ModuleType) -> None:
    played = play(tdd, goal(rounds=9), results=results(gate=codes(tests=[1])))
    assert played.error is not None
    assert (played.error.data["stopped"], played.error.data["scores"]) == ("stalled", [25, 25, 25])


def test_tests_that_pass_before_there_is_anything_prove_nothing(tdd: ModuleType) -> None:
    played = play(tdd, goal(), results=results(gate=0))
    assert played.error is not None
    assert "prove nothing" in played.error.message
    assert played.asked("implement") == []


@pytest.mark.parametrize("ending", [127, fails("TaskTimeout", "too slow")])
def test_tests_that_cannot_be_run_have_not_failed(ending: Any, tdd: ModuleType) -> None:
    played = play(tdd, goal(), results=results(gate=ending))
    assert played.error is not None
    assert played.error.message == "the tests cannot be run: pytest -q"


def test_tests_that_are_not_there_are_noticed(tdd: ModuleType) -> None:
    played = play(tdd, goal(), results=results(digests=[""]))
    assert played.error is not None
    assert played.error.message == "the tests are to be in test_a.py, which is not in the project"


def test_tests_that_the_implementer_has_changed_have_not_passed(tdd: ModuleType) -> None:
    digests = in_turn(["same"], ["other"], ["same"], ["same"])
    played = play(tdd, goal(), results=results(digests=digests))
    assert played.scores == {"score": [25, 100]}
    assert played.asked("implement")[1].args["why"] == "test_a.py was changed; put it back as it was"


def test_the_last_word_is_not_that_of_the_round_that_was_scored(tdd: ModuleType) -> None:
    played = play(tdd, goal(), results=results(gate=codes(tests=[1, 0, 1])))
    assert (played.status, played.scores) == ("failed", {"score": [100]})


def test_a_person_sees_the_tests_first_where_that_is_wanted(tdd: ModuleType) -> None:
    people = in_turn(rejects("and negative ones?"), approves())
    played = play(tdd, goal(ask=True), results=results(), people=people)
    first, second = played.asked("write_tests")
    assert (first.args["feedback"], second.args["feedback"]) == (None, "and negative ones?")
    assert played.asked("breakpoint")[0].definition["breakpoint"]["files"] == [{"path": "test_a.py"}]


def test_it_ends_the_same_whatever_of_a_round_ends_first(tdd: ModuleType) -> None:
    given = results(gate=lambda name, command, cwd: 1)
    orders = every_order(tdd, goal(rounds=1), results=given, hash_seeds=0)
    assert (orders.is_complete, orders.played.status) == (True, "failed")


def test_only_files_of_the_project_have_a_digest(
    project: Path, load: Callable[[str, str], ModuleType]
) -> None:
    write(project, {"a.py": "1"})
    write(project.parent, {"b.py": "1"})
    load("tdd-convergence", "process")
    told = load("tdd-convergence", "tasks").digests(["a.py", "../b.py", "c.py"])
    assert [bool(digest) for digest in told] == [True, False, False]


TEST = "from add import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n"
WRONG, RIGHT = "def add(a, b):\n    return a * b\n", "def add(a, b):\n    return a + b\n"


def test_it_goes_on_until_real_tests_pass(project: Path, tmp_path: Path, babysitter: Babysitter) -> None:
    commit(project, {"README": "numbers\n"})
    agent = agent_command(
        tmp_path / "agent",
        {
            "Write the tests": [does({"files": ["test_add.py"]}, **{"test_add.py": TEST})],
            "Implement this": [
                does("multiplied", **{"add.py": WRONG}),
                does("added", **{"add.py": RIGHT}),
            ],
            "Review what": [does({"score": 50, "defects": ["it multiplies"]}), does(GOOD)],
        },
    )
    python = f"{sys.executable} -B -m"
    inputs = [
        *("-i", "goal=add two numbers"),
        *("-i", f"test={python} pytest -q -p no:cacheprovider test_add.py"),
        *("-i", f'checks={{"syntax": "{python} tokenize add.py"}}'),
    ]
    ended = babysitter("run", "tdd-convergence", "--json", *inputs, *agent)
    assert (ended.code, ended.data["stopped"], ended.data["scores"]) == (0, "reached", [30, 100])
    assert [(gate["name"], gate["passed"]) for gate in ended.data["gates"]] == [
        ("tests", True),
        ("syntax", True),
    ]
    assert ((project / "add.py").read_text(), changed(project)) == (RIGHT, ["add.py", "test_add.py"])
