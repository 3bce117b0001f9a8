"""Finding processes: searching, shadowing, showing, and making one a command of the host."""

from __future__ import annotations

import os
import shutil
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
    (folder / "SKILL.md").write_text(skill.replace("{name}", name))
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
    assert "note: package acme 1 names 'acme.gone' as a folder of processes; it is not there" in ended.stderr


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


def test_a_link_can_be_removed_when_its_process_is_gone(project: Path) -> None:
    folder = put()
    call("process", "link", "greet")
    shutil.rmtree(folder)
    assert told("process", "link", "greet", "--remove")["changed"] is True
    assert not os.path.lexists(".claude/skills/greet")


@pytest.mark.parametrize("remove", [[], ["--remove"]])
def test_what_is_no_link_to_the_process_is_left_alone(project: Path, remove: list[str]) -> None:
    put()
    mine = Path(".claude/skills/greet")
    mine.mkdir(parents=True)
    ended = call("process", "link", "greet", *remove)
    assert (ended.code, mine.is_dir()) == (2, True)
    assert "is there, and is no link to" in ended.stderr


def test_a_link_to_something_else_is_left_alone(project: Path) -> None:
    put()
    Path(".claude/skills").mkdir(parents=True)
    os.symlink(project, ".claude/skills/greet")
    assert call("process", "link", "greet").code == 2
    assert os.readlink(".claude/skills/greet") == str(project)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("quality-checks", "a command already"),
        ("bare", "no SKILL.md"),
        ("other", "cannot be called by one name"),
        ("./a b/process.py", "cannot be called by one name"),
        ("./gone.py", "no process in a folder of its own"),
        ("./alone.py", "no process in a folder of its own"),
    ],
)
def test_what_cannot_be_a_command_is_refused(project: Path, name: str, said: str) -> None:
    put("bare", skill="")
    put("other", skill=SKILL.replace("{name}", "another"))
    put("a b").rename("a b")
    Path("alone.py").write_text(PROCESS)
    Path("SKILL.md").write_text(SKILL.replace("{name}", "alone"))
    ended = call("process", "link", name)
    assert (ended.code, os.path.lexists(".claude")) == (2, False)
    assert said in ended.stderr


def test_a_session_makes_nothing_a_command_of_all_projects(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put()
    monkeypatch.setenv("CLAUDECODE", "1")
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(project / "settings"))
    assert call("process", "link", "greet", "--user").code != 0
    assert not os.path.lexists("settings")


def test_garbage_in_one_description_hides_no_other(project: Path) -> None:
    put("huge", skill="---\ndescription: 0x" + "f" * 6000 + "\n---\n")
    put("odd", skill='---\ndescription: "\\uD800"\n---\n')
    put("listed", skill="---\n- a\n---\n")
    assert {"huge", "odd", "listed", "quality-checks"} <= set(names())
    assert call("process", "list").code == 0
    for name in ("huge", "odd"):
        assert told("process", "show", name)["name"] == name


@pytest.mark.parametrize("inputs", ["{required: 3}", "{properties: [1]}", "{properties: {a: 1}}"])
def test_inputs_that_are_no_schema_are_shown_and_found(project: Path, inputs: str) -> None:
    put(skill=SKILL.replace("effects:", f"inputs: {inputs}\neffects:").replace("{name}", "greet"))
    assert told("process", "show", "greet")["name"] == "greet"
    assert "BS705" in [each["code"] for each in told("process", "check", "greet")["findings"]]


def test_a_file_takes_the_place_of_nothing(project: Path) -> None:
    shown = told("process", "show", str(put("code-review") / "process.py"))
    assert shown["shadows"] == []


def test_a_file_takes_no_inputs_of_the_skill_beside_it(project: Path) -> None:
    Path("SKILL.md").write_text(SKILL.replace("effects:", "inputs: {required: [a]}\neffects:"))
    Path("release.py").write_text(PROCESS)
    assert told("process", "show", "release.py")["inputs"] is None


def test_a_process_is_imported_once_to_be_shown(project: Path) -> None:
    put(process=PROCESS + "\nwith open('loaded', 'a') as file:\n    file.write('x')\n")
    told("process", "show", "greet")
    assert Path("loaded").read_text() == "x"


def test_a_path_may_have_a_hash_in_it(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "c#"
    folder.mkdir()
    (folder / "release.py").write_text(PROCESS)
    monkeypatch.chdir(folder)
    assert told("process", "show", "release.py")["steps"]
    assert told("process", "try", "release.py")["batches"]


def test_a_link_to_what_is_no_process_is_not_removed(project: Path) -> None:
    Path("mine").mkdir()
    Path("mine/SKILL.md").write_text(SKILL.replace("{name}", "mine"))
    Path(".claude/skills").mkdir(parents=True)
    os.symlink("../../mine", ".claude/skills/mine")
    assert call("process", "link", "mine", "--remove").code == 2
    assert os.path.islink(".claude/skills/mine")


def test_a_session_takes_no_command_of_all_projects_away(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put()
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(project / "settings"))
    told("process", "link", "greet", "--user")
    monkeypatch.setenv("CLAUDECODE", "1")
    assert call("process", "link", "greet", "--user", "--remove").code != 0
    assert os.path.islink("settings/skills/greet")
