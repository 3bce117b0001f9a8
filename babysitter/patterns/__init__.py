"""Pieces that processes share: gates, weighted scores, the loop that improves, a vote, the loop that asks.

They are made of the calls that every process has, so what they ask for are steps like any others.
A process that uses one loads that one alone, at every replay.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.patterns.approval import Approved as Approved
    from babysitter.patterns.approval import until_approved as until_approved
    from babysitter.patterns.gating import Gate as Gate
    from babysitter.patterns.gating import Gates as Gates
    from babysitter.patterns.gating import gates as gates
    from babysitter.patterns.improvement import Improved as Improved
    from babysitter.patterns.improvement import improve as improve
    from babysitter.patterns.scoring import weighted as weighted
    from babysitter.patterns.voting import Vote as Vote
    from babysitter.patterns.voting import vote as vote

_HOMES = {
    "Approved": "approval",
    "Gate": "gating",
    "Gates": "gating",
    "Improved": "improvement",
    "Vote": "voting",
    "gates": "gating",
    "improve": "improvement",
    "until_approved": "approval",
    "vote": "voting",
    "weighted": "scoring",
}
__all__ = sorted(_HOMES)  # noqa: PLE0605 - a list, computed so that it cannot differ from what is there


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'babysitter.patterns' has no attribute {name!r}")
    module = __import__(f"babysitter.patterns.{_HOMES[name]}", fromlist=[name])
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
