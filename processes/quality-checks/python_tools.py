"""Checks of a Python project: how to see that it has them, and the commands."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from advice import advice, shown
from findings import Tool, found, missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from executables import Executables
    from project import Project

PYTEST = Tool(
    "tests",
    "pytest",
    files=("pytest.ini", ".pytest.ini", "pytest.toml", "conftest.py", "tests/conftest.py"),
    tables=("tool.pytest",),
    sections=("tool:pytest", "pytest"),
    requirement="pytest",
)
TOOLS = (
    Tool(
        "lint",
        "ruff",
        files=("ruff.toml", ".ruff.toml"),
        tables=("tool.ruff",),
        phrases=("ruff check", "id: ruff", "id: ruff-check"),
        requirement="ruff",
    ),
    Tool(
        "lint",
        "flake8",
        files=(".flake8",),
        sections=("flake8",),
        phrases=("flake8",),
        requirement="flake8",
    ),
    Tool(
        "types",
        "mypy",
        files=("mypy.ini", ".mypy.ini"),
        tables=("tool.mypy",),
        sections=("mypy",),
        phrases=("mypy",),
        requirement="mypy",
    ),
    Tool(
        "types",
        "pyright",
        files=("pyrightconfig.json",),
        tables=("tool.pyright", "tool.basedpyright"),
        phrases=("pyright", "pyright-action"),
        requirement="pyright",
    ),
    # To use ruff is not yet to format with it.
    Tool("format", "ruff format", tables=("tool.ruff.format",), phrases=("ruff format", "id: ruff-format")),
    Tool(
        "format", "black", tables=("tool.black",), phrases=("black --check", "id: black"), requirement="black"
    ),
)
NONE = {"lint": "no linter", "types": "no type checker", "format": "no formatter"}
# Without its cache pytest does not know these words.
CACHE_WORDS = ("cache", "--lf", "--ff", "--nf", "--sw", "last-failed", "-first", "stepwise")
NOT_SOURCES = {"setup.py", "conftest.py", "noxfile.py", "tasks.py", "manage.py"}
TARGETS_ARE_SET = re.compile(r"^\s*(files|packages|modules)\s*=", re.MULTILINE)


def tests(project: Project, tools: Executables) -> dict[str, Any]:
    """pytest where the project uses it or its tests need it, else unittest."""
    if not project.test_files():
        return missing("tests", "", "no Python tests found")
    sign = PYTEST.sign(project) or sign_in_tests(project.test_text())
    env = source_path(project, tools)
    if not sign:
        words = [tools.python, "-m", "unittest", *unittest_words(project)]
        return {**found("tests", "unittest", words, **env), "hint": where_from(tools)}
    started = tools.pytest()
    if started is None:
        return not_installed("tests", "pytest", sign, project, tools)
    # Settings such as -rx would leave out the lines that name what failed.
    words = [*started, "-rfE", *cache_words(project)]
    return {**found("tests", "pytest", words, **env), "hint": where_from(tools)}


def source_path(project: Project, tools: Executables) -> dict[str, str]:
    """Lets tests find what is in src, where no environment of the project has it installed.

    Without this they would test another version that happens to be installed, or none.
    """
    has_packages = any(path.startswith("src" + os.sep) for path in project.ending(".py"))
    if tools.environment or not has_packages:
        return {}
    paths = [os.path.join(project.root, "src"), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def where_from(tools: Executables) -> str:
    """What to know when a module is not there for the tests."""
    if tools.environment:
        return f"they ran under {shown(tools)}, which has not all that they need"
    return f"the project has no environment of its own (.venv), so they ran under {shown(tools)} of the PATH"


def sign_in_tests(text: str) -> str:
    """Why tests need pytest: empty when unittest finds and runs them too."""
    if re.search(r"^\s*(import|from) pytest\b", text, re.MULTILINE):
        return "its tests, which import it"
    are_functions = re.search(r"^(async )?def test_", text, re.MULTILINE)
    return "its tests, which are plain functions" if are_functions else ""


def cache_words(project: Project) -> list[str]:
    """Leaves no cache behind, unless the project's own settings need one."""
    settings = [str(project.table("tool.pytest")), *map(project.read, ("pytest.ini", "setup.cfg", "tox.ini"))]
    needs_it = any(word in text for word in CACHE_WORDS for text in settings)
    return [] if needs_it else ["-p", "no:cacheprovider"]


def unittest_words(project: Project) -> list[str]:
    """Where unittest has to look: it enters only packages, and starts in the current folder."""
    for folder in ("tests", "test"):
        if project.has(os.path.join(folder, "__init__.py")):
            return ["discover", "-s", folder, "-t", "."]
        if project.has(folder):
            return ["discover", "-s", folder]
    return ["discover"]


def configured(name: str, project: Project, tools: Executables) -> list[dict[str, Any]]:
    """Linters, type checkers or formatters that the project uses, or the one line that it has none."""
    results = []
    for tool in TOOLS:
        sign = tool.sign(project) if tool.name == name else ""
        if sign:
            results.append(prepared(tool, sign, project, tools))
    return results or [missing(name, "", f"{NONE[name]} configured for Python")]


def prepared(tool: Tool, sign: str, project: Project, tools: Executables) -> dict[str, Any]:
    program = tool.tool.split()[0]
    started = tools.python_tool(program)
    if started is None:
        return not_installed(tool.name, program, sign, project, tools)
    return found(tool.name, tool.tool, [*started, *WORDS[tool.tool](project, tools)])


def not_installed(name: str, program: str, sign: str, project: Project, tools: Executables) -> dict[str, Any]:
    """What is used but not there, and how to get it."""
    how = advice(program, project, tools)
    return missing(name, program, f"used ({sign}) but not installed; to install it: {how}")


def flake8_words(project: Project, tools: Executables) -> list[str]:
    # Of the folders that are not the project's own, it leaves out the hidden ones only when told.
    return ["--extend-exclude=.*,venv,env,node_modules,build,dist", "."]


def mypy_words(project: Project, tools: Executables) -> list[str]:
    words = ["--cache-dir", os.devnull, "--no-pretty"]  # a fault in one line, which a report can quote
    if tools.environment is not None:
        words += ["--python-executable", tools.python]
    files = ("mypy.ini", ".mypy.ini", "setup.cfg")
    settings = project.table("tool.mypy") or {}
    if {"files", "packages", "modules"} & set(settings) or any(
        TARGETS_ARE_SET.search(project.read(file)) for file in files
    ):
        return words
    return words + (told_targets("mypy", project) or sources(project))


def told_targets(program: str, project: Project) -> list[str]:
    """What the project's own scripts give to it, where that is nothing but files that are there."""
    told = rf"(?:^|\s){program}((?:[ \t]+[\w./][\w./-]*)+)[ \t]*$"
    lines = [line.split() for line in re.findall(told, project.recipes, re.MULTILINE)]
    return list(dict.fromkeys(word for line in lines if all(map(project.has, line)) for word in line))


def sources(project: Project) -> list[str]:
    """What to check where the settings do not say: src, or packages and modules at the top."""
    python = project.ending(".py")
    if any(path.startswith("src" + os.sep) for path in python):
        return ["src"]
    tops = {path.split(os.sep)[0] for path in python}
    packages = [name for name in sorted(tops) if name + os.sep + "__init__.py" in python]
    modules = [path for path in python if os.sep not in path and path not in NOT_SOURCES]
    return [name for name in packages if name not in ("tests", "test")] + modules or ["."]


WORDS: dict[str, Callable[[Project, Executables], list[str]]] = {
    "ruff": lambda project, tools: ["check", "--no-cache", "--output-format=concise", "."],
    "ruff format": lambda project, tools: ["format", "--check", "--no-cache", "."],
    "black": lambda project, tools: ["--check", "."],
    "flake8": flake8_words,
    "mypy": mypy_words,
    "pyright": lambda project, tools: ["--pythonpath", tools.python],
}
