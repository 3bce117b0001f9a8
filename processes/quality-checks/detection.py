"""Find the checks that a project has. Reads the disk and starts tools, so it is called in a task only."""

from __future__ import annotations

import os
import sys
from typing import Any

import javascript_tools
import python_tools
from declared import declared
from executables import Executables
from findings import found, missing
from project import Project

HERE = os.path.dirname(os.path.abspath(__file__))
# Names the projects whose tests are being run by quality checks right now, from the outermost inwards.
# Not called BABYSITTER_…, because test suites clear such variables and would lose it.
UNDER_TEST = "QUALITY_CHECKS_OF"
DEEPEST = 3
PARSED = (".py", ".pyi", ".json", ".toml", ".yaml", ".yml")
# A linter or test run leaves no compiled files behind.
QUIET = {"PYTHONDONTWRITEBYTECODE": "1"}


def plan(path: str, names: list[str]) -> dict[str, Any]:
    """What to run and what is missing, for the checks of these names.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    root = os.path.abspath(path)
    if not os.path.isdir(root):
        raise FileNotFoundError(f"there is no folder {path!r} (looked for {root})")
    project, tools = Project(root), Executables(root)
    results = [result for name in names for result in find(name, project, tools)]
    return {
        "root": root,
        "env": {**QUIET, **tools.variables(), UNDER_TEST: os.pathsep.join([*under_test(), identity(root)])},
        "checks": [result for result in results if "argv" in result],
        "missing": [result for result in results if "argv" not in result],
    }


def under_test() -> list[str]:
    """The projects whose tests have led to this call."""
    return [root for root in os.environ.get(UNDER_TEST, "").split(os.pathsep) if root]


def identity(root: str) -> str:
    """The same for every way that leads to a folder."""
    return os.path.realpath(root)


def find(name: str, project: Project, tools: Executables) -> list[dict[str, Any]]:
    """The checks of one name: as the project declares it, else for each language that it is written in."""
    own = declared(name, project)
    if own is not None:
        return [unless_recursive(check, project) for check in own]
    if name in SINGLE:
        return [SINGLE[name](project, tools)]
    results = []
    if project.ending(".py", ".pyi"):
        results += python_checks(name, project, tools)
    if project.has("package.json"):
        results += javascript_checks(name, project, tools)
    return results or [missing(name, "", "neither Python files nor a package.json here")]


def python_checks(name: str, project: Project, tools: Executables) -> list[dict[str, Any]]:
    if name == "tests":
        return [unless_recursive(python_tools.tests(project, tools), project)]
    return python_tools.configured(name, project, tools)


def javascript_checks(name: str, project: Project, tools: Executables) -> list[dict[str, Any]]:
    if name == "tests":
        return [unless_recursive(javascript_tools.tests(project, tools), project)]
    return javascript_tools.configured(name, project, tools)


def unless_recursive(tests: dict[str, Any], project: Project) -> dict[str, Any]:
    """Not the tests that are running already and have called these checks: that would go on for ever."""
    outer = under_test()
    if "argv" in tests and (identity(project.root) in outer or len(outer) >= DEEPEST):
        return missing("tests", tests["tool"], "these checks were called by the tests themselves")
    return tests


def syntax(project: Project, tools: Executables) -> dict[str, Any]:
    """Whether the files can be parsed by the project's own Python."""
    if not project.ending(*PARSED):
        return missing("syntax", "", "no Python, JSON, TOML or YAML files here")
    # Our own Python for what the project's cannot parse: YAML is no part of any Python.
    return found("syntax", "parse", [*script(tools.python, "syntax.py", project), sys.executable])


def packaging(project: Project, tools: Executables) -> dict[str, Any]:
    """Whether it could be packaged, by what its metadata say."""
    text = project.read("pyproject.toml")
    is_package = "[project]" in text or "[tool.poetry]" in text or "metadata" in project.sections
    if not is_package and not project.has("package.json"):
        return missing("packaging", "", "no packaging metadata (pyproject.toml, setup.cfg, package.json)")
    # Our own Python, because TOML needs 3.11.
    return found("packaging", "metadata", script(sys.executable, "metadata.py", project))


def script(python: str, name: str, project: Project) -> list[str]:
    """One of the programs that lie beside this file; nothing in the environment may lead it astray."""
    return [python, "-B", "-E", "-s", os.path.join(HERE, name), project.root]


SINGLE = {"syntax": syntax, "packaging": packaging}
