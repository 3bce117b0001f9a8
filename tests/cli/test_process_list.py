"""Finding processes: searching, shadowing, showing, and making one a command of the host."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.commands import call, told

SKILL = """---
name: {name}
description: Greet somebody. In words.
when_to_use: Use it on Fridays.
argument-hint: "[who=you]"
effects: [shell]
tags: [Greeting, words]
---

How.
"""
PROCESS = """
from babysitter import shell

@shell
def say(who):
    "Say it"
    return ["echo", who]

async def process(inputs, ctx):
    await ctx.parallel.all([lambda: ctx.task(say, who="a"), lambda: ctx.task(say, who="b")])
    if (await ctx.breakpoint("Again?")).approved:
        await ctx.task(say, who="c")
"""


def put(name: str = "greet", skill: str = SKILL, process: str = PROCESS) -> Path:
    folder = Path(".a5c") / "processes" / name
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text(skill.format(name=name))
    (folder / "process.py").write_text(process)
    return folder


def names(*words: str) -> list[str]:
    return [each["name"] for each in told("process", "list", *words)["processes"]]


@pytest.mark.parametrize(
    "words",
    [
        ["greet"],
        ["FRIDAYS"],
        ["somebody", "words"],
        ["greeting", "shell"],
        ["--tag", "greeting"],
        ["--tag", "words", "--tag", "Greeting", "greet"],
    ],
)
def test_a_process_is_found_by_what_is_said_of_it(project: Path, words: list[str]) -> None:
    put()
    assert names(*words) == ["greet"]


@pytest.mark.parametrize("words", [["somebody", "nobody"], ["--tag", "greet"], ["--tag", "words", "nobody"]])
def test_a_process_that_lacks_one_of_the_words_is_not_found(project: Path, words: list[str]) -> None:
    put()
    ended = call("process", "list", *words)
    assert (names(*words), ended.code) == ([], 0)
    assert ended.stdout.startswith("there is no process with ")


def test_a_list_has_the_first_sentence(project: Path) -> None:
    put()
    assert call("process", "list", "greet").stdout == "greet  project  Greet somebody.\n"


def test_a_process_whose_description_cannot_be_read_is_listed(project: Path) -> None:
    put(skill="---\na: [\n---\n")
    (only,) = [each for each in told("process", "list")["processes"] if each["origin"] == "project"]
    assert (only["name"], only["description"][:17]) == ("greet", "(cannot be read: ")


def test_whose_place_a_process_takes_is_shown(project: Path) -> None:
    put("code-review")
    (listed,) = [each for each in told("process", "list")["processes"] if each["name"] == "code-review"]
    shown = told("process", "show", "code-review")
    assert [each["origin"] for each in listed["shadows"]] == ["plugin"]
    assert (shown["shadows"], shown["origin"]) == (listed["shadows"], "project")
    for words in (["list", "greet"], ["show", "code-review"]):
        assert "takes the place of" in call("process", *words).stdout


def test_an_entry_point_that_leads_nowhere_is_told(project: Path) -> None:
    folder = project / ".venv" / "lib" / "python3.11" / "site-packages" / "acme-1.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    (folder / "entry_points.txt").write_text("[babysitter.processes]\nacme = acme.gone\n")
    ended = call("process", "list", "quality")
    assert (ended.code, ended.stdout.split()[0]) == (0, "quality-checks")
    assert "the package acme 1 names 'acme.gone' as a folder of processes; it is not there" in ended.stderr


def test_what_a_process_does_is_shown(project: Path) -> None:
    put()
    shown = told("process", "show", "greet")
    assert (shown["steps"], shown["tags"], shown["effects"], shown["whenToUse"]) == (
        [
            "side by side (all)",
            "  Say it (shell, \N{MULTIPLICATION SIGN} 2)",
            "Again? (breakpoint)",
            "Say it (shell)",
        ],
        ["Greeting", "words"],
        ["shell"],
        "Use it on Fridays.",
    )
    assert (shown["run"], shown["command"]) == ("babysitter run greet", "/babysitter:call greet [who=you]")


def test_steps_that_a_dry_run_does_not_come_to_are_marked(project: Path) -> None:
    put(process=PROCESS.replace(").approved", ").response == 'never'"))
    assert told("process", "show", "greet")["steps"][-1] == "~ Say it (shell)"


def test_a_process_without_a_dry_run_is_shown(project: Path) -> None:
    put(process="Inputs = {'required': ['a'], 'not': {}}\nasync def process(inputs, ctx): pass\n")
    shown = told("process", "show", "greet")
    assert (shown["steps"], shown["run"]) == ([], "babysitter run greet -i a=…")
    assert shown["notes"][0].startswith("no dry run could be made: ")


def test_how_a_process_with_agents_is_run_is_shown() -> None:
    assert told("process", "show", "bug-hunt")["run"] == (
        "babysitter run bug-hunt -i bug=… -i reproduce=… --agent-command 'claude -p'"
    )


def test_a_linked_process_is_a_command(project: Path) -> None:
    folder = put()
    linked = told("process", "link", "greet")
    link = Path(".claude/skills/greet")
    assert (linked["command"], linked["changed"], os.readlink(link)) == (
        "/greet",
        True,
        "../../.a5c/processes/greet",
    )
    assert (link / "SKILL.md").read_text() == (folder / "SKILL.md").read_text()
    assert told("process", "show", "greet")["command"] == "/greet [who=you]"
    assert told("process", "link", "greet")["changed"] is False


def test_a_link_for_all_projects_is_in_the_home(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put()
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(project / "settings"))
    told("process", "link", "greet", "--user")
    assert os.readlink("settings/skills/greet") == str(folder.absolute())


def test_a_link_can_be_removed_and_the_process_stays(project: Path) -> None:
    folder = put()
    call("process", "link", "greet")
    removed = told("process", "link", "greet", "--remove")
    assert (removed["command"], removed["changed"], folder.exists()) == (None, True, True)
    assert not os.path.lexists(".claude/skills/greet")
    assert told("process", "link", "greet", "--remove")["changed"] is False


@pytest.mark.parametrize("remove", [[], ["--remove"]])
def test_what_is_no_link_to_the_process_is_left_alone(project: Path, remove: list[str]) -> None:
    put()
    mine = Path(".claude/skills/greet")
    mine.mkdir(parents=True)
    ended = call("process", "link", "greet", *remove)
    assert (ended.code, mine.is_dir()) == (2, True)
    assert "is there already, and is no link to" in ended.stderr


@pytest.mark.parametrize(("name", "said"), [("quality-checks", "a command already"), ("bare", "no SKILL.md")])
def test_what_cannot_be_a_command_is_refused(project: Path, name: str, said: str) -> None:
    put("bare", skill="")
    ended = call("process", "link", name)
    assert (ended.code, os.path.lexists(".claude")) == (2, False)
    assert said in ended.stderr
