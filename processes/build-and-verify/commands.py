"""Find the commands with which a project is built, tested, documented and deployed. Reads the disk."""

from __future__ import annotations

import json
import os
import re
import shlex
import tomllib
from typing import Any

from customary import customary_commands
from files import load, read

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
    return {name: shlex.join(("env", "CI=true", manager, "run", name)) for name in real}


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
