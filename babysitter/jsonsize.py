"""How much memory a JSON text takes once it is read; read only for large texts, before they are.

A text of ``[[],[],…`` grows to thirty times its size, so that bytes alone bound
nothing. Measured with CPython 3.11, in bytes: a number in a list 44, a short text 73, a
list 64 and 32 for its first elements, an object of one member 200. The keys of one large
object take most while it is built: each stands in a pair, too.
"""

from __future__ import annotations

import sys

from babysitter.errors import InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    class MemoryLimits(Protocol):
        """What one value may hold."""

        @property
        def memory_bytes(self) -> int: ...
        @property
        def keys(self) -> int: ...


_VALUE, _LIST, _OBJECT, _KEY, _TEXT = 44, 55, 90, 80, 32
_WINDOW = 1 << 16
_BEYOND_16_BITS = (
    "\\ud8",
    "\\ud9",
    "\\uda",
    "\\udb",
    "\\uD8",
    "\\uD9",
    "\\uDA",
    "\\uDB",
    "\\uDa",
    "\\uDb",
    "\\udA",
    "\\udB",
)
HINT = "write large output to a file and give its name; `limits` in your configuration can be raised"


def check_size(text: str, limits: MemoryLimits) -> None:
    """Refuse a text that takes too much memory.

    Raises:
        InvalidInput: says how much it is.
    """
    size, keys = measure(text)
    if keys > limits.keys:
        raise InvalidInput(f"the JSON holds {keys} keys, at most {limits.keys} are read", hint=HINT)
    if size > limits.memory_bytes:
        raise InvalidInput(
            f"the JSON takes about {size} bytes in memory, at most {limits.memory_bytes} are allowed",
            hint=HINT,
        )


def measure(text: str) -> tuple[int, int]:
    """About how many bytes of memory the text takes when it is read, and how many keys it has."""
    values = lists = objects = keys = quotes = 0
    for piece, its_quotes in _outside_texts(text):
        lists += piece.count("[")
        objects += piece.count("{")
        values += piece.count(",") + piece.count("[") + piece.count("{")
        keys += piece.count(":")
        quotes += its_quotes
    size = (
        _size_of_texts(text)
        + _VALUE * values
        + _LIST * lists
        + _OBJECT * objects
        + _KEY * keys
        + _TEXT * (quotes // 2)
    )
    return size, keys


def _outside_texts(text: str) -> Iterator[tuple[str, int]]:
    """What is not within quotes, piece by piece, and how many quotes were passed."""
    start, is_inside = 0, 0
    while start < len(text):
        end = min(start + _WINDOW, len(text))
        while end < len(text) and text[end - 1] == "\\":
            end += 1
        parts = text[start:end].replace("\\\\", "").replace('\\"', "").split('"')
        yield "".join(parts[is_inside::2]), len(parts) - 1
        is_inside ^= (len(parts) - 1) & 1
        start = end


def _size_of_texts(text: str) -> int:
    """The text as Python keeps it; one large character makes all characters of its text as large.

    Then it counts twice: while it is put together it is there a second time.
    """
    # What comes before the characters is at most 80 bytes, whatever their width.
    width = 1 if text.isascii() else max(1, round((sys.getsizeof(text) - 80) / len(text)))
    if "\\u" in text:
        width = 4 if any(escape in text for escape in _BEYOND_16_BITS) else max(width, 2)
    return len(text) * (2 * width - 1)
