"""Commands that are asked about a damaged run, in this process because there are so many of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from babysitter.cli import main

if TYPE_CHECKING:
    import pytest

# The effect at step 2 has a result, so posting another one to a sound run is a conflict.
COMMANDS = {
    "status": ("status", "small"),
    "iterate": ("iterate", "small"),
    "post": ("post", "small", "2", "--value", "1"),
}
SOUND = {"status": 0, "iterate": 0, "post": 3}
UNTRUSTED, UNSAFE = 5, 6


class Told(NamedTuple):
    """What a command told: its exit code, and the message of its error."""

    code: int
    message: str
    hint: str
    answer: dict[str, Any]


def ask(capsys: pytest.CaptureFixture[str], name: str) -> Told:
    """Give one of the commands; whatever it says is one JSON value."""
    code = main._run([*COMMANDS[name], "--json"])
    answer = json.loads(capsys.readouterr().out)
    error = answer.get("error", {})
    return Told(code, error.get("message", ""), error.get("hint", ""), answer)
