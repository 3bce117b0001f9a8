"""The plugin as the real program loads it: valid, installed from the checkout, with commands for people."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.host.host_program import ROOT, environment, needs_host, program
from tests.host.lab import each_once, status
from tests.host.models import Obeying, bash

if TYPE_CHECKING:
    from tests.host.asked import Asked
    from tests.host.lab import Lab
    from tests.host.real_session import Session

pytestmark = needs_host
COMMANDS = ("approve", "call", "doctor", "forever", "help", "plan", "resume", "status", "yolo")
WATCH = """
from babysitter import agent, shell

@shell(title="look")
def look(n):
    return f"test {n} = 2"

@agent(returns={"type": "string"})
def explain():
    "explain"
    return "Say what changed."

async def process(inputs, ctx):
    for n in range(3):
        await ctx.sleep(1)
        if (await ctx.task(look.using(check=False), n=n)).ok:
            return await ctx.task(explain)
"""
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


def test_an_agent_is_called_when_what_sleeps_in_the_background_has_something_for_it(lab: Lab) -> None:
    Path("watch.py").write_text(WATCH, "utf-8")
    wait = bash("babysitter work r --wait", is_background=True)
    model = Obeying("babysitter create watch.py --run-id r", [wait], answers={"what changed": '"all of it"'})
    session = lab.session("go", model)
    assert (status("r")["status"], status("r")["output"]) == ("completed", "all of it")
    assert each_once("r")
    assert "it waits for 20" in session.messages[0]
