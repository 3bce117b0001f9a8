"""The loop that makes something, asks a person, and makes it again with what they said."""

from __future__ import annotations

from babysitter.engine.outcomes import Record
from babysitter.errors import Failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from babysitter.engine.context import Context
    from babysitter.engine.outcomes import Decision


class Approved(Record):
    """What a person has said yes to.

    Attributes:
        result: what was made in that attempt.
        decision: the yes.
        attempt: which one it was, counted from 1.
    """

    __slots__ = ("result", "decision", "attempt")

    def __init__(self, result: Any, decision: Decision, attempt: int) -> None:
        self.result = result
        self.decision = decision
        self.attempt = attempt


async def until_approved(
    ctx: Context,
    make: Callable[[int, str | None], Awaitable[Any]],
    question: str | Callable[[Any], str],
    *,
    attempts: int = 3,
    **options: Any,
) -> Approved:
    """Make something and ask whether it is right; after a no make it again, with what the person said.

    ``make(attempt, feedback)`` gives it; ``attempt`` counts from 1, ``feedback`` is None in the first, and
    after a no without words. ``options`` are those of ``ctx.breakpoint``, of which ``previous_feedback``
    and ``attempt`` are filled in. The question and each option may be a function of what was made.

    Raises:
        Failed: it was rejected ``attempts`` times; ``data`` has the last ``feedback``.
        TypeError, ValueError: ``attempts`` is no whole number from 1 on, or an option is none.
    """
    if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
        raise ValueError(f"until_approved(…, attempts=) is a whole number from 1 on, found {attempts!r}")
    feedback: str | None = None
    for attempt in range(1, attempts + 1):
        made = await make(attempt, feedback)
        decision = await _ask(ctx, made, question, options, attempt, feedback)
        if decision.approved:
            return Approved(made, decision, attempt)
        feedback = decision.feedback or None
    times = "" if attempts == 1 else f" in {attempts} attempts"
    said = f": {feedback}" if feedback else ""
    raise Failed(f"not approved{times}{said}", {"feedback": feedback, "attempts": attempts})


async def _ask(
    ctx: Context,
    made: Any,
    question: str | Callable[[Any], str],
    options: dict[str, Any],
    attempt: int,
    feedback: str | None,
) -> Decision:
    asked = question(made) if callable(question) else question
    told = {name: option(made) if callable(option) else option for name, option in options.items()}
    again = {"attempt": attempt, "previous_feedback": feedback} if attempt > 1 else {}
    return await ctx.breakpoint(asked, **{**told, **again})
