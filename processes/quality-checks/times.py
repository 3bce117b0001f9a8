"""How long the checks took side by side, and how long one after the other. Pure: it is used in replay."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def took(ended: Sequence[tuple[float, float]]) -> dict[str, float]:
    """How long the checks took, and how long one after the other, of when each ended and how long it took.

    Time in which none was at work does not count: a run may be killed, and gone on with tomorrow.
    """
    busy, reached = 0.0, 0.0
    for start, end in sorted((end - seconds, end) for end, seconds in ended):
        busy += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    together, alone = round(busy, 1), round(sum(seconds for _, seconds in ended), 1)
    saved = round(max(0.0, alone - together), 1)
    return {"sideBySide": together, "oneAfterAnother": alone, "saved": saved}
