"""The skill for authors is followed to the letter, in an empty project, from a wish to the end of a run.

Whatever stands in a block of it is done: a file is written, a command is called in a shell. Nothing is
left out, and what is shown of an output is what there is.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest
from blocks import Block, blocks_of
from consoles import call, commands_of, misfit

from tests.support.commands import sh

SKILL = Path(__file__).parents[2] / "skills" / "author-process" / "SKILL.md"
MODULE = "def add(a, b):\n    return a + b\n"
TEST = "from src.a import add\n\n\ndef test_it_adds():\n    assert add(1, 2) == 3\n"
AGENT = """#!/bin/sh
file=$(sed -n 's/.*docstring into \\([^ ]*\\) that.*/\\1/p')
{ echo "'It adds.'"; cat "$file"; } > "$file.new" && mv "$file.new" "$file"
echo '"It adds."'
"""


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the project of a reader has: pytest."""
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))


def follow(document: Path) -> None:
    """Do in the working directory what a text tells, block by block."""
    for block in blocks_of(document):
        assert not block.reason, f"{block.place}: nothing may be left out"
        if block.file is not None:
            Path(block.file).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file).write_text(block.text, "utf-8")
        else:
            assert block.language == "console", f"{block.place}: neither a file nor commands"
            converse(block)


def converse(block: Block) -> None:
    for command in commands_of(block.text):
        ended = call(command)
        place = f"{block.place}: $ {command.text}"
        assert ended.code == (command.code or 0), f"{place}\n{ended.stdout}{ended.stderr}"
        wrong = misfit(command, ended)
        assert wrong is None, f"{place}\n{wrong}"


def last_line(script: str, code: int) -> dict[str, object]:
    ended = sh(script)
    assert ended.code == code, ended
    told: dict[str, object] = json.loads(ended.stdout.splitlines()[-1])
    return told


def test_who_follows_the_skill_comes_from_a_wish_to_a_run_that_ends(project: Path) -> None:
    follow(SKILL)
    Path("src").mkdir()
    for name, text in {"src/a.py": MODULE, "src/b.py": "B = 1\n", "test_a.py": TEST, "agent": AGENT}.items():
        Path(name).write_text(text)
    Path("agent").chmod(0o755)
    asked = last_line("babysitter resume latest --agent-command ./agent --json", 8)
    assert list(asked["pending"]) == ["breakpoint"]  # type: ignore[call-overload]
    told = last_line("babysitter approve latest && babysitter resume latest --json", 0)
    assert told["output"] == {"described": {"src/a.py": "It adds.", "src/b.py": "It adds."}, "attempts": 1}
    assert Path("src/a.py").read_text() == f"'It adds.'\n{MODULE}"


def test_the_skill_is_short() -> None:
    # Whoever writes a process pays for each word of it; what is to be looked up stands in reference.md.
    assert len(SKILL.read_text("utf-8")) < 9000


# That a text which is wrong is found.


def commands_of_the_skill() -> list[str]:
    blocks = [block for block in blocks_of(SKILL) if block.language == "console"]
    return [command.text for block in blocks for command in commands_of(block.text)]


def without_sense(command: str, project: Path) -> Path:
    """The skill with nonsense in the place of a command's first word behind ``babysitter``."""
    text, changed = SKILL.read_text("utf-8"), re.sub(r"^(babysitter \w+)", r"\1x", command)
    path = project / "SKILL.md"
    path.write_text(text.replace(f"$ {command}\n", f"$ {changed}\n"))
    assert changed != command
    assert path.read_text() != text
    return path


def test_a_command_without_sense_is_found(project: Path) -> None:
    with pytest.raises(
        AssertionError, match=r"\$ babysitter processx list agent files\n[^$]*no command 'processx'"
    ):
        follow(without_sense("babysitter process list agent files", project))


@pytest.mark.parametrize("number", range(len(commands_of_the_skill())))
def test_each_command_without_sense_is_found(number: int, project: Path, torture: bool) -> None:
    if not torture:
        pytest.skip("takes long")
    command = commands_of_the_skill()[number]
    with pytest.raises(AssertionError, match=re.escape(re.sub(r"^(babysitter \w+)", r"\1x", command))):
        follow(without_sense(command, project))


@pytest.mark.parametrize(
    "text",
    [
        "```sh\nls\n```\n",
        "```python\nx = 1\n```\n",
        "<!-- not run: no time -->\n```console\n$ ls\n```\n",
        "```console\n$ echo a; false\na\n```\n",
        "```console\n$ echo a\nb\n```\n",
        "```python a.py\nx = 1\n```\n```console\n$ cat b.py\n```\n",
    ],
)
def test_what_cannot_be_followed_is_found(text: str, project: Path) -> None:
    document = project / "doc.md"
    document.write_text(text)
    with pytest.raises(AssertionError):
        follow(document)


def test_a_file_is_named_by_its_fence(project: Path) -> None:
    document = project / "doc.md"
    document.write_text("```python a/b.py\nx = 1\n```\n```console\n$ cat a/b.py\nx = 1\n```\n")
    follow(document)
