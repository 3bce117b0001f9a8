"""How sure it is that a person answered: the levels, weakest first. What each is worth: docs/security.md."""

from __future__ import annotations

from babysitter.engine.breakpoints import ASSURANCES
from babysitter.ids import sha256_hex
from babysitter.jsontext import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# Nobody was asked, or nobody knows who typed: below anything that a breakpoint can demand.
POLICY, RULE, SCRIPT = "policy", "rule", "script"
LEVELS = (POLICY, RULE, SCRIPT, *ASSURANCES)
# Those at which somebody is there, as far as can be told.
PEOPLE = (SCRIPT, *ASSURANCES)


def is_enough(level: str, wanted: str | None) -> bool:
    """A level is at least the one that is wanted; without one every level is."""
    return wanted is None or LEVELS.index(level) >= LEVELS.index(wanted)


def weakest_of(levels: Iterable[str]) -> str:
    """The level of what rests on all of these; one that nobody knows is below all others."""
    return min(levels, key=lambda level: LEVELS.index(level) if level in LEVELS else -1)


def minimum_of(definition: dict[str, Any]) -> str | None:
    """The level that a breakpoint demands, if it does."""
    told = definition["breakpoint"].get("assurance")
    return None if told is None else str(told)


def shown_digest(definition: dict[str, Any], files: list[dict[str, Any]] | None = None) -> str:
    """The digest of what a person is shown: the whole description of a breakpoint, and its files."""
    told: Any = {"definition": definition, "files": files} if files else definition
    return sha256_hex(canonical(told).encode())


def ways_to_answer(run_id: str, effect_id: str, wanted: str | None) -> str:
    """What a person can do to answer a breakpoint that wants this level."""
    command = f"babysitter approve {run_id} {effect_id}"
    if wanted == "signed":
        return f"in a terminal of your own: {command} --sign"
    in_terminal = f"in a terminal of your own: {command}"
    if wanted == "terminal":
        return in_terminal
    return f"type /babysitter:approve {effect_id} in the session; or {in_terminal}"
