"""What is written in two places is the same in both."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PLUGIN: dict[str, Any] = json.loads((ROOT / ".claude-plugin" / "plugin.json").read_text())
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
IMPORTED_AS = {"pyyaml": "yaml"}


@pytest.mark.parametrize("field", ["name", "description", "keywords"])
def test_the_package_says_what_the_plugin_says(field: str) -> None:
    assert PYPROJECT["project"][field] == PLUGIN[field]


def test_the_package_takes_its_version_from_the_plugin() -> None:
    where = PYPROJECT["tool"]["hatch"]["version"]
    assert re.findall(where["pattern"], (ROOT / where["path"]).read_text()) == [PLUGIN["version"]]


def test_the_manifest_at_the_top_is_a_link_to_the_one_that_the_host_reads() -> None:
    assert os.readlink(ROOT / "plugin.json") == os.path.join(".claude-plugin", "plugin.json")


def test_every_folder_that_the_plugin_names_exists() -> None:
    assert [name for name in PLUGIN["skills"] if not (ROOT / name).is_dir()] == []


def test_the_launcher_looks_for_every_dependency() -> None:
    (looked_for,) = re.findall(r"for module in (.*); do", (ROOT / "scripts" / "environment").read_text())
    names = [re.split(r"[<>=!~ ;\[]", requirement)[0] for requirement in PYPROJECT["project"]["dependencies"]]
    assert looked_for.split() == sorted(IMPORTED_AS.get(name, name) for name in names)


def test_the_changelog_tells_of_this_version() -> None:
    assert f"## [{PLUGIN['version']}]" in (ROOT / "CHANGELOG.md").read_text()
