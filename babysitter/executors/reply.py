"""The JSON value in what an agent command printed, and what it says that it has used."""

from __future__ import annotations

from babysitter.errors import InvalidInput
from babysitter.hosts.claude import usage_of_envelope
from babysitter.jsontext import compact, parse_strict
from babysitter.usage import DEFAULT_CURRENCY, MODEL, MONEY, TOKENS, read_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.limits import Limits
    from babysitter.prices import Prices
    from babysitter.usage import Usage


OURS = frozenset({"type", "result", "is_error", "usage", "model"})


class AgentRefused(Exception):
    """The agent's own program says that it could not answer."""


def envelope_of(raw: bytes, limits: Limits) -> dict[str, Any] | None:
    """The object in which the agent's program has put the answer; None when it printed the answer itself.

    ``claude -p --output-format json`` prints ``{"type": "result", "result": "...", ...}``, and without
    ``result`` where it came to none. Any other program may print such a one.
    """
    try:
        told = parse_strict(raw, limits=limits)
    except InvalidInput:
        return None
    is_one = isinstance(told, dict) and told.get("type") == "result"
    return told if is_one and ("result" in told or "subtype" in told) else None


def text_of(raw: bytes, envelope: dict[str, Any] | None) -> str:
    """What the agent said: the output as it is, or what is in the envelope.

    Raises:
        AgentRefused: the envelope tells of an error.
        InvalidInput: the output is not text.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the answer is not UTF-8: {error}") from None
    if envelope is None or "result" not in envelope:
        return text
    said = envelope["result"]
    if envelope.get("is_error") is True:
        raise AgentRefused(said if isinstance(said, str) else repr(said))
    if isinstance(said, str):
        return said
    # An answer may look like an envelope; one with nothing else in it than what ours has is one.
    return compact(said) if envelope.keys() <= OURS else text


def usage_of(envelope: dict[str, Any] | None, prices: Prices | None) -> Usage | None:
    """What the agent says that it has used; None when it says nothing, or nothing that can be counted.

    An answer is worth more than what is said about it, so a mistake in that refuses no answer.
    """
    if envelope is None:
        return None
    told = envelope.get("usage")
    if isinstance(told, dict) and any(name in told for name in (*TOKENS, MONEY)):
        # Said of the whole answer, it is that of its usage.
        told = {**({MODEL: envelope[MODEL]} if MODEL in envelope else {}), **told}
        try:
            return read_usage(told)
        except InvalidInput:
            return None
    takes_dollars = prices is None or prices.currency == DEFAULT_CURRENCY
    return usage_of_envelope(envelope, takes_dollars=takes_dollars)


def value_of(text: str, limits: Limits) -> Any:
    """The one JSON value in a text: the whole of it, or its one fenced block.

    Raises:
        InvalidInput: there is none, or it is not strict JSON.
    """
    try:
        return parse_strict(text, limits=limits)
    except InvalidInput as error:
        blocks = _fenced(text)
        if len(blocks) != 1:
            if text.strip()[:1] in ("{", "["):
                raise
            raise InvalidInput(f"{error.message}; an answer that is a text is one in double quotes") from None
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
