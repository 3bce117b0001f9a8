"""What a person has granted a session by a command that only a person can type; each serves once.

The hook of the command writes it, before there is a run to write it to. Its content is the evidence.
"""

from __future__ import annotations

import os

from babysitter.clock import now_ms
from babysitter.sessions import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

GRANTS = "grants"
# What was typed that long ago was about something else.
MOST_AGE_MS = 3_600_000


def grant(session: str, what: str, evidence: dict[str, Any]) -> None:
    """Remember it until it is taken."""
    place.write(session, os.path.join(GRANTS, f"{what}.json"), {**evidence, "at": now_ms()})


def take(session: str, what: str) -> dict[str, Any] | None:
    """Use a grant up and give its evidence; None when there is none."""
    name = os.path.join(GRANTS, f"{what}.json")
    evidence = place.read(session, name)
    # Before it is made use of: of two commands at once only one gets it.
    if not place.remove(session, name) or evidence is None:
        return None
    at = evidence.get("at")
    return evidence if isinstance(at, int) and now_ms() - at <= MOST_AGE_MS else None
