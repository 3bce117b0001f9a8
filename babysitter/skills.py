"""Read the SKILL.md of a process: what it is for, what it takes, and what kinds of effects it has."""

from __future__ import annotations

import os

from babysitter.errors import InvalidInput
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
        self.matter: dict[str, Any] = {}
        self.body = ""
        if text.startswith(f"{FENCE}\n"):
            matter, _, body = f"{text[len(FENCE) + 1 :]}\n".partition(f"\n{FENCE}\n")
            self.matter = _loaded(matter, file)
            self.body = body.strip()

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
        # YAML has more than text: a date, say, and JSON could not name it.
        found = self.matter.get(key)
        return "" if found is None else " ".join(str(found).split())

    def _list(self, key: str) -> list[str]:
        """A list, which may be written as one text with commas."""
        found = self.matter.get(key)
        if found is None:
            return []
        parts = found if isinstance(found, list) else str(found).split(",")
        return [told for told in (str(part).strip() for part in parts) if told]


def read_skill(folder: str) -> Skill | None:
    """The SKILL.md of a folder, or None.

    Raises:
        InvalidInput: it is not UTF-8, or its front matter not YAML, or not a mapping.
        StorageError: it cannot be read.
    """
    path = os.path.join(folder, SKILL_FILE)
    try:
        text = read_regular(path, MOST_BYTES, follow=True).decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path!r} is not UTF-8: {error}") from None
    return Skill(path, text)


def _loaded(text: str, file: str) -> dict[str, Any]:
    from babysitter.yamltext import load

    loaded = load(text, f"the front matter of {file!r}")
    if loaded is not None and not isinstance(loaded, dict):
        raise InvalidInput(
            f"the front matter of {file!r} is {loaded!r}",
            hint="lines like `name: …` are expected between the lines of dashes",
        )
    return loaded or {}
