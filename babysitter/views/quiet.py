"""The view that shows nothing, for programs; and what all views have in common."""

from __future__ import annotations

from babysitter.clock import now_ms
from babysitter.views.parts import as_part
from babysitter.views.tree import RunInfo, Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from babysitter.executors.rates import Wait
    from babysitter.journal.events import Event
    from babysitter.views.summary import Outcome


class QuietView:
    """Follows a run without a word; ``tree`` is what it has seen.

    Whoever drives a run calls: ``started`` first, ``event`` for every event of
    the journal in order (on resuming, for the old ones too), ``tick`` now and
    then while it waits, ``finished`` at the end. ``close`` gives the terminal
    back whatever has happened, and may be called at any time and twice.
    """

    def __init__(self, clock: Callable[[], int] = now_ms) -> None:
        self.clock = clock
        self.tree = Tree()
        self.run = RunInfo("", "", "", "")
        self.started_ms = clock()

    def started(self, run: RunInfo) -> None:
        """This is the run; its events follow."""
        self.run = run
        self.started_ms = self.clock()

    def event(self, event: Event) -> None:
        """Something was read from the journal, or written to it."""
        self.tree.event(event)

    def event_below(self, event: Event, path: str, run_id: str) -> None:
        """The same of a child run, which hangs at this path of the tree."""
        part = as_part(event, path, run_id)
        if part is not None:
            self.event(part)

    def goes_on(self, run_id: str, folder: str) -> None:
        """The run was continued as new; the events of that one follow."""
        self.tree = Tree()
        self.started(RunInfo(run_id, self.run.process_id, self.run.title, folder))

    def is_old(self, event: Event) -> bool:
        """It happened before this view began: known to whoever looked on then."""
        return event.ms < self.started_ms

    def executing(self, effect_id: str, started_ms: int) -> None:
        """An effect is being performed here from now on."""
        self.tree.executing(effect_id, started_ms)

    def output(self, effect_id: str, last_line: str) -> None:
        """The last line that an effect has printed."""
        self.tree.output(effect_id, last_line)

    def held(self, waits: Mapping[str, Wait]) -> None:
        """What each effect waits for that a rate limit keeps from being started here, by its id."""
        self.tree.held = dict(waits)

    def tick(self) -> None:
        """Time has gone by."""

    def pause(self) -> None:
        """A question is about to be put on the terminal."""

    def resume(self) -> None:
        """The question is answered."""

    def message(self, text: str) -> None:
        """One line for the person."""

    def finished(self, outcome: Outcome) -> None:
        """The command ends here."""

    def close(self) -> None:
        """Give the terminal back."""
