"""What is usual where files of a known kind lie, when a project does not say how it is built and tested."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib

from files import load, read

DOCS = (
    ("mkdocs.yml", "mkdocs", ("build",)),
    ("docs/conf.py", "sphinx-build", ("-b", "html", "docs", "docs/_build/html")),
)
E2E_FOLDERS = ("tests/e2e", "tests/integration", "e2e")
TEST_FOLDERS = ("tests", "test", "testing")
PYTEST_SETTINGS = ("pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg")
TESTPATHS = re.compile(r"^\s*testpaths\s*=", re.MULTILINE)


def customary_commands(root: str, *, has_e2e: bool) -> dict[str, str]:
    """Commands for the project's folder, as far as their programs are there."""
    found = python_tests(root, has_e2e=has_e2e)
    if "build-system" in load(read(root, "pyproject.toml"), tomllib.loads):
        found["build"] = wheel(root)
    for file, program, arguments in DOCS:
        started = tool(root, program)
        if started and "docs" not in found and os.path.isfile(os.path.join(root, file)):
            found["docs"] = shlex.join((started, *arguments))
    return found


def wheel(root: str) -> str:
    """Makes a wheel; what uv makes has no pip in it, and another pip does as well."""
    own, other = python(root), shutil.which("python3") and "python3"
    started = own if has_module(root, own, "pip") or not other else other
    return shlex.join((started, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", "dist", "."))


def python_tests(root: str, *, has_e2e: bool) -> dict[str, str]:
    """Unit tests apart from end-to-end tests, where these have a folder of their own."""
    e2e = next((folder for folder in E2E_FOLDERS if has_tests(root, folder)), "")
    folder = next((folder for folder in TEST_FOLDERS if has_tests(root, folder)), "")
    is_told = any(TESTPATHS.search(read(root, file)) for file in PYTEST_SETTINGS)
    started = [*source_path(root), python(root), "-m"]
    if not folder and not is_told:
        return {}
    if not has_module(root, python(root), "pytest"):
        return {"test": shlex.join((*started, "unittest", "discover", "-s", folder or "."))}
    # Where the settings say which folders have tests, they are told nothing else.
    paths = [] if is_told else [folder]
    without = [f"--ignore={e2e}"] if e2e and not has_e2e and (is_told or e2e.startswith(folder)) else []
    found = {"test": shlex.join((*started, "pytest", *paths, *without))}
    return {**found, "e2e": shlex.join((*started, "pytest", e2e))} if e2e else found


def source_path(root: str) -> list[str]:
    """Lets tests find what is in src, where no environment of the project has it installed."""
    has_own = tool(root, "python") == own_tool("python")
    return [] if has_own or not os.path.isdir(os.path.join(root, "src")) else ["env", "PYTHONPATH=src"]


def environment(root: str) -> dict[str, str]:
    """Variables under which the programs of the project's own environment find each other."""
    if tool(root, "python") != own_tool("python"):
        return {}
    folder = os.path.join(root, ".venv")
    path = os.pathsep.join([os.path.join(folder, "bin"), os.environ.get("PATH", os.defpath)])
    return {"VIRTUAL_ENV": folder, "PATH": path}


def python(root: str) -> str:
    own = tool(root, "python")
    return own if own == own_tool("python") else tool(root, "python3") or own or sys.executable


def tool(root: str, name: str) -> str | None:
    """A program of the project's own environment, else of the PATH, as typed in the project's folder."""
    if os.access(os.path.join(root, own_tool(name)), os.X_OK):
        return own_tool(name)
    return name if shutil.which(name) else None


def own_tool(name: str) -> str:
    return os.path.join(".venv", "bin", name)


def has_module(root: str, interpreter: str, name: str) -> bool:
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({name!r}) is None)"
    command = [interpreter, "-I", "-c", code]
    return subprocess.run(command, cwd=root, check=False, capture_output=True).returncode == 0


def has_tests(root: str, folder: str) -> bool:
    """Whether there are Python tests anywhere below a folder."""
    for _, _, files in os.walk(os.path.join(root, folder)):
        if any(name.startswith("test_") and name.endswith(".py") for name in files):
            return True
    return False
