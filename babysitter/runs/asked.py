"""What a breakpoint's description says beside its question, for those who tell people of it."""

from __future__ import annotations

from babysitter.clock import iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TOLD = ("question", "options", "id", "tags", "expert", "strategy", "files", "attempt", "previousFeedback")
# Until the end of the calendar; whoever says more has not meant a length of time.
MOST_SECONDS = 250_000_000_000


def told_of(asked: dict[str, Any], since_ms: int) -> dict[str, Any]:
    """What there is to tell, and until when an answer is waited for; nothing of what it does not say."""
    told = {name: asked[name] for name in TOLD if asked.get(name) is not None}
    until = deadline_of(asked, since_ms)
    return told if until is None else {**told, "deadline": until}


def deadline_of(asked: dict[str, Any], since_ms: int) -> str | None:
    """When the time for an answer is over; in the description it is a length, from when it was asked."""
    length = asked.get("deadline")
    if isinstance(length, bool) or not isinstance(length, (int, float)) or not 0 <= length < MOST_SECONDS:
        return None
    return iso(since_ms + round(length * 1000))
