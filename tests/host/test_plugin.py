"""The plugin as the real program loads it: valid, installable from the checkout, with commands for people."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.host.host_program import ROOT, environment, needs_host, program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.host.asked import Asked
    from tests.host.lab import Lab
    from tests.host.real_session import Session

pytestmark = needs_host
COMMANDS = ("approve", "call", "doctor", "forever", "help", "plan", "resume", "status", "yolo")
FOR_THE_MODEL = ("babysit", "author-process", "quality-checks")


def claude(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the program that needs no model."""
    done = subprocess.run(
        [program(), *words],
        env=environment(home, "http://127.0.0.1:9"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def say_nothing(asked: Asked) -> str:
    return "Yes."


def heard(session: Session) -> str:
    """All that the model was sent first."""
    asked = next(asked for asked in session.api.asked if asked.lane == "main")
    return f"{asked.system}\n{asked.new_text}"


def test_the_host_finds_nothing_wrong_with_the_plugin(lab: Lab) -> None:
    claude(lab.home, "plugin", "validate", "--strict", str(ROOT))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_typed_command_brings_its_text_with_what_was_typed_behind_it(lab: Lab, name: str) -> None:
    session = lab.session(f"/babysitter:{name} the-words", say_nothing)
    assert "the-words" in heard(session)
    assert f"/skills/{name}" in heard(session)
    assert "$ARGUMENTS" not in heard(session)


def test_the_model_is_offered_what_it_may_use_and_no_command_of_a_persons(lab: Lab) -> None:
    told = heard(lab.session("go", say_nothing))
    offered = [name for name in (*FOR_THE_MODEL, *COMMANDS) if f"babysitter:{name}:" in told]
    assert offered == list(FOR_THE_MODEL)


def test_it_can_be_installed_from_the_checkout(lab: Lab) -> None:
    claude(lab.home, "plugin", "marketplace", "add", str(ROOT))
    claude(lab.home, "plugin", "install", "babysitter@babysitter")
    session = lab.session("/babysitter:help", say_nothing, plugin=())
    assert "Babysitter keeps this session to a process" in heard(session)
