"""Bring on the children of a run in an iteration of it, and record what has ended."""

from __future__ import annotations

from babysitter.errors import (
    BabysitterError,
    EditNeedsPerson,
    JournalError,
    NondeterminismError,
    RunExists,
)
from babysitter.runs.children import (
    answer_of,
    answer_to_mistake,
    give_up,
    living_child,
    make_child,
)
from babysitter.runs.iterate import Iteration, bring_on
from babysitter.runs.recording import record
from babysitter.runs.results import Answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run


class Upbringing:
    """The children of one run, each brought on once in a call, and once more when it was given up."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._seen: dict[str, str] = {}
        self._tried_at: dict[str, Any] = {}
        self._iterations: dict[str, Iteration] = {}

    def iterations(self) -> list[Iteration]:
        """What was done with those that have not ended."""
        return [self._iterations[effect] for effect in self._run.state.children if effect in self._iterations]

    def move_on(self) -> bool:
        """Bring on those that were not yet; whether the run can go on since."""
        run, answers, has_ended = self._run, list[Answer](), False
        for effect in list(run.state.children.values()):
            if run.state.is_finished:
                # Somebody has halted it, and its children with it.
                return False
            if self._seen.get(effect.id) == effect.status:
                continue
            self._seen[effect.id] = effect.status
            if effect.is_pending:
                answers += self._perform(effect)
            elif self._bring_to_end(effect):
                del run.state.children[effect.id]
                has_ended = True
        if answers:
            record(run, answers)
        return bool(answers) or has_ended

    def try_again(self) -> bool:
        """Bring on those once more that a budget holds back, if others have left something of it since.

        Whether something has come of it.
        """
        if self._run.state.meter is None or self._run.state.is_finished:
            return False
        held = [known for known, done in self._iterations.items() if _is_held(done)]
        waiting = [effect for effect in self._run.state.children.values() if effect.id in held]
        answers, before = list[Answer](), self._spent()
        for effect in waiting:
            if effect.is_pending and self._tried_at.get(effect.id) != self._spent():
                answers += self._perform(effect)
                self._tried_at[effect.id] = self._spent()
        if answers:
            record(self._run, answers)
        return bool(answers) or self._spent() != before

    def _spent(self) -> Any:
        from babysitter.runs.spending import spending_of

        return spending_of(self._run).look()

    def _perform(self, effect: Effect) -> list[Answer]:
        """Bring the child of a pending effect on; its answer, if it has ended."""
        try:
            child = make_child(self._run, effect)
            done = self._bring_on(effect, child)
        except BabysitterError as error:
            return [answer_to_mistake(self._run, effect, error)]
        is_answered = done.run.state.is_finished and effect.is_pending and not self._run.state.is_finished
        return [answer_of(done.run, effect)] if is_answered else []

    def _bring_to_end(self, effect: Effect) -> bool:
        """Have the child of a cancelled effect end; whether it has."""
        try:
            child = living_child(self._run, effect)
        except RunExists:
            return True
        if child is None:
            return True
        give_up(child)
        return self._bring_on(effect, child).run.state.is_finished

    def _bring_on(self, effect: Effect, child: Run) -> Iteration:
        try:
            done = bring_on(child)
        except (NondeterminismError, EditNeedsPerson) as error:
            # It goes on when its process is mended; the others need not wait for that.
            done = Iteration(child, [], error)
        except JournalError as error:
            error.message = f"{error.message} (child run {child.run_id!r})"
            raise
        self._iterations[effect.id] = done
        return done


def _is_held(done: Iteration) -> bool:
    return any(each.held for each in (done, *done.below()))
