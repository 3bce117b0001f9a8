"""A process of the project is a command of the host, once it is linked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.host.host_program import needs_host
from tests.support.commands import told

if TYPE_CHECKING:
    from tests.host.asked import Asked
    from tests.host.fake_api import Turn
    from tests.host.lab import Lab

pytestmark = needs_host
SKILL = """---
name: greet
description: Greet somebody.
when_to_use: Use it on Fridays.
argument-hint: "[name=you]"
inputs:
  type: object
  properties: {name: {type: string, default: you}}
effects: [shell]
tags: [words]
---

# Greet

Run `babysitter run greet`, and say KUMQUAT.
"""


class Listening:
    """A model that says nothing, and remembers what it was told."""

    def __init__(self) -> None:
        self.heard = ""

    def __call__(self, asked: Asked) -> Turn:
        self.heard += asked.new_text
        return {"text": "good"}


def commands(lab: Lab, model: Listening, prompt: str) -> list[str]:
    session = lab.session(prompt, model)
    init = next(line for line in session.lines if line.get("subtype") == "init")
    return list(init["slash_commands"])


def test_a_linked_process_is_a_command_with_its_skill(lab: Lab) -> None:
    folder = Path(".a5c/processes/greet")
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text(SKILL)
    (folder / "process.py").write_text("async def process(inputs, ctx): pass\n")
    assert "greet" not in commands(lab, Listening(), "hello")
    told("process", "link", "greet")
    model = Listening()
    assert "greet" in commands(lab, model, "/greet name=me")
    assert "say KUMQUAT" in model.heard
