"""Drive a process against results that were given to another one: what of them still counts.

The process as it is now is started, and whatever it asks for is looked up in
what the run has asked for before (``matching.py``). What is found is answered,
always the earliest answer first, until the process waits only for what is new.
What comes of it is a plan (``plan.py``): a script that this process follows.
"""

from __future__ import annotations

from heapq import heappop, heappush

from babysitter.engine import plan
from babysitter.engine.notes import Notes
from babysitter.engine.script import cancellation_of, failure_of
from babysitter.engine.state import BY_PERSON, CANCELLED, ERROR, OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from babysitter.engine.branches import Branch
    from babysitter.engine.calls import Call
    from babysitter.engine.matching import Matching
    from babysitter.engine.replay import Replay
    from babysitter.engine.state import Effect, RunState


class Replan:
    """One replay that writes its own script.

    Attributes:
        lines: the plan, as far as it has come.
        reused: step → effect that answers it, or is to.
        undecided: steps that are asked for and that nothing answers.
        redefined: ids of effects that were asked for with another description than the process gives now.
    """

    def __init__(
        self,
        state: RunState,
        matching: Matching,
        fetch: Callable[[Effect], Any],
        is_redefined: Callable[[Effect, Branch, Call], bool],
    ) -> None:
        """``fetch`` gives the value of a result; ``is_redefined`` whether a request reads otherwise now."""
        self.lines: list[list[Any]] = []
        self.reused: dict[tuple[str, int], Effect] = {}
        self.undecided: dict[str, Call] = {}
        self.redefined: set[str] = set()
        self._matching = matching
        self._fetch = fetch
        self._is_redefined = is_redefined
        self._hopeless: set[str] = set()
        self._waiting: dict[str, Effect] = {}
        self._answers: list[tuple[int, str, Effect]] = []
        self._ms = state.created_ms
        self._times = {
            (kind, subject.id): ms for kind, subject, ms in state.script if not isinstance(subject, dict)
        }

    def follow(self, replay: Replay) -> None:
        """Answer what can be answered, until nothing is left."""
        self._matching.has_tasks = replay.has_tasks
        while True:
            self._match_asked(replay)
            if self._answer_next(replay):
                self._note_dropped(replay)
            elif not self._match_elsewhere(replay):
                break
        self._take_back_cancelled(replay)
        self.undecided = {step: call for step, (_, call) in replay.waiting.items() if step in replay.asked}

    def _match_asked(self, replay: Replay) -> None:
        for step, (branch, call) in list(replay.asked.items()):
            if step in self.undecided:
                continue
            effect = self._matching.find(branch, call)
            if effect is None or not self._is_as_it_was(effect, branch, call):
                self.undecided[step] = call
                continue
            del replay.asked[step]
            self._take(effect, step)

    def _match_elsewhere(self, replay: Replay) -> bool:
        """When nothing else goes on: a step may be answered by what stood in another place."""
        for step in [step for step in self.undecided if step not in self._hopeless and step in replay.asked]:
            self._hopeless.add(step)
            branch, call = replay.asked[step]
            effect = self._matching.find_elsewhere(branch, call)
            if effect is not None and self._is_as_it_was(effect, branch, call):
                del replay.asked[step]
                self._take(effect, step)
                return True
        return False

    def _is_as_it_was(self, effect: Effect, branch: Branch, call: Call) -> bool:
        """Whether an answer to the old request answers the new one; one that is given counts in any case."""
        if self._is_redefined(effect, branch, call):
            self.redefined.add(effect.id)
            return not effect.is_pending
        return True

    def _take(self, effect: Effect, step: str) -> None:
        self._matching.use(effect)
        self.reused[step, effect.attempt] = self._waiting[step] = effect
        self._note(plan.ASKED, "EFFECT_REQUESTED", effect, step)
        if effect.status in (OK, ERROR) or effect.cancel_reason == BY_PERSON:
            heappush(self._answers, (effect.resolved_seq, step, effect))

    def _note(self, word: str, kind: str, effect: Effect, *about: Any) -> None:
        self._ms = max(self._ms, self._times[kind, effect.id])
        self.lines.append([word, effect.id, *about])

    def _note_answer(self, effect: Effect) -> None:
        if effect.status == CANCELLED:
            self._note(plan.CANCELLED, "EFFECT_CANCELLED", effect)
        else:
            self._note(plan.ANSWERED, "EFFECT_RESOLVED", effect)

    def _answer_next(self, replay: Replay) -> bool:
        """Feed the answer that came first, of those that are waited for; False when there is none."""
        while self._answers:
            _, step, effect = heappop(self._answers)
            if self._waiting.get(step) is effect and step in replay.waiting:
                del self._waiting[step]
                self._note_answer(effect)
                self._feed(replay, step, effect)
                return replay.end is None or replay.end.status != "stuck"
        return False

    def _feed(self, replay: Replay, step: str, effect: Effect) -> None:
        error: BaseException | None = None
        if effect.status == CANCELLED:
            error = cancellation_of(effect)
        elif effect.status == ERROR:
            error = failure_of(effect)
        replay.resolve(step, None if error else self._fetch(effect), error, self._ms)

    def _note_dropped(self, replay: Replay) -> None:
        """Steps that were given up: what is known of how they ended comes too late, and counts as before."""
        for step in list(replay.newly_dropped):
            effect = self._waiting.pop(step, None)
            if effect is not None and not effect.is_pending:
                del replay.newly_dropped[step]
                self._note_answer(effect)

    def _take_back_cancelled(self, replay: Replay) -> None:
        """What was given up before and is waited for now has no answer: it is asked for again."""
        for step, effect in list(self._waiting.items()):
            if effect.status == CANCELLED and effect.cancel_reason != BY_PERSON and step in replay.waiting:
                replay.asked[step] = replay.waiting[step]
                del self.reused[step, effect.attempt]
                self.lines.remove([plan.ASKED, effect.id, step])


class PlannedNotes(Notes):
    """Recorded values and answers of ``patched``, taken along to where they are asked for now."""

    def __init__(self, state: RunState, matching: Matching, lines: list[list[Any]]) -> None:
        super().__init__()
        self._before = state.records
        self._state = state
        self._matching = matching
        self._lines = lines

    def record(self, branch: Branch, name: str, fn: Callable[[], Any]) -> Any:
        place = (branch.scope, branch.records + 1)
        scope = self._matching.scope_of_record(branch)
        known = None if scope is None else self._before.get((scope, place[1]))
        if place not in self.records and known is not None and known[0] == name:
            self.records[place] = known
            self._lines.append([plan.RECORDED, scope, place[1], *place])
        return super().record(branch, name, fn)

    def patched(self, id: str) -> bool:
        """As it was answered before; a change that the run does not know has not been made in its past."""
        if id not in self._patched:
            self._patched[id] = self._state.patches.get(id, False)
            self._lines.append([plan.PATCHED, id, self._patched[id]])
        return self._patched[id]
