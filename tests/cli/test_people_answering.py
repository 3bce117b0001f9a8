"""Breakpoints as people meet them at the command line: several who answer, files, time, and asking again."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.paths import user_name
from tests.support.commands import call, told, write
from tests.support.driving import Terminal, types, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("project")
needs_ssh_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen")

QUORUM = """
async def process(inputs, ctx):
    told = await ctx.breakpoint("Release?", quorum=2, expert=["alice", "bob", "carol"])
    return [told.approved, told.responded_by, told.feedback]
"""
FILES = """
async def process(inputs, ctx):
    told = await ctx.breakpoint("Take this plan?", files=["plan.md"])
    return [told.approved, told.responded_by]
"""
PLANS = """
async def process(inputs, ctx):
    feedback, attempt = None, 1
    while True:
        plan = await ctx.task(ask, question=f"Plan it. {feedback or ''}".strip())
        told = await ctx.breakpoint(
            f"Take this plan? {plan}", expert="owner", previous_feedback=feedback, attempt=attempt
        )
        if told.approved:
            return [plan, attempt]
        feedback, attempt = told.feedback, attempt + 1
"""


def begin(source: str) -> dict[str, Any]:
    """A run called ``r``, at its breakpoint."""
    made: dict[str, Any] = told("create", write("p.py", source), "--run-id", "r")
    return made


def asks(more: str) -> str:
    """A process with one breakpoint of this kind."""
    return f"""
async def process(inputs, ctx):
    told = await ctx.breakpoint("Go?", {more})
    return [told.approved, told.option, told.responded_by]
"""


def shown() -> dict[str, Any]:
    """What ``show`` tells of the breakpoint while it is open."""
    found: dict[str, Any] = told("show", "r", "1")["open"]
    return found


def output() -> Any:
    return told("iterate", "r").get("output")


@pytest.fixture
def plan(project: Path) -> Path:
    path = project / "plan.md"
    path.write_text("first\n")
    return path


# Several who answer


def test_so_many_have_to_agree() -> None:
    begin(QUORUM)
    first = told("approve", "r", "--as", "alice")
    second = told("reject", "r", "--as", "bob", "--feedback", "too early")
    third = told("approve", "r", "--as", "carol", "--feedback", "at last")
    assert [each["open"] for each in (first, second, third)] == [
        {**counts, "strategy": "quorum", "needed": 2, "waitingFor": left, "isDecided": is_decided}
        for counts, left, is_decided in (
            ({"approvals": 1, "rejections": 0}, ["bob", "carol"], False),
            ({"approvals": 1, "rejections": 1}, ["carol"], False),
            ({"approvals": 2, "rejections": 1}, [], True),
        )
    ]
    assert output() == [True, "alice, carol", "at last"]
    assert "answers" in told("show", "r", "1")


def test_people_read_how_it_stands() -> None:
    begin(QUORUM)
    effect = told("tasks", "r")["tasks"][0]["id"]
    said = [call(*words.split()).stdout for words in ("approve r --as alice", "approve r --as alice")]
    assert said == [
        f"yes to: Release?\n{effect}: recorded; 1 of 2 approvals so far, waiting for bob, carol\n",
        f"yes to: Release?\n{effect}: already\n",
    ]
    assert call("approve", "r", "--as", "bob").stdout == (
        f"yes to: Release?\n{effect}: recorded; it is decided when the run goes on: babysitter iterate r\n"
    )


def test_all_that_was_said_can_be_read_before_and_after() -> None:
    begin(QUORUM)
    told("approve", "r", "--as", "alice")
    told("reject", "r", "--as", "bob", "--feedback", "too early")
    before = call("show", "r", "1").stdout.splitlines()
    assert "asked of   alice, bob, carol; 2 have to agree" in before
    assert "so far     alice yes, bob no" in before
    told("reject", "r", "--as", "carol")
    assert output() == [False, "bob, carol", "too early"]
    after = call("show", "r", "1").stdout
    assert [
        line.split("Z ")[1].split(", on")[0] for line in after.splitlines() if line.startswith("answer ")
    ] == [
        "yes, alice by script",
        "no: too early, bob by script",
        "no, carol by script",
    ]


def test_who_is_not_asked_is_told_how_to_say_who_they_are() -> None:
    begin(QUORUM)
    error = told("approve", "r", code=2)["error"]
    assert error["message"] == (
        f"the breakpoint asks alice, bob, carol, and this is an answer of {user_name()!r}"
    )
    assert ("--as NAME" in error["hint"], "answersAs: [NAME]" in error["hint"]) == (True, True)


def test_a_user_answers_as_whatever_their_own_configuration_says(home: Path) -> None:
    (home / "config.yaml").write_text("answersAs: [carol, security]\n")
    begin(QUORUM)
    told("approve", "r")
    (answer,) = told("show", "r", "1")["answers"]
    assert (answer["respondedBy"], answer["experts"]) == (user_name(), ["carol"])
    assert f"{user_name()} by script for carol, on " in call("show", "r", "1").stdout
    # Who says who they are is that one and nobody else.
    assert told("approve", "r", "--as", "security", code=2)["error"]["name"] == "ResultRejected"


def test_a_project_says_of_nobody_who_they_are() -> None:
    Path(".a5c").mkdir()
    Path(".a5c/config.yaml").write_text("answersAs: [carol]\n")
    error = told("create", write("p.py", QUORUM), "--run-id", "r", code=2)["error"]
    assert "answersAs" in error["message"]


def test_an_answer_under_another_name_says_whose_account_it_came_from() -> None:
    begin(QUORUM)
    told("approve", "r", "--as", "bob")
    (answer,) = told("show", "r", "1")["answers"]
    assert (answer["respondedBy"], answer["evidence"]) == ("bob", {"user": user_name()})


# Signatures


@needs_ssh_keygen
def test_what_several_have_signed_is_verified_by_who_knows_their_keys(home: Path) -> None:
    begin(asks("quorum=2, expert=['anna', 'bert'], assurance='signed'"))
    names = ("anna", "bert")
    for name in names:
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", name]
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
    lines = [f"{name} {Path(f'{name}.pub').read_text()}" for name in names]
    (home / "allowed_signers").write_text("".join(lines))
    error = told("approve", "r", "--sign", "--key", "anna", "--as", "bert", code=2)["error"]
    assert error["message"] == "it says that 'bert' answers, and the key is that of 'anna'"
    # Whoever the key belongs to answers, where nobody says otherwise.
    told("approve", "r", "--sign", "--key", "anna")
    assert told("approve", "r", "--sign", "--key", "anna")["status"] == "already"
    told("approve", "r", "--sign", "--key", "bert")
    assert output() == [True, None, "anna, bert"]
    found = told("verify", "r", "--signers", str(home / "allowed_signers"))["approvals"]
    assert [(each["signer"], each["approved"]) for each in found] == [("anna", True), ("bert", True)]
    (home / "allowed_signers").write_text(lines[0])
    error = told("verify", "r", "--signers", str(home / "allowed_signers"), code=5)["error"]
    assert error["message"].startswith("event 4: the key SHA256:")


# Files


@pytest.mark.parametrize(
    "asking",
    [
        "await ctx.breakpoint('Take this plan?', files=['gone.md'])",
        "await until_approved(ctx, write_plan, 'Take this plan?', files=['gone.md'])",
    ],
)
def test_a_file_that_is_not_there_is_missed_at_a_line_of_the_process(asking: str) -> None:
    source = f"""
    from babysitter.patterns import until_approved

    async def write_plan(attempt, feedback):
        return "a plan"

    async def process(inputs, ctx):
        return {asking}
    """
    problem = told("create", write("p.py", source), "--run-id", "r", code=7)["problem"]
    lines = Path("p.py").read_text().splitlines()
    assert (Path(problem["file"]).name, lines[problem["line"] - 1].strip()) == ("p.py", f"return {asking}")
    assert "there is no such file" in problem["message"]


def test_what_has_changed_between_showing_and_answering_is_not_answered(plan: Path) -> None:
    begin(FILES)
    digest = shown()["shown"]
    plan.write_text("second\n")
    error = told("approve", "r", "--shown", digest, code=2)["error"]
    assert "something else is shown by now" in error["message"]
    now = shown()
    assert ([file["changed"] for file in now["files"]], now["shown"] in error["hint"]) == ([True], False)
    assert f"--shown {now['shown'][:8]}" in error["hint"]
    told("approve", "r", "--shown", now["shown"][:8])
    assert output() == [True, user_name()]


def test_what_has_changed_between_answering_and_going_on_is_asked_again(plan: Path) -> None:
    begin(FILES)
    told("approve", "r")
    plan.write_text("second\n")
    assert told("iterate", "r")["status"] == "waiting"
    (record,) = told("show", "r", "1")["answers"]
    assert record["voided"] == "changed: plan.md"
    assert "void (changed: plan.md)" in call("show", "r", "1").stdout
    error = told("approve", "r", code=2)["error"]
    assert error["message"].startswith("plan.md has changed since it was asked; ")
    told("approve", "r", "--shown", shown()["shown"])
    assert output() == [True, user_name()]


def test_a_digest_is_not_a_letter(plan: Path) -> None:
    begin(FILES)
    error = told("approve", "r", "--shown", shown()["shown"][:7], code=2)["error"]
    assert "is too short for a digest" in error["message"]
    assert told("approve", "r", "--shown", "", code=2)["error"]["name"] == "ResultRejected"


def test_people_are_shown_what_is_in_the_file(plan: Path) -> None:
    plan.write_text("one\n\x1b[2Jtwo\n")
    begin(FILES)
    lines = call("show", "r", "1").stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("file "))
    assert lines[at].startswith("file       plan.md, 12 bytes, ")
    assert lines[at + 1 : at + 3] == ["  | one", "  | \\x1b[2Jtwo"]


def test_at_a_terminal_it_is_answered_on_what_was_shown_there(plan: Path) -> None:
    begin(FILES)
    with Terminal("approve", "r") as terminal:
        terminal.sees("  | first")
        terminal.sees("answer it with yes? [y/N]: ")
        plan.write_text("second\n")
        terminal.types("y\r")
        terminal.sees("something else is shown by now than what this answers")
        assert terminal.end() == 2
    assert "BREAKPOINT_ANSWERED" not in types("r")


def test_who_names_what_they_have_seen_is_not_shown_it_again(plan: Path) -> None:
    begin(FILES)
    with Terminal("approve", "r", "--shown", shown()["shown"]) as terminal:
        terminal.sees("recorded")
        assert (terminal.end(), "[y/N]" in terminal.screen) == (0, False)


def test_run_asks_again_when_the_file_changes_while_somebody_reads(plan: Path) -> None:
    write("p.py", FILES)
    with Terminal("run", "p.py", "--run-id", "r") as terminal:
        terminal.sees("  | first")
        terminal.sees("[y or n")
        plan.write_text("second\n")
        terminal.types("y\r")
        terminal.sees("nothing was recorded: something else is shown by now")
        terminal.sees("  | second")
        terminal.sees("[y or n")
        terminal.types("y\r")
        assert terminal.end() == 0
    assert types("r").count("BREAKPOINT_ANSWERED") == 1


def test_run_puts_the_question_anew_when_it_is_another_one_by_now(plan: Path) -> None:
    write("p.py", FILES.replace("files=", "quorum=2, files="))
    with Terminal("run", "p.py", "--run-id", "r") as terminal:
        terminal.sees("[y or n")
        told("approve", "r", "--as", "bob")
        plan.write_text("second\n")
        terminal.sees("(asked anew)")
        terminal.sees("  | second")
        terminal.sees("[y or n")
        terminal.types("y\r")
        assert terminal.end() == 8
    assert told("approve", "r", "--as", "bob", "--shown", shown()["shown"])["open"]["isDecided"] is True
    assert output() == [True, f"{user_name()}, bob"]


# Time


def clock_is_past(moment_ms: int) -> Callable[[], bool]:
    return lambda: time.time() * 1000 > moment_ms


def test_a_yes_that_has_expired_is_asked_again() -> None:
    begin(asks("expires=0.2"))
    told("approve", "r")
    (record,) = told("show", "r", "1")["answers"]
    wait_until(clock_is_past(record["untilMs"]))
    assert told("iterate", "r")["status"] == "waiting"
    (record,) = told("show", "r", "1")["answers"]
    assert record["voided"] == "expired"
    assert told("approve", "r")["status"] == "recorded"


def test_a_yes_counts_while_it_has_not_expired() -> None:
    begin(asks("expires='1h'"))
    assert "a yes      counts for 1 h, if it is not made use of before" in call("show", "r", "1").stdout
    told("approve", "r")
    assert output() == [True, None, user_name()]


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        ("", [False, None, "deadline"]),
        (", default=True", [True, None, "deadline"]),
        (", default='us', options=['eu', 'us']", [True, "us", "deadline"]),
    ],
)
def test_run_waits_for_the_deadline_and_takes_the_default(default: str, expected: list[Any]) -> None:
    assert told("run", write("p.py", asks(f"deadline=0.2{default}")), "--run-id", "r")["output"] == expected


def test_until_when_it_can_be_answered_is_told() -> None:
    made = begin(asks("deadline='1h', default=True"))
    assert made["until"] == told("status", "r")["until"] == shown()["deadlineAt"]
    assert (
        f"decided    at {made['until']} by itself, if nobody does before: yes"
        in call("show", "r", "1").stdout
    )


def test_after_the_deadline_nobody_answers() -> None:
    begin(asks("deadline=0.001"))
    error = told("approve", "r", code=3)["error"]
    assert (error["name"], error["hint"]) == ("AlreadyResolved", "babysitter iterate r")
    assert output() == [False, None, "deadline"]


# At the terminal of `run`


def test_run_does_not_ask_what_is_for_somebody_else() -> None:
    write("p.py", QUORUM)
    with Terminal("run", "p.py", "--run-id", "r") as terminal:
        terminal.sees("waits for alice, bob, carol: Release?")
        assert terminal.end() == 8


def test_run_goes_on_when_others_have_decided_elsewhere() -> None:
    write("p.py", asks("quorum=1"))
    with Terminal("run", "p.py", "--run-id", "r") as terminal:
        terminal.sees("[y or n")
        told("approve", "r", "--as", "bob")
        terminal.sees("no longer asked")
        assert terminal.end() == 0
    assert types("r")[-3:] == ["BREAKPOINT_ANSWERED", "EFFECT_RESOLVED", "RUN_COMPLETED"]


def test_what_cannot_be_recorded_is_asked_again_and_is_no_failure(home: Path) -> None:
    (home / "config.yaml").write_text("limits: {resultBytes: 400}\n")
    write("p.py", asks(""))
    with Terminal("run", "p.py", "--run-id", "r") as terminal:
        terminal.sees("[y or n")
        terminal.types(f"y {'long ' * 100}\r")
        terminal.sees("bytes, and 400 are allowed")
        terminal.sees("[y or n")
        terminal.types("y\r")
        assert terminal.end() == 0
    assert output() == [True, None, user_name()]


# A plan that is asked for until it is right


def test_a_plan_is_refined_with_what_was_said_of_the_one_before() -> None:
    begin(PLANS)
    asked = []
    for plan, feedback in (("one", "shorter"), ("two", "in two steps"), ("three", None)):
        pending = told("tasks", "r", "--pending")["tasks"]
        asked.append(told("show", "r", pending[0]["id"])["definition"]["agent"]["prompt"])
        told("post", "r", pending[0]["id"], "--value", f'"{plan}"')
        told("iterate", "r")
        (gate,) = told("tasks", "r", "--pending")["tasks"]
        asked.append({**told("show", "r", gate["id"])["definition"]["breakpoint"]})
        words = ["reject", "r", "--feedback", feedback] if feedback else ["approve", "r"]
        assert told(*words)["status"] == "recorded"
        done = told("iterate", "r")
    assert done["output"] == ["three", 3]
    about = {"expert": ["owner"]}
    assert asked == [
        "Plan it.",
        {**about, "question": "Take this plan? one", "attempt": 1},
        "Plan it. shorter",
        {**about, "question": "Take this plan? two", "attempt": 2, "previousFeedback": "shorter"},
        "Plan it. in two steps",
        {**about, "question": "Take this plan? three", "attempt": 3, "previousFeedback": "in two steps"},
    ]
    assert told("verify", "r")["status"] == "completed"


def test_who_is_asked_again_reads_why() -> None:
    begin(PLANS)
    for plan, words in (("one", ["reject", "r", "--feedback", "shorter\nmuch"]), ("two", [])):
        (task,) = told("tasks", "r", "--pending")["tasks"]
        told("post", "r", task["id"], "--value", f'"{plan}"')
        told("iterate", "r")
        if words:
            told(*words)
            told("iterate", "r")
    (gate,) = told("tasks", "r", "--pending")["tasks"]
    lines = call("show", "r", gate["id"]).stdout.splitlines()
    at = lines.index("attempt    2")
    assert lines[at + 1 : at + 3] == ["feedback on the one before: shorter", "  much"]


def test_where_several_choose_a_yes_says_what_it_chooses() -> None:
    write(
        "p.py",
        'async def process(inputs, ctx):\n    await ctx.breakpoint("At?", options=["eu", "us"], quorum=2)\n',
    )
    told("create", "p.py", "--run-id", "r")
    refused = told("approve", "r", "--as", "ann", code=2)["error"]
    assert refused["message"] == "it has to be said which option, for several people decide"
    assert told("approve", "r", "--as", "ann", "--option", "eu")["status"] == "recorded"


def test_what_has_its_answers_asks_nobody_any_more() -> None:
    write("p.py", 'async def process(inputs, ctx):\n    await ctx.breakpoint("Go?", expires="1h")\n')
    told("create", "p.py", "--run-id", "r")
    told("approve", "r")
    (waiting,) = told("inbox", "--here")["waiting"]
    assert (waiting["isDecided"], waiting["command"], told("status", "r")["decided"]) == (
        True,
        "babysitter resume r",
        1,
    )


def test_who_goes_on_is_told_that_a_yes_is_void() -> None:
    Path("plan.md").write_text("one")
    write("p.py", 'async def process(inputs, ctx):\n    await ctx.breakpoint("Go?", files=["plan.md"])\n')
    told("create", "p.py", "--run-id", "r")
    told("approve", "r")
    Path("plan.md").write_text("two")
    assert "counts no more (changed: plan.md); it is asked again" in call("resume", "r", "--plain").stdout


def test_of_a_run_that_was_stuck_in_something_outside_no_edit_is_told() -> None:
    write("p.py", 'async def process(inputs, ctx):\n    await ctx.breakpoint("Go?", files=["plan.md"])\n')
    told("create", "p.py", "--run-id", "r", code=7)
    Path("plan.md").write_text("one")
    assert "the process is the same, and goes on" in call("resume", "r", "--plain").stdout


@pytest.mark.parametrize(
    ("answer", "word"),
    [(["approve", "r", "--option", "b"], "approved: b"), (["reject", "r"], "rejected")],
)
def test_a_list_of_effects_says_what_was_decided(answer: list[str], word: str) -> None:
    begin(asks("options=['a', 'b']"))
    told(*answer)
    assert call("tasks", "r").stdout.split("breakpoint  ")[1].split("  ")[0] == word
    assert f"decided     1 {word.partition(':')[0]}\n" in call("status", "r").stdout
