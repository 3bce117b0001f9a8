"""``process test``: the tests beside a process are run, and a run becomes a test."""

from __future__ import annotations

import json
import os
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from babysitter.cli.process_tests import tests_of as found_tests
from babysitter.library import resolve
from tests.support.commands import Ended, call, told

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

PROCESS = """
from babysitter import agent, shell

@shell
def tests(path):
    return ["echo", path]

@agent
def review(text):
    return f"Review {text}"

async def process(inputs, ctx):
    ran = await ctx.task(tests, path="src")
    return await ctx.task(review, text=ran.stdout)

async def other(inputs, ctx):
    return (await ctx.task(tests, path="lib")).stdout
"""
TEST = """
from pathlib import Path

from babysitter.testing import load, play

release = load(Path(__file__).with_name("release.py"))

def test_it_reviews_what_was_printed():
    played = play(release, results={"tests": "ok", "review": "fine"})
    assert played.calls == [["tests(path='src')"], ["review(text='ok')"]]
"""


@pytest.fixture(autouse=True)
def _process(project: Path) -> None:
    (project / "release.py").write_text(dedent(PROCESS))


def finished() -> Ended:
    """A run called ``r-1`` that has completed."""
    call("run", "release.py", "--run-id", "r-1")
    call("post", "r-1", "2", "--value", '"fine"')
    return call("resume", "r-1")


def test_the_tests_beside_a_process_are_run(project: Path) -> None:
    (project / "test_release.py").write_text(dedent(TEST))
    ended = call("process", "test", "release.py")
    assert (ended.code, "1 passed" in ended.stdout) == (0, True)


def test_a_test_that_fails_is_shown_and_is_the_exit_code(project: Path) -> None:
    (project / "test_release.py").write_text(dedent(TEST).replace("text='ok'", "text='no'"))
    ended = call("process", "test", "release.py")
    assert (ended.code, "review(text='ok')" in ended.stdout) == (1, True)


def test_a_file_that_is_no_test_is_unusable(project: Path) -> None:
    (project / "test_release.py").write_text("def test(")
    answer = told("process", "test", "release.py", code=2)
    assert (answer["name"], answer["status"]) == ("release", "unusable")


def test_what_stands_behind_two_dashes_is_for_pytest(project: Path) -> None:
    (project / "test_release.py").write_text(dedent(TEST))
    ended = call("process", "test", "release.py", "--", "-k", "nothing_like_it")
    assert (ended.code, "1 deselected" in ended.stdout) == (2, True)


def test_nothing_is_left_beside_the_process(project: Path) -> None:
    (project / "test_release.py").write_text(dedent(TEST))
    call("process", "test", "release.py")
    assert sorted(os.listdir(project)) == ["release.py", "test_release.py"]


def test_a_process_without_tests_is_told_how_to_get_some(project: Path) -> None:
    ended = call("process", "test", "release.py")
    missing = f"no test_release.py or test_release_*.py in {str(project)!r}"
    assert (ended.code, ended.stderr.splitlines()) == (
        2,
        [
            f"error: process 'release' has no tests: {missing}",
            "  write one (docs/testing.md), or make one of a run: babysitter process test --from RUN",
        ],
    )


def test_a_process_that_is_not_there_is_named() -> None:
    assert told("process", "test", "relase.py", code=4)["error"]["name"] == "NoSuchProcess"


def test_a_file_has_the_tests_with_its_name_and_a_folder_all_of_its_own(project: Path) -> None:
    folder = project / ".a5c" / "processes" / "ship"
    folder.mkdir(parents=True)
    for name in ("process.py", "test_process.py", "test_ship_r.py", "helpers.py", "test_x.txt"):
        (folder / name).touch()
    for name in ("test_release.py", "test_release_r_1.py", "test_released.py", "test_other.py"):
        (project / name).touch()

    def tests(name: str) -> list[str]:
        return [os.path.basename(path) for path in found_tests(resolve(name))]

    assert tests("release.py") == ["test_release.py", "test_release_r_1.py"]
    assert tests("ship") == ["test_process.py", "test_ship_r.py"]


def test_without_pytest_it_says_what_to_install(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import importlib.util

    from babysitter.cli import process_tests
    from babysitter.errors import InvalidInput

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InvalidInput, match="pytest is not installed where babysitter is") as caught:
        process_tests._check_pytest()
    assert caught.value.hint == f"install it: {sys.executable} -m pip install pytest"


def test_a_run_becomes_a_test_that_passes(project: Path) -> None:
    finished()
    answer = told("process", "test", "--from", "r-1")
    assert answer == {
        "run": "r-1",
        "test": str(project / "test_release_r_1.py"),
        "results": str(project / "test_release_r_1.json"),
        "process": str(project / "release.py"),
    }
    assert told("process", "test", "release.py")["status"] == "passed"


def test_a_changed_process_makes_it_fail_and_says_where(project: Path) -> None:
    finished()
    call("process", "test", "--from", "r-1")
    (project / "release.py").write_text(dedent(PROCESS).replace('path="src"', 'path="lib"'))
    ended = call("process", "test", "release.py")
    assert ended.code == 1
    assert "At index 0 diff: ['tests at 1: echo lib'] != ['tests at 1: echo src']" in ended.stdout


def test_a_test_elsewhere_finds_its_process(project: Path) -> None:
    finished()
    (project / "tests").mkdir()
    call("process", "test", "--from", "r-1", "--write", "tests/test_it.py")
    assert 'PROCESS = HERE / "../release.py"' in (project / "tests" / "test_it.py").read_text()
    assert passes(project / "tests" / "test_it.py")


def test_a_run_of_another_function_names_it(project: Path) -> None:
    call("run", "release.py#other", "--run-id", "r-2")
    call("process", "test", "--from", "r-2")
    assert 'PROCESS = str(HERE / "release.py") + "#other"' in (project / "test_release_r_2.py").read_text()
    assert passes(project / "test_release_r_2.py")


def test_a_run_of_the_library_is_named_and_its_test_is_written_here(project: Path) -> None:
    (project / "a.py").write_text("x = 1\n")
    call("run", "quality-checks", "--run-id", "q")
    call("process", "test", "--from", "q")
    assert 'PROCESS = "quality-checks"' in (project / "test_q.py").read_text()
    assert passes(project / "test_q.py")


def test_a_packed_run_becomes_a_test_too(project: Path) -> None:
    finished()
    call("archive", "r-1")
    assert told("process", "test", "--from", "r-1")["run"] == "r-1"


@pytest.mark.parametrize("name", ["test_release_r_1.py", "test_release_r_1.json"])
def test_a_file_that_is_there_is_left_as_it_is(name: str, project: Path) -> None:
    finished()
    (project / name).write_text("mine")
    answer = told("process", "test", "--from", "r-1", code=2)
    assert (answer["error"]["message"], (project / name).read_text()) == (
        f"{str(project / name)!r} is there already",
        "mine",
    )
    assert sorted(path.name for path in project.glob("test_*")) == [name]


def test_by_force_it_is_written_over(project: Path) -> None:
    finished()
    (project / "test_release_r_1.py").write_text("mine")
    told("process", "test", "--from", "r-1", "--force")
    assert passes(project / "test_release_r_1.py")


def test_a_name_in_a_journal_stays_a_name_in_the_test(project: Path) -> None:
    name = 'a"""; import os; os.mkdir("made"); """.py'
    (project / name).write_text(dedent(PROCESS))
    call("run", f"./{name}#other", "--run-id", "r-3")
    call("process", "test", "--from", "r-3", "--write", "test_it.py")
    assert passes(project / "test_it.py")
    assert not (project / "made").exists()


@pytest.mark.parametrize("words", [[], ["release.py", "--from", "r-1"]])
def test_a_process_or_a_run_is_needed(words: list[str]) -> None:
    assert told("process", "test", *words, code=2)["error"]["name"] == "UsageError"


def test_a_test_is_written_to_a_python_file(project: Path) -> None:
    finished()
    answer = told("process", "test", "--from", "r-1", "--write", "it.txt", code=2)
    assert answer["error"]["message"] == "'it.txt' is no name of a test file"


def test_the_values_are_those_of_the_journal(project: Path) -> None:
    finished()
    call("process", "test", "--from", "r-1")
    written = json.loads((project / "test_release_r_1.json").read_text())
    assert [came["value"] for each in written["rounds"] for came in each["came"]][1] == "fine"


def passes(test: Path) -> bool:
    """Whether a written test passes under plain pytest."""
    import subprocess

    from tests.support.driving import ROOT

    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "-p", "no:cacheprovider", str(test)]
    ended: subprocess.CompletedProcess[str] = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": ROOT}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout
    return True
