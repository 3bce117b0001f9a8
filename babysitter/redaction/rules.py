"""Where in a text there are secrets.

Each rule has needles, and looks at their places only: what it costs grows with
the length of a text, whatever is in it. For that, a look that finds nothing
reads no more than a few hundred bytes, and one that finds something is not
repeated within what it has found.
"""

from __future__ import annotations

import re

from babysitter.redaction import MARK
from babysitter.redaction.named import Named
from babysitter.redaction.shapes import TOKENS, in_address, key_in_line, look_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from babysitter.redaction.shapes import Look, Span

# A value that goes on is found by its beginning.
NEEDLE_BYTES = 16


class Group:
    """Rules whose needles can be told to be absent all at once."""

    __slots__ = ("_is_lowered", "_scan", "needles")

    def __init__(
        self, scan: Callable[[bytes], object], needles: list[tuple[bytes, Look]], *, is_lowered: bool = False
    ) -> None:
        """``scan`` is true of a text that has one of the needles."""
        self._scan = scan
        self._is_lowered = is_lowered
        self.needles = needles

    def has_one(self, text: bytes, lowered: bytes) -> bool:
        return bool(self._scan(lowered if self._is_lowered else text))

    def first(self, text: bytes, lowered: bytes) -> Iterator[int]:
        """The first places of its needles."""
        searched = lowered if self._is_lowered else text
        return (at for needle, _ in self.needles if (at := searched.find(needle)) >= 0)

    def find(self, text: bytes, lowered: bytes, since: int) -> Iterator[Span]:
        searched = lowered if self._is_lowered else text
        for needle, look in self.needles:
            at = searched.find(needle, since)
            while at >= 0:
                span = look(text, at)
                if span is not None:
                    yield span
                at = searched.find(needle, at + 1 if span is None else max(span[2], at + 1))


def _any_of(needles: Iterable[bytes]) -> Callable[[bytes], object]:
    found = tuple(needles)
    return lambda text: any(needle in text for needle in found)


# An expression of literals that several needles share is faster than a look for each of them. It was
# measured: what begins with two literals is fastest, then one rare letter with a look behind.
_NAME_SCANS: dict[tuple[bytes, ...], Callable[[bytes], object]] = {
    (b"token", b"cookie"): re.compile(rb"ok(?:en(?<=token)|ie(?<=cookie))").search,
    (b"api_key", b"api-key", b"apikey"): re.compile(rb"pi[_-]?key(?:(?<=api[_-]key)|(?<=apikey))").search,
    (b"secret", b"credential"): re.compile(rb"cre(?:(?<=secre)t|dential)").search,
    (b"passw",): re.compile(rb"passw").search,
    (b"authorization",): lambda text: b"authorization" in text,
}
_MARK_SCANS: tuple[Callable[[bytes], object], ...] = (
    lambda text: b"-----BEGIN" in text,
    re.compile(rb"A[KS]IA").search,
    re.compile(rb"J(?<=eyJ)").search,
    re.compile(rb"_(?:(?<=gh[pousr]_)|(?<=github_pat_))").search,
    re.compile(rb"-(?<=[ktabeoprs]-)(?:(?<=sk-)|(?<=glpat-)|(?<=xox[abeoprs]-))").search,
)


class Rules:
    """All rules of one configuration, and of one effect's own secrets."""

    def __init__(self, names: Sequence[bytes], patterns: Sequence[str], values: Sequence[bytes]) -> None:
        self._groups = [*_named_groups(names), *_mark_groups(), Group(_has_address, [(b"://", in_address)])]
        if values:
            needles = [value[:NEEDLE_BYTES] for value in values]
            looks = zip(needles, map(_value, values), strict=True)
            self._groups.append(Group(_any_of(needles), list(looks)))
        self._patterns = [re.compile(pattern.encode()) for pattern in patterns]
        self._beginnings = _beginnings(needle for group in self._groups for needle, _ in group.needles)
        self._longest = max(map(len, self._beginnings))
        self.has_patterns = bool(patterns)
        self.has_values = bool(values)

    def may_touch(self, text: bytes) -> bool:
        """Whether any needle is in a text, told as fast as can be."""
        lowered = text.lower()
        return self.has_patterns or any(group.has_one(text, lowered) for group in self._groups)

    def first(self, text: bytes) -> int:
        """Where the first needle is; -1: there is none."""
        lowered = text.lower()
        places = [at for group in self._groups for at in group.first(text, lowered)]
        return min(places, default=-1)

    def unfinished(self, text: bytes) -> int:
        """How many bytes at the end may be the beginning of a needle."""
        for size in range(min(len(text), self._longest), 0, -1):
            end = text[-size:]
            if end in self._beginnings or end.lower() in self._beginnings:
                return size
        return 0

    def find(self, text: bytes, since: int = 0) -> list[Span]:
        """The secrets in a text, in their order; what overlaps is one."""
        lowered = text.lower()
        hit = (group for group in self._groups if group.has_one(text, lowered))
        found = [span for group in hit for span in group.find(text, lowered, since)]
        if self._patterns:
            found += self._find_patterns(text, since)
        return _merged(sorted(found))

    def _find_patterns(self, text: bytes, since: int) -> Iterator[Span]:
        for line in re.finditer(rb"[^\r\n]+", text[since:]):
            for pattern in self._patterns:
                for found in pattern.finditer(line[0]):
                    start, end = found.span(1 if pattern.groups and found[1] is not None else 0)
                    if start < end:
                        offset = since + line.start()
                        yield offset + found.start(), offset + start, offset + end

    def redact(self, text: bytes, before: bytes = b"") -> bytes:
        """The text without secrets; ``before`` is what stood before it."""
        return cut_out(before + text, self.find(before + text, len(before)))[len(before) :]


def _value(value: bytes) -> Look:
    return lambda text, at: (at, at, at + len(value)) if text.startswith(value, at) else None


def _named_groups(added: Sequence[bytes]) -> Iterator[Group]:
    look = Named(added).look
    for names, scan in _NAME_SCANS.items():
        yield Group(scan, [(name, look) for name in names], is_lowered=True)
    if added:
        yield Group(_any_of(added), [(name, look) for name in added], is_lowered=True)


def _mark_groups() -> Iterator[Group]:
    looks: dict[bytes, Look] = {b"-----BEGIN": key_in_line}
    for marks, pattern in TOKENS.items():
        looks.update(dict.fromkeys(marks, look_of(pattern)))
    for scan in _MARK_SCANS:
        yield Group(scan, [(mark, look) for mark, look in looks.items() if scan(mark)])


def _has_address(text: bytes) -> object:
    """Whether one may have a password. In a line that is not ended yet it may still come."""
    return b"://" in text[text.rfind(b"\n") + 1 :] or (b"@" in text and b"://" in text)


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for since, start, end in spans:
        if merged and since < merged[-1][2]:
            last = merged[-1]
            merged[-1] = (last[0], min(last[1], start), max(last[2], end))
        else:
            merged.append((since, start, end))
    return merged


def cut_out(text: bytes, spans: list[Span]) -> bytes:
    """The text with a mark for each secret."""
    if not spans:
        return text
    parts, done = [], 0
    for _, start, end in spans:
        parts += [text[done:start], MARK.encode()]
        done = end
    return b"".join([*parts, text[done:]])


def _beginnings(needles: Iterable[bytes]) -> frozenset[bytes]:
    return frozenset(needle[:size] for needle in needles for size in range(1, len(needle)))
