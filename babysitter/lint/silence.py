"""Comments that silence a rule on their line: ``# babysitter: ignore[BS101]``."""

from __future__ import annotations

import io
import re
import tokenize
from typing import TYPE_CHECKING, NamedTuple

from babysitter.lint.findings import Finding, Span
from babysitter.lint.rules import BY_CODE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from babysitter.lint.modules import Module

COMMENT = re.compile(r"#\s*babysitter:\s*ignore\b(?P<list>\s*\[(?P<codes>[^\]]*)\])?")
UNKNOWN, UNUSED = "BS001", "BS002"


class Silence(NamedTuple):
    """One code in such a comment."""

    code: str
    span: Span


def silences_of(module: Module) -> list[Silence]:
    """All codes of all comments in a file; a comment without any has one that is empty."""
    content = b"\n".join(module.lines)
    if b"babysitter:" not in content:
        return []
    tokens = tokenize.tokenize(io.BytesIO(content + b"\n").readline)
    return [
        Silence(code.strip(), Span(token.start[0], token.start[1] + 1, token.end[0], token.end[1] + 1))
        for token in tokens
        if token.type == tokenize.COMMENT
        for found in COMMENT.finditer(token.string)
        for code in (found["codes"] or "").split(",")
    ]


def apart(findings: Sequence[Finding], module: Module, codes: frozenset[str]) -> Iterator[Finding]:
    """The findings in a file that no comment silences, and what is wrong with its comments."""
    silences = silences_of(module)
    yield from (each for each in findings if not any(_silences(silence, each) for silence in silences))
    for silence in silences:
        if silence.code not in BY_CODE:
            told = repr(silence.code) if silence.code else "a comment without a code"
            yield Finding(module.file, silence.span, UNKNOWN, told)
        elif silence.code in codes and not any(_silences(silence, each) for each in findings):
            yield Finding(module.file, silence.span, UNUSED, silence.code)


def _silences(silence: Silence, finding: Finding) -> bool:
    is_here = silence.span.line in (finding.span.line, finding.span.end_line)
    return is_here and silence.code == finding.code
