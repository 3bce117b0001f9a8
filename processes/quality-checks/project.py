"""What a project says about itself: its files, its configuration, what it depends on."""

from __future__ import annotations

import configparser
import json
import os
import re
import tomllib
from typing import Any

from folders import is_sample, walk

# Where a project writes down how it is worked on.
RECIPES = [
    "Makefile",
    "makefile",
    "justfile",
    "Justfile",
    "tox.ini",
    "noxfile.py",
    "tasks.py",
    "package.json",
]
RECIPES += [".pre-commit-config.yaml", ".gitlab-ci.yml"]
RECIPE_FOLDERS = ("scripts", "script", "bin", "ci", ".ci", ".github/workflows")
LONGEST_RECIPE = 200_000
MOST_TEST_FILES = 200
REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


class Project:
    """A folder, looked at once.

    Attributes:
        files: its own files, relative to it.
        pyproject, package: what is in pyproject.toml and package.json; empty when absent or broken.
        sections: names of the sections of setup.cfg and tox.ini.
        requirements: names of Python packages that it asks for anywhere, normalized.
        recipes: the text of scripts, Makefile, workflows.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.files = list(walk(root))
        self.pyproject = self._load("pyproject.toml", tomllib.loads)
        self.package = self._load("package.json", json.loads)
        self.sections = {name for file in ("setup.cfg", "tox.ini") for name in self._sections_of(file)}
        self.requirements = requirements_of(self.pyproject) | self._listed_requirements()
        self.recipes = "\n".join(self._recipe_texts())

    def has(self, path: str) -> bool:
        return os.path.exists(os.path.join(self.root, path))

    def read(self, path: str) -> str:
        """The text of a file; empty when it is absent, and never an error."""
        try:
            with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
                return file.read(LONGEST_RECIPE)
        except OSError:
            return ""

    def table(self, path: str) -> Any:
        """What stands at a dotted place of pyproject.toml, or None."""
        found: Any = self.pyproject
        for name in path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def ending(self, *suffixes: str) -> list[str]:
        """Files of some kind, samples left out."""
        return [path for path in self.files if path.endswith(suffixes) and not is_sample(path)]

    def test_files(self) -> list[str]:
        """Python files that a test runner looks for."""
        found = []
        for path in self.ending(".py"):
            stem = os.path.basename(path)[:-3]
            if stem.startswith("test_") or stem.endswith("_test") or stem == "tests":
                found.append(path)
        return found

    def test_text(self) -> str:
        """The tests themselves, to see how they are written; of many, the first ones."""
        return "\n".join(self.read(path) for path in self.test_files()[:MOST_TEST_FILES])

    def _load(self, file: str, parse: Any) -> dict[str, Any]:
        # A broken file is reported by the syntax check; here it only says nothing.
        try:
            loaded = parse(self.read(file))
        except (ValueError, RecursionError):
            return {}
        return loaded if isinstance(loaded, dict) else {}

    def _sections_of(self, file: str) -> list[str]:
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(self.read(file))
        except configparser.Error:
            return []
        return parser.sections()

    def _listed_requirements(self) -> set[str]:
        files = [path for path in self.files if os.path.dirname(path) in ("", "requirements")]
        lists = [path for path in files if "requirements" in path and path.endswith((".txt", ".in"))]
        lines = [line for path in lists for line in self.read(path).splitlines()]
        lines += [line for line in self.read("Pipfile").splitlines() if "=" in line]
        return names_in(lines)

    def _recipe_texts(self) -> list[str]:
        texts = [self.read(path) for path in RECIPES]
        for folder in RECIPE_FOLDERS:
            try:
                names = sorted(os.listdir(os.path.join(self.root, folder)))
            except OSError:
                continue
            texts += [self.read(os.path.join(folder, name)) for name in names[:MOST_TEST_FILES]]
        return texts


def requirements_of(value: Any, *, inside: bool = False) -> set[str]:
    """Names below every key of a pyproject.toml that speaks of dependencies, whoever's table it is in.

    They stand in lists, or, as Poetry has them, as keys. The names of extras are taken along, which
    does no harm.
    """
    found: set[str] = set()
    if isinstance(value, dict):
        if inside:
            found |= names_in(list(value))
        for name, inner in value.items():
            found |= requirements_of(inner, inside=inside or "dependenc" in name)
    elif isinstance(value, list) and inside:
        found |= names_in([item for item in value if isinstance(item, str)])
    return found


def names_in(requirements: list[str]) -> set[str]:
    """Normalized names at the beginning of requirement texts, such as ``Ruff==0.1``."""
    matches = (REQUIREMENT.match(text) for text in requirements)
    return {re.sub(r"[-_.]+", "-", match[1]).lower() for match in matches if match}
