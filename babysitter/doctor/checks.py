"""What one look found: PASS, WARN or FAIL, in words, and the command that cures it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from babysitter.errors import BabysitterError

PASS, WARN, FAIL = "PASS", "WARN", "FAIL"
LEVELS = (PASS, WARN, FAIL)


class Check:
    """One finding.

    Attributes:
        name: what was looked at.
        level: PASS, WARN (it works, and somebody should know) or FAIL (it does not).
        cure: what to do, mostly a command; empty when there is nothing to do.
        exit_code: of a failure.
    """

    __slots__ = ("cure", "exit_code", "level", "message", "name")

    def __init__(self, name: str, level: str, message: str, cure: str = "", exit_code: int = 0) -> None:
        self.name = name
        self.level = level
        self.message = message
        self.cure = cure
        self.exit_code = exit_code

    def as_json(self) -> dict[str, Any]:
        told = {"check": self.name, "level": self.level, "message": self.message}
        return {**told, "cure": self.cure} if self.cure else told


def passed(name: str, message: str, cure: str = "") -> Check:
    return Check(name, PASS, message, cure)


def warned(name: str, message: str, cure: str = "") -> Check:
    return Check(name, WARN, message, cure)


def failed(name: str, error: BabysitterError, cure: str = "") -> Check:
    """A failure that an error stands for; what its hint says is the cure, if there is no better one."""
    return Check(name, FAIL, error.message, cure or error.hint, error.exit_code)


def worst(checks: Sequence[Check]) -> str:
    """The worst of their levels."""
    return max((check.level for check in checks), key=LEVELS.index, default=PASS)


def exit_code(checks: Sequence[Check]) -> int:
    """That of the first failure, 0 when nothing failed."""
    return next((check.exit_code for check in checks if check.level == FAIL), 0)
