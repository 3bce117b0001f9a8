"""Commands of a document are called, and what it shows of their output is compared.

A line ``…`` stands for any number of lines, and ``…`` in a line for the rest of it. What differs from
time to time (ids, times, folders) is made equal first. Without any output in the document only the exit
code counts: 0, unless a comment behind the command names another, as in ``# exits with 8``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests.support.commands import Ended, sh

# What a document may tell readers to do, and these tests do too.
CALLED = ("babysitter", "cat", "ls", "sed", "grep", "head", "python", "mkdir", "cd", "echo", "git")
EXIT_CODE = re.compile(r"#.*exits with (\d+)")
VOLATILE = [
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"), "TIME"),
    (re.compile(r"\b(\d+ m )?\d+(\.\d+)? ?(ms|s)\b"), "LENGTH"),
    (re.compile(r"\b[0-9a-hjkmnp-tv-z]{16}\b"), "EFFECT"),
    (re.compile(r"(?<=-)[0-9a-hjkmnp-tv-z]{6}\b"), "RUNID"),
    (re.compile(r"(?<=_)[0-9a-hjkmnp-tv-z]{6}\b"), "RUNID"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST"),
    (re.compile(r"[ \t]+"), " "),
]
REST = "…"


class Command(NamedTuple):
    """One command of a console block, and the lines that the document shows of its output."""

    text: str
    shown: list[str]

    @property
    def code(self) -> int | None:
        """The exit code that is expected; None where output is shown that tells more than a code."""
        named = EXIT_CODE.search(self.text)
        if named:
            return int(named[1])
        return None if self.shown else 0


def commands_of(text: str) -> list[Command]:
    """The commands of a console block; what stands before the first belongs to none."""
    found: list[Command] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], []))
        elif line.startswith("> ") and found and not found[-1].shown:
            found[-1] = Command(f"{found[-1].text}\n{line[2:]}", [])
        elif found:
            found[-1].shown.append(line)
    return found


def can_be_called(command: Command) -> bool:
    return command.text.split()[0] in CALLED


def call(command: Command) -> Ended:
    """Do what the reader is told to do, in the working directory."""
    return sh(command.text)


def misfit(command: Command, ended: Ended) -> str | None:
    """What is not as the document has it; None when it is."""
    if command.code is not None and ended.code != command.code:
        return f"exit code {ended.code} and not {command.code}: {ended.stdout}{ended.stderr}"
    if not command.shown:
        return None
    expected = [steady(line) for line in command.shown if line.strip()]
    found = [steady(line) for line in (ended.stdout + ended.stderr).splitlines() if line.strip()]
    if _fits(expected, found):
        return None
    return "\n".join(["the document has", *expected, "and there was", *found])


def steady(line: str) -> str:
    """A line without what differs from time to time."""
    text = line.replace(str(Path.cwd()), "FOLDER").replace("~/project", "FOLDER").strip()
    for pattern, word in VOLATILE:
        text = pattern.sub(word, text)
    return text


def _fits(expected: list[str], found: list[str]) -> bool:
    if not expected:
        return not found
    if expected[0] == REST:
        return any(_fits(expected[1:], found[at:]) for at in range(len(found) + 1))
    return bool(found) and _line_fits(expected[0], found[0]) and _fits(expected[1:], found[1:])


def _line_fits(expected: str, found: str) -> bool:
    if expected.endswith(REST):
        return found.startswith(expected[:-1].rstrip())
    return expected == found
