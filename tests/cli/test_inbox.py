"""``inbox``: what waits for a person in all runs, and their answers at the terminal."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from babysitter.runs.folder import open_run
from babysitter.sessions.binding import bind
from tests.support.commands import call, told, write
from tests.support.driving import Command, Terminal, wait_until

pytestmark = pytest.mark.usefixtures("project")

GATE = """
gate = define_task("gate", lambda args: {
    "kind": "breakpoint", "title": "Deploy",
    "breakpoint": {"question": "Deploy it?\\nReally?", **args["more"]},
})

async def process(inputs, ctx):
    return await ctx.task(gate, more=inputs)
"""
PLAIN = "async def process(inputs, ctx):\n    return (await ctx.breakpoint('Go?', title='Gate')).approved\n"
SIGNED = PLAIN.replace("title=", "assurance='signed', title=")
OPTIONS = PLAIN.replace("title=", "options=['staging', 'live'], title=")
STUCK = "async def process(inputs, ctx):\n    1 / 0\n"
PROMPT = "[y/n; Enter skips; q ends; words after it are kept as feedback]: "


def begin(name: str, source: str = PLAIN, *words: str, code: int = 0) -> None:
    told("create", write(f"{name}.py", source), *words, "--run-id", name, code=code)


def waiting(*words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = told("inbox", *words)["waiting"]
    return found


def names(*words: str) -> list[str]:
    return [each["run"] for each in waiting(*words)]


def answers(run: str) -> list[tuple[Any, ...]]:
    """What was answered in a run, and how sure it is."""
    events = told("events", run)["events"]
    return [
        (
            each["data"]["value"]["approved"],
            each["data"]["value"]["option"],
            each["data"]["value"]["feedback"],
            each["data"]["evidence"]["assurance"],
        )
        for each in events
        if each["type"] == "EFFECT_RESOLVED"
    ]


# The list


def test_a_breakpoint_is_listed_with_all_that_is_known_of_it() -> None:
    more = ["id=confirm.deploy", 'tags=["prod"]', 'expert=["owner"]', 'options=["a"]', "deadline=60"]
    begin("r", GATE, *(word for pair in more for word in ("-i", pair)))
    (found,) = waiting()
    assert {name: found[name] for name in ("kind", "run", "id", "tags", "expert", "options", "blocks")} == {
        "kind": "breakpoint",
        "run": "r",
        "id": "confirm.deploy",
        "tags": ["prod"],
        "expert": ["owner"],
        "options": ["a"],
        "blocks": "run",
    }
    assert sorted(found) == sorted(
        [
            *("blocks", "command", "deadline", "effect", "expert", "folder", "id", "kind", "options"),
            *("process", "project", "question", "run", "show", "since", "step", "tags", "title"),
        ]
    )
    assert found["command"] == f"babysitter approve r {found['effect']}"
    assert found["deadline"] > found["since"]


def test_a_stuck_run_is_listed_with_its_problem() -> None:
    begin("r", STUCK, code=7)
    (found,) = waiting()
    assert (found["kind"], found["problem"]["name"], found["problem"]["line"]) == (
        "stuck",
        "ZeroDivisionError",
        10,
    )
    assert sorted(found) == [
        *("blocks", "command", "folder", "kind", "problem", "process", "project", "run", "since")
    ]


def test_an_edit_that_needs_a_person_is_listed_with_the_way_to_accept_it() -> None:
    begin("r")
    bind(open_run("r", ".a5c/runs").load(), "claude-code", "session-1")
    assert [each["kind"] for each in waiting()] == ["breakpoint"]
    write("r.py", PLAIN.replace("'Go?'", "'Run?'"))
    found = next(each for each in waiting() if each["kind"] == "diverged")
    assert (found["run"], found["problem"]["name"], found["command"]) == (
        "r",
        "EditNeedsPerson",
        "babysitter approve r --permit edit",
    )
    assert sorted(found) == [
        *("blocks", "command", "folder", "kind", "problem", "process", "project", "run", "since")
    ]
    lines = call("inbox").stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if "r: an edit needs you, " in line)
    assert lines[at + 2 : at + 4] == ["   undo it, or accept it", "   babysitter approve r --permit edit"]


def test_an_edit_that_needs_nobody_is_not_listed() -> None:
    begin("r")
    write("r.py", PLAIN.replace("'Go?'", "'Run?'"))
    assert [each["kind"] for each in waiting()] == ["breakpoint"]


def test_what_a_breakpoint_blocks_is_all_of_the_run_or_its_branch() -> None:
    begin("alone")
    begin(
        "beside",
        """
        async def process(inputs, ctx):
            await ctx.parallel.all([lambda: ctx.breakpoint("Go?"), lambda: ctx.task(ask, question="a")])
        """,
    )
    alone, beside = waiting()
    assert (alone["blocks"], beside["blocks"], beside["beside"], beside["group"]["mode"]) == (
        "run",
        "branch",
        1,
        "all",
    )
    shown = call("inbox").stdout
    assert "blocks all of the run" in shown
    assert "blocks branch 0 of parallel.all at step 1; 1 other effect pending beside it" in shown


def test_runs_of_other_projects_are_listed_with_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin("here")
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    begin("there")
    assert (names(), names("--here")) == (["here", "there"], ["there"])
    far, near = waiting()
    assert (far["command"].split()[2], near["command"].split()[2]) == (far["folder"], "there")
    assert f"   in {os.path.realpath(tmp_path / 'project')}\n" in call("inbox").stdout
    assert told(*far["command"].split()[1:])["status"] == "recorded"


def test_a_folder_of_runs_that_has_gone_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin("here")
    (tmp_path / "project" / ".a5c").rename(tmp_path / "project" / "moved")
    monkeypatch.chdir(tmp_path)
    assert told("inbox") == {"waiting": []}


def test_runs_elsewhere_are_found_too(tmp_path: Path) -> None:
    begin("r", PLAIN, "--runs-dir", str(tmp_path / "far"))
    assert (names(), names("--here"), names("--here", "--runs-dir", str(tmp_path / "far"))) == (
        ["r"],
        [],
        ["r"],
    )


def test_breakpoints_of_child_runs_say_whose_child_it_is() -> None:
    begin(
        "r",
        """
        async def child(inputs, ctx):
            await ctx.breakpoint("In the child?")

        async def process(inputs, ctx):
            await ctx.subprocess(child)
        """,
    )
    (found,) = waiting()
    assert (found["parent"], found["question"]) == ("r", "In the child?")


def test_they_are_chosen_by_expert_and_tags() -> None:
    begin("owners", GATE, "-i", 'expert=["owner"]', "-i", 'tags=["prod", "eu"]')
    begin("nobodys", GATE)
    begin("stuck", STUCK, code=7)
    found = [names(*words) for words in ([], ["--expert", "owner"], ["--tag", "prod", "--tag", "eu"])]
    assert found == [["owners", "nobodys", "stuck"], ["owners"], ["owners"]]
    assert names("--tag", "prod", "--tag", "us") == []


def test_a_run_that_cannot_be_read_is_named_and_no_error() -> None:
    begin("bad")
    begin("good")
    Path(".a5c/runs/bad/run.json").write_text("{")
    shown = told("inbox")
    assert [each["run"] for each in shown["waiting"]] == ["good"]
    assert [(each["run"], sorted(each)) for each in shown["unreadable"]] == [
        ("bad", ["error", "folder", "run"])
    ]
    assert "run bad cannot be read" in call("inbox").stdout


def test_where_nothing_waits_that_is_said() -> None:
    assert (call("inbox").stdout, told("inbox")) == ("nothing waits for you\n", {"waiting": []})


def test_inside_a_session_it_is_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    begin("r")
    monkeypatch.setenv("CLAUDECODE", "1")
    with Terminal("inbox") as terminal:
        terminal.sees("1. r: Gate, ")
        assert (terminal.end(), "[y/n" in terminal.screen) == (0, False)


def test_a_list_is_all_that_is_given_when_no_more_is_wanted() -> None:
    begin("r")
    with Terminal("inbox", "--list") as terminal:
        terminal.sees("1. r: Gate, ")
        assert (terminal.end(), "[y/n" in terminal.screen) == (0, False)


def test_what_is_listed_cannot_act_on_the_terminal() -> None:
    begin("r", PLAIN.replace("'Go?'", "'a\\x1b[2Kb'").replace("'Gate'", "'t\\x1b]0;x\\x07'"))
    assert "\x1b" not in call("inbox").stdout


def test_a_question_that_is_not_all_listed_says_where_all_of_it_is() -> None:
    begin("r", PLAIN.replace("'Go?'", "'Go?\\nReally?'"))
    (found,) = waiting()
    assert f"   all of it: babysitter show r {found['effect']}\n" in call("inbox").stdout


def test_a_question_that_is_all_listed_does_not() -> None:
    begin("r", PLAIN)
    assert "all of it" not in call("inbox").stdout


# Answers


def test_one_after_the_other_is_answered_at_the_terminal() -> None:
    begin("one")
    begin("two", OPTIONS)
    with Terminal("inbox") as terminal:
        terminal.sees("run one, breakpoint ")
        terminal.sees("\r\n  Go?\r\nwhat is shown has the digest ")
        terminal.sees(PROMPT)
        terminal.types("n not before friday\r")
        terminal.sees(": recorded")
        terminal.sees("  1. staging\r\n  2. live\r\n")
        terminal.sees("[1-2, its text/n; Enter skips; q ends; words after it are kept as feedback]: ")
        terminal.types("2\r")
        terminal.sees(": recorded")
        terminal.sees("run one goes on with: babysitter resume one, or by one step: babysitter iterate one")
        terminal.sees("run two goes on with: babysitter resume two")
        assert terminal.end() == 0
    assert (answers("one"), answers("two")) == (
        [(False, None, "not before friday", "terminal")],
        [(True, "live", None, "terminal")],
    )


def test_what_is_no_answer_is_asked_again() -> None:
    begin("r")
    with Terminal("inbox") as terminal:
        terminal.sees(PROMPT)
        terminal.types("perhaps\r")
        terminal.sees("please answer y or n, or press Enter: ")
        terminal.types("y\r")
        terminal.sees(": recorded")
        assert terminal.end() == 0


def test_enter_goes_to_the_next_and_q_ends_it() -> None:
    for name in ("one", "two", "three"):
        begin(name)
    with Terminal("inbox") as terminal:
        terminal.sees("run one, ")
        terminal.sees(PROMPT)
        terminal.types("\r")
        terminal.sees("run two, ")
        terminal.sees(PROMPT)
        terminal.types("q\r")
        assert (terminal.end(), "run three, " in terminal.screen) == (0, False)
    assert names() == ["one", "two", "three"]


def test_the_end_of_input_ends_it() -> None:
    begin("r")
    with Terminal("inbox") as terminal:
        terminal.sees(PROMPT)
        terminal.types("\x04")
        assert (terminal.end(), names()) == (0, ["r"])


def test_what_was_answered_elsewhere_before_it_was_asked_is_said() -> None:
    begin("one")
    begin("two")
    with Terminal("inbox") as terminal:
        terminal.sees("run one, ")
        terminal.sees(PROMPT)
        told("approve", "two")
        terminal.types("\r")
        terminal.sees("answered elsewhere meanwhile, or no longer needed")
        assert terminal.end() == 0


def test_what_was_answered_elsewhere_while_it_was_asked_is_said_and_the_first_answer_stands() -> None:
    begin("r")
    with Terminal("inbox") as terminal:
        terminal.sees(PROMPT)
        told("reject", "r", "--feedback", "first")
        terminal.types("y\r")
        terminal.sees("answered elsewhere meanwhile, or no longer needed: effect ")
        assert terminal.end() == 0
    assert answers("r") == [(False, None, "first", "script")]


def test_what_has_to_be_signed_is_shown_with_the_command_for_it() -> None:
    begin("r", SIGNED)
    (found,) = waiting()
    with Terminal("inbox") as terminal:
        terminal.sees("run r, breakpoint ")
        terminal.sees(f"it wants a signature: babysitter approve r {found['effect']} --sign")
        assert (terminal.end(), PROMPT in terminal.screen) == (0, False)


def test_a_run_that_an_agent_works_on_is_answered_by_a_person_as_well() -> None:
    begin("r")
    open_run("r", os.path.abspath(".a5c/runs")).load().append(
        [("SESSION_BOUND", {"host": "claude-code", "sessionId": "s-1"})]
    )
    with Terminal("inbox") as terminal:
        terminal.sees(PROMPT)
        terminal.types("y\r")
        terminal.sees(": recorded")
        terminal.sees("goes on with: babysitter resume r")
        assert terminal.end() == 0
    assert answers("r") == [(True, None, None, "terminal")]


def test_a_session_that_lives_goes_on_by_itself(home: Path) -> None:
    begin("r")
    open_run("r", os.path.abspath(".a5c/runs")).load().append(
        [("SESSION_BOUND", {"host": "claude-code", "sessionId": "s-1"})]
    )
    (home / "sessions" / "s-1").mkdir(parents=True)
    (home / "sessions" / "s-1" / "host").write_text(f"{os.getpid()}\n\n")
    with Terminal("inbox") as terminal:
        terminal.sees(PROMPT)
        terminal.types("y\r")
        terminal.sees("run r goes on when its session stops next")
        assert terminal.end() == 0


def test_a_run_that_somebody_drives_goes_on_with_the_answer() -> None:
    write(
        "p.py",
        """
        @shell
        def busy():
            return "until test -e go; do sleep 0.05; done"

        async def process(inputs, ctx):
            await ctx.parallel.all([lambda: ctx.breakpoint("Go?", title="Gate"), lambda: ctx.task(busy)])
        """,
    )
    driver = Command("run", "p.py", "--run-id", "r", "--json")
    wait_until(lambda: names() == ["r"])
    with Terminal("inbox") as terminal:
        terminal.sees(PROMPT)
        terminal.types("y\r")
        terminal.sees("run r is driven by ")
        assert terminal.end() == 0
    Path("go").touch()
    assert driver.end().code == 0


def test_of_a_child_it_is_said_how_its_family_goes_on() -> None:
    begin(
        "r",
        """
        async def child(inputs, ctx):
            await ctx.breakpoint("In the child?")

        async def process(inputs, ctx):
            await ctx.subprocess(child)
        """,
    )
    with Terminal("inbox") as terminal:
        terminal.sees(PROMPT)
        terminal.types("y\r")
        terminal.sees("run r goes on with: babysitter resume r")
        assert terminal.end() == 0


def test_a_run_that_has_gone_meanwhile_leaves_the_others_to_be_answered() -> None:
    for name in ("one", "two", "three"):
        begin(name)
    with Terminal("inbox") as terminal:
        terminal.sees(PROMPT)
        shutil.rmtree(".a5c/runs/two")
        terminal.types("\r")
        terminal.sees("error: ")
        terminal.sees("run three, ")
        terminal.sees(PROMPT)
        terminal.types("y\r")
        terminal.sees(": recorded")
        assert terminal.end() == 0
