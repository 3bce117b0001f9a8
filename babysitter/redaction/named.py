"""Secrets that are told by the name beside them."""

from __future__ import annotations

import re

from babysitter.redaction import SHORTEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from babysitter.redaction.shapes import Span

# Longer ones are no words of a language and no names in code.
LONGEST_WORD = 64

_NAME = rb"(?i:token|secret|passw(?:or)?d|api[_-]?key|authorization|cookie|credentials?%s)"
# `secret_key`, `token-github`, `secretAccessKey`, but neither `tokens` nor `tokenizer`.
_REST = rb"(?P<rest>(?:[_-][A-Za-z0-9]{1,24}+){1,8}+|(?:(?<=[a-z])[A-Z][a-z0-9]{0,24}+){1,8}+)?+"
# Of such names the value is no secret.
_ABOUT = frozenset(
    b"count type name names file path dir folder url uri endpoint host limit length len size bytes ttl"
    b" expires expiry in at policy field version usage budget required min max algorithm".split()
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
    rb"|(?i:digest|aws4-hmac-sha256)[ \t]{1,4}(?P<whole>[^\r\n]++))"
)
_COOKIE = re.compile(
    rb"(?i:cookie)\\{0,3}[\"']?[ \t]{0,8}:[ \t]{0,8}\\{0,3}[\"']?(?P<whole>[^\s\"'=;,]{1,128}+=[^\"'\r\n]++)"
)
NO_SECRET = re.compile(
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
    if NO_SECRET.match(value):
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
