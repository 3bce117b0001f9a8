"""From a wish to the end of a run in one session of the real host, whose model does what the skill says.

It follows the text as the host hands it over. After `create` it does what babysitter tells it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.approvals.place import ancestors
from babysitter.hosts.claude import SIGNS
from babysitter.sessions.presence import is_below_host
from tests.docs.blocks import blocks_of
from tests.docs.consoles import commands_of
from tests.host.host_program import needs_host
from tests.host.lab import RUNS, each_once, events, seen, status
from tests.host.terminal_session import DOWN, ENTER
from tests.host.working import Working

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.host.asked import Asked
    from tests.host.fake_api import Turn
    from tests.host.lab import Lab

pytestmark = [
    needs_host,
    pytest.mark.torture,
    pytest.mark.skipif(
        is_below_host(ancestors(), SIGNS),
        reason="this test was started by an agent's session, where nobody can answer",
    ),
]
TOOLS = ("Bash", "Read", "Write", "Agent", "AskUserQuestion", "Skill")
ARGUMENTS = ("--permission-mode", "default", "--allowedTools", *TOOLS)
DIALOG = re.compile(r"Approve\(\w{8}\)")
PLACE = re.compile(r"Base directory for this skill: (\S+)")
MODULE = '"It adds."\n\n\ndef add(a, b):\n    return a + b\n'
TEST = "from src.a import add\n\n\ndef test_it_adds():\n    assert add(1, 2) == 3\n"


def tool(name: str, **given: Any) -> list[dict[str, Any]]:
    return [{"name": name, "input": given}]


class Following(Working):
    """Opens the skill for authors, and does what each block of it tells."""

    def main(self, asked: Asked) -> Turn:
        if place := PLACE.search(asked.new_text):
            self.plan += tool_calls(asked.new_text, Path(place[1]))
        return super().main(asked)


def tool_calls(text: str, place: Path) -> Iterator[list[dict[str, Any]] | str]:
    yield tool("Read", file_path=str(place / "reference.md"))
    document = Path("skill.md")
    document.write_text(text, "utf-8")
    for block in blocks_of(document):
        if block.file is not None:
            path = str(Path(block.file).resolve())
            # What `process new` has written; the host wants it read before it is written over.
            yield tool("Read", file_path=path)
            yield tool("Write", file_path=path, content=block.text)
        else:
            yield from (command.text for command in commands_of(block.text))


def test_a_session_that_follows_the_skill_comes_from_a_wish_to_the_end_of_a_run(
    lab: Lab, torture: bool
) -> None:
    if not torture:
        pytest.skip("takes long")
    Path("src").mkdir()
    Path("src/a.py").write_text(MODULE.partition("\n\n\n")[2])
    Path("test_a.py").write_text(TEST)
    skill = tool("Skill", skill="babysitter:author-process", args="give each module in src a docstring")
    edits = {"docstring into src/a.py": [{"src/a.py": MODULE}]}
    model = Following(skill, answers={"docstring": "It adds."}, edits=edits)
    with lab.terminal(model, arguments=ARGUMENTS) as terminal:
        terminal.see("? for shortcuts")
        terminal.say("give each module in src a docstring")
        seen(lambda: DIALOG.search(terminal.screen))
        terminal.read()
        terminal.press(DOWN, ENTER)
        seen(lambda: events(the_run(), "RUN_COMPLETED"))
    assert any("3 passed" in output for output in model.outputs)
    assert any("# Reference for authors" in output for output in model.outputs)
    assert (status(the_run())["status"], each_once(the_run())) == ("completed", True)
    assert events(the_run(), "RUN_COMPLETED")[0]["output"] == {
        "described": {"src/a.py": "It adds."},
        "attempts": 1,
    }


def the_run() -> str:
    (run,) = [path.name for path in RUNS.iterdir() if path.name.startswith("docstrings-")]
    return run
