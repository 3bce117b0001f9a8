"""YAML that somebody else wrote: plain values, small, and nothing that grows when it is read."""

from __future__ import annotations

from typing import Any

import yaml

from babysitter.errors import InvalidInput

# Read in Python, character by character: this much takes a second.
MOST_BYTES = 1 << 16


class _Plain(yaml.SafeLoader):
    """Without aliases: a few lines of them can stand for more than fits into any memory."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            alias: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.YAMLError(f"the alias '*{alias.anchor}' is not read here; write the value again")
        return super().compose_node(parent, index)


def load(text: str, what: str) -> Any:
    """The value in a text; ``what`` says where it is from, for messages.

    Raises:
        InvalidInput: it is not YAML, or not plain.
    """
    if len(text) > MOST_BYTES:
        raise InvalidInput(f"{what} has {len(text)} characters, at most {MOST_BYTES} are read")
    try:
        return yaml.load(text, Loader=_Plain)  # noqa: S506 - it is a SafeLoader
    except RecursionError:
        raise InvalidInput(f"{what} is not YAML: it is nested too deeply") from None
    except Exception as error:
        # Not only YAMLError: dates, numbers and tags raise whatever their conversions do.
        raise InvalidInput(f"{what} is not YAML: {' '.join(str(error).split())[:500]}") from None
