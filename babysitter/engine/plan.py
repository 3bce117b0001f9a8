"""Which effect answers which step after an accepted edit or a rewind: the script, written anew.

PROCESS_CHANGED and RUN_REWOUND carry a plan: the lines that a replay has to
follow from then on, in order, each about an effect or a note that the journal
has already. What no line names is superseded: it stays in the journal, and a
replay does not meet it again; unless the edit was accepted by a rule that keeps
results for when they are asked for (``Leftovers``). A line is a list:

- ``["asked", effect, step]``: the effect stands at this step now
- ``["answered", effect]``, ``["cancelled", effect]``
- ``["recorded", scope, index, scope now, index now]``
- ``["patched", id, whether it takes the new path]``
"""

from __future__ import annotations

from babysitter.engine.history import fingerprint, number_of
from babysitter.errors import CorruptEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Any

    from babysitter.engine.state import Effect, Line, RunState
    from babysitter.journal.events import Event

ASKED, ANSWERED, CANCELLED, RECORDED, PATCHED = "asked", "answered", "cancelled", "recorded", "patched"
BY_CHANGE = "changed"
KEEP = "keep"
ANSWERED_ONES = ("ok", "error")
_EVENTS = {ASKED: "EFFECT_REQUESTED", ANSWERED: "EFFECT_RESOLVED", CANCELLED: "EFFECT_CANCELLED"}
_WORDS = {event: word for word, event in _EVENTS.items()}


def replan(state: RunState, event: Event) -> None:
    """Put the plan of an event into force.

    Raises:
        CorruptEvent: it names what the journal does not have.
    """
    try:
        script = _Rewriting(state).write(event.data["plan"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise CorruptEvent(f"event {event.seq} ({event.type}) lacks or misshapes 'plan': {error}") from None
    named = {subject.id for _, subject, _ in script if not isinstance(subject, dict)}
    left = [] if state.leftovers is None else state.leftovers.all()
    begun = event.data.get("begun", ())
    for effect in state.effects.values():
        if effect.id not in named and not effect.is_superseded:
            effect.is_superseded = True
            left.append(effect)
            if state.pending.pop(effect.id, None) is not None:
                effect.cancel(event, BY_CHANGE)
                state.answers.pop(effect.id, None)
                if state.meter is not None:
                    state.meter.ended(effect, {"begun": effect.id in begun}, event.ms)
    state.script = script
    if event.type == "RUN_REWOUND":
        state.leftovers = None
    elif "accepted" in event.data:
        # Any other change of the source needs nobody to accept it, and leaves what is kept as it is.
        state.leftovers = Leftovers(event.data["accepted"], left)


class Leftovers:
    """Results that a plan did not need yet, and that answer a request as soon as it is made.

    By the rule ``keep`` all of them, for a request of the same content; by
    ``redo`` those of steps with a key, for the same step.
    """

    def __init__(self, rule: str, effects: Iterable[Effect]) -> None:
        self._is_by_content = rule == KEEP
        self._effects: dict[tuple[str, str, int], list[Effect]] = {}
        for effect in effects:
            if effect.status in ANSWERED_ONES and (self._is_by_content or not number_of(effect.step)):
                self._effects.setdefault(fingerprint(effect), []).append(effect)

    def all(self) -> list[Effect]:
        return [effect for effects in self._effects.values() for effect in effects]

    def find(self, step: str, wanted: tuple[str, str, int]) -> Effect | None:
        """The result for a request, if one is left."""
        fitting = self._effects.get(wanted, [])
        same = [effect for effect in fitting if effect.step == step]
        return next(iter(same if same or not self._is_by_content else fitting), None)

    def take(self, effect: Effect) -> None:
        """It answers a request now.

        Raises:
            ValueError, KeyError: it is not left.
        """
        self._effects[fingerprint(effect)].remove(effect)


def plan_of(script: Iterable[Line], without: Collection[str]) -> list[list[Any]]:
    """The plan that changes nothing but that it forgets these effects."""
    return [entry for kind, subject, _ in script for entry in _entry(kind, subject, without)]


def _entry(kind: str, subject: Effect | dict[str, Any], without: Collection[str]) -> list[list[Any]]:
    if not isinstance(subject, dict):
        if subject.id in without:
            return []
        word = _WORDS[kind]
        return [[word, subject.id, subject.step] if word == ASKED else [word, subject.id]]
    if kind == "RECORDED":
        place = (subject["scope"], subject["index"])
        return [[RECORDED, *place, *place]]
    if kind == "PATCHED":
        return [[PATCHED, subject["id"], subject.get("isNew", True)]]
    return []  # what was logged is known without it


# The types of what stands behind the word of a line.
_FORMS: dict[str, tuple[type, ...]] = {
    ASKED: (str, str),
    ANSWERED: (str,),
    CANCELLED: (str,),
    RECORDED: (str, int, str, int),
    PATCHED: (str, bool),
}


def _check(entry: Any) -> None:
    word, *about = entry
    if tuple(map(type, about)) != _FORMS[word] or (word == ASKED and not about[1]):
        raise ValueError(f"{entry!r} is no line of a plan")


class _Rewriting:
    """One script made from another."""

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._records: dict[tuple[str, int], tuple[str, Any]] = {}
        self._patches: dict[str, bool] = {}
        self._ms = state.created_ms
        self._open: set[str] = set()
        self._closed: set[str] = set()
        # When each line was written: it is the time that the process saw at it.
        self._times = {
            (kind, subject.id): ms for kind, subject, ms in state.script if not isinstance(subject, dict)
        }

    def write(self, plan: list[list[Any]]) -> list[Line]:
        for entry in plan:
            _check(entry)
        script = [self._line(*entry) for entry in plan]
        self._state.records, self._state.patches = self._records, self._patches
        return script

    def _line(self, word: str, *about: Any) -> Line:
        if word == RECORDED:
            return "RECORDED", self._recorded(*about), self._ms
        if word == PATCHED:
            self._patches[about[0]] = about[1]
            return "PATCHED", {"id": about[0], "isNew": about[1]}, self._ms
        effect = self._state.effects[about[0]]
        self._check_order(word, effect)
        if word == ASKED:
            effect.step = about[1]
        self._ms = max(self._ms, self._times[_EVENTS[word], effect.id])
        return _EVENTS[word], effect, self._ms

    def _check_order(self, word: str, effect: Effect) -> None:
        """Each effect is asked for once, and answered once after that."""
        if word == ASKED and effect.id not in self._open and effect.id not in self._closed:
            self._open.add(effect.id)
        elif word != ASKED and effect.id in self._open:
            self._open.remove(effect.id)
            self._closed.add(effect.id)
        else:
            raise ValueError(f"effect {effect.id!r} is {word} out of its turn")

    def _recorded(self, scope: str, index: int, scope_now: str, index_now: int) -> dict[str, Any]:
        name, value = self._state.records[scope, index]
        self._records[scope_now, index_now] = (name, value)
        return {"scope": scope_now, "index": index_now, "name": name, "value": value}
