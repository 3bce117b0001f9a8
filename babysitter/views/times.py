"""How long a run took and what was saved by doing things side by side; the summary as JSON."""

from __future__ import annotations

from babysitter.runs.worked import NO_WORK, covered
from babysitter.views.marks import FAILED, NONZERO, OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.views.nodes import Effect
    from babysitter.views.tree import Tree

# Below this, "saved" would be nothing but rounding.
WORTH_TELLING_MS = 50
DONE = frozenset({OK, NONZERO, FAILED})


class Times:
    """How long a run took, and how long it would have taken one after the other.

    Attributes:
        wall_ms: from its making to the last event.
        work_ms: of all tasks together.
        busy_ms: during which at least one of them ran.
        tasks: how many there were.
    """

    __slots__ = ("busy_ms", "tasks", "wall_ms", "work_ms")

    def __init__(self, tree: Tree) -> None:
        tasks = [spans for effect in tree.effects.values() if (spans := spans_of(effect))]
        spans = [span for spans in tasks for span in spans]
        self.tasks = len(tasks)
        self.wall_ms = max(0, tree.last_ms - tree.first_ms)
        self.work_ms = sum(max(0, end - start) for start, end in spans)
        self.busy_ms = covered(spans)

    @property
    def saved_ms(self) -> int:
        """What overlapped: neither idle time nor a night between two sessions counts."""
        return max(0, self.work_ms - self.busy_ms)


def spans_of(effect: Effect) -> list[tuple[int, int]]:
    """From when to when each attempt of a task was at work; a task is one, however often it was tried.

    What a fork has taken over was done in the run that it comes from.
    """
    spans = []
    attempt: Effect | None = effect
    while attempt is not None:
        if (
            attempt.result in DONE
            and not (attempt.is_copied or attempt.is_refused)
            and attempt.kind not in NO_WORK
            and attempt.started_ms is not None
            and attempt.ended_ms is not None
        ):
            spans.append((attempt.started_ms, attempt.ended_ms))
        attempt = attempt.previous
    return spans
