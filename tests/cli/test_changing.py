"""``check``, ``--accept-edit``, ``rewind``, ``fork``, ``replay``, ``diff``, as an author uses them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from tests.support.driving import babysitter, events, told
from tests.support.folders import digest_of

PROCESS = """
from babysitter import shell

@shell
def tests():
    return ["true"]

@shell
def fix():
    return ["sh", "-c", "echo fixed >> fixes"]

async def process(inputs, ctx):
    await ctx.task(tests)
    await ctx.task(fix)
    await ctx.task(tests)
    await ctx.breakpoint("Ship it?")
"""
MORE = PROCESS.replace("    await ctx.task(fix)", "    await ctx.task(tests)\n    await ctx.task(fix)", 1)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".a5c").mkdir()
    (tmp_path / "process.py").write_text(PROCESS, "utf-8")
    return tmp_path


def begun() -> None:
    assert babysitter("run", "process.py", "--run-id", "r", "--plain").code == 8


def edit(source: str) -> None:
    Path("process.py").write_text(source, "utf-8")


def plans(told_: dict[str, Any]) -> list[str]:
    return [step["plan"] for step in told_["steps"]]


def test_an_edit_is_checked_accepted_and_gone_on_with() -> None:
    begun()
    edit(MORE)
    before = digest_of(Path(".a5c/runs/r/journal"))
    checked = told(7, "check", "r")
    assert (checked["run"], checked["rule"], checked["fits"]) == ("r", "redo", False)
    assert checked["counts"] == {"reused": 1, "asked again": 1, "not reached yet": 2}
    assert digest_of(Path(".a5c/runs/r/journal")) == before
    assert told(7, "iterate", "r")["status"] == "diverged"
    accepted = told(0, "iterate", "r", "--accept-edit", "redo")
    assert list(accepted["new"]) == ["shell"]
    assert babysitter("resume", "r", "--plain").code == 8
    assert Path("fixes").read_text("utf-8") == "fixed\nfixed\n"
    assert told(0, "replay", "r") == {
        "run": "r",
        "status": "waiting",
        "edited": False,
        "effects": 5,
        "holds": True,
        "next": 0,
    }


def test_check_shows_people_a_table() -> None:
    begun()
    edit(MORE)
    ended = babysitter("check", "r")
    assert (ended.code, ended.stdout.splitlines()) == (
        7,
        [
            "run r: it goes on with: babysitter iterate r --accept-edit redo",
            "plan             step   kind        title     note",
            "reused           1      shell       tests",
            "asked again      3 > 2  shell       tests",
            "not reached yet  (2)    shell       fix",
            "not reached yet  (4)    breakpoint  Ship it?",
            "1 reused, 1 asked again, 2 not reached yet",
        ],
    )


def test_an_edit_that_fits_needs_nobody() -> None:
    begun()
    edit(PROCESS + "    await ctx.task(fix)\n")
    assert (told(0, "check", "r")["fits"], told(0, "iterate", "r")["status"]) == (True, "waiting")


def test_a_mistake_in_an_edit_is_named() -> None:
    begun()
    edit("async def process(inputs, ctx):\n    undefined_name\n")
    checked = told(7, "check", "r")
    assert checked["problem"] == {"name": "NameError", "message": "name 'undefined_name' is not defined"}
    refused = told(7, "iterate", "r", "--accept-edit", "redo")
    assert refused["error"]["name"] == "ProcessError"


def test_a_run_goes_back_to_a_step_and_on_from_there() -> None:
    begun()
    shown = told(0, "rewind", "r", "--to", "2", "--dry-run")
    assert (plans(shown), shown["dryRun"]) == (
        ["reused", "asked again", "not reached yet", "not reached yet"],
        True,
    )
    assert told(0, "rewind", "r", "--to", "2")["dryRun"] is False
    assert babysitter("resume", "r", "--plain").code == 8
    assert Path("fixes").read_text("utf-8") == "fixed\nfixed\n"


def test_a_run_that_has_ended_goes_back() -> None:
    edit(PROCESS.replace('    await ctx.breakpoint("Ship it?")\n', ""))
    assert babysitter("run", "process.py", "--run-id", "r", "--plain").code == 0
    told(0, "rewind", "r", "--to", "3")
    assert told(0, "status", "r")["status"] == "waiting"
    assert babysitter("resume", "r", "--plain").code == 0
    assert babysitter("verify", "r").code == 0


def test_a_step_that_is_not_there_is_refused() -> None:
    begun()
    for command in (["rewind", "r", "--to", "9"], ["fork", "r", "--at", "9"]):
        assert told(2, *command)["error"]["message"] == "run 'r' has asked for nothing at step '9'"


def test_a_fork_is_a_run_of_its_own() -> None:
    begun()
    made = told(0, "fork", "r", "--at", "2", "--run-id", "f")
    assert made == {"run": "f", "forkedFrom": "r", "at": "2", "answered": 1}
    assert babysitter("resume", "f", "--plain").code == 8
    compared = told(0, "diff", "r", "f")
    assert (compared["runs"], compared["same"], compared["steps"]) == (["r", "f"], 4, [])


def test_a_fork_took_what_passed_since_it_was_made() -> None:
    begun()
    told(0, "fork", "r", "--at", "2", "--run-id", "f")
    made, first = told(0, "status", "f"), events("f")[0]
    assert (made["createdAt"], first["recordedAt"]) == (
        first["data"]["createdAt"],
        events("r")[0]["recordedAt"],
    )
    assert made["createdAt"] > made["lastEventAt"]
    assert ["took", "0", "ms"] in [line.split() for line in babysitter("status", "f").stdout.splitlines()]
    assert made["createdAt"] in [run["createdAt"] for run in told(0, "list")["runs"]]
    ended = babysitter("resume", "f", "--plain").stdout
    assert ": 2 tasks, " in ended


def test_two_runs_that_differ_end_with_another_exit_code() -> None:
    begun()
    edit(PROCESS.replace('["true"]', '["echo", "other"]'))
    assert babysitter("run", "process.py", "--run-id", "s", "--plain").code == 8
    compared = told(1, "diff", "r", "s")
    assert [(step["stepId"], step["what"]) for step in compared["steps"]] == [
        ("1", "another result"),
        ("3", "another result"),
    ]
    lines = babysitter("diff", "r", "s").stdout.splitlines()
    assert lines[1:] == [
        "difference      step  title",
        "another result  1     tests",
        "another result  3     tests",
        "2 steps are the same",
    ]


def test_a_replay_of_an_edited_process_names_where_it_differs() -> None:
    begun()
    edit(MORE)
    replayed = told(7, "replay", "r")
    assert (replayed["holds"], replayed["edited"], replayed["stepId"]) == (False, True, "2")


@pytest.mark.skipif(which("git") is None, reason="git is not installed")
def test_a_fork_brings_the_files_back() -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    assert babysitter("run", "process.py", "--run-id", "r", "--plain", "--snapshots").code == 8
    assert Path("fixes").exists()
    made = told(0, "fork", "r", "--at", "2", "--workspace", "--run-id", "f")
    assert (made["workspace"]["files"], Path("fixes").exists()) == (1, False)
    kept = ["git", "show", f"{made['workspace']['before']}:fixes"]
    assert subprocess.run(kept, check=True, capture_output=True, text=True).stdout == "fixed\n"


def test_files_that_were_not_kept_are_not_promised() -> None:
    begun()
    refused = told(2, "fork", "r", "--at", "2", "--workspace", "--run-id", "f")
    assert refused["error"]["hint"].startswith("a run keeps them when it is made with --snapshots")
    assert told(4, "status", "f")["error"]["name"] == "NoSuchRun"


def test_a_status_says_that_the_process_was_edited_since() -> None:
    begun()
    before = told(0, "status", "r")
    edit(PROCESS.replace("Ship it?", "Really ship it?"))
    assert ("edited" in before, told(0, "status", "r")["edited"]) == (False, True)
    assert "edited      its process, since it went on last; what that means: babysitter check r\n" in (
        babysitter("status", "r").stdout
    )
    told(0, "iterate", "r")
    assert "edited" not in told(0, "status", "r")


def test_a_process_that_was_only_written_again_is_not_edited() -> None:
    begun()
    edit(PROCESS)
    assert "edited" not in told(0, "status", "r")


def test_who_answers_is_told_that_the_process_was_edited_since() -> None:
    begun()
    edit(PROCESS.replace("Ship it?", "Really ship it?"))
    ended = babysitter("approve", "r")
    assert (ended.stdout.splitlines()[0], ended.stderr) == (
        "yes to: Ship it?",
        "warning: the process was edited since this was asked; what that means: babysitter check r\n",
    )


def test_a_pending_question_that_was_edited_is_asked_anew() -> None:
    begun()
    edit(PROCESS.replace("Ship it?", "Really ship it?"))
    assert told(0, "check", "r")["counts"] == {"reused": 3, "asked again": 1}
    assert list(told(0, "iterate", "r")["new"]["breakpoint"].values()) == ["Really ship it?"]
    events = [json.loads(path.read_bytes()) for path in sorted(Path(".a5c/runs/r/journal").iterdir())]
    assert [event["type"] for event in events[-2:]] == ["PROCESS_CHANGED", "EFFECT_REQUESTED"]
