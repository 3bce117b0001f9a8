"""Find the commands with which a project is built, tested, documented and deployed. Reads the disk."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from typing import Any

# How projects call these in a Makefile, a package.json or a folder of scripts, the most exact name first.
NAMES = {
    "build": ("build",),
    "test": ("test-unit", "test:unit", "unit-test", "unit", "test", "tests"),
    "e2e": ("test-e2e", "test:e2e", "e2e", "test-integration", "test:integration", "integration"),
    "docs": ("docs", "doc", "build-docs", "docs:build", "build:docs"),
    "deploy": ("deploy",),
}
TARGET = re.compile(r"^([A-Za-z0-9_.:/ -]+?)\s*::?(?!=)", re.MULTILINE)
MANAGERS = (
    ("pnpm-lock.yaml", "pnpm"),
    ("yarn.lock", "yarn"),
    ("bun.lock", "bun"),
    ("package-lock.json", "npm"),
)
# Tables of pyproject.toml with commands, and what runs them.
RUNNERS = (
    ("tool.poe.tasks", "poe"),
    ("tool.pdm.scripts", "pdm run"),
    ("tool.hatch.envs.default.scripts", "hatch run"),
    ("tool.taskipy.tasks", "task"),
)
DOCS = (
    ("mkdocs.yml", "mkdocs", ("build",)),
    ("docs/conf.py", "sphinx-build", ("-b", "html", "docs", "docs/_build/html")),
)
E2E_FOLDERS = ("tests/e2e", "tests/integration", "e2e")


def find(root: str) -> dict[str, str]:
    """A command for each step that the project has one for: as its own files say, else as is customary."""
    places = (make_targets(root), node_scripts(root), script_files(root), python_scripts(root))
    found = {}
    for step, names in NAMES.items():
        found[step] = next((place[name] for place in places for name in names if name in place), "")
    customary = customary_commands(root, has_e2e=bool(found["e2e"]))
    return {step: command or customary.get(step, "") for step, command in found.items()}


def make_targets(root: str) -> dict[str, str]:
    text = read(root, "Makefile") or read(root, "makefile")
    names = [name for match in TARGET.finditer(text) for name in match[1].split()]
    return {name: f"make {name}" for name in names}


def node_scripts(root: str) -> dict[str, str]:
    """The scripts of package.json; CI=true lets those that watch for changes end."""
    scripts = load(read(root, "package.json"), json.loads).get("scripts")
    manager = next((name for file, name in MANAGERS if os.path.exists(os.path.join(root, file))), "npm")
    if not isinstance(scripts, dict):
        return {}
    real = [name for name, script in scripts.items() if "no test specified" not in str(script)]
    return {name: words("env", "CI=true", manager, "run", name) for name in real}


def script_files(root: str) -> dict[str, str]:
    found = {}
    for folder in ("script", "scripts"):
        for names in NAMES.values():
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(os.path.join(root, path)) and os.access(os.path.join(root, path), os.X_OK):
                    found[name] = path
    return found


def python_scripts(root: str) -> dict[str, str]:
    found: dict[str, str] = {}
    pyproject = load(read(root, "pyproject.toml"), tomllib.loads)
    for place, runner in RUNNERS:
        table: Any = pyproject
        for part in place.split("."):
            table = table.get(part, {}) if isinstance(table, dict) else {}
        found |= {name: f"{runner} {name}" for name in table if name not in found}
    return found


def customary_commands(root: str, *, has_e2e: bool) -> dict[str, str]:
    """What is usual where files of a known kind lie, as far as its program is there."""
    found = python_tests(root, has_e2e=has_e2e)
    if "build-system" in load(read(root, "pyproject.toml"), tomllib.loads):
        found["build"] = words(python(root), "-m", "pip", "wheel", "--no-deps", "--wheel-dir", "dist", ".")
    for file, program, arguments in DOCS:
        started = tool(root, program)
        if started and "docs" not in found and os.path.isfile(os.path.join(root, file)):
            found["docs"] = words(started, *arguments)
    return found


def python_tests(root: str, *, has_e2e: bool) -> dict[str, str]:
    """Unit tests apart from end-to-end tests, where these have a folder of their own."""
    e2e = next((folder for folder in E2E_FOLDERS if has_tests(root, folder)), "")
    interpreter = python(root)
    if not has_tests(root, "tests"):
        return {}
    if not has_module(interpreter, "pytest"):
        return {"test": words(interpreter, "-m", "unittest", "discover", "-s", "tests")}
    without = [f"--ignore={e2e}"] if e2e.startswith("tests") and not has_e2e else []
    found = {"test": words(interpreter, "-m", "pytest", "tests", *without)}
    return {**found, "e2e": words(interpreter, "-m", "pytest", e2e)} if e2e else found


def words(*argv: str) -> str:
    return shlex.join(argv)


def python(root: str) -> str:
    return tool(root, "python") or tool(root, "python3") or sys.executable


def tool(root: str, name: str) -> str | None:
    """A program of the project's own environment, else of the PATH."""
    own = os.path.join(root, ".venv", "bin", name)
    return own if os.access(own, os.X_OK) else shutil.which(name)


def has_module(interpreter: str, name: str) -> bool:
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({name!r}) is None)"
    return subprocess.run([interpreter, "-I", "-c", code], check=False, capture_output=True).returncode == 0


def has_tests(root: str, folder: str) -> bool:
    """Whether there are Python tests anywhere below a folder."""
    for _, _, files in os.walk(os.path.join(root, folder)):
        if any(name.startswith("test_") and name.endswith(".py") for name in files):
            return True
    return False


def read(root: str, path: str) -> str:
    try:
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def load(text: str, parse: Any) -> dict[str, Any]:
    """What a file holds; nothing where it is absent or broken, which the build will tell better."""
    try:
        loaded = parse(text)
    except (ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}
