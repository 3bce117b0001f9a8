"""What is wrong with the user's rules, where whoever acts can go on without them.

A hook does: nothing is answered without asking then, nor by anything else that a rule could forbid. All
other commands stop. Of its own, so that a hook need not load the rules to be ready for bad ones.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.errors import CorruptRules

_noted: list[CorruptRules] | None = None


def begin() -> list[CorruptRules]:
    """From now on, and for as long as this program runs, faults are noted in this list."""
    global _noted  # noqa: PLW0603 - it is about all that this program does
    _noted = []
    return _noted


def end() -> None:
    """Faults stop whoever meets them again."""
    global _noted  # noqa: PLW0603 - as above
    _noted = None


def note(fault: CorruptRules) -> None:
    """Note a fault where somebody has begun with that, else raise it.

    Raises:
        CorruptRules
    """
    if _noted is None:
        raise fault
    _noted.append(fault)
