"""One request of the host to the model, in words that a scripted model can decide by."""

from __future__ import annotations

from typing import Any

MAIN, SUBAGENT, COMPACT, SIDE = "main", "subagent", "compact", "side"
SUBAGENT_MARKS = ("You are an agent for Claude Code", "You are a subagent")
COMPACT_MARKS = (
    "create a detailed summary of the conversation",
    "CRITICAL: Respond with TEXT ONLY",
)


def blocks_of(content: Any) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return list(content or [])


def text_of(content: Any) -> str:
    """All text in a message, results of tools included."""
    texts = []
    for block in blocks_of(content):
        if block.get("type") == "text":
            texts.append(block.get("text", ""))
        elif block.get("type") == "tool_result":
            texts.append(text_of(block.get("content")))
    return "\n".join(texts)


class Asked:
    """What the host sends to get the next message of the model.

    Attributes:
        lane: ``main`` for the session itself, ``subagent``, ``compact`` for the summary of a
            conversation, ``side`` for titles and the like, which have no tools.
        first_text: the first message, in a subagent its prompt.
        new_text: all that came after the model's last message, results of tools included.
        said: the same without them: prompts, reminders, and what hooks add.
        results: the results of tools among it.
    """

    def __init__(self, body: dict[str, Any], headers: dict[str, str]) -> None:
        self.messages: list[dict[str, Any]] = body.get("messages", [])
        self.system = text_of(body.get("system"))
        self.tools = [tool.get("name", "") for tool in body.get("tools") or []]
        self.agent = {name.lower(): value for name, value in headers.items()}.get(
            "x-claude-code-agent-id", ""
        )
        new = self._new_messages()
        self.new_text = "\n".join(text_of(message.get("content")) for message in new)
        self.first_text = text_of(self.messages[0].get("content")) if self.messages else ""
        # Role system is left out: the host repeats there what a hook has said.
        blocks = [
            block for told in new if told.get("role") == "user" for block in blocks_of(told.get("content"))
        ]
        self.said = "\n".join(block.get("text", "") for block in blocks if block.get("type") == "text")
        self.results = [text_of([block]) for block in blocks if block.get("type") == "tool_result"]
        self.lane = self._lane()

    def _new_messages(self) -> list[dict[str, Any]]:
        new: list[dict[str, Any]] = []
        for message in reversed(self.messages):
            if message.get("role") == "assistant":
                break
            new.insert(0, message)
        return new

    def _lane(self) -> str:
        if any(mark in self.new_text for mark in COMPACT_MARKS):
            return COMPACT
        if not self.tools:
            return SIDE
        is_subagent = self.agent or any(mark in self.system for mark in SUBAGENT_MARKS)
        return SUBAGENT if is_subagent else MAIN
