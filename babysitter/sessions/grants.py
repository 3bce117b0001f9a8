"""What a person allowed by a command that they typed in a session, before there is a run to write it to."""

from __future__ import annotations

import os

from babysitter.sessions import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

GRANTS = "grants"


def grant(session: str, what: str, evidence: dict[str, Any]) -> None:
    """Remember it until it is taken."""
    place.write(session, os.path.join(GRANTS, f"{what}.json"), evidence)


def take(session: str, what: str) -> dict[str, Any] | None:
    """The evidence of a grant, which is used up by that; None when there is none."""
    name = os.path.join(GRANTS, f"{what}.json")
    evidence = place.read(session, name)
    place.remove(session, name)
    return evidence
