"""What is handed out in a drive: to the pool, to a person, to the clock; and what comes back.

It knows of each effect which run it is of. One desk serves all runs of a drive.
"""

from __future__ import annotations

from babysitter.clock import now_ms
from babysitter.errors import ResultRejected
from babysitter.executors.hook_files import HOW_TO_TRUST
from babysitter.executors.orders import answer_of, work_of
from babysitter.runs.answering import decide
from babysitter.runs.sleeping import deadline_of, deadline_of_breakpoint, due_at, wake_sleepers
from babysitter.sessions.takers import is_at_it

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from babysitter.driven import Driven
    from babysitter.engine.state import Effect
    from babysitter.executors.pool import Finished, Pool
    from babysitter.runs.results import Answer
    from babysitter.runs.run import Run

    class Asker(Protocol):
        """Puts breakpoints to a person; ``is_asking`` while one of them is open here."""

        @property
        def is_asking(self) -> bool: ...
        def ask(self, run: Run, effect: Effect) -> None: ...
        def withdraw(self, effect_id: str) -> None: ...
        def answers(self) -> list[tuple[str, dict[str, Any]]]: ...


# How long a result of another writer may stay unseen, and how often the view is drawn.
POLL_SECONDS = 0.25
TICK_SECONDS = 0.125


class Desk:
    """Hands effects out, as far as they are performed here.

    Attributes:
        fresh: effects that nobody has looked at yet, each with its run.
        offered: those that the pool has.
    """

    def __init__(self, pool: Pool, kinds: frozenset[str], asker: Asker | None) -> None:
        self.fresh: list[tuple[Driven, Effect]] = []
        self.offered: set[str] = set()
        self._pool = pool
        self._kinds = kinds
        self._asker = asker
        self._owners: dict[str, Driven] = {}
        # Taken by somebody else, who is at it as far as can be seen.
        self._anothers: dict[str, tuple[Driven, Effect]] = {}
        # When the clock ends what.
        self._sleeping: dict[str, int] = {}
        self._seen_running: set[str] = set()
        self._passed_over: set[str] = set()
        self._is_held = False

    def hand_out(self) -> None:
        """Give new effects to whoever performs them here."""
        fresh, self.fresh = [*self.fresh, *self._anothers.values()], []
        self._anothers = {}
        works = []
        for driven, effect in fresh:
            if not effect.is_pending or driven.is_over:
                continue
            self._owners[effect.id] = driven
            self.heed(driven, effect)
            if effect.kind in self._kinds and is_at_it(driven.run, effect):
                self._anothers[effect.id] = (driven, effect)
            elif effect.kind in self._kinds:
                self._sleeping.pop(effect.id, None)
                works.append(work_of(driven.run, driven.execution.source, effect))
                self.offered.add(effect.id)
            elif effect.kind == "breakpoint" and self._asker is not None:
                self._asker.ask(driven.run, effect)
            elif effect.kind == "sleep":
                self._sleeping[effect.id] = due_at(effect)
        if works:
            self._pool.offer(works)

    def heed(self, driven: Driven, effect: Effect) -> None:
        """Know when the clock ends an agent effect, or a breakpoint; the pool does it for its own."""
        deadline = deadline_of_breakpoint if effect.kind == "breakpoint" else deadline_of
        at = None if effect.id in self.offered else deadline(driven.run, effect)
        if at is not None:
            self._owners[effect.id] = driven
            self._sleeping[effect.id] = at

    def start_no_more(self) -> None:
        """Leave what has not begun to whoever comes next."""
        for effect_id in list(self._pool.waiting):
            self._pool.withdraw(effect_id)
            self.offered.discard(effect_id)

    def close(self, effect_id: str) -> None:
        """Nobody needs this effect any more: it was answered elsewhere, or cancelled."""
        self._anothers.pop(effect_id, None)
        self._owners.pop(effect_id, None)
        if effect_id in self.offered:
            self.offered.discard(effect_id)
            self._pool.withdraw(effect_id)
        self._sleeping.pop(effect_id, None)
        if self._asker is not None:
            self._asker.withdraw(effect_id)

    def close_all(self, driven: Driven) -> None:
        """A run has ended; what was pending in it when it was halted at once needs nobody."""
        for effect_id in driven.run.state.pending:
            self.close(effect_id)

    def close_superseded(self, driven: Driven) -> None:
        """Another command has accepted an edit, or gone back."""
        pending = driven.run.state.pending
        over = [each for each, owner in self._owners.items() if owner is driven and each not in pending]
        for effect_id in over:
            self.close(effect_id)

    @property
    def is_busy(self) -> bool:
        """Something is being performed here, or a person is asked."""
        return bool(self.offered) or (self._asker is not None and self._asker.is_asking)

    @property
    def is_waiting(self) -> bool:
        """The clock, or somebody who is at it, will end something."""
        return bool(self._sleeping or self._anothers)

    def patience(self) -> float:
        """How long the pool may wait before something else wants a look."""
        longest = TICK_SECONDS if self.offered else POLL_SECONDS
        if self._sleeping:
            return min(longest, max(0.0, (min(self._sleeping.values()) - now_ms()) / 1000))
        return longest

    def answers(self, finished: list[Finished], view: Any) -> dict[Driven, list[Answer]]:
        """What ended here, and what a person answered here, by run."""
        answers: dict[Driven, list[Answer]] = {}
        for end in finished:
            # Its child is over: withdrawing it when its own result is read back would be for nothing.
            self.offered.discard(end.effect_id)
            answers.setdefault(self._owners[end.effect_id], []).append(answer_of(end))
        for effect_id, told in self._asker.answers() if self._asker is not None else ():
            owner = self._owners[effect_id]
            effect = owner.run.state.effects[effect_id]
            try:
                answers.setdefault(owner, []).append(decide(owner.run, effect, **told))
            except ResultRejected as error:
                # A file may have changed while the person was reading.
                view.message(f"nothing was recorded: {error.message}")
                self.fresh.append((owner, effect))
        return answers

    def wake(self) -> None:
        """Record what the clock has ended."""
        now = now_ms()
        if self._sleeping and min(self._sleeping.values()) <= now:
            due = [effect_id for effect_id, at in self._sleeping.items() if at <= now]
            for driven in {self._owners[effect_id] for effect_id in due}:
                wake_sleepers(driven.run, self.offered)

    def tell_untrusted(self, finished: list[Finished], view: Any) -> None:
        """Once for each: a hook of the project's that was passed over."""
        for end in finished:
            for name in (end.evidence or {}).get("untrusted", ()):
                if name not in self._passed_over:
                    self._passed_over.add(name)
                    view.message(f"{name} is not called, nobody has trusted it; {HOW_TO_TRUST}")

    def show_running(self, view: Any) -> None:
        """Tell the view what runs now and what it printed last."""
        for effect_id, running in self._pool.running.items():
            if effect_id not in self._seen_running:
                self._seen_running.add(effect_id)
                view.executing(effect_id, running.started_ms)
            view.output(effect_id, running.last_line)
        if self._pool.held or self._is_held:
            self._is_held = bool(self._pool.held)
            view.held(self._pool.held)
        view.tick()
