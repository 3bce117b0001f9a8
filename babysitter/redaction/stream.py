"""Redact what comes in pieces: the same bytes come out, however it was cut.

Whole lines go through at once. Of a line that is not ended yet goes what no
secret can begin in: all before the first needle, and at the end not what may
be the beginning of one. The rest is held back until the line ends, or has a
window's length; then the window's first half goes, and no secret that was
found in it is cut. So never more than a window is held, and a secret of half
a window is found wherever it is.
"""

from __future__ import annotations

import re

from babysitter.redaction import MARK
from babysitter.redaction.rules import cut_out
from babysitter.redaction.shapes import BLOCK_END, is_around_body, is_body, opens_block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.redaction.rules import Rules

WINDOW = 16 << 10
STEP = WINDOW // 2

# Progress bars end their lines with a carriage return.
_LINES = re.compile(rb"[^\r\n]*[\r\n]")


class Stream:
    """One stream that is redacted."""

    __slots__ = ("_before", "_has_body", "_held", "_in_block", "_is_suspect", "_rules")

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._held = b""
        self._before = b""  # the last byte of the line that has gone out: a word may go on behind it
        self._is_suspect = False
        self._in_block = False
        self._has_body = False

    def take(self, piece: bytes) -> bytes:
        """Take what came next; gives what can go out now."""
        data = self._held + piece
        if self._is_suspect and len(data) < WINDOW and b"\n" not in piece and b"\r" not in piece:
            self._held = data
            return b""
        if not self._is_suspect and not self._in_block and not self._rules.may_touch(data):
            return self._let_go(data)
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        return self._whole(data[:end]) + self._partial(data[end:])

    def finish(self) -> bytes:
        """The stream ends here: what was held back. A new one may follow."""
        rest = self._line(self._held)
        self._begin_anew()
        return rest

    def peek(self) -> bytes:
        """What can be shown of what is held back: no word that may still become a secret."""
        if self._in_block or self._rules.has_patterns or self._rules.has_values:
            return b""
        if not self._is_suspect:
            return self._held
        return self._rules.redact(self._held[: max(map(self._held.rfind, (b" ", b"\t"))) + 1], self._before)

    def _let_go(self, data: bytes) -> bytes:
        """There is no needle in it, or only within what may become another."""
        size = len(data) - self._rules.unfinished(data)
        self._held = data[size:]
        self._is_suspect = False
        self._before = data[size - 1 : size] if size else self._before
        return data[:size]

    def _whole(self, lines: bytes) -> bytes:
        """Lines, the first of which may have begun earlier."""
        is_plain = not self._in_block and not self._rules.has_patterns and b"-----BEGIN" not in lines
        if is_plain and (len(lines) < WINDOW or max(map(len, _LINES.findall(lines))) < WINDOW):
            clean = self._rules.redact(lines, self._before)
            self._before = b"" if lines else self._before
            return clean
        return b"".join([self._line(line) for line in _LINES.findall(lines)])

    def _line(self, line: bytes) -> bytes:
        """A line to its end."""
        text = line.rstrip(b"\r\n")
        if len(text) >= WINDOW:
            clean = self._partial(text)
            line = self._held + line[len(text) :]
            return clean + self._line(line)
        clean = self._redact(line)
        self._before = b""
        return clean

    def _redact(self, line: bytes) -> bytes:
        if self._in_block:
            end = line.find(BLOCK_END)
            if end >= 0:
                body = self._of_block(line[:end]) if end else b""
                self._in_block = False
                return (body or b"") + self._redact(line[end:])
            clean = self._of_block(line)
            if clean is not None:
                return clean
        self._in_block, self._has_body = opens_block(line), False
        return self._rules.redact(line, self._before)

    def _of_block(self, line: bytes) -> bytes | None:
        """A line of a private key; None: it is none."""
        if is_body(line, is_first=not self._has_body):
            is_first, self._has_body = not self._has_body, True
            return MARK.encode() + line[len(line.rstrip(b"\r\n")) :] if is_first else b""
        return self._rules.redact(line, self._before) if is_around_body(line) else None

    def _partial(self, text: bytes) -> bytes:
        """The beginning of a line, or what comes next of it."""
        parts: list[bytes] = []
        while True:
            at = 0 if self._in_block or self._rules.has_patterns else self._rules.first(text)
            if at < 0 or self._rules.unfinished(text) > len(text) - at:
                return b"".join([*parts, self._let_go(text)])
            if at:
                parts.append(text[:at])
                self._before, text = text[at - 1 : at], text[at:]
            if len(text) < WINDOW:
                self._held, self._is_suspect = text, True
                return b"".join(parts)
            size, clean = self._step(text[:WINDOW])
            parts.append(clean)
            text = text[size:]

    def _step(self, window: bytes) -> tuple[int, bytes]:
        """The first half of a window, more or less: how much it is, and what goes out for it."""
        if self._in_block:
            clean = self._of_block(window)
            if clean is not None:
                return len(window), clean
            self._in_block = False
        skipped = len(self._before)
        text = self._before + window
        spans = self._rules.find(text, skipped)
        size = _place_to_cut(spans, skipped + STEP, skipped)
        clean = cut_out(text[:size], [span for span in spans if span[2] <= size])[skipped:]
        self._before = text[size - 1 : size]
        self._in_block, self._has_body = opens_block(text[:size]), False
        return size - skipped, clean


def _place_to_cut(spans: list[tuple[int, int, int]], size: int, least: int) -> int:
    """Where no secret is cut, at ``size`` or else a little before; behind one that is longer than that."""
    for since, _, end in reversed(spans):
        if since < size < end:
            return since if since > least else end
    return size
