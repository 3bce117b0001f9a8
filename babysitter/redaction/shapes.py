"""Secrets that are told by how they look: tokens, passwords in addresses, private keys."""

from __future__ import annotations

import re

from babysitter.redaction import MARKS
from babysitter.redaction.named import NO_SECRET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    # Where the reason of a secret begins (its name, say), and where it itself begins and ends.
    Span = tuple[int, int, int]
    Look = Callable[[bytes, int], Span | None]

_ADDRESS = re.compile(rb"://[^\s/?#@:\"'<>`]{0,256}+:(?P<secret>[^\s/?#@\"'<>`]{1,4096}+)@")
_BLOCK = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}?PRIVATE KEY(?: BLOCK)?-----")
BLOCK_END = b"-----END"
_BODY_FOLLOWS = re.compile(rb"[\"'\\nr \t]{0,8}[A-Za-z0-9+/]{16}")
_BODY = re.compile(rb"[A-Za-z0-9+/=]+")
_LONG_BODY = re.compile(rb"[A-Za-z0-9+/]{40}")

TOKENS: dict[tuple[bytes, ...], bytes] = {
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


def in_address(text: bytes, at: int) -> Span | None:
    found = _ADDRESS.match(text, at)
    if found is None or NO_SECRET.match(found["secret"]):
        return None
    return at, *found.span("secret")


def key_in_line(text: bytes, at: int) -> Span | None:
    """A key whose line breaks are escaped, or the beginning of one."""
    header = _BLOCK.match(text, at)
    if header is None or not _BODY_FOLLOWS.match(text, header.end()):
        return None
    ends = [text.find(mark, header.end()) for mark in (b"\n", b"\r", BLOCK_END)]
    return at, header.end(), min((end for end in ends if end >= 0), default=len(text))


def look_of(pattern: bytes) -> Look:
    compiled = re.compile(_NOT_IN_A_WORD + pattern)

    def look(text: bytes, at: int) -> Span | None:
        found = compiled.match(text, at)
        return None if found is None else (at, at, found.end())

    return look


def opens_block(line: bytes) -> bool:
    """Whether a private key begins in a line and goes on in the next."""
    at = line.rfind(b"-----BEGIN")
    return at >= 0 and _BLOCK.match(line, at) is not None and BLOCK_END not in line[at:]


def is_body(line: bytes, *, is_first: bool) -> bool:
    """Whether a line belongs to a private key, also with something before it that a logger put there."""
    word = line.strip(b" \t\r\n\"',+\\")
    is_plain = _BODY.fullmatch(word) is not None and (len(word) >= 32 or not is_first)
    return is_plain or _LONG_BODY.search(word) is not None


def is_around_body(line: bytes) -> bool:
    """Whether a line may stand in a private key and is none of it: blank, or a header."""
    return not line.strip() or re.match(rb"[A-Za-z-]{1,40}: ", line) is not None
