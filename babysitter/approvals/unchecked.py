"""Signed answers in a journal, counted by those who do not check them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.journal.events import Event

SIGNED = "signed"
ANSWERS = frozenset({"BREAKPOINT_ANSWERED", "EFFECT_RESOLVED"})


class SignedCount:
    """How many answers of a journal carry a signature; what several answers come to carries none."""

    def __init__(self) -> None:
        self.count = 0

    def see(self, event: Event) -> None:
        """Take in an event."""
        evidence = event.data.get("evidence") if event.type in ANSWERS else None
        if isinstance(evidence, dict) and "answers" not in evidence:
            is_signed = SIGNED in (event.data.get("assurance"), evidence.get("assurance"))
            self.count += is_signed or "signature" in evidence
