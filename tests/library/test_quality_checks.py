"""The quality checks on real projects, by the command line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from small_projects import COMMAND, ROOT, Babysitter, make_program, write

if TYPE_CHECKING:
    from pathlib import Path

GOOD = {
    "pyproject.toml": (
        '[project]\nname = "good"\nversion = "1.0"\n[project.scripts]\ngood = "good:main"\n'
        "[tool.ruff.format]\n[tool.mypy]\nstrict = true\n[tool.pytest.ini_options]\n"
    ),
    "good/__init__.py": "def main() -> int:\n    return 1\n",
    "tests/test_good.py": "from good import main\n\n\ndef test_main() -> None:\n    assert main() == 1\n",
}
BAD = {
    **GOOD,
    "good/__init__.py": "import os\n\n\ndef main() -> int:\n    return 2\n",
}


def check(babysitter: Babysitter, *words: str) -> Any:
    return babysitter("run", "quality-checks", "--json", *words)


def verdicts(data: dict[str, Any]) -> dict[str, str]:
    found = {check["name"]: check["verdict"] for check in data["checks"]}
    return {**found, **{check["name"]: "missing" for check in data["missing"]}}


def detail(data: dict[str, Any], name: str) -> str:
    (found,) = [check["detail"] for check in [*data["checks"], *data["missing"]] if check["name"] == name]
    return str(found)


def test_a_good_project_passes_every_check(project: Path, babysitter: Babysitter) -> None:
    write(project, GOOD)
    ended = check(babysitter)
    names = ("tests", "types", "lint", "format", "syntax", "packaging")
    assert (ended.code, verdicts(ended.data)) == (0, dict.fromkeys(names, "passed"))


def test_the_report_says_how_long_its_checks_took_one_after_the_other(
    project: Path, babysitter: Babysitter
) -> None:
    write(project, GOOD)
    data = check(babysitter, "-i", "checks=types,syntax,packaging").data
    (journal,) = project.glob(".a5c/runs/*/journal")
    results = [json.loads(path.read_text())["data"] for path in journal.glob("*.json")]
    durations = [
        result["value"]["durationMs"] for result in results if "exitCode" in str(result.get("value"))
    ]
    assert (len(durations), data["times"]["oneAfterAnother"]) == (3, round(sum(durations) / 1000, 1))


def test_failing_checks_end_the_run_as_failed_and_the_others_are_reported(
    project: Path, babysitter: Babysitter
) -> None:
    write(project, BAD)
    ended = check(babysitter, "-i", "checks=tests,lint,syntax")
    assert (ended.code, verdicts(ended.data)) == (
        1,
        {"tests": "failed", "lint": "failed", "syntax": "passed"},
    )


def test_a_failing_test_is_named_in_the_report(project: Path, babysitter: Babysitter) -> None:
    write(project, BAD)
    ended = check(babysitter, "-i", "checks=tests")
    assert "FAILED tests/test_good.py::test_main - assert 2 == 1" in detail(ended.data, "tests")


def test_people_get_a_table_and_the_lines_that_matter(project: Path, babysitter: Babysitter) -> None:
    write(project, BAD)
    text = babysitter("run", "quality-checks", "-i", "checks=lint,types").text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "log 1 passed, 1 failed, 0 missing" in lines
    assert any(line.startswith("good/__init__.py:1:8: F401 `os`") for line in lines)
    rows = [line.split()[:2] for line in lines if line.split()[:1] in (["lint"], ["types"])]
    assert rows == [["lint", "ruff"], ["types", "mypy"]]


def test_the_project_is_left_as_it_was(project: Path, babysitter: Babysitter) -> None:
    write(project, GOOD)
    check(babysitter)
    left = {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()}
    assert {path for path in left if not path.startswith(".a5c")} == set(GOOD)


def test_an_empty_folder_passes_and_says_that_there_is_nothing_to_check(babysitter: Babysitter) -> None:
    ended = babysitter("run", "quality-checks")
    assert (ended.code, "0 passed, 0 failed, 6 missing: nothing to check" in ended.text) == (0, True)


def test_a_folder_with_spaces_and_thousands_of_files_is_checked(
    project: Path, tmp_path: Path, babysitter: Babysitter
) -> None:
    other = tmp_path / "a project, with spaces"
    write(other, {f"part {number % 7}/m{number}.py": "x = 1\n" for number in range(5000)})
    data = check(babysitter, "-i", f"path={other}").data
    assert detail(data, "syntax") == "files parsed: 5000 Python"


def test_files_that_cannot_be_parsed_are_named_with_their_lines(
    project: Path, babysitter: Babysitter
) -> None:
    write(project, {"a.py": "x = 1\nif:\n", "b.json": "{", "c.toml": "a = ", "tests/data/d.py": "if:"})
    told = detail(check(babysitter, "-i", "checks=syntax").data, "syntax").splitlines()
    assert [line.split()[0] for line in told] == ["a.py:2:", "b.json:1:", "c.toml:1:", "3"]


def test_tests_for_unittest_run_where_pytest_is_not_used(project: Path, babysitter: Babysitter) -> None:
    text = (
        "import unittest\n\n\nclass Test(unittest.TestCase):\n    def test(self):\n        self.fail('no')\n"
    )
    write(project, {"tests/test_a.py": text})
    data = check(babysitter, "-i", "checks=tests").data
    assert (data["checks"][0]["tool"], detail(data, "tests").splitlines()) == (
        "unittest",
        ["FAIL: test (test_a.Test.test)", "FAILED (failures=1)"],
    )


def test_a_check_that_takes_too_long_is_ended_and_failed(project: Path, babysitter: Babysitter) -> None:
    write(project, {"tests/test_slow.py": "def test_slow():\n    while True:\n        pass\n"})
    ended = check(babysitter, "-i", "checks=tests", "-i", "timeout=500ms")
    assert (ended.code, verdicts(ended.data)) == (1, {"tests": "failed"})


def test_a_folder_that_does_not_exist_fails_the_run(babysitter: Babysitter) -> None:
    ended = check(babysitter, "-i", "path=nowhere")
    assert (ended.code, "there is no folder 'nowhere'" in ended.json["error"]["message"]) == (1, True)


@pytest.mark.parametrize("pair", ["checks=test", "checks=", "timeout=soon", "timeout=0", "depth=3"])
def test_inputs_that_do_not_fit_are_refused(pair: str, babysitter: Babysitter) -> None:
    assert check(babysitter, "-i", pair).code == 2


def test_tests_that_call_the_checks_of_their_own_project_are_not_run_in_turn(
    project: Path, babysitter: Babysitter
) -> None:
    script = f"""
import json, subprocess

def test_own_quality():
    ended = subprocess.run({[*COMMAND, "run", "quality-checks", "--json"]!r}, capture_output=True)
    (missing,) = json.loads(ended.stdout)["output"]["missing"][:1]
    assert missing["detail"] == "these checks were called by the tests themselves"
"""
    write(project, {"tests/test_self.py": script})
    assert verdicts(check(babysitter, "-i", "checks=tests").data) == {"tests": "passed"}


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_a_javascript_project_is_checked_with_its_own_tools(project: Path, babysitter: Babysitter) -> None:
    package = {
        "name": "web",
        "version": "1.0.0",
        "scripts": {"test": "exit 3"},
        "devDependencies": {"eslint": "9", "prettier": "3"},
    }
    write(project, {"package.json": json.dumps(package), "tsconfig.json": "{ /* none */ }"})
    make_program(project / "node_modules/.bin/eslint", "echo all is well")
    make_program(project / "node_modules/.bin/prettier", "echo '[warn] a.js'; exit 1")
    assert verdicts(check(babysitter).data) == {
        "tests": "failed",
        "types": "missing",
        "lint": "passed",
        "format": "failed",
        "syntax": "passed",
        "packaging": "passed",
    }


def wait_for(condition: Any, patience: float = 30) -> None:
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_killed_run_goes_on_and_repeats_only_what_was_in_flight(
    project: Path, babysitter: Babysitter
) -> None:
    slow = """
import pathlib, time

def test_slow():
    with open("starts", "a") as file:
        file.write("x")
    while not pathlib.Path("go").exists():
        time.sleep(0.02)
"""
    write(project, {"tests/test_slow.py": slow})
    words = [*COMMAND, "run", "quality-checks", "--plain", "--jobs", "2", "-i", "checks=tests,syntax"]
    with subprocess.Popen(words, cwd=project, stdout=subprocess.DEVNULL, start_new_session=True) as run:
        wait_for(lambda: (project / "starts").exists() and count(project, "EFFECT_RESOLVED") == 2)
        os.kill(run.pid, signal.SIGKILL)
    write(project, {"go": ""})
    ended = babysitter("resume", "--json")
    assert (ended.code, count(project, "EFFECT_RESOLVED"), (project / "starts").read_text()) == (0, 3, "xx")


def count(project: Path, kind: str) -> int:
    """Events of one type in the project's only run."""
    (journal,) = project.glob(".a5c/runs/*/journal")
    return sum(f'"type":"{kind}"' in path.read_text() for path in journal.glob("*.json"))


def test_the_checks_run_on_this_project(babysitter: Babysitter) -> None:
    data = check(babysitter, "-i", f"path={ROOT}", "-i", "checks=syntax").data
    assert verdicts(data) == {"syntax": "passed"}
