"""Build, verify, deploy: small projects by the command line, and how their commands are found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from small_projects import Babysitter, make_program, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

MAKEFILE = """
.PHONY: build test
SHELL := /bin/sh
build:
\techo build >> done
test e2e: build
\techo $@ >> done
docs:
\techo docs >> done
deploy:
\techo deploy >> done
"""


def verify(babysitter: Babysitter, *words: str) -> Any:
    return babysitter("run", "build-and-verify", "--json", *words)


def given(**commands: str) -> list[str]:
    """Commands as inputs; the steps that are not named are left out."""
    steps = dict.fromkeys(("build", "test", "e2e", "docs", "deploy"), "none") | commands
    return [word for name, command in steps.items() for word in ("-i", f"{name}={command}")]


def done(project: Path) -> list[str]:
    return (project / "done").read_text().split()


def test_the_build_comes_first_and_the_deployment_last(project: Path, babysitter: Babysitter) -> None:
    steps = {
        name: f"sleep 0.0{5 - place}; echo {name} >> done" for place, name in enumerate(("build", "test"))
    }
    ended = verify(babysitter, *given(**steps, docs="echo docs >> done", deploy="echo deploy >> done"))
    order = done(project)
    assert (ended.data["deployed"], order[0], sorted(order[1:3]), order[3:]) == (
        True,
        "build",
        ["docs", "test"],
        ["deploy"],
    )


def test_tests_and_docs_run_at_the_same_time(project: Path, babysitter: Babysitter) -> None:
    # Each waits for the other, so one after the other would take until the timeout.
    meet = "touch {0}; while ! [ -e {1} ]; do sleep 0.02; done"
    ended = verify(
        babysitter,
        "--jobs",
        "2",
        *given(test=meet.format("a", "b"), docs=meet.format("b", "a")),
        "-i",
        "timeout=20",
    )
    assert ended.code == 0


def test_after_a_failed_build_nothing_is_begun(project: Path, babysitter: Babysitter) -> None:
    ended = verify(babysitter, *given(build="echo oops >&2; exit 2", test="touch tested"))
    (step,) = ended.data["steps"]
    assert (ended.code, step["verdict"], step["detail"].splitlines()[-1], (project / "tested").exists()) == (
        1,
        "failed",
        "oops",
        False,
    )


def test_when_a_test_fails_the_others_end_and_nothing_is_deployed(
    project: Path, babysitter: Babysitter
) -> None:
    ended = verify(babysitter, *given(test="exit 1", e2e="sleep 0.1", docs=":", deploy="touch deployed"))
    verdicts = {step["name"]: step["verdict"] for step in ended.data["steps"]}
    assert (ended.code, verdicts, (project / "deployed").exists()) == (
        1,
        {"test": "failed", "e2e": "passed", "docs": "passed"},
        False,
    )


def test_a_deployment_that_fails_fails_the_run(babysitter: Babysitter) -> None:
    ended = verify(babysitter, *given(test=":", deploy="exit 7"))
    assert (ended.code, ended.json["error"]["message"]) == (1, "deploy failed")


def test_a_deployment_that_was_found_waits_for_a_person(project: Path, babysitter: Babysitter) -> None:
    write(project, {"Makefile": MAKEFILE})
    ended = verify(babysitter)
    assert (ended.code, list(ended.json["pending"]), "deploy" in done(project)) == (8, ["breakpoint"], False)


@pytest.mark.parametrize(("answer", "deployed"), [("approve", True), ("reject", False)])
def test_the_person_s_answer_decides(
    answer: str, deployed: bool, project: Path, babysitter: Babysitter
) -> None:
    write(project, {"Makefile": MAKEFILE})
    verify(babysitter)
    babysitter(answer, "latest")
    ended = babysitter("resume", "--json")
    assert (ended.code, ended.data["deployed"], "deploy" in done(project)) == (0, deployed, deployed)


def test_what_is_not_found_is_said_and_no_failure(babysitter: Babysitter) -> None:
    ended = babysitter("run", "build-and-verify")
    assert (ended.code, "found no command for: build, test, e2e, docs, deploy" in ended.text) == (0, True)


@pytest.fixture
def find(project: Path, load: Callable[[str, str], ModuleType]) -> Callable[[], dict[str, str]]:
    """The commands that are found in the project, those that were not left out."""
    commands = load("build-and-verify", "commands")
    return lambda: {step: command for step, command in commands.find(str(project)).items() if command}


def test_commands_are_found_in_a_makefile(project: Path, find: Callable[[], dict[str, str]]) -> None:
    write(project, {"Makefile": MAKEFILE})
    assert find() == {
        "build": "make build",
        "test": "make test",
        "e2e": "make e2e",
        "docs": "make docs",
        "deploy": "make deploy",
    }


def test_commands_are_found_in_package_json(project: Path, find: Callable[[], dict[str, str]]) -> None:
    scripts = {"build": "tsc", "test": 'echo "Error: no test specified"', "test:e2e": "playwright test"}
    write(project, {"package.json": json.dumps({"scripts": scripts}), "yarn.lock": ""})
    assert find() == {"build": "env CI=true yarn run build", "e2e": "env CI=true yarn run test:e2e"}


def test_commands_are_found_as_scripts(project: Path, find: Callable[[], dict[str, str]]) -> None:
    make_program(project / "scripts/test", "true")
    write(project, {"scripts/build": "not executable"})
    assert find() == {"test": "scripts/test"}


def test_commands_are_found_in_pyproject(project: Path, find: Callable[[], dict[str, str]]) -> None:
    write(project, {"pyproject.toml": '[tool.poe.tasks]\ntest = "pytest"\n[tool.pdm.scripts]\ndocs = "x"\n'})
    assert find() == {"test": "poe test", "docs": "pdm run docs"}


def test_what_is_usual_is_found_where_nothing_is_said(
    project: Path, find: Callable[[], dict[str, str]]
) -> None:
    write(project, {"tests/test_a.py": "", "tests/e2e/test_b.py": "", "mkdocs.yml": ""})
    make_program(project / ".venv/bin/python", "exit 0")
    make_program(project / ".venv/bin/mkdocs", "exit 0")
    assert find() == {
        "test": ".venv/bin/python -m pytest tests --ignore=tests/e2e",
        "e2e": ".venv/bin/python -m pytest tests/e2e",
        "docs": ".venv/bin/mkdocs build",
    }


def test_where_the_settings_say_what_the_tests_are_pytest_is_told_nothing_else(
    project: Path, find: Callable[[], dict[str, str]]
) -> None:
    write(project, {"checks/test_a.py": "", "tox.ini": "[pytest]\ntestpaths = checks\n"})
    make_program(project / ".venv/bin/python", "exit 0")
    assert find() == {"test": ".venv/bin/python -m pytest"}


def test_without_an_environment_tests_find_what_is_in_src(
    project: Path, babysitter: Babysitter, find: Callable[[], dict[str, str]]
) -> None:
    write(project, {"src/a.py": "", "testing/test_a.py": "import a\n\ndef test(): pass\n"})
    (command,) = find().values()
    ended = verify(babysitter, *given(test="auto"))
    assert (ended.code, command.startswith("env PYTHONPATH=src ")) == (0, True)


def test_a_wheel_is_made_by_another_pip_where_the_environment_has_none(
    project: Path, tmp_path: Path, find: Callable[[], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, {"pyproject.toml": "[build-system]\nrequires = []\n"})
    make_program(project / ".venv/bin/python", "exit 1")
    make_program(tmp_path / "bin/python3", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert find() == {"build": "python3 -m pip wheel --no-deps --wheel-dir dist ."}


def test_steps_find_the_programs_of_the_project_s_environment(project: Path, babysitter: Babysitter) -> None:
    make_program(project / ".venv/bin/python", "exit 0")
    make_program(project / ".venv/bin/checker", "exit 0")
    assert verify(babysitter, *given(test="checker")).code == 0


@pytest.mark.parametrize("word", ["none", "false"])
def test_a_step_that_is_not_wanted_is_left_out(word: str, project: Path, babysitter: Babysitter) -> None:
    write(project, {"Makefile": MAKEFILE})
    ended = verify(babysitter, *(part for name in ("e2e", "deploy") for part in ("-i", f"{name}={word}")))
    assert [step["name"] for step in ended.data["steps"]] == ["build", "test", "docs"]


def test_a_broken_package_json_has_no_commands(project: Path, find: Callable[[], dict[str, str]]) -> None:
    write(project, {"package.json": "{"})
    assert find() == {}
