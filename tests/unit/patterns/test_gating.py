"""Gates: what they ask for, and that the exit code decides and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from babysitter.patterns import Gate, Gates, gates
from babysitter.testing import every_order, exits, fails, play

if TYPE_CHECKING:
    from babysitter import Context

COMMANDS = {"tests": "pytest -q", "lint": ["ruff", "check", "."]}


async def process(inputs: Any, ctx: Context) -> Any:
    ran = await gates(ctx, COMMANDS, timeout="5m", cwd="web")
    return {"passed": ran.passed, "share": ran.share, "why": ran.why(), "gates": ran.rows()}


def one(result: Any) -> dict[str, Any]:
    """What is told of the tests, when they end so and the linter is content."""
    results = {"gate": lambda name, command, cwd: result if name == "tests" else 0}
    told: dict[str, Any] = play(process, results=results).output
    return told


def test_all_commands_are_asked_for_at_once() -> None:
    played = play(process, results={"gate": 0})
    assert played.titles == [["pytest -q", "ruff check ."]]
    tests, lint = played.asked("gate")
    assert (tests.command, lint.argv) == ("pytest -q", ["ruff", "check", "."])
    assert tests.definition["shell"] == {
        "command": "pytest -q",
        "cwd": "web",
        "check": False,
        "timeout": 300,
    }


def test_all_that_exit_with_0_have_passed() -> None:
    told = one(exits(0, "1 failed, or so it says"))
    assert (told["passed"], told["share"], told["why"]) == (True, 100, "")
    assert told["gates"][0] == {
        "name": "tests",
        "passed": True,
        "exitCode": 0,
        "seconds": 0,
        "lines": [],
    }


def test_one_that_exits_otherwise_has_failed_and_tells_its_last_lines() -> None:
    told = one(exits(2, "".join(f"line {n}\n" for n in range(30)), "and an error\n"))
    assert (told["passed"], told["share"]) == (False, 50)
    assert told["gates"][0]["lines"][0] == "line 11"
    assert told["why"].splitlines()[::20] == ["tests: failed, exit code 2", "and an error"]


@pytest.mark.parametrize("name", ["TaskTimeout", "StartFailed", "TaskCancelled"])
def test_one_that_has_no_exit_code_has_failed_and_says_why(name: str) -> None:
    told = one(fails(name, "it did not go", data={"stdout": "half\n", "durationMs": 1500}))
    assert told["gates"][0] == {
        "name": "tests",
        "passed": False,
        "exitCode": None,
        "seconds": 1.5,
        "lines": ["it did not go", "half"],
    }
    assert told["why"].startswith("tests: failed, no exit code\n")


def test_the_order_in_which_they_end_does_not_matter() -> None:
    orders = every_order(process, results={"gate": lambda name, command, cwd: int(name == "lint")})
    assert (orders.is_complete, orders.played.output["share"]) == (True, 50)


def test_braces_in_a_command_stay_as_they_are() -> None:
    async def process(inputs: Any, ctx: Context) -> None:
        await gates(ctx, {"a": "echo {name} {}"})

    assert play(process, results={"gate": 0}).titles == [["echo {name} {}"]]


def test_so_many_run_at_a_time() -> None:
    async def process(inputs: Any, ctx: Context) -> None:
        await gates(ctx, {"a": "1", "b": "2", "c": "3"}, limit=2)

    assert [len(batch) for batch in play(process, results={"gate": 0}).batches] == [2, 1]


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        ({}, "gates needs at least one command; of none, all would have passed"),
        ({"a": " "}, "the command of gate 'a' is ' '"),
        ({"a": []}, r"the command of gate 'a' is \[\]"),
        ({"a": ["x", 1]}, r"the command of gate 'a' is \['x', 1\]"),
        ({"a b": "x"}, "branch name 'a b' cannot be part of a step's name"),
    ],
)
def test_what_is_no_gate_is_a_mistake_of_the_process(commands: dict[str, Any], said: str) -> None:
    async def process(inputs: Any, ctx: Context) -> None:
        with pytest.raises((TypeError, ValueError), match=said):
            await gates(ctx, commands)

    assert play(process).status == "completed"


def test_gates_are_found_by_their_names() -> None:
    good, bad = Gate("a", 0, 1.0, []), Gate("b", 1, 1.0, ["no"])
    ran = Gates({"a": good, "b": bad})
    assert (ran["a"].passed, ran.failed, str(bad)) == (True, [bad], "b: failed, exit code 1\nno")
