"""What was found: where exactly, by which rule, and in which words."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from babysitter.lint.rules import BY_CODE, ERROR

if TYPE_CHECKING:
    from typing import Any

    from babysitter.lint.rules import Rule

LONGEST = 60


class Span(NamedTuple):
    """A piece of a file: lines and columns count from 1, in characters; the end is the first behind it."""

    line: int
    column: int
    end_line: int
    end_column: int


class Finding(NamedTuple):
    """One place that a rule has something against.

    Attributes:
        own_cure: what to write instead, in the words of this place; empty when the rule's words do.
    """

    file: str
    span: Span
    code: str
    what: str
    own_cure: str = ""

    @property
    def rule(self) -> Rule:
        return BY_CODE[self.code]

    @property
    def is_error(self) -> bool:
        return self.rule.severity == ERROR

    @property
    def reason(self) -> str:
        return f"{self.what} {self.rule.reason}"

    @property
    def cure(self) -> str:
        return self.own_cure or self.rule.cure

    def as_json(self) -> dict[str, Any]:
        """All that is known of it."""
        line, column, end_line, end_column = self.span
        return {
            "code": self.code,
            "name": self.rule.name,
            "severity": self.rule.severity,
            "file": self.file,
            "line": line,
            "column": column,
            "endLine": end_line,
            "endColumn": end_column,
            "reason": self.reason,
            "cure": self.cure,
        }


def in_words(node: ast.AST) -> str:
    """A piece of source as a message can show it, in one line."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
