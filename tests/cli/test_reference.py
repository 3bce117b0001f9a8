"""docs/reference.md is what the commands say of themselves, and none of them leaves anything out."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

if TYPE_CHECKING:
    from types import ModuleType

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_reference.py"


def loaded() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("make_reference", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference: Any = loaded()
EVERY = reference.every_command()
PARTS = reference.written().split("\n## ")


def part(name: str) -> str:
    """What the page has about a command."""
    (found,) = [text for text in PARTS if text.split("\n")[0] == reference._title(name, EVERY[name])]
    return found


def test_the_reference_is_up_to_date() -> None:
    assert reference.REFERENCE.read_text("utf-8") == reference.written(), "scripts/reference writes it anew"


def test_the_script_says_whether_it_is(tmp_path: Path) -> None:
    for name in ("scripts", "babysitter", "docs", ".claude-plugin"):
        shutil.copytree(SCRIPT.parents[1] / name, tmp_path / name)
    words = [sys.executable, str(tmp_path / "scripts" / SCRIPT.name), "--check"]
    fresh = subprocess.run(words, capture_output=True, text=True, check=False)
    (tmp_path / "docs" / "reference.md").write_text("old")
    old = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (fresh.returncode, fresh.stdout) == (0, "docs/reference.md is up to date\n")
    assert (old.returncode, old.stdout) == (1, "docs/reference.md is old: scripts/reference\n")


@pytest.mark.parametrize("name", EVERY)
def test_a_command_says_what_it_does(name: str) -> None:
    assert len(reference._paragraphs(EVERY[name])[0]) > 10


@pytest.mark.parametrize("name", EVERY)
def test_a_command_has_an_example(name: str) -> None:
    assert f"babysitter {name}" in part(name).partition("```sh\n")[2]


@pytest.mark.parametrize(
    "name", [name for name, command in EVERY.items() if not isinstance(command, click.Group)]
)
def test_what_a_command_prints_as_json_is_documented(name: str) -> None:
    found = reference.section(name)
    assert found is not None, f"no heading of docs/commands.md names {name!r}"
    assert '`{"' in found[1]


@pytest.mark.parametrize("name", EVERY)
def test_every_option_is_in_the_reference(name: str) -> None:
    options = [each for each in EVERY[name].params if isinstance(each, click.Option)]
    assert [each.opts[0] for each in options if f"`{each.opts[0]}" not in part(name)] == []


def test_the_links_of_the_list_lead_to_headings() -> None:
    page = reference.written()
    headings = {reference._anchor(line[3:]) for line in page.splitlines() if line.startswith("## ")}
    links = {part.partition(")")[0] for part in page.split("](#")[1:]}
    assert links == headings
