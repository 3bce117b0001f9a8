"""``process new``: every template is a process that is checked, tested and drawn as it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from babysitter.cli.beginning import FILES, NAME, TEMPLATES
from babysitter.paths import PACKAGE
from tests.support.commands import call, told

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=TEMPLATES)
def template(request: pytest.FixtureRequest, project: Path) -> str:
    """A template from which the process ``mine`` was made."""
    (project / ".a5c").mkdir()
    call("process", "new", "mine", "--template", request.param)
    return str(request.param)


def test_every_template_is_offered() -> None:
    assert sorted(os.listdir(os.path.join(PACKAGE, "templates"))) == sorted(TEMPLATES)


@pytest.mark.usefixtures("template")
def test_it_passes_the_check() -> None:
    assert told("process", "check", "mine")["name"] == "mine"


@pytest.mark.usefixtures("template")
def test_its_own_tests_pass() -> None:
    told_ = told("process", "test", "mine")
    assert (told_["status"], "passed" in told_["output"]) == ("passed", True)


@pytest.mark.usefixtures("template")
def test_it_is_drawn_to_its_end() -> None:
    told_ = told("process", "graph", "mine")
    assert (told_["notes"], told_["nodes"][-1]["kind"]) == ([], "end")


@pytest.mark.usefixtures("template")
def test_it_is_listed_under_its_name(project: Path) -> None:
    listed = {each["name"]: each for each in told("process", "list")["processes"]}
    assert (listed["mine"]["origin"], listed["mine"]["description"] != "") == ("project", True)
    written = "".join((project / ".a5c/processes/mine" / file).read_text() for file in FILES)
    assert NAME not in written


def test_the_files_and_what_to_do_next_are_told(project: Path) -> None:
    (project / ".a5c").mkdir()
    folder = project / ".a5c" / "processes" / "mine"
    assert told("process", "new", "mine") == {
        "name": "mine",
        "template": "checks",
        "folder": str(folder),
        "files": [str(folder / file) for file in FILES],
        "next": [
            "babysitter process show mine",
            "babysitter process check mine",
            "babysitter process test mine",
            "babysitter process try mine",
            "babysitter process graph mine",
            "babysitter run mine",
        ],
    }


def test_people_are_told_the_same(project: Path) -> None:
    (project / ".a5c").mkdir()
    lines = call("process", "new", "mine").stdout.splitlines()
    assert lines[0] == f"wrote {project / '.a5c/processes/mine/SKILL.md'}"
    assert lines[3:5] == [
        "Write in process.py what is to happen, and in the tests what must hold. Then:",
        "  babysitter process show mine",
    ]


def test_nothing_is_written_over(project: Path) -> None:
    folder = project / ".a5c" / "processes" / "mine"
    folder.mkdir(parents=True)
    ended = call("process", "new", "mine")
    assert (ended.code, ended.stderr.splitlines()[0]) == (2, f"error: {str(folder)!r} is there already")
    assert list(folder.iterdir()) == []


def test_it_can_be_the_users_own(home: Path, project: Path) -> None:
    assert told("process", "new", "mine", "--user")["folder"] == str(home / "processes" / "mine")
    assert told("process", "show", "mine")["origin"] == "user"
    assert list(project.iterdir()) == []


def test_it_says_whose_place_it_takes(project: Path) -> None:
    (project / ".a5c").mkdir()
    assert told("process", "new", "batch-files")["shadows"].endswith("processes/batch-files/process.py")
    assert told("process", "new", "batch-files", "--user")["shadowedBy"].startswith(str(project))


def test_a_name_that_is_none_is_refused() -> None:
    ended = call("process", "new", "../mine")
    assert (ended.code, ended.stderr.splitlines()[0]) == (
        2,
        "error: '../mine' cannot name a process: letters, digits, '-' and '_', at most 64",
    )
