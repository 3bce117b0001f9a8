"""``rule`` as a command: a person adds and removes rules, an agent cannot; everybody sees what they say."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from babysitter.runs.answering import decide
from babysitter.runs.folder import open_run
from babysitter.runs.results import accept
from tests.support.commands import call, end, start, told, write
from tests.support.driving import Terminal

pytestmark = pytest.mark.usefixtures("project")

GATE = """
gate = define_task("gate", lambda args: {
    "kind": "breakpoint", "title": "Deploy",
    "breakpoint": {"question": "Deploy it?\\nReally?", **args["more"]},
})

async def process(inputs, ctx):
    return (await ctx.task(gate, more=inputs))["respondedBy"]
"""
DEPLOY = ["-i", "id=confirm.deploy", "-i", 'tags=["prod"]']


def add(*words: str) -> Any:
    return told("rule", "add", *words, "--yes")


def rules() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = told("rule", "list")["rules"]
    return found


def begin(name: str, *words: str) -> Any:
    return told("create", write("p.py", GATE), *DEPLOY, *words, "--run-id", name)


def answer(name: str, approved: bool = True) -> None:
    """What a person says at a terminal."""
    run = open_run(name, os.path.abspath(".a5c/runs")).load()
    (effect,) = run.state.pending.values()
    accept(run, [decide(run, effect, approved, by="me", assurance="terminal")])


# To add and to remove


def test_a_rule_is_added_listed_and_removed(home: Path) -> None:
    words = ["--match", "confirm.*", "--tag", "prod", "--tag", "eu", "--expert", "owner", "--process", "rel*"]
    rule = {
        "name": "mine",
        "verdict": "always",
        "match": "confirm.*",
        "tags": ["eu", "prod"],
        "expert": "owner",
        "process": "rel*",
        "project": os.path.realpath("."),
        "option": "live",
        "after": 3,
    }
    added = add(*words, "--project", ".", "--always", "--option", "live", "--after", "3", "--name", "mine")
    assert (added, told("rule", "list")) == (
        {"status": "added", "rule": rule},
        {"file": str(home / "rules.json"), "rules": [rule]},
    )
    assert told("rule", "remove", "mine", "--yes") == {"status": "removed", "rule": rule}
    assert rules() == []


def test_nothing_of_it_is_in_the_project() -> None:
    add("--tag", "prod", "--never")
    assert os.listdir(".") == []


def test_a_rule_that_is_there_is_not_added_again() -> None:
    assert [add("--tag", "prod", "--never")["status"] for _ in range(2)] == ["added", "already"]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["--match", "confirm.*", "--always"], "always-confirm"),
        (["--tag", "prod", "--tag", "eu", "--never"], "never-eu-prod"),
        (["--expert", "owner", "--always"], "always-owner"),
        (["--process", "release-*", "--always"], "always-release"),
        (["--project", "shop", "--always"], "always-shop"),
        (["--never"], "never-everything"),
        (["--match", "*", "--always"], "always"),
    ],
)
def test_a_rule_is_named_for_what_it_says(words: list[str], name: str) -> None:
    assert add(*words)["rule"]["name"] == name


def test_a_name_that_is_taken_gets_a_number() -> None:
    names = [add("--match", "a", "--always", "--process", process)["rule"]["name"] for process in "xyz"]
    assert names == ["always-a", "always-a-2", "always-a-3"]


WRONG = [
    (["--tag", "a"], "a rule says either --always or --never"),
    (["--tag", "a", "--always", "--never"], "a rule says either --always or --never"),
    (["--always"], "a rule that says --always says of which breakpoints"),
    (["--never", "--after", "2"], "--after belongs to --always"),
    (["--never", "--option", "a"], "--option belongs to --always"),
    (["--never", "--match", ""], "'' is no 'match' of a rule"),
]


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_what_is_no_rule_is_neither_added_nor_tried(words: list[str], said: str) -> None:
    refused = [told("rule", *command, *words, code=2) for command in (["add", "--yes"], ["test"])]
    assert [each["error"]["message"] for each in refused] == [said] * 2


def test_a_name_is_an_id() -> None:
    error = told("rule", "add", "--never", "--name", "a b", "--yes", code=2)["error"]
    assert error["message"] == "'a b' is no 'name' of a rule"


def test_another_rule_of_the_same_name_is_a_conflict() -> None:
    add("--tag", "a", "--never", "--name", "n")
    told("rule", "add", "--tag", "b", "--never", "--name", "n", "--yes", code=3)
    assert [rule["tags"] for rule in rules()] == [["a"]]


def test_a_rule_that_is_not_there_cannot_be_removed_or_tried() -> None:
    errors = [
        told("rule", "remove", "n", "--yes", code=2)["error"]["message"],
        told("rule", "test", "n", code=2)["error"]["message"],
    ]
    assert errors == ["there is no rule 'n'"] * 2


def test_rules_that_are_added_at_the_same_time_are_all_there() -> None:
    names = [f"rule-{number}" for number in range(8)]
    at_once = [start("rule", "add", "--tag", name, "--never", "--name", name, "--yes") for name in names]
    assert [end(process).code for process in at_once] == [0] * 8
    assert sorted(rule["name"] for rule in rules()) == names


# Who may


@pytest.mark.parametrize("words", [["add", "--tag", "b", "--always"], ["remove", "never-a"]])
@pytest.mark.parametrize("name", ["CLAUDECODE", "GEMINI_CLI"])
def test_inside_a_session_nobody_changes_a_rule(
    words: list[str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("--tag", "a", "--never")
    monkeypatch.setenv(name, "1")
    error = told("rule", *words, "--yes", code=3)["error"]
    assert (error["name"], "babysitter rule" in error["hint"], len(rules())) == ("PersonNeeded", True, 1)


@pytest.mark.parametrize("words", [["add", "--tag", "b", "--always"], ["remove", "never-a"]])
def test_taking_the_variables_away_does_not_hide_the_session(words: list[str], home: Path) -> None:
    add("--tag", "a", "--never")
    (home / "sessions" / "s-1").mkdir(parents=True)
    (home / "sessions" / "s-1" / "host").write_text(f"{os.getpid()}\n/project\n/plugin\n")
    assert told("rule", *words, "--yes", code=3)["error"]["name"] == "PersonNeeded"
    assert len(rules()) == 1


def test_a_terminal_that_an_agent_makes_is_of_no_use_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDECODE", "1")
    with Terminal("rule", "add", "--tag", "a", "--always", "--yes") as terminal:
        terminal.sees("inside an agent's session nobody adds a rule")
        assert terminal.end() == 3


@pytest.mark.parametrize("words", [["add", "--tag", "b", "--always"], ["remove", "never-a"]])
def test_with_nobody_to_ask_nothing_changes(words: list[str]) -> None:
    add("--tag", "a", "--never")
    error = told("rule", *words, code=3)["error"]
    assert (error["name"], error["hint"], len(rules())) == ("PersonNeeded", "--yes does not ask", 1)


def test_a_person_is_shown_the_rule_and_confirms_it() -> None:
    words = ["--match", "confirm.*", "--tag", "docs", "--always", "--option", "live", "--after", "1"]
    with Terminal("rule", "add", *words) as terminal:
        terminal.sees("rule always-confirm: always 'live', after 1 approval\r\n")
        terminal.sees("  id confirm.*, tag docs\r\nadd this rule? [y/N]: ")
        terminal.types("y\r")
        terminal.sees("always-confirm: added")
        assert terminal.end() == 0
    with Terminal("rule", "remove", "always-confirm") as terminal:
        terminal.sees("remove this rule? [y/N]: ")
        terminal.types("y\r")
        assert terminal.end() == 0
    assert rules() == []


@pytest.mark.parametrize("typed", ["\r", "n\r"])
def test_what_a_person_does_not_confirm_is_not_added(typed: str) -> None:
    with Terminal("rule", "add", "--match", "*", "--always") as terminal:
        terminal.sees("[y/N]: ")
        terminal.types(typed)
        terminal.sees("the rules are as they were")
        assert (terminal.end(), rules()) == (3, [])


# What they do


def test_a_rule_answers_in_an_iteration_and_in_a_drive() -> None:
    add("--match", "confirm.*", "--always", "--name", "mine")
    begin("a")
    told("run", "p.py", *DEPLOY, "--run-id", "b")
    assert [told("status", run)["output"] for run in ("a", "b")] == ["rule mine"] * 2


def test_a_rule_that_says_never_comes_before_yolo_in_a_drive_too() -> None:
    add("--tag", "prod", "--never")
    write("p.py", GATE)
    ended = told("run", "p.py", *DEPLOY, "--run-id", "r", "--yolo", code=8)
    assert list(ended["pending"]) == ["breakpoint"]


def test_a_rule_answers_while_other_work_is_done() -> None:
    add("--match", "confirm.*", "--always", "--name", "mine")
    write(
        "p.py",
        """
        gate = define_task("gate", lambda args: {
            "kind": "breakpoint", "title": "t", "breakpoint": {"question": "q", "id": "confirm.x"}})

        @shell
        def busy():
            return "until test -e go; do sleep 0.05; done"

        @shell
        def after():
            return "touch go"

        async def process(inputs, ctx):
            async def gated():
                await ctx.task(gate)
                await ctx.task(after)
            await ctx.parallel.all([lambda: ctx.task(busy), gated])
        """,
    )
    told("run", "p.py", "--run-id", "r", "--jobs", "2")


def test_a_person_at_the_terminal_is_not_asked_what_a_rule_answers() -> None:
    add("--match", "confirm.*", "--always")
    write("p.py", GATE)
    with Terminal("run", "p.py", *DEPLOY, "--run-id", "r") as terminal:
        assert (terminal.end(), "[y or n" in terminal.screen) == (0, False)


@pytest.mark.parametrize("content", ["", "{", '{"rules": [{"name": "a", "verdict": "maybe"}]}'])
def test_rules_that_cannot_be_read_are_an_error_that_names_the_file(home: Path, content: str) -> None:
    write("p.py", GATE)
    told("create", "p.py", *DEPLOY, "--run-id", "r")
    (home / "rules.json").write_text(content)
    commands = [
        ["iterate", "r"],
        ["resume", "r"],
        ["work", "r"],
        ["create", "p.py", *DEPLOY, "--yolo"],
        ["rule", "list"],
        ["rule", "test"],
        ["rule", "add", "--never", "--yes"],
        ["rule", "remove", "a", "--yes"],
    ]
    errors = [told(*words, code=2)["error"] for words in commands]
    assert [error["name"] for error in errors] == ["CorruptRules"] * len(commands)
    assert all(str(home / "rules.json") in error["message"] for error in errors)
    assert told("tasks", "r", "--pending")["tasks"] != []
    assert told("doctor", code=2)["worst"] == "FAIL"


# To try them


def test_rules_are_tried_on_what_was_answered() -> None:
    for name, approved in (("a", True), ("b", False)):
        begin(name)
        answer(name, approved)
    add("--match", "confirm.*", "--always", "--name", "mine")
    tried = told("rule", "test")
    assert (sorted(tried), tried["rules"]) == (["counts", "rules", "tried"], ["mine"])
    assert tried["counts"] == {"yes": 2, "ask": 0, "nothing": 0, "agreed": 1, "disagreed": 1}
    first, second = tried["tried"]
    assert (first["agrees"], second["agrees"], first["answer"]) == (
        True,
        False,
        {"approved": True, "by": "me", "assurance": "terminal"},
    )
    assert sorted(first) == [
        "agrees",
        "answer",
        "at",
        "effect",
        "folder",
        "id",
        "question",
        "rule",
        "run",
        "title",
        "verdict",
    ]


def test_a_rule_is_tried_before_it_is_there() -> None:
    begin("a")
    answer("a")
    counts = [
        told("rule", "test", "--match", "confirm.*", "--always")["counts"]["agreed"],
        told("rule", "test", "--match", "other.*", "--always")["counts"]["nothing"],
        told("rule", "test", "--tag", "prod", "--never")["counts"]["ask"],
    ]
    assert (counts, rules()) == ([1, 1, 1], [])


def test_a_rule_is_tried_alone_or_with_the_others() -> None:
    begin("a")
    answer("a")
    add("--match", "confirm.*", "--always", "--name", "yes")
    add("--tag", "prod", "--never", "--name", "no")
    assert [told("rule", "test", *name)["tried"][0]["verdict"] for name in ([], ["yes"], ["no"])] == [
        "ask",
        "yes",
        "ask",
    ]


def test_a_rule_that_counts_knows_only_what_was_before() -> None:
    for name in "abc":
        begin(name)
        answer(name)
    tried = told("rule", "test", "--match", "confirm.*", "--always", "--after", "2")["tried"]
    assert [each["verdict"] for each in tried] == ["nothing", "nothing", "yes"]


def test_what_nobody_but_a_rule_has_answered_is_compared_with_nothing() -> None:
    add("--match", "confirm.*", "--always", "--name", "mine")
    begin("a")
    tried = told("rule", "test")
    assert (tried["tried"][0]["answer"]["rule"], tried["counts"]["yes"], tried["counts"]["agreed"]) == (
        "mine",
        1,
        0,
    )


def test_a_name_and_a_rule_that_is_not_there_are_not_tried_together() -> None:
    error = told("rule", "test", "n", "--tag", "a", "--never", code=2)["error"]
    assert error["name"] == "UsageError"


def test_a_run_that_cannot_be_read_is_named() -> None:
    begin("a")
    Path(".a5c/runs/a/run.json").write_text("{")
    tried = told("rule", "test")
    assert [(each["run"], sorted(each)) for each in tried["unreadable"]] == [
        ("a", ["error", "folder", "run"])
    ]
    assert "run a cannot be read" in call("rule", "test").stdout


def test_people_see_what_would_have_been_said_and_the_sum() -> None:
    for name, approved in (("a", True), ("b", False)):
        begin(name)
        answer(name, approved)
    shown = call("rule", "test", "--match", "confirm.*", "--always").stdout.splitlines()
    assert shown[0].split() == ["answered", "run", "id", "answer", "rules"]
    assert "yes (always-confirm), NOT as answered" in shown[2]
    assert shown[3] == "2 yes (1 as people answered, 1 otherwise), 0 ask, 0 nothing"


def test_people_see_rules_in_words() -> None:
    assert call("rule", "list").stdout == "no rules; a person is asked at each breakpoint\n"
    add("--match", "confirm.*", "--tag", "eu", "--always", "--after", "3")
    add("--never")
    shown = call("rule", "list").stdout.splitlines()
    assert [" ".join(text.split()) for text in shown] == [
        "rule says about",
        "always-confirm always, after 3 approvals id confirm.*, tag eu",
        "never-everything never every breakpoint",
    ]


def test_a_rule_of_a_file_that_somebody_wrote_cannot_act_on_the_terminal(home: Path) -> None:
    project = "/work/\x1b]0;title\x07"
    rule = {"name": "n", "verdict": "never", "project": project}
    (home / "rules.json").write_text(json.dumps({"rules": [rule]}))
    assert "\x1b" not in call("rule", "list").stdout
