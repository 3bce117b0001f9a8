"""A run that has been: what came in, when, and what was asked for after that, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.clock import iso
from babysitter.engine.state import BY_PERSON, COMPLETED, CONTINUED, FAILED, HALTED, OK, OWN_STEPS
from babysitter.ids import sha256_hex
from babysitter.jsontext import compact, loads

if TYPE_CHECKING:
    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

FORMAT = 1
LONGEST = 100


def record(run: Run) -> dict[str, Any]:
    """What a test needs to play a run again; ``run`` is opened and not yet loaded.

    Values are as the journal has them. Of a run whose process was edited, or
    that was rewound, it is what a replay of it follows now.

    Raises:
        JournalError: it cannot be trusted.
    """
    definitions = _Definitions(run)
    run.load()
    rounds = _Rounds(run, definitions)
    for line in run.state.script:
        rounds.take(*line)
    return {
        "format": FORMAT,
        "run": run.run_id,
        "process": run.state.process_id,
        "at": iso(run.state.created_ms),
        "artifacts": run.artifacts,
        "inputs": run.inputs(),
        "seed": run.state.created.get("seed"),
        "records": [[*place, *known] for place, known in run.state.records.items()],
        "patches": run.state.patches,
        "isHeld": _is_held(run),
        "rounds": rounds.told,
        "outcome": outcome_of(run),
    }


def _is_held(run: Run) -> bool:
    """Whether its process may have ended, and only child runs that were given up kept it from ending."""
    state = run.state
    has_ended = state.is_finished and not (state.ending or {}).get("isAtOnce")
    return bool(state.children) and not has_ended


class _Definitions:
    """The descriptions of all effects, also of those that are answered."""

    def __init__(self, run: Run) -> None:
        self._by_effect: dict[str, dict[str, Any]] = {}
        self._run = run
        run.on_event = self._see

    def _see(self, event: Any) -> None:
        if event.type == "EFFECT_REQUESTED":
            effect = self._run.state.effects[event.data["effectId"]]
            self._by_effect[effect.id] = self._run.definition_of(effect)

    def __getitem__(self, effect: str) -> dict[str, Any]:
        return self._by_effect[effect]


class _Rounds:
    """The lines of a script, by rounds: what came in, and what the process asked for then."""

    def __init__(self, run: Run, definitions: _Definitions) -> None:
        self._run = run
        self._definitions = definitions
        self.told: list[dict[str, Any]] = [{"came": [], "asked": []}]

    def take(self, kind: str, subject: Any, ms: int) -> None:
        """One line of the script."""
        if kind == "EFFECT_REQUESTED":
            self.told[-1]["asked"].append(shown(subject.task_id, subject.step, self._definitions[subject.id]))
        elif kind == "EFFECT_RESOLVED":
            self._come({**_place(subject), **self._result(subject)}, ms)
        elif kind == "RUN_CANCELLED":
            self._come({"cancels": "run", "reason": subject["reason"]}, ms)
        elif kind == "RUN_HALTED" and subject.get("isAtOnce"):
            self._come({"halts": "run", "reason": subject["reason"]}, ms)
        elif kind == "EFFECT_CANCELLED" and subject.cancel_reason == BY_PERSON:
            why = {"why": subject.error["message"]} if subject.error else {}
            self._come({**_place(subject), "cancels": "effect", **why}, ms)

    def _come(self, told: dict[str, Any], ms: int) -> None:
        if self.told[-1]["asked"]:
            self.told.append({"came": [], "asked": []})
        self.told[-1]["came"].append({**told, "at": iso(ms)})

    def _result(self, effect: Effect) -> dict[str, Any]:
        if effect.status == OK:
            return {"value": self._run.value_of(effect)}
        return {"error": effect.error}


def _place(effect: Effect) -> dict[str, str]:
    return {"step": effect.step, "task": effect.task_id}


def shown(task: str, step: str, definition: dict[str, Any]) -> str:
    """One request in a line: ``tests at 1.0.1: pytest -q src``."""
    text = " ".join(essence(definition).split())
    if len(text) > LONGEST:
        # What is cut off counts too.
        text = f"{text[:LONGEST]}… #{sha256_hex(text.encode())[:8]}"
    return f"{task} at {step}: {text}"


def essence(definition: dict[str, Any]) -> str:
    """What people know a request by: the command, the prompt, the question, the arguments."""
    kind = definition["kind"]
    told = definition.get(kind)
    if not isinstance(told, dict):
        return compact(definition)
    for name in _ESSENCES.get(kind, ()):
        if told.get(name) is not None:
            return _as_text(told[name])
    return compact(told)


def _as_text(told: Any) -> str:
    if isinstance(told, list) and all(isinstance(word, str) for word in told):
        return " ".join(told)
    return told if isinstance(told, str) else compact(told)


# Of the description of each kind, what people know it by.
_ESSENCES = {
    "shell": ("command", "argv"),
    "python": ("args",),
    "agent": ("prompt",),
    "orchestrator_task": ("prompt",),
    "breakpoint": ("question",),
    "sleep": ("until", "seconds"),
}


def outcome_of(run: Run) -> dict[str, Any]:
    """How a run ended, or stands, as a test compares it."""
    state = run.state
    ending = state.ending or {}
    told: dict[str, Any] = {"status": state.status}
    if state.status == COMPLETED:
        told["output"] = run.output()
    elif state.status == FAILED:
        error = ending["error"]
        told["error"] = {name: error[name] for name in ("name", "message", "data") if name in error}
    elif state.status == HALTED:
        told["reason"] = ending.get("reason")
    elif state.status == CONTINUED:
        told["inputs"] = _next_inputs(run, ending)
    elif state.problem is not None:
        told["problem"] = f"{state.problem['name']}: {state.problem['message']}"
    else:
        pending = (effect.step for effect in state.pending.values())
        told["pending"] = sorted(step for step in pending if not step.startswith(OWN_STEPS))
    return told


def _next_inputs(run: Run, ending: dict[str, Any]) -> Any:
    return loads(run.read_file(ending["inputsRef"])) if "inputsRef" in ending else ending.get("inputs")
