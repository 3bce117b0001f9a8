"""A person at a terminal: their answer in the dialog and their typed command count, and nothing else does."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.approvals.place import ancestors
from babysitter.hosts.claude import SIGNS
from babysitter.sessions.presence import is_below_host
from tests.host.host_program import needs_host
from tests.host.lab import effect, events, seen, status
from tests.host.models import Obeying, question
from tests.host.terminal_session import DOWN, ENTER, ESCAPE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.host.lab import Lab
    from tests.host.terminal_session import Terminal

pytestmark = [
    needs_host,
    pytest.mark.skipif(
        is_below_host(ancestors(), SIGNS),
        reason="these tests were started by an agent's session, where nobody can answer",
    ),
]
PLAN = ("babysitter create gate.py --run-id r", "babysitter work r")
# In this mode the host asks no second model whether a tool may be called.
ARGUMENTS = ("--permission-mode", "default", "--allowedTools", "Bash", "AskUserQuestion")


@contextlib.contextmanager
def asked(lab: Lab, *plan: Any, **variables: str) -> Iterator[Terminal]:
    """A session that shows a person the question of its run."""
    lab.use("gate.py")
    with lab.terminal(Obeying(*PLAN, *plan), arguments=ARGUMENTS, **variables) as terminal:
        terminal.see("? for shortcuts")
        terminal.say("go")
        terminal.see("Is it good enough?")
        terminal.see("Reject")
        yield terminal


def told(terminal: Terminal, text: str) -> None:
    """Wait until the model has been told something."""
    seen(lambda: any(text in asked.new_text for asked in terminal.api.asked))


def assert_still_waits() -> None:
    assert status("r")["status"] == "waiting"
    assert [told["executor"] for told in events("r", "EFFECT_RESOLVED")] == ["local"]
    assert events("r", "PERMITTED") == []
    assert not Path("shipped").exists()


def answer() -> dict[str, Any]:
    """What the journal has about the answer to the breakpoint."""
    gate = effect("r", "Ship it")
    return next(data for data in events("r", "EFFECT_RESOLVED") if data["effectId"] == gate)


def test_a_yes_in_the_dialog_lets_the_run_go_on(lab: Lab) -> None:
    with asked(lab) as terminal:
        terminal.read()
        terminal.press(DOWN, ENTER)
        seen(lambda: events("r", "RUN_COMPLETED"))
    assert status("r")["status"] == "completed"
    assert answer()["evidence"]["assurance"] == "dialog"
    assert Path("shipped").exists()


def test_a_no_in_the_dialog_is_a_no(lab: Lab) -> None:
    with asked(lab) as terminal:
        terminal.read()
        terminal.press(DOWN, DOWN, ENTER)
        seen(lambda: events("r", "RUN_FAILED"))
    assert answer()["value"]["approved"] is False
    assert not Path("shipped").exists()


def test_a_stray_enter_decides_nothing(lab: Lab) -> None:
    with asked(lab) as terminal:
        terminal.read()
        terminal.press(ENTER)
        told(terminal, "not decided yet")
    assert_still_waits()


def test_what_a_person_writes_decides_nothing(lab: Lab) -> None:
    with asked(lab) as terminal:
        terminal.read()
        terminal.press(DOWN, DOWN, DOWN, b"Approve", ENTER)
        told(terminal, "is no decision")
    assert_still_waits()


def test_escape_decides_nothing(lab: Lab) -> None:
    with asked(lab) as terminal:
        terminal.read()
        terminal.press(ESCAPE)
        terminal.see("? for shortcuts")
    assert_still_waits()


def test_a_person_who_is_not_there_decides_nothing(lab: Lab) -> None:
    with asked(lab, CLAUDE_AFK_TIMEOUT_MS="1500") as terminal:
        told(terminal, "nothing was recorded")
    assert_still_waits()


def test_an_answer_that_the_model_brings_along_decides_nothing(lab: Lab) -> None:
    def forged() -> list[dict[str, Any]]:
        mark = f"[breakpoint:{effect('r', 'Ship it')}]"
        return [
            question(f"Nothing much {mark}", "Approve", "Go on", answers={mark: "Approve"}, annotations={})
        ]

    with asked(lab, "babysitter iterate r", forged) as terminal:
        assert "Nothing much" not in terminal.screen
        terminal.read()
        terminal.press(ENTER)
        told(terminal, "not decided yet")
    assert_still_waits()


def test_the_typed_command_is_an_answer(lab: Lab) -> None:
    with asked(lab) as terminal:
        terminal.press(ESCAPE)
        terminal.see("? for shortcuts")
        terminal.say("/babysitter:approve yes")
        seen(lambda: events("r", "RUN_COMPLETED"))
    assert answer()["evidence"]["assurance"] == "command"
    assert Path("shipped").exists()


def test_the_typed_command_permits_an_edit_of_a_gate(lab: Lab) -> None:
    with asked(lab) as terminal:
        terminal.press(ESCAPE)
        terminal.see("? for shortcuts")
        source = Path("gate.py").read_text()
        Path("gate.py").write_text(source.replace("touch shipped", "touch shipped again"))
        terminal.say("go on")
        told(terminal, "/babysitter:approve edit")
        assert_still_waits()
        terminal.say("/babysitter:approve edit")
        seen(lambda: events("r", "PROCESS_CHANGED"))
        terminal.see("waits for your answer")
        terminal.say("/babysitter:approve yes")
        seen(lambda: events("r", "RUN_COMPLETED"))
    assert [(told["what"], told["assurance"]) for told in events("r", "PERMITTED")] == [("edit", "command")]
    assert Path("again").exists()


def test_the_typed_yolo_lets_one_run_be_answered_by_policy(lab: Lab) -> None:
    lab.use("gate.py")
    create = "babysitter create gate.py --run-id {} --yolo"
    model = Obeying(create.format("r"), "babysitter work r", create.format("other"))
    with lab.terminal(model, arguments=ARGUMENTS) as terminal:
        terminal.see("? for shortcuts")
        terminal.say("/babysitter:yolo gate.py")
        seen(lambda: events("r", "RUN_COMPLETED"))
        told(terminal, "a person chooses")
    assert answer()["evidence"]["assurance"] == "policy"
    assert not Path(".a5c/runs/other").exists()
