"""What a secret looks like, and where in a text there is one.

Each rule has needles, and looks at their places only: what it costs grows with
the length of a text, whatever is in it. For that, a look that finds nothing
reads no more than a few hundred bytes, and one that finds something is not
repeated within what it has found.
"""

from __future__ import annotations

import re

from babysitter.redaction import MARK, MARKS, SHORTEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Look = Callable[[bytes, int], "Span | None"]
    # Where the reason of a secret begins (its name, say), and where it itself begins and ends.
    Span = tuple[int, int, int]

# A value that goes on is found by its beginning.
NEEDLE_BYTES = 16
# Longer ones are no words of a language and no names in code.
LONGEST_WORD = 64

_NAME = rb"(?i:token|secret|passw(?:or)?d|api[_-]?key|authorization|cookie|credentials?%s)"
# `secret_key`, `token-github`, `secretAccessKey`, but neither `tokens` nor `tokenizer`.
_REST = rb"(?P<rest>(?:[_-][A-Za-z0-9]{1,24}+){1,8}+|(?:(?<=[a-z])[A-Z][a-z0-9]{0,24}+){1,8}+)?+"
# Of such names the value is no secret.
_ABOUT = frozenset(
    b"count type name names file path dir folder url uri endpoint host limit length len size bytes ttl expires"
    b" expiry in at policy field version usage budget required min max algorithm".split()
)
_WORD = re.compile(rb"[A-Z]?[a-z0-9]+|[A-Z0-9]+")
_VALUE = (
    rb"(?:[bBfFrRuU]{1,2}(?=[\"']))?"
    rb"(?:\"(?P<double>(?:[^\"\s\\]|\\[^\r\n])++)|'(?P<single>(?:[^'\s\\]|\\[^\r\n])++)"
    rb"|\\{1,3}[\"'](?P<escaped>[^\"'\s\\]++)|(?P<bare>[^\s\"'`,;&)\]}]++))"
)
_SIGN = rb"\\{0,3}[\"']?\]?(?P<sign>[ \t]{0,8}(?:=>|:=|={1,3}|:(?!:))[ \t]{0,8})"
_AFTER_OPTION = rb"(?P<sign>[\"']?,?[ \t])"
_AUTHORIZATION = re.compile(
    rb"(?i:authorization)\\{0,3}[\"']?\]?[ \t]{0,8}[:=][ \t]{0,8}\\{0,3}[\"']?"
    rb"(?:(?i:bearer|basic|token|negotiate|apikey)[ \t]{1,4}(?P<bare>[^\s\"'`,\\]++)"
    rb"|(?i:digest|aws4-hmac-sha256)[ \t]{1,4}(?P<whole>[^\"'\r\n]++))"
)
_COOKIE = re.compile(
    rb"(?i:cookie)\\{0,3}[\"']?[ \t]{0,8}:[ \t]{0,8}\\{0,3}[\"']?(?P<whole>[^\s\"'=;,]{1,128}+=[^\"'\r\n]++)"
)
_ADDRESS = re.compile(rb"://[^\s/?#@:\"'<>`]{0,256}+:(?P<secret>[^\s/?#@\"'<>`]{1,4096}+)@")
_BLOCK = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}?PRIVATE KEY(?: BLOCK)?-----")
_BLOCK_END = b"-----END"
_BODY_FOLLOWS = re.compile(rb"[\"'\\nr \t]{0,8}[A-Za-z0-9+/]{16}")
_BODY = re.compile(rb"[A-Za-z0-9+/=]+")
_LONG_BODY = re.compile(rb"[A-Za-z0-9+/]{40}")

_TOKENS: dict[tuple[bytes, ...], bytes] = {
    (b"sk-",): rb"sk-(?=[A-Za-z_-]*+[0-9])[A-Za-z0-9_-]{20,}+",
    (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"): rb"gh[pousr]_[A-Za-z0-9]{20,}+",
    (b"github_pat_",): rb"github_pat_[A-Za-z0-9_]{20,}+",
    (b"glpat-",): rb"glpat-[A-Za-z0-9_-]{16,}+",
    tuple(mark for mark in MARKS if mark.startswith(b"xox")): rb"xox[abeoprs]-[A-Za-z0-9-]{10,}+",
    (b"AKIA", b"ASIA"): rb"A[KS]IA[A-Z0-9]{16}+(?![A-Za-z0-9])",
    (b"eyJ",): rb"eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+){1,3}+",
}
# In the middle of a word they are something else: `task-...`.
_NOT_IN_A_WORD = rb"(?<![A-Za-z0-9_-])"

_NO_SECRET = re.compile(
    rb"\$[A-Za-z_{(]|[<{\[%]|[*xX.-]+$"  # stands for a value
    rb"|[A-Za-z][A-Za-z0-9+.-]{0,20}://"  # an address; its password has a rule of its own
    rb"|[A-Za-z_][A-Za-z0-9_.]*[(\[{]"  # a call, an index
    rb"|[~^<>=v]*\d+(?:\.\d+){1,3}(?:[.-]\w+)*$"  # a version
)
_LETTERS = re.compile(rb"[A-Za-z_.-]+$")
_OF_CODE = re.compile(
    rb"[A-Za-z_]+(?:\.[A-Za-z_]+)+$|(?:.*[_.-])?%s(?:[_.-].*)?$|.*[a-z](?:Token|Secret|Password|Key|Cookie)$"
    % _NAME.replace(b"%s", b"")
)
_TELLING = re.compile(rb"[0-9@#$^&*+=~%]")
_WORDS = frozenset(
    b"required invalid missing expired unknown optional default string number boolean object disabled enabled"
    b" forbidden undefined redacted bearer hidden present absent changed removed rejected accepted granted"
    b" denied failed wrong secret password credentials".split()
)


def is_secret(value: bytes, *, is_given: bool) -> bool:
    """Whether what stands beside a name is a secret, and not a word about one.

    ``is_given``: it is in quotes or right behind a ``=``, so anything of six
    characters counts that is not a reference, a version, code or one of a few
    words. Elsewhere a text of letters is prose: a digit or one of ``@#$^&*+=~%`` is needed.
    """
    if len(value) < SHORTEST or len(value) > LONGEST_WORD:
        return len(value) >= SHORTEST
    if _NO_SECRET.match(value):
        return False
    word = value.rstrip(b".:!?\\")
    if _LETTERS.match(word):
        return is_given and word.lower() not in _WORDS and not _OF_CODE.match(word)
    return is_given or (_TELLING.search(word) is not None and word[:1] not in b"/.")


def _part(found: re.Match[bytes], *names: str) -> tuple[str, int, int]:
    """The one of some groups that has matched."""
    name = next(name for name in names if found.start(name) >= 0)
    return name, found.start(name), found.end(name)


class Named:
    """What stands beside a name."""

    def __init__(self, names: Iterable[bytes]) -> None:
        name = _NAME % b"".join(b"|" + re.escape(each) for each in names)
        self._assigned = re.compile(name + _REST + _SIGN + _VALUE)
        self._option = re.compile(rb"(?<=-)" + name + _AFTER_OPTION + _VALUE)

    def look(self, text: bytes, at: int) -> Span | None:
        header = _AUTHORIZATION.match(text, at) or _COOKIE.match(text, at)
        if header is not None:
            return self._in_header(header, at)
        found = self._assigned.match(text, at)
        if found is None:
            found = self._option.match(text, at)
        elif found["rest"] and _WORD.findall(found["rest"])[-1].lower() in _ABOUT:
            return None
        return None if found is None else self._beside(text, found, at)

    def _in_header(self, found: re.Match[bytes], at: int) -> Span | None:
        if found.groupdict().get("bare") is None:
            return at, *found.span("whole")
        # In Base64 there is such a place; in prose about headers there is none.
        is_given = re.search(rb"[a-z][A-Z]", found["bare"]) is not None
        return (at, *found.span("bare")) if is_secret(found["bare"], is_given=is_given) else None

    def _beside(self, text: bytes, found: re.Match[bytes], at: int) -> Span | None:
        how, start, end = _part(found, "double", "single", "escaped", "bare")
        if how != "bare" and text[end : end + 1] in (b" ", b"\t"):
            # Several words are prose.
            return None
        is_given = how != "bare" or (b"=" in found["sign"] and found["sign"].strip() == found["sign"])
        return (at, start, end) if is_secret(text[start:end], is_given=is_given) else None


def _in_address(text: bytes, at: int) -> Span | None:
    found = _ADDRESS.match(text, at)
    if found is None or _NO_SECRET.match(found["secret"]):
        return None
    return at, *found.span("secret")


def _key_in_line(text: bytes, at: int) -> Span | None:
    """A key whose line breaks are escaped, or the beginning of one."""
    header = _BLOCK.match(text, at)
    if header is None or not _BODY_FOLLOWS.match(text, header.end()):
        return None
    ends = [text.find(mark, header.end()) for mark in (b"\n", b"\r", _BLOCK_END)]
    return at, header.end(), min((end for end in ends if end >= 0), default=len(text))


def _shape(pattern: bytes) -> Look:
    compiled = re.compile(_NOT_IN_A_WORD + pattern)

    def look(text: bytes, at: int) -> Span | None:
        found = compiled.match(text, at)
        return None if found is None else (at, at, found.end())

    return look


def _value(value: bytes) -> Look:
    return lambda text, at: (at, at, at + len(value)) if text.startswith(value, at) else None


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


# A rare letter that several needles share is found faster than each of them.
_NAME_SCANS: dict[tuple[bytes, ...], bytes] = {
    (b"token", b"cookie", b"api_key", b"api-key", b"apikey"): (
        rb"k(?:(?<=tok)en|(?<=cook)ie|(?<=api[_-]k)ey|(?<=apik)ey)"
    ),
    (b"secret", b"credential"): rb"cre(?:(?<=secre)t|dential)",
    (b"passw",): rb"passw",
    (b"authorization",): rb"authorization",
}
_MARK_SCANS = (
    rb"-----BEGIN",
    rb"A[KS]IA",
    rb"J(?<=eyJ)",
    rb"_(?:(?<=gh[pousr]_)|(?<=github_pat_))",
    rb"-(?:(?<=sk-)|(?<=glpat-)|(?<=xox[abeoprs]-))",
)


class Rules:
    """All rules of one configuration, and of one effect's own secrets."""

    def __init__(self, names: Sequence[bytes], patterns: Sequence[str], values: Sequence[bytes]) -> None:
        self._groups = [*_named_groups(names), *_mark_groups(), Group(_has_address, [(b"://", _in_address)])]
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


def _named_groups(added: Sequence[bytes]) -> Iterator[Group]:
    look = Named(added).look
    for names, scan in _NAME_SCANS.items():
        yield Group(re.compile(scan).search, [(name, look) for name in names], is_lowered=True)
    if added:
        yield Group(_any_of(added), [(name, look) for name in added], is_lowered=True)


def _mark_groups() -> Iterator[Group]:
    looks: dict[bytes, Look] = {b"-----BEGIN": _key_in_line}
    for marks, pattern in _TOKENS.items():
        looks.update(dict.fromkeys(marks, _shape(pattern)))
    for scan in map(re.compile, _MARK_SCANS):
        yield Group(scan.search, [(mark, look) for mark, look in looks.items() if scan.search(mark)])


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


def opens_block(line: bytes) -> bool:
    """Whether a private key begins in a line and goes on in the next."""
    at = line.rfind(b"-----BEGIN")
    return at >= 0 and _BLOCK.match(line, at) is not None and _BLOCK_END not in line[at:]


def is_body(line: bytes, *, is_first: bool) -> bool:
    """Whether a line belongs to a private key, also with something before it that a logger put there."""
    word = line.strip(b" \t\r\n\"',+\\")
    is_plain = _BODY.fullmatch(word) is not None and (len(word) >= 32 or not is_first)
    return is_plain or _LONG_BODY.search(word) is not None


def is_around_body(line: bytes) -> bool:
    """Whether a line may stand in a private key and is none of it: blank, or a header."""
    return not line.strip() or re.match(rb"[A-Za-z-]{1,40}: ", line) is not None


def _beginnings(needles: Iterable[bytes]) -> frozenset[bytes]:
    return frozenset(needle[:size] for needle in needles for size in range(1, len(needle)))
