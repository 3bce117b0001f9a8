"""Read the SKILL.md of a process: what it is for, what it takes, and what kinds of effects it has."""

from __future__ import annotations

import os

from babysitter.errors import BabysitterError, InvalidInput
from babysitter.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SKILL_FILE = "SKILL.md"
MOST_BYTES = 1 << 20
FENCE = "---"
# Keys that the agent host reads, and those that are babysitter's own.
OF_HOST = frozenset(
    {
        "agent",
        "allowed-tools",
        "argument-hint",
        "arguments",
        "background",
        "compatibility",
        "context",
        "description",
        "disable-model-invocation",
        "disallowed-tools",
        "effort",
        "hooks",
        "license",
        "metadata",
        "model",
        "name",
        "paths",
        "shell",
        "user-invocable",
        "when_to_use",
    }
)
OWN = frozenset({"effects", "inputs", "tags"})


class Skill:
    """What a SKILL.md says; texts are empty and lists too where it says nothing.

    Attributes:
        when_to_use: goes on where the description ends; the agent host reads it, too.
        inputs: a JSON Schema, for a process that has no ``Inputs`` of its own; else None.
        effects: the kinds of effects that the process asks for, ``shell`` or ``agent`` for example.
        body: the text behind the front matter.
        matter: the front matter as it stands there.
    """

    __slots__ = ("body", "file", "matter", "text")

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        matter, self.body = _parts(text)
        self.matter: dict[str, Any] = _loaded(matter, file)

    @property
    def name(self) -> str:
        return self._text("name")

    @property
    def description(self) -> str:
        return self._text("description")

    @property
    def when_to_use(self) -> str:
        return self._text("when_to_use")

    @property
    def argument_hint(self) -> str:
        return self._text("argument-hint")

    @property
    def effects(self) -> list[str]:
        return self._list("effects")

    @property
    def tags(self) -> list[str]:
        return self._list("tags")

    @property
    def inputs(self) -> dict[str, Any] | None:
        found = self.matter.get("inputs")
        return found if isinstance(found, dict) else None

    def line_of(self, key: str) -> int:
        """Where a key of the front matter stands, counted from 1; the first line where it does not."""
        starts = (f"{key}:", f'"{key}":', f"'{key}':")
        for number, line in enumerate(self.text.splitlines(), start=1):
            if line.startswith(starts):
                return number
        return 1

    def _text(self, key: str) -> str:
        found = self.matter.get(key)
        return "" if found is None else _as_text(found)

    def _list(self, key: str) -> list[str]:
        """A list, which may be written as one text with commas."""
        found = self.matter.get(key)
        if found is None:
            return []
        parts = found if isinstance(found, list) else _as_text(found).split(",")
        return [told for told in (_as_text(part).strip() for part in parts) if told]


def read_skill(folder: str) -> Skill | None:
    """The SKILL.md of a folder, or None.

    Raises:
        InvalidInput: it is not UTF-8, too large, or its front matter not YAML, or not a mapping.
        UnsafePath: it is not a file.
        StorageError: it cannot be read.
    """
    path = os.path.join(folder, SKILL_FILE)
    try:
        return Skill(path, _read(path))
    except FileNotFoundError:
        return None


def inputs_of(folder: str) -> dict[str, Any] | None:
    """The schema of inputs in the SKILL.md of a folder, if there is one.

    A file that says nothing of inputs is not asked to be anything else: people run processes whose
    SKILL.md is prose.

    Raises:
        InvalidInput: it says something of inputs, and that cannot be read.
    """
    path = os.path.join(folder, SKILL_FILE)
    try:
        text = _read(path)
    except (BabysitterError, FileNotFoundError):
        return None
    try:
        return Skill(path, text).inputs
    except InvalidInput:
        if any(line.startswith("inputs:") for line in _parts(text)[0].splitlines()):
            raise
        return None


def _read(path: str) -> str:
    try:
        text = read_regular(path, MOST_BYTES, follow=True).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path!r} is not UTF-8: {error}") from None
    return text.replace("\r\n", "\n")


def _parts(text: str) -> tuple[str, str]:
    """The front matter and the body; of a text that begins with no line of dashes all of it is body."""
    first, *lines = text.split("\n")
    if first.rstrip() != FENCE:
        return "", text.strip()
    end = next((at for at, line in enumerate(lines) if line.rstrip() == FENCE), len(lines))
    return "\n".join(lines[:end]), "\n".join(lines[end + 1 :]).strip()


def _as_text(value: Any) -> str:
    """A value as one line of text: YAML has more than text, and texts that JSON cannot have."""
    try:
        told = str(value)
    except ValueError:
        # A number with more digits than Python writes.
        return "(a number too long to be shown)"
    return " ".join(told.encode("utf-8", "replace").decode().split())


def _loaded(text: str, file: str) -> dict[str, Any]:
    from babysitter.yamltext import load

    loaded = load(text, f"the front matter of {file!r}")
    if loaded is not None and not isinstance(loaded, dict):
        raise InvalidInput(
            f"the front matter of {file!r} is {_as_text(loaded)}",
            hint="lines like `name: …` are expected between the lines of dashes",
        )
    return loaded or {}
