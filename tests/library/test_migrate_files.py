"""Migrating files: played, and once for real with a scripted agent on a small repository."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from scripted_agent import agent_command, does
from small_projects import ROOT, Babysitter, make_program, write

from babysitter.testing import every_order, fails, in_turn, load, play
from tests.support.repositories import changed, commit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

FILES = ["a.py", "b.py", "c.py"]
INPUTS = {"instruction": "new style", "pattern": "*.py", "check": "check {file}", "limit": 3}


@pytest.fixture
def migrate() -> ModuleType:
    return load(ROOT / "processes" / "migrate-files" / "process.py")


def results(**given: Any) -> dict[str, Any]:
    usual = {
        "find_files": FILES,
        "keep": lambda file: f"artifacts/before/{file}",
        "migrate": "done",
        "gate": 0,
        "compare": True,
        "put_back": None,
    }
    return {**usual, **given}


def bad(file: str, ending: Any = 1) -> Callable[..., Any]:
    """The check of this file does not pass."""
    return lambda name, command, cwd: ending if command == ["check", file] else 0


def test_each_file_goes_its_own_way(migrate: ModuleType) -> None:
    played = play(migrate, {**INPUTS, "limit": 2}, results=results())
    both = [["keep"] * 2, ["migrate"] * 2, ["gate"] * 2, ["compare"] * 2]
    assert played.tasks == [["find_files"], *both, ["keep"], ["migrate"], ["gate"], ["compare"]]
    assert played.output["migrated"] == FILES


def test_a_file_that_does_not_pass_is_tried_again_with_what_failed(migrate: ModuleType) -> None:
    gate = in_turn(1, 0)
    played = play(migrate, INPUTS, results=results(find_files=["a.py"], gate=gate))
    assert [asked.args["before"] for asked in played.asked("migrate")] == [
        "",
        "check: failed, exit code 1",
    ]
    assert (played.output["migrated"], played.output["retried"]) == (["a.py"], ["a.py"])


def test_one_that_never_passes_is_put_back_and_spoils_nothing(migrate: ModuleType) -> None:
    played = play(migrate, INPUTS, results=results(gate=bad("b.py")))
    assert played.output == {
        "migrated": ["a.py", "c.py"],
        "unchanged": [],
        "failed": [{"file": "b.py", "why": "check: failed, exit code 1"}],
        "retried": ["b.py"],
    }
    assert [asked.args["file"] for asked in played.asked("put_back")] == ["b.py"]


@pytest.mark.parametrize(
    ("task", "put_back"), [("migrate", ["b.py"]), ("keep", []), ("put_back", ["b.py"]), ("compare", [])]
)
def test_a_task_that_fails_for_one_file_is_told_of_that_file(
    task: str, put_back: list[str], migrate: ModuleType
) -> None:
    usual = results()

    def ended(**args: Any) -> Any:
        answer = usual[task]
        told = answer(**args) if callable(answer) else answer
        return fails("Broken", "it broke") if args["file"] == "b.py" else told

    gate = bad("b.py") if task == "put_back" else 0
    played = play(migrate, INPUTS, results=results(gate=gate, **{task: ended}))
    assert (played.output["migrated"], played.output["failed"]) == (
        ["a.py", "c.py"],
        [{"file": "b.py", "why": "it broke"}],
    )
    assert [asked.args["file"] for asked in played.asked("put_back")] == put_back


def test_a_file_that_is_as_it_was_is_not_called_migrated(migrate: ModuleType) -> None:
    output = play(migrate, INPUTS, results=results(compare=lambda file, copy: file != "a.py")).output
    assert (output["migrated"], output["unchanged"]) == (["b.py", "c.py"], ["a.py"])


def test_when_no_file_can_be_migrated_the_run_fails(migrate: ModuleType) -> None:
    played = play(migrate, INPUTS, results=results(gate=1))
    assert played.error is not None
    assert (played.error.message, len(played.error.data["failed"])) == (
        "none of 3 files could be migrated",
        3,
    )


def test_no_file_to_migrate_is_a_failure(migrate: ModuleType) -> None:
    played = play(migrate, INPUTS, results=results(find_files=[]))
    assert played.error is not None
    assert played.error.message == "no file fits '*.py'"


def test_the_report_is_the_same_in_every_order(migrate: ModuleType) -> None:
    given = results(find_files=["a.py", "b.py"], gate=bad("b.py"))
    orders = every_order(migrate, {**INPUTS, "attempts": 1}, results=given, hash_seeds=0)
    assert (orders.is_complete, orders.played.output["migrated"]) == (True, ["a.py"])


def test_real_files_are_migrated_and_the_bad_one_is_as_it_was(
    project: Path, tmp_path: Path, babysitter: Babysitter
) -> None:
    old = {f"src/{name}.py": f"print '{name}'\n" for name in ("one", "two", "three")}
    commit(project, {**old, "src/.hidden.py": "", "src/four.py": "print('four')\n", "other.py": ""})
    agent = agent_command(
        tmp_path / "agent",
        {
            "src/one.py": [does("done", **{"src/one.py": "print('one')\n"})],
            "src/two.py": [
                does("done", **{"src/two.py": "print('two'\n"}),
                does("done", **{"src/two.py": "print('two')\n"}),
            ],
            "src/three.py": [does("done", **{"src/three.py": "print(\n"})],
            "src/four.py": [does("nothing to do")],
        },
    )
    inputs = ("-i", "instruction=print is a function", "-i", "pattern=src/*.py", "-i", "attempts=2")
    check = (
        "-i",
        f"check={sys.executable} -B -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' {{file}}",
    )
    ended = babysitter("run", "migrate-files", "--json", *inputs, *check, *agent)
    assert ended.code == 0
    assert {name: ended.data[name] for name in ("migrated", "unchanged", "retried")} == {
        "migrated": ["src/one.py", "src/two.py"],
        "unchanged": ["src/four.py"],
        "retried": ["src/three.py", "src/two.py"],
    }
    (failed,) = ended.data["failed"]
    assert (failed["file"], "SyntaxError" in failed["why"]) == ("src/three.py", True)
    assert changed(project) == ["src/one.py", "src/two.py"]


def test_a_file_s_name_is_never_read_by_a_shell(
    project: Path, tmp_path: Path, babysitter: Babysitter
) -> None:
    name = "a; touch oh.py"
    write(project, {name: "1"})
    make_program(project / "check", 'printf "%s" "$1" > checked')
    agent = agent_command(tmp_path / "agent", {"Change one file": [does("done", **{name: "2"})]})
    inputs = ("-i", "instruction=x", "-i", "pattern=*.py", "-i", "check=./check {file}")
    ended = babysitter("run", "migrate-files", "--json", *inputs, *agent)
    assert (ended.data["migrated"], (project / "checked").read_text()) == ([name], name)
    assert not (project / "oh.py").exists()
