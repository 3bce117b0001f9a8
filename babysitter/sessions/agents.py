"""Which effect a subagent carries: by the mark in its prompt and the host's ids, never by order."""

from __future__ import annotations

import os

from babysitter.disk import check_regular, open_to_read
from babysitter.errors import BabysitterError
from babysitter.ids import valid_id
from babysitter.jsontext import loads
from babysitter.sessions import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

AGENTS = "agents"
MARK, END = "[effect:", "]"
MOST_LINE = 1 << 26
MOST_SENT_BACK = 5


def mark_of(effect_id: str) -> str:
    """What the prompt of a subagent begins with."""
    return f"{MARK}{effect_id}{END}"


def marked_effect(prompt: str) -> str:
    """The effect that a prompt names; empty when it names none."""
    _, _, rest = prompt.partition(MARK)
    name, end, _ = rest.partition(END)
    return name if end and valid_id(name) else ""


def remember(session: str, agent: str, effect: str, *, sent_back: int = 0, folder: str = "") -> None:
    """Write down which effect a subagent carries, and the folder of its run, where that is known."""
    if not valid_id(agent):
        return
    known = _told(session, agent)
    kept = folder or (known.get("folder") if known.get("effect") == effect else None)
    told = {"effect": effect, "sentBack": sent_back, **({"folder": kept} if kept else {})}
    place.write(session, os.path.join(AGENTS, agent), told)


def carried(session: str, agent: str, *, is_at_work: bool = False) -> tuple[str, int]:
    """The effect that a subagent carries, and how often it was sent back; empty when it is not known.

    ``is_at_work``: only while it was not seen to be gone.
    """
    told = _told(session, agent)
    return ("", 0) if not told or (is_at_work and told.get("isGone")) else (told["effect"], told["sentBack"])


def folder_of(session: str, agent: str) -> str:
    """The folder of the run whose effect a subagent carries; empty when it is not known."""
    folder = _told(session, agent).get("folder")
    return folder if isinstance(folder, str) else ""


def note_gone(session: str, agent: str) -> None:
    """The subagent has ended without a result, or is to be ended; what it carries is free for another."""
    told = _told(session, agent)
    if told and not told.get("isGone"):
        place.write(session, os.path.join(AGENTS, agent), {**told, "isGone": True})


def _told(session: str, agent: str) -> dict[str, Any]:
    told = place.read(session, os.path.join(AGENTS, agent)) if valid_id(agent) else None
    if told is None or not isinstance(told.get("effect"), str) or type(told.get("sentBack")) is not int:
        return {}
    return told


def forget(session: str, agent: str) -> None:
    """The subagent's effect is answered."""
    if valid_id(agent):
        place.remove(session, os.path.join(AGENTS, agent))


class Transcript:
    """What a subagent's transcript says: the effect in its prompt, and the messages of the model by id."""

    __slots__ = ("effect", "messages")

    def __init__(self, path: str) -> None:
        self.effect = ""
        self.messages: dict[str, dict[str, Any]] = {}
        try:
            with os.fdopen(open_to_read(path, follow=True), "rb") as file:
                check_regular(file.fileno(), path)
                self._read(file)
        except (OSError, ValueError, BabysitterError):
            # It is not there (yet), or is no file; whoever needs it finds it empty.
            pass

    @property
    def last_text(self) -> str:
        """The last that the subagent said, as far as it was written yet."""
        return _text_of(list(self.messages.values())[-1]) if self.messages else ""

    def _read(self, file: Any) -> None:
        is_first = True
        while raw := file.readline(MOST_LINE):
            message = _message(raw)
            if message is None:
                continue
            if is_first and message.get("role") == "user":
                self.effect, is_first = marked_effect(_text_of(message)), False
            if message.get("role") == "assistant" and isinstance(message.get("id"), str):
                # A message stands there once for each of its blocks; the last knows all its tokens.
                self.messages[message["id"]] = message


def _message(raw: bytes) -> dict[str, Any] | None:
    try:
        entry = loads(raw)
    except (ValueError, RecursionError, BabysitterError):
        return None
    message = entry.get("message") if isinstance(entry, dict) else None
    return message if isinstance(message, dict) else None


def _text_of(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    return "\n".join(
        block["text"] for block in blocks if isinstance(block, dict) and isinstance(block.get("text"), str)
    )
