"""Two runs, step by step: what each asked for, and what came of it."""

from __future__ import annotations

from babysitter.engine.state import OWN_STEPS
from babysitter.jsontext import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

SAME = "same"
ABOUT = ("processId", "sourceDigests", "inputsDigest", "options")


class Difference:
    """One step of two runs; ``what`` says how they differ there, ``same`` that they do not."""

    __slots__ = ("first", "second", "step", "what")

    def __init__(self, step: str, what: str, first: Effect | None, second: Effect | None) -> None:
        self.step = step
        self.what = what
        self.first = first
        self.second = second

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"stepId": self.step, "what": self.what}
        for name, effect in (("first", self.first), ("second", self.second)):
            if effect is not None:
                told[name] = {"effectId": effect.id, "title": effect.label, "status": effect.status}
        return told


def compare(first: Run, second: Run) -> tuple[dict[str, list[Any]], list[Difference]]:
    """What differs of two loaded runs as a whole, name → both values; and each of their steps, in order."""
    about = {
        name: [first.state.created.get(name), second.state.created.get(name)]
        for name in ABOUT
        if first.state.created.get(name) != second.state.created.get(name)
    }
    if first.state.status != second.state.status:
        about["status"] = [first.state.status, second.state.status]
    if canonical(first.output()) != canonical(second.output()):
        about["output"] = [first.output(), second.output()]
    effects = _current(first), _current(second)
    steps = dict.fromkeys([*effects[0], *effects[1]])
    return about, [
        _difference(first, second, step, effects[0].get(step), effects[1].get(step)) for step in steps
    ]


def _current(run: Run) -> dict[str, Effect]:
    """The last request of each step of the process, as far as it counts."""
    return {
        effect.step: effect
        for effect in run.state.effects.values()
        if not (effect.is_superseded or effect.step.startswith(OWN_STEPS))
    }


def _difference(
    first_run: Run, second_run: Run, step: str, first: Effect | None, second: Effect | None
) -> Difference:
    if first is None or second is None:
        what = "only in the second" if first is None else "only in the first"
    elif first.task_id != second.task_id:
        what = "another task"
    elif first.args_hash != second.args_hash:
        what = "other arguments"
    elif first.status != second.status:
        what = f"{first.status} > {second.status}"
    elif _answer(first_run, first) != _answer(second_run, second):
        what = "another result"
    else:
        what = SAME
    return Difference(step, what, first, second)


def _answer(run: Run, effect: Effect) -> str:
    """A result in canonical JSON; what a command took is no part of it."""
    value = run.value_of(effect)
    if effect.kind == "shell" and isinstance(value, dict):
        value = {name: item for name, item in value.items() if name != "durationMs"}
    return canonical([value, effect.error if effect.status == "error" else None])
