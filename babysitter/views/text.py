"""Text for terminals: nothing in it that a terminal could act on, and as wide as it looks."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

# Printing characters although Python calls them not printable: spaces other than the ASCII one.
_SPACES = frozenset(
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_COLOUR = "\x1b["
_PARAMETERS = "0123456789;:"
_IN_WORDS = "_-./\\"
_WIDE = ("W", "F")
_WITHOUT_WIDTH = ("Mn", "Me", "Cf")

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000


def printable(text: str) -> str:
    """One line in which control, escape, bidi, other format characters and lone surrogates are spelled out.

    Line breaks are spelled out too, so that no label can pass for a line of ours.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in _SPACES else _escape(char) for char in text)


def _escape(char: str) -> str:
    code = ord(char)
    if char in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[char]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def printable_lines(text: str) -> list[str]:
    """The lines of a longer text, such as a command's output, each printable.

    Colours are dropped instead of being spelled out, and of a line that was
    written over itself (a progress bar) the last state is kept.
    """
    lines = without_colours(text).replace("\r\n", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    return [printable(line.rstrip("\r").rpartition("\r")[2].expandtabs()) for line in lines]


def whole_lines(text: str) -> list[str]:
    """The lines of a text that somebody decides about: nothing of it is left out, whatever it would hide."""
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    return [printable(line.expandtabs()) for line in lines]


def without_colours(text: str) -> str:
    """The text without the sequences that set colours; every other sequence stays to be escaped."""
    if _COLOUR not in text:
        return text
    first, *rest = text.split(_COLOUR)
    kept = [first]
    for part in rest:
        end = part.lstrip(_PARAMETERS)
        kept.append(end[1:] if end.startswith("m") else _COLOUR + part)
    return "".join(kept)


def width_of(text: str) -> int:
    """Columns that the text takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_WIDTHS.__getitem__, text))


class _Widths(dict[str, int]):
    """Columns of single characters, looked up once each: a frame asks for the same ones again and again."""

    def __missing__(self, char: str) -> int:
        from unicodedata import category, east_asian_width

        width = 2 if east_asian_width(char) in _WIDE else int(category(char) not in _WITHOUT_WIDTH)
        self[char] = width
        return width


_WIDTHS = _Widths()


def has_word(text: str, word: str) -> bool:
    """Whether a text has this in it, and not only as a part of a longer word, name or path."""
    at = text.find(word) if word else -1
    while at >= 0:
        before, after = text[:at], text[at + len(word) :]
        # A point may end a sentence.
        if not _goes_on(before[-1:]) and not _goes_on(after.lstrip(".")[:1]):
            return True
        at = text.find(word, at + 1)
    return False


def _goes_on(char: str) -> bool:
    return char.isalnum() or (char != "" and char in _IN_WORDS)


def shorten(text: str, width: int, ellipsis: str = "…") -> str:
    """The text, cut to ``width`` columns when it is wider; ``ellipsis`` then stands for the rest."""
    if width_of(text) <= width:
        return text
    if width <= len(ellipsis):
        return ellipsis[: max(width, 0)]
    return _cut(text, width - len(ellipsis)) + ellipsis


def _cut(text: str, width: int) -> str:
    if text.isascii():
        return text[:width]
    end = 0
    for char in text:
        width -= _WIDTHS[char]
        if width < 0:
            break
        end += 1
    return text[:end]


def pad(text: str, width: int) -> str:
    """The text, filled with spaces to ``width`` columns."""
    return text + " " * (width - width_of(text))


def duration(ms: float) -> str:
    """A length of time for people: ``35 ms``, ``4.2 s``, ``1 m 03 s``, ``2 h 05 m``, ``3 d 04 h``."""
    ms = max(0, round(ms))
    if ms < 100:
        return f"{ms} ms"
    tenths = (ms + 50) // 100
    if tenths < 600:
        return f"{tenths // 10}.{tenths % 10} s"
    seconds = (ms + 500) // SECOND
    for large, small, unit, rest in ((DAY, HOUR, "d", "h"), (HOUR, MINUTE, "h", "m")):
        if seconds * SECOND >= large:
            return f"{seconds * SECOND // large} {unit} {seconds * SECOND % large // small:02d} {rest}"
    return f"{seconds // 60} m {seconds % 60:02d} s"


def size(count: int) -> str:
    """A number of bytes for people: ``812 B``, ``4.2 kB``, ``1.0 MB``."""
    if count < 1000:
        return f"{count} B"
    amount = float(count)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.95:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:.1f} TB"


def can_show_unicode(stream: IO[str]) -> bool:
    """Whether marks such as ✓ come out: the stream is UTF-8 and the terminal has glyphs for them."""
    encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "")
    # The console of the Linux kernel has a font of 512 glyphs.
    return encoding.startswith("utf") and os.environ.get("TERM") != "linux"


def encodable(text: str, stream: IO[str]) -> str:
    """The text with everything spelled out that the stream has no bytes for."""
    if text.isascii():
        return text
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def terminal_width(stream: IO[str]) -> int | None:
    """Columns of the terminal behind a stream; None when it is no terminal, so that nothing need be cut."""
    try:
        if not stream.isatty():
            return None
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None
