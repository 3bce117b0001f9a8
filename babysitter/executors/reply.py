"""The JSON value in what an agent command printed."""

from __future__ import annotations

from babysitter.errors import InvalidInput
from babysitter.jsontext import parse_strict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.limits import Limits


class AgentRefused(Exception):
    """The agent's own program says that it could not answer."""


def text_of(raw: bytes, limits: Limits) -> str:
    """What the agent said: the output as it is, or what is in its program's envelope.

    ``claude -p --output-format json`` prints ``{"type": "result", "result": "...", ...}``.

    Raises:
        AgentRefused: the envelope tells of an error.
        InvalidInput: the output is not text.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the answer is not UTF-8: {error}") from None
    try:
        envelope = parse_strict(raw, limits=limits)
    except InvalidInput:
        return text
    if not isinstance(envelope, dict) or envelope.get("type") != "result" or "result" not in envelope:
        return text
    said = envelope["result"]
    if envelope.get("is_error") is True:
        raise AgentRefused(said if isinstance(said, str) else repr(said))
    return said if isinstance(said, str) else text


def value_of(text: str, limits: Limits) -> Any:
    """The one JSON value in a text: the whole of it, or its one fenced block.

    Raises:
        InvalidInput: there is none, or it is not strict JSON.
    """
    try:
        return parse_strict(text, limits=limits)
    except InvalidInput:
        blocks = _fenced(text)
        if len(blocks) != 1:
            raise
    return parse_strict(blocks[0], limits=limits)


def _fenced(text: str) -> list[str]:
    """The blocks between lines of three backticks. JSON has no such line within a value."""
    blocks: list[str] = []
    block: list[str] | None = None
    for line in text.splitlines():
        if not line.lstrip().startswith("```"):
            if block is not None:
                block.append(line)
        elif block is None:
            block = []
        else:
            blocks.append("\n".join(block))
            block = None
    return blocks
