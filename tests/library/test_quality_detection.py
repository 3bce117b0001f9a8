"""What the quality checks find in a project, and how they read what tools say."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from small_projects import ROOT, make_program, write

from babysitter import ShellResult, TaskFailed

if TYPE_CHECKING:
    from pathlib import Path

Load = Callable[[str, str], ModuleType]
ALL = ["tests", "types", "lint", "format", "syntax", "packaging"]


@pytest.fixture(autouse=True)
def _no_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH with nothing on it but a Python that has no modules, so that a project has what it brings."""
    make_program(tmp_path / "bin" / "python3", "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("QUALITY_CHECKS_OF", raising=False)


@pytest.fixture
def plan(project: Path, load: Load) -> Callable[..., dict[str, Any]]:
    """The plan for the project in the working directory."""
    detection = load("quality-checks", "detection")

    def make(*names: str) -> dict[str, Any]:
        made: dict[str, Any] = detection.plan(".", list(names) or ALL)
        return made

    return make


def install(project: Path, *tools: str) -> None:
    """Give a project an environment of its own, with these tools in it."""
    for tool in ("python", *tools):
        make_program(project / ".venv/bin" / tool, "exit 0")


def tools_of(plan: dict[str, Any]) -> list[str]:
    return [check["tool"] for check in plan["checks"]]


@pytest.mark.parametrize(
    ("file", "text", "tool"),
    [
        ("pyproject.toml", "[tool.ruff]\nline-length = 100\n", "ruff"),
        ("ruff.toml", "", "ruff"),
        (".pre-commit-config.yaml", "hooks:\n  - id: ruff-format\n", "ruff format"),
        ("scripts/check", "ruff format --check .", "ruff format"),
        ("setup.cfg", "[flake8]\nmax-line-length = 100\n", "flake8"),
        ("requirements-dev.txt", "Black>=24\n", "black"),
        ("pyproject.toml", "[dependency-groups]\ndev = ['mypy']\n", "mypy"),
        ("pyproject.toml", "[project.optional-dependencies]\ndev = ['mypy>=1']\n", "mypy"),
        ("pyproject.toml", "[tool.poetry.group.dev.dependencies]\nmypy = '^1'\n", "mypy"),
        ("mypy.ini", "[mypy]\n", "mypy"),
        ("tox.ini", "[mypy]\n", "mypy"),
        ("pyrightconfig.json", "{}", "pyright"),
        (".github/workflows/ci.yml", "- run: pyright\n", "pyright"),
    ],
)
def test_a_tool_counts_as_used(
    file: str, text: str, tool: str, project: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    write(project, {"a.py": "", file: text})
    install(project, "ruff", "flake8", "black", "mypy", "pyright")
    assert tool in tools_of(plan("types", "lint", "format"))


def test_nothing_is_used_that_nothing_speaks_of(project: Path, plan: Callable[..., dict[str, Any]]) -> None:
    write(project, {"a.py": "", "pyproject.toml": "# ruff, mypy and black are good\n"})
    install(project, "ruff", "flake8", "black", "mypy", "pyright")
    assert tools_of(plan("types", "lint", "format")) == []


def test_what_only_begins_like_a_tool_is_another(project: Path, plan: Callable[..., dict[str, Any]]) -> None:
    write(project, {"a.py": "", ".pre-commit-config.yaml": "hooks:\n  - id: blacken-docs\n"})
    install(project, "black")
    assert tools_of(plan("format")) == []


def test_a_project_may_have_two_linters(project: Path, plan: Callable[..., dict[str, Any]]) -> None:
    write(project, {"a.py": "", "requirements.txt": "ruff\nflake8\n"})
    install(project, "ruff", "flake8")
    assert tools_of(plan("lint")) == ["ruff", "flake8"]


def test_a_tool_that_is_used_and_not_there_is_missing_with_advice(
    project: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    write(project, {"a.py": "", "ruff.toml": ""})
    install(project)
    make_program(project / ".venv/bin/python", "exit 1")
    (missing,) = plan("lint")["missing"]
    advice = "to install it: .venv/bin/python -m pip install ruff"
    assert missing["detail"] == f"used (ruff.toml) but not installed; {advice}"


@pytest.mark.parametrize(
    ("lock", "text", "command"),
    [
        ("uv.lock", "[dependency-groups]\ndev = ['ruff']\n", "uv sync"),
        ("uv.lock", "[dependency-groups]\nlint = ['Ruff>=1']\n", "uv sync --group lint"),
        ("uv.lock", "[project.optional-dependencies]\nlint = ['ruff']\n", "uv sync --extra lint"),
        ("poetry.lock", "[tool.poetry.group.dev.dependencies]\nruff = '*'\n", "poetry install"),
        # Known by its settings alone, it would not come with what the lock file has.
        ("uv.lock", "[dependency-groups]\ndev = ['ruff-lsp']\n", "python3 -m pip install ruff"),
    ],
)
def test_advice_is_the_project_s_own_way_to_install(
    lock: str, text: str, command: str, project: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    write(project, {"a.py": "", "pyproject.toml": text, "ruff.toml": "", lock: ""})
    assert plan("lint")["missing"][0]["detail"].rpartition(": ")[2] == command


def test_a_project_s_own_tool_comes_before_that_of_the_path(
    project: Path, tmp_path: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    write(project, {"a.py": "", "ruff.toml": ""})
    make_program(tmp_path / "bin" / "ruff", "exit 0")
    install(project, "ruff")
    assert plan("lint")["checks"][0]["argv"][0] == str(project / ".venv/bin/ruff")


def test_a_stand_in_on_the_path_that_starts_nothing_is_no_tool(
    project: Path, tmp_path: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    write(project, {"a.py": "", "ruff.toml": ""})
    make_program(tmp_path / "bin" / "ruff", "echo 'ruff: command not found' >&2; exit 127")
    assert tools_of(plan("lint")) == []


def test_the_project_s_environment_is_active_for_its_checks(
    project: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    write(project, {"a.py": ""})
    install(project)
    binaries = str(project / ".venv/bin")
    assert plan("syntax")["env"]["PATH"] == os.pathsep.join([binaries, os.environ["PATH"]])


def test_an_environment_that_poetry_keeps_elsewhere_is_the_project_s_own(
    project: Path, tmp_path: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    write(project, {"a.py": "", "ruff.toml": "", "poetry.lock": ""})
    make_program(tmp_path / "elsewhere/bin/python", "exit 0")
    make_program(tmp_path / "elsewhere/bin/ruff", "exit 0")
    make_program(tmp_path / "bin/poetry", f'[ "$*" = "env info --path" ] && echo "{tmp_path}/elsewhere"')
    assert plan("lint")["checks"][0]["argv"][0] == f"{tmp_path}/elsewhere/bin/ruff"


@pytest.mark.parametrize(
    ("files", "tool"),
    [
        ({"tests/test_a.py": "def test_a(): pass\n"}, "pytest"),
        ({"tests/test_a.py": "import pytest\nimport unittest\n"}, "pytest"),
        ({"test_a.py": "import unittest\n", "conftest.py": ""}, "pytest"),
        ({"test_a.py": "import unittest\n", "pyproject.toml": "[tool.pytest.ini_options]\n"}, "pytest"),
        ({"test_a.py": "import unittest\n", "setup.cfg": "[tool:pytest]\n"}, "pytest"),
        ({"test_a.py": "import unittest\n"}, "unittest"),
    ],
)
def test_the_test_runner_is_the_one_that_the_tests_need(
    files: dict[str, str], tool: str, project: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    write(project, files)
    install(project)
    assert tools_of(plan("tests")) == [tool]


def test_without_an_environment_the_tests_find_what_is_in_src(
    project: Path, tmp_path: Path, plan: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    write(project, {"src/a/__init__.py": "", "tests/test_a.py": "import unittest\n"})
    assert plan("tests")["checks"][0]["env"] == {"PYTHONPATH": str(project / "src")}


def test_with_an_environment_the_tests_have_what_is_installed_there(
    project: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    write(project, {"src/a/__init__.py": "", "tests/test_a.py": "import unittest\n"})
    install(project)
    assert plan("tests")["checks"][0]["env"] == {}


def test_without_tests_the_tests_are_missing(project: Path, plan: Callable[..., dict[str, Any]]) -> None:
    write(project, {"a.py": "", "pytest.ini": ""})
    assert plan("tests")["missing"][0]["detail"] == "no Python tests found"


def test_pytest_of_the_path_is_not_used_for_a_project_with_its_own_environment(
    project: Path, tmp_path: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    write(project, {"test_a.py": "import pytest\n"})
    make_program(tmp_path / "bin" / "pytest", "exit 0")
    make_program(project / ".venv/bin/python", "exit 1")
    assert tools_of(plan("tests")) == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", ["-rfE", "-p", "no:cacheprovider"]),
        ("cache_dir = 'x'\n", ["-rfE"]),
        ("addopts = '--ff'\n", ["-rfE"]),
    ],
)
def test_pytest_leaves_no_cache_unless_the_settings_need_one(
    settings: str, words: list[str], project: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    write(project, {"test_a.py": "", "pyproject.toml": f"[tool.pytest.ini_options]\n{settings}"})
    install(project)
    assert plan("tests")["checks"][0]["argv"][3:] == words


@pytest.mark.parametrize(
    ("files", "targets"),
    [
        ({"src/a/__init__.py": ""}, ["src"]),
        ({"a/__init__.py": "", "b/__init__.py": "", "tests/__init__.py": ""}, ["a", "b"]),
        ({"a.py": "", "setup.py": ""}, ["a.py"]),
        ({"scripts/a.py": ""}, ["."]),
        ({"a.py": "", "mypy.ini": "[mypy]\nfiles = a.py\n"}, []),
        (
            {"src/a.py": "", "b.py": "", "tox.ini": "[x]\ncommands =\n  mypy: mypy src b.py\n"},
            ["src", "b.py"],
        ),
        ({"src/a.py": "", "tox.ini": "[x]\ncommands =\n  mypy on\n  mypy --strict b\n"}, ["src"]),
    ],
)
def test_mypy_is_given_what_its_settings_do_not_name(
    files: dict[str, str], targets: list[str], project: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    write(project, {"mypy.ini": "[mypy]\n", **files})
    make_program(project.parent / "bin" / "mypy", "exit 0")
    assert plan("types")["checks"][0]["argv"] == ["mypy", "--cache-dir", os.devnull, "--no-pretty", *targets]


def test_files_of_others_are_not_the_project_s(project: Path, load: Load) -> None:
    write(
        project,
        {
            "a.py": "",
            "pkg/build/b.py": "",
            "build/c.py": "",
            ".git/d.py": "",
            "web/node_modules/e.py": "",
            "my-env/pyvenv.cfg": "",
            "my-env/f.py": "",
            "x.egg-info/g.py": "",
        },
    )
    folders = load("quality-checks", "folders")
    assert list(folders.walk(str(project))) == ["a.py", "pkg/build/b.py"]


@pytest.mark.parametrize(
    ("path", "is_sample"),
    [
        ("tests/fixtures/a.py", True),
        ("tests/data/a.json", True),
        ("data/a.json", False),
        ("tests/test_a.py", False),
        ("{{ name }}/a.py", True),
    ],
)
def test_samples_are_told_from_files(path: str, is_sample: bool, load: Load) -> None:
    assert load("quality-checks", "folders").is_sample(path) is is_sample


def javascript(project: Path, **more: Any) -> None:
    write(project, {"package.json": json.dumps({"name": "web", "version": "1.0.0", **more})})


@pytest.mark.parametrize(
    ("more", "detail"),
    [
        ({}, "no test script in package.json"),
        (
            {"scripts": {"test": 'echo "Error: no test specified" && exit 1'}},
            "no test script in package.json",
        ),
        (
            {"scripts": {"test": "jest"}, "devDependencies": {"jest": "29"}},
            "the packages of the project are not installed; to install them: npm install",
        ),
        ({"scripts": {"test": "node --test"}}, "npm is not installed"),
    ],
)
def test_why_the_tests_of_a_javascript_project_are_missing(
    more: dict[str, Any], detail: str, project: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    javascript(project, **more)
    assert plan("tests")["missing"][0]["detail"] == detail


def test_the_package_manager_is_that_of_the_lock_file(
    project: Path, tmp_path: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    javascript(project, scripts={"test": "node --test"})
    write(project, {"pnpm-lock.yaml": ""})
    make_program(tmp_path / "bin" / "pnpm", "exit 0")
    assert plan("tests")["checks"][0]["argv"] == ["pnpm", "run", "test"]


def test_tsc_writes_nothing_for_the_next_time(project: Path, plan: Callable[..., dict[str, Any]]) -> None:
    javascript(project, devDependencies={"typescript": "5"})
    write(project, {"tsconfig.json": '{"compilerOptions": {"incremental": true}}'})
    make_program(project / "node_modules/.bin/tsc", "exit 0")
    assert plan("types")["checks"][0]["argv"][1:] == ["--noEmit", "-p", ".", "--incremental", "false"]


@pytest.mark.parametrize(
    ("more", "tool"),
    [
        ({"devDependencies": {"typescript": "5"}}, "tsc"),
        ({"scripts": {"build": "tsc -p ."}}, "tsc"),
        ({"scripts": {"test:types": "tstyche"}}, "npm test:types"),
        ({"scripts": {"types": "tsd"}, "devDependencies": {"typescript": "5"}}, "tsc"),
    ],
)
def test_types_are_checked_as_the_project_does(
    more: dict[str, Any], tool: str, project: Path, tmp_path: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    javascript(project, **more)
    write(project, {"tsconfig.json": "{}"})
    make_program(project / "node_modules/.bin/tsc", "exit 0")
    make_program(tmp_path / "bin/npm", "exit 0")
    assert tools_of(plan("types")) == [tool]


def test_a_tsconfig_alone_is_no_type_check(project: Path, plan: Callable[..., dict[str, Any]]) -> None:
    javascript(project)
    write(project, {"tsconfig.json": "{}"})
    make_program(project / "node_modules/.bin/tsc", "exit 0")
    assert plan("types")["missing"][0]["detail"] == "no type checker configured for JavaScript"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[project]\nversion = '1'\n", "project.name is missing"),
        ("[project]\nname = '-a'\nversion = '1'\n", "project.name is '-a'"),
        ("[project]\nname = 'a'\n", "project.version is missing, and project.dynamic does not have it"),
        (
            "[project]\nname = 'a'\nversion = '1'\ndynamic = ['version']\n",
            "project.version is given and dynamic at the same time",
        ),
        (
            "[project]\nname = 'a'\nversion = '1'\nreadme = 'R.md'\n",
            "the readme is 'R.md', which does not exist",
        ),
        ("[project]\nname = 'a'\nversion = '1'\ndependencies = ['>1']\n", "project.dependencies has '>1'"),
        (
            "[project]\nname = 'a'\nversion = '1'\n[project.scripts]\nx = 'pkg.nope:main'\n",
            "project.scripts.x names the module 'pkg.nope', which is not among the files",
        ),
        (
            "[project]\nname = 'a'\nversion = '1'\n[project.scripts]\nx = 'pkg.cli:nope'\n",
            "project.scripts.x names 'nope', which src/pkg/cli.py does not define",
        ),
        (
            "[project]\nname = 'a'\nversion = '1'\n[project.scripts]\nx = 'a b'\n",
            "project.scripts.x is 'a b'",
        ),
        ("[tool.poetry]\nname = 'a'\n", "tool.poetry.version is missing"),
        ("[project\n", "cannot be parsed, or is empty"),
    ],
)
def test_metadata_that_are_not_complete(text: str, fault: str, project: Path, load: Load) -> None:
    write(project, {"pyproject.toml": text, "src/pkg/__init__.py": "", "src/pkg/cli.py": "def main(): ...\n"})
    module = load("quality-checks", "metadata")
    (told,) = module.pyproject_faults(load("quality-checks", "project").Project(str(project)))
    assert told.startswith(f"pyproject.toml: {fault}")


def test_metadata_that_are_complete(project: Path, load: Load) -> None:
    scripts = "[project.scripts]\nx = 'pkg.cli:main'\ny = 'other:run'\n"
    text = f"[project]\nname = 'a'\ndynamic = ['version']\n{scripts}"
    write(project, {"pyproject.toml": text, "pkg/cli.py": "from x import main\n"})
    module = load("quality-checks", "metadata")
    assert list(module.pyproject_faults(load("quality-checks", "project").Project(str(project)))) == []


@pytest.mark.parametrize(
    ("tool", "exit_code", "output", "verdict"),
    [
        ("pytest", 0, "3 passed in 0.1s", "passed"),
        ("pytest", 5, "no tests ran in 0.1s", "missing"),
        ("pytest", 2, "no tests ran in 0.1s, 1 error", "failed"),
        ("mypy", 2, "There are no .py[i] files in directory '.'", "missing"),
        ("ruff", 1, "a.py:1:1: F401", "failed"),
        ("npm test", 127, "", "failed"),
    ],
)
def test_a_verdict(tool: str, exit_code: int, output: str, verdict: str, load: Load) -> None:
    report = load("quality-checks", "report")
    result = ShellResult(exit_code, output, "", 1.0)
    assert report.judge({"name": "x", "tool": tool}, result)["verdict"] == verdict


def test_of_many_faults_the_first_are_told_and_the_rest_counted(load: Load) -> None:
    report = load("quality-checks", "report")
    output = "".join(f"a.py:{line}:1: F401\n" for line in range(20)) + "Found 20 errors.\n"
    told = report.telling_lines("ruff", output)
    assert (told[0], told[-2:]) == ("a.py:0:1: F401", ["… and 8 more", "Found 20 errors."])


def test_colours_and_lines_that_were_written_over_are_left_out(load: Load) -> None:
    assert load("quality-checks", "report").clean("1%\r2%\r\x1b[31mred\x1b[0m\r\nb") == "red\nb"


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("# tests 7\n# pass  7\n\n# ok\n", "pass  7"),
        ("  12 passing (1s)\n\n", "12 passing (1s)"),
        ("Tests passed\n", "Tests passed"),
    ],
)
def test_tests_that_passed_are_counted_where_their_runner_says_so_earlier(
    output: str, told: str, load: Load
) -> None:
    assert load("quality-checks", "report").summed_up(output) == told


def test_a_module_that_tests_lack_is_named_first_and_then_where_they_ran(load: Load) -> None:
    report = load("quality-checks", "report")
    check = {"name": "tests", "tool": "pytest", "hint": "they ran there"}
    output = "tests/conftest.py:9: in <module>\nE   ModuleNotFoundError: No module named 'trustme'\n"
    told = report.judge(check, ShellResult(4, "", output, 1.0))["detail"].splitlines()
    assert told == ["E   ModuleNotFoundError: No module named 'trustme'", "they ran there"]


def test_files_are_named_relative_to_the_project(load: Load) -> None:
    report = load("quality-checks", "report")
    result = ShellResult(1, "/home/me/a/src/a.py:1:2 - error: no\n", "", 1.0)
    told = report.judge({"name": "types", "tool": "pyright"}, result, "/home/me/a")
    assert told["detail"] == "src/a.py:1:2 - error: no"


def test_time_that_overlaps_is_saved_and_a_pause_counts_for_nothing(load: Load) -> None:
    ended = [(10.0, 4.0), (12.0, 5.0), (5000.0, 1.5)]
    assert load("quality-checks", "times").took(ended) == {
        "sideBySide": 7.5,
        "oneAfterAnother": 10.5,
        "saved": 3.0,
    }


def test_yaml_is_parsed_also_where_the_project_s_python_cannot(project: Path, load: Load) -> None:
    write(project, {"a.yaml": "a: [", "b.toml": "b = 1\n"})
    syntax = load("quality-checks", "syntax")
    counts, faults = syntax.parse_elsewhere(sys.executable, str(project), ["TOML", "YAML"])
    assert (counts, [fault.split()[0] for fault in faults]) == ({"YAML": 1, "TOML": 1}, ["a.yaml:1:"])


def test_a_check_that_cannot_be_started_has_failed(load: Load) -> None:
    report = load("quality-checks", "report")
    failure = TaskFailed("there is no program 'x'", name="StartFailed")
    told = report.judge_failure({"name": "lint", "tool": "x"}, failure)
    assert (told["verdict"], told["detail"]) == ("failed", "there is no program 'x'")


def test_the_syntax_check_keeps_to_old_python() -> None:
    # A project's own Python runs these, and it may be as old as 3.7.
    import ast

    for name in ("syntax.py", "folders.py"):
        ast.parse((ROOT / "processes/quality-checks" / name).read_text("utf-8"), feature_version=(3, 7))


def test_a_check_that_the_project_declares_takes_the_place_of_what_would_be_found(
    project: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    install(project, "pytest")
    write(project, {"tests/test_a.py": "def test(): pass", "pyproject.toml": OWN_CHECKS})
    argvs = {check["name"]: check["argv"] for check in plan("tests", "lint")["checks"]}
    assert argvs == {"tests": ["sh", "-c", "make quick"], "lint": ["scripts/check", "--all"]}


def test_a_check_that_the_project_does_not_want_is_neither_run_nor_missing(
    project: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    write(project, {"pyproject.toml": OWN_CHECKS})
    made = plan("types")
    assert (made["checks"], made["missing"]) == ([], [])


def test_a_javascript_project_declares_its_checks_in_package_json(
    project: Path, plan: Callable[..., dict[str, Any]]
) -> None:
    write(project, {"package.json": json.dumps({"babysitter": {"checks": {"tests": "make quick"}}})})
    assert tools_of(plan("tests")) == ["make quick"]


def test_declared_tests_do_not_call_themselves_for_ever(
    project: Path, plan: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, {"pyproject.toml": OWN_CHECKS})
    monkeypatch.setenv("QUALITY_CHECKS_OF", os.path.realpath(project))
    assert plan("tests")["missing"][0]["detail"] == "these checks were called by the tests themselves"


OWN_CHECKS = """
[tool.babysitter.checks]
tests = "make quick"
lint = ["scripts/check", "--all"]
types = false
"""
