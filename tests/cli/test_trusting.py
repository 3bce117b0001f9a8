"""``trust`` as a command: a person looks, and says so; an agent cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.commands import call, told, write
from tests.support.driving import Terminal

if TYPE_CHECKING:
    from pathlib import Path

AGENT = "agents: {default: {command: [sh, -c, 'cat >/dev/null; echo 7']}}\n"
ASK = """
async def process(inputs, ctx):
    return await ctx.task(ask, question="one")
"""


@pytest.fixture
def config(project: Path) -> Path:
    """The configuration of a project that names a command."""
    path = project / ".a5c" / "config.yaml"
    path.parent.mkdir()
    path.write_text(AGENT)
    return path


def statuses() -> dict[str, str]:
    return {each["file"]: each["status"] for each in told("trust", "list")["files"]}


def test_a_suggested_command_is_not_run_and_the_way_to_trust_it_is_told(config: Path) -> None:
    write("p.py", ASK)
    ended = told("run", "p.py", "--run-id", "r", code=8)
    assert "babysitter trust add" in ended["hint"]


def test_a_trusted_command_performs_the_effects_of_agents(config: Path) -> None:
    write("p.py", ASK)
    told("trust", "add", "--yes")
    assert told("run", "p.py", "--run-id", "r")["output"] == 7


def test_a_person_is_shown_what_they_trust(config: Path) -> None:
    with Terminal("trust", "add") as terminal:
        terminal.sees("new ")
        terminal.sees(".a5c/config.yaml\r\ntrust these files? [y/N]: ")
        terminal.types("y\r")
        assert terminal.end() == 0
    assert statuses() == {".a5c/config.yaml": "trusted"}


def test_what_is_not_confirmed_is_not_trusted(config: Path) -> None:
    with Terminal("trust", "add") as terminal:
        terminal.sees("[y/N]: ")
        terminal.types("\r")
        assert terminal.end() == 3
    assert statuses() == {".a5c/config.yaml": "new"}


def test_with_nobody_to_ask_nothing_is_trusted(config: Path) -> None:
    assert (told("trust", "add", code=3)["error"]["name"], statuses()) == (
        "PersonNeeded",
        {".a5c/config.yaml": "new"},
    )


def test_inside_a_session_nobody_trusts_anything(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDECODE", "1")
    assert told("trust", "add", "--yes", code=3)["error"]["name"] == "PersonNeeded"


def test_the_list_says_what_has_changed_since(config: Path) -> None:
    (config.parent / "hooks").mkdir()
    (config.parent / "hooks" / "start").write_text("one")
    told("trust", "add", "--yes")
    (config.parent / "hooks" / "start").unlink()
    (config.parent / "hooks" / "stop").write_text("two")
    config.write_text(AGENT + "jobs: 1\n")
    assert statuses() == {
        ".a5c/config.yaml": "changed",
        ".a5c/hooks/start": "gone",
        ".a5c/hooks/stop": "new",
    }


def test_trust_can_be_taken_back(config: Path) -> None:
    told("trust", "add", "--yes")
    taken = [told("trust", "revoke")["revoked"] for _ in range(2)]
    assert (taken, statuses()) == ([True, False], {".a5c/config.yaml": "new"})


@pytest.mark.usefixtures("project")
def test_where_nothing_is_suggested_that_is_said() -> None:
    assert call("trust", "list").stdout.endswith(": nothing is suggested\n")
