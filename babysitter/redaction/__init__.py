"""Secrets are not written: captured output, log lines and tracebacks are redacted on their way to disk.

What is looked for: values that stand beside a name such as ``token`` or
``password``, the known shapes of tokens and keys, passwords in addresses, the
patterns of the configuration, and the very values that an effect was given as
secrets. A name stays, so that a reader sees what stood there.

A secret is found within its line; only a block with a private key goes over
many. Everything is done on bytes, by ``Stream``, whether it comes in pieces or not.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from babysitter.limits import Limits
    from babysitter.redaction.rules import Rules
    from babysitter.redaction.stream import Stream

MARK = "[redacted]"
# Shorter values would be found in any text.
SHORTEST = 6

# Each secret has one of these at or before its beginning. In any case, ...
NAMES = (
    b"token",
    b"secret",
    b"passw",
    b"api_key",
    b"apikey",
    b"api-key",
    b"authorization",
    b"cookie",
    b"credential",
)
# ... or as they are.
MARKS = (
    b"sk-",
    b"ghp_",
    b"gho_",
    b"ghu_",
    b"ghs_",
    b"ghr_",
    b"github_pat_",
    b"glpat-",
    *(b"xox%c-" % letter for letter in b"abeoprs"),
    b"AKIA",
    b"ASIA",
    b"eyJ",
    b"://",
    b"-----BEGIN",
)


class Redaction:
    """What is redacted. To make one costs next to nothing; patterns are compiled when something may match."""

    __slots__ = ("_names", "_patterns", "_rules", "_values", "is_on")

    def __init__(
        self,
        names: Iterable[str] = (),
        patterns: Iterable[str] = (),
        values: Iterable[str] = (),
        *,
        is_on: bool = True,
    ) -> None:
        """``names`` and ``patterns`` are added to the built-in ones; ``values`` are secrets themselves."""
        self.is_on = is_on
        self._names = tuple(name.lower().encode() for name in names)
        self._patterns = tuple(patterns)
        self._values = _lines_of(values)
        self._rules: Rules | None = None

    def stream(self) -> Stream:
        """A new stream of bytes to be redacted."""
        from babysitter.redaction.stream import Stream

        if self._rules is None:
            from babysitter.redaction.rules import Rules

            self._rules = Rules(self._names, self._patterns, self._values)
        return Stream(self._rules)

    def text(self, text: str) -> str:
        """The text without secrets."""
        if not self.is_on or not text:
            return text
        raw = text.encode("utf-8", "surrogatepass")
        if not self._may_touch(raw):
            return text
        stream = self.stream()
        clean = stream.take(raw) + stream.finish()
        try:
            return clean.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            # A configured pattern has taken a part of a character.
            return clean.decode("utf-8", "replace")

    def _may_touch(self, raw: bytes) -> bool:
        """Without ``re``, which a command of an agent's turn does not import for nothing."""
        if self._patterns or any(mark in raw for mark in (*MARKS, *self._values)):
            return True
        lowered = raw.lower()
        return any(name in lowered for name in (*NAMES, *self._names))

    def data(self, value: Any, name: str = "") -> Any:
        """JSON data without secrets in its texts; ``name`` is what it is filed under."""
        if isinstance(value, str):
            return self._named(name, value)
        if isinstance(value, list):
            return [self.data(item, name) for item in value]
        if isinstance(value, dict):
            return {key: self.data(item, key) for key, item in value.items()}
        return value

    def _named(self, name: str, text: str) -> str:
        label = f"{name}: "
        if not name or not self._may_touch(label.encode("utf-8", "surrogatepass")):
            return self.text(text)
        if self.is_on and not any(letter.isspace() or letter in "\"'" for letter in text):
            # As it would be found in a line of JSON.
            label = f'"{name}": "'
        clean = self.text(label + text)
        return clean[len(label) :] if clean.startswith(label) else MARK


def redaction_of(limits: Limits, values: Iterable[str] = ()) -> Redaction:
    """What is redacted under a configuration, and these values too."""
    return Redaction(limits.secret_names, limits.secret_patterns, values, is_on=limits.redacts)


def _lines_of(values: Iterable[str]) -> tuple[bytes, ...]:
    """The secrets as they are found in a line: a value of many lines line by line; also as JSON writes it."""
    found = dict[bytes, None]()
    for value in values:
        for line in value.splitlines():
            text = line.strip()
            if len(text) >= SHORTEST:
                raw = text.encode("utf-8", "surrogateescape")
                found[raw] = None
                found[raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"')] = None
    return tuple(found)
