"""What was decided at a breakpoint, in words."""

from __future__ import annotations

from babysitter.views.marks import REJECTED, WORDS
from babysitter.views.text import printable, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

APPROVED = "approved"
# The value stands in a file of its own, because it is large, or has a form that is not known here.
ANSWERED = "answered"
MOST_CHOSEN_COLUMNS = 40


def decision_of(value: Any) -> dict[str, Any] | None:
    """What the value of a breakpoint comes to; None where it does not say so."""
    if not isinstance(value, dict) or not isinstance(value.get("approved"), bool):
        return None
    told = {name: value[name] for name in ("option", "feedback") if isinstance(value.get(name), str)}
    return {"approved": value["approved"], **told}


def verdict_of(decision: dict[str, Any] | None) -> str:
    """``approved``, or ``rejected``."""
    if decision is None:
        return ANSWERED
    return APPROVED if decision["approved"] else WORDS[REJECTED]


def words_of(decision: dict[str, Any] | None) -> str:
    """What was chosen, and what was said with it, in one line."""
    if decision is None:
        return ""
    said = [decision[name].strip().partition("\n")[0] for name in ("option", "feedback") if name in decision]
    return "; ".join(filter(None, said))


def decision_text(decision: dict[str, Any] | None) -> str:
    """``approved: staging; only today``."""
    words = words_of(decision)
    return f"{verdict_of(decision)}: {words}" if words else verdict_of(decision)


def chosen_text(decision: dict[str, Any] | None) -> str:
    """``approved: staging``, for where there is little room; the whole of it stands elsewhere."""
    option = (decision or {}).get("option")
    if not option:
        return verdict_of(decision)
    return shorten(printable(f"{verdict_of(decision)}: {option}"), MOST_CHOSEN_COLUMNS, "...")
