"""A run without a disk: its journal is a list, and a process is driven along it round by round.

One round is what an iteration writes: new notes, cancellations, requests, or
the end. Results come in between. ``by_replay`` starts the process anew for each
round, as ``iterate`` does; without it the process stays in memory, as in ``run``.
"""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from babysitter import define_task
from babysitter.engine.context import Context
from babysitter.engine.ending import describe_failure
from babysitter.engine.notes import Notes
from babysitter.engine.replay import Replay
from babysitter.engine.script import Script, last_written
from babysitter.engine.state import ABANDONED, BY_PERSON, CONTINUED, HALTED, RunState
from babysitter.errors import TaskFailed
from babysitter.ids import effect_id, sha256_hex, successor_id
from babysitter.jsontext import compact, loads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from babysitter.engine.calls import Call
    from babysitter.engine.ending import End
    from babysitter.engine.tasks import Task

    Process = Callable[[Any, Context], Any]
    Draft = tuple[str, dict[str, Any]]

RUN_ID = "run-1"
STARTED_MS = 1_000_000


class Event(NamedTuple):
    """What the engine needs to know of a journal event."""

    seq: int
    type: str
    ms: int
    data: dict[str, Any]


class Asked(NamedTuple):
    """A request as tests look at it."""

    step: str
    task: str
    args: dict[str, Any]


class Rounds:
    """A process on its way.

    Attributes:
        events: the journal.
        rounds: what each round requested.
    """

    def __init__(
        self,
        process: Process,
        inputs: Any = None,
        *,
        by_replay: bool = False,
        events: Iterable[Event] = (),
        replay: type[Replay] = Replay,
    ) -> None:
        """Begin a run, or go on with the one that ``events`` tell of; ``replay`` drives its process."""
        self.process = process
        self.replay_class = replay
        self.inputs = inputs
        self.by_replay = by_replay
        self.events: list[Event] = []
        self.state = RunState()
        self.rounds: list[list[Asked]] = []
        self._keep(list(events) or [Event(1, "RUN_CREATED", STARTED_MS, created())])
        self.replay_journal()

    @property
    def batches(self) -> list[list[str]]:
        """The ids of the tasks that each round requested together."""
        return [[asked.task for asked in batch] for batch in self.rounds]

    @property
    def steps(self) -> list[list[str]]:
        """The steps that each round requested together."""
        return [[asked.step for asked in batch] for batch in self.rounds]

    @property
    def pending(self) -> list[str]:
        """The steps that wait for a result, in the order of requests."""
        return [effect.step for effect in self.state.pending.values()]

    @property
    def cancelled(self) -> list[str]:
        """The steps whose effects were cancelled."""
        return [effect.step for effect in self.state.effects.values() if effect.status == "cancelled"]

    @property
    def end(self) -> End | None:
        return self.replay.end

    @property
    def result(self) -> Any:
        """What the completed process returned."""
        assert self.end is not None, f"the process still waits for {self.pending}"
        assert self.end.status == "completed", f"{self.end.status}: {self.end.error!r} at {self.end.place}"
        return self.end.value

    @property
    def error(self) -> BaseException:
        """What the process ended with, or is stuck in."""
        assert self.end is not None, f"the process still waits for {self.pending}"
        assert self.end.error is not None, f"completed with {self.end.value!r}"
        return self.end.error

    @property
    def reports(self) -> list[str]:
        """What went wrong while branches were given up."""
        return [message for _, message in self.replay.reports]

    def replay_journal(self) -> None:
        """Forget everything but the journal, start the process, and lead it along.

        Raises:
            NondeterminismError: the process does something else.
        """
        self.notes = Notes()
        self.notes.records = dict(self.state.records)
        self.notes.logged = set(self.state.logged)
        self.notes.marks = dict(self.state.marks)
        self.notes.patches = dict(self.state.patches)
        self.notes.scores = self.state.scores
        self.notes.is_past = last_written(self.state.script) >= 0
        self.replay = self.replay_class(RUN_ID, self.state.created_ms)
        self.script = Script(self.replay, self.notes, lambda effect: effect.value)
        self._followed = 0
        context = Context(self.replay, self.notes, "/artifacts")
        self.replay.start(lambda: self.process(self.inputs, context))
        self.follow()

    def follow(self) -> None:
        """Feed what the journal has and the process has not seen."""
        lines = self.state.script[self._followed :]
        self._followed += len(lines)
        self.notes.patches |= self.state.patches
        self.script.follow(lines)

    def draft(self) -> list[Draft]:
        """What this round writes."""
        if self.end is not None and self.end.status == "stuck":
            return []
        return [
            *(("PATCHED", {"id": name}) for name in self.notes.new_patches),
            *(("RECORDED", data) for data in self.notes.new_records.values()),
            *(("PROCESS_LOG", data) for data in self.notes.to_log()),
            *(cancelled(effect, ABANDONED) for effect in self.script.to_cancel()),
            *(requested(call, self.state.edit) for _, call in self.script.to_request()),
            *([] if self.end is None or self.state.is_finished else ended(self.end)),
        ]

    def write_round(self) -> list[str]:
        """Write the round; the steps that it requests."""
        drafts = self.draft()
        asked = [read_request(data) for kind, data in drafts if kind == "EFFECT_REQUESTED"]
        if asked:
            self.rounds.append(asked)
        self.append(drafts)
        return [request.step for request in asked]

    def append(self, drafts: Iterable[Draft]) -> None:
        """Write to the journal and let the process see it."""
        first, ms = len(self.events) + 1, self.state.last_ms + 1
        self._keep([Event(first + at, kind, ms, data) for at, (kind, data) in enumerate(drafts)])
        if self.by_replay:
            self.replay_journal()
        else:
            self.follow()

    def _keep(self, events: list[Event]) -> None:
        for event in events:
            # Every value passes through text, as it does on disk.
            kept = event._replace(data=loads(compact(event.data)))
            self.events.append(kept)
            self.state.apply(kept)  # type: ignore[arg-type] # it reads no more than Event has here

    def resolve(self, results: Mapping[str, Any]) -> list[str]:
        """Results by step, in this order and all at once; the steps of the round that follows."""
        self.append([resolved(self.effect_at(step), result) for step, result in results.items()])
        return self.write_round()

    def cancel(self, *steps: str) -> list[str]:
        """A person cancels these effects; the steps of the round that follows."""
        self.append([cancelled(self.effect_at(step), BY_PERSON, by="me") for step in steps])
        return self.write_round()

    def give_up(self, reason: str = "no more use") -> list[str]:
        """A person cancels the run; the steps of the round that follows."""
        self.append([given_up(reason)])
        return self.write_round()

    def effect_at(self, step: str) -> str:
        """The id of the effect that waits at a step."""
        (found,) = [effect.id for effect in self.state.pending.values() if effect.step == step]
        return found


def start(
    process: Process, inputs: Any = None, *, by_replay: bool = False, replay: type[Replay] = Replay
) -> Rounds:
    """A process that has written its first round."""
    run = Rounds(process, inputs, by_replay=by_replay, replay=replay)
    run.write_round()
    return run


def play(
    process: Process,
    answer: Callable[[Asked], Any],
    inputs: Any = None,
    *,
    by_replay: bool = False,
    order: Callable[[list[str]], list[str]] = list,
    replay: type[Replay] = Replay,
) -> Rounds:
    """Drive a process to its end; each round answers all that is pending, in the given order."""
    run = start(process, inputs, by_replay=by_replay, replay=replay)
    while run.end is None and run.pending:
        asked = {request.step: request for batch in run.rounds for request in batch}
        run.resolve({step: answer(asked[step]) for step in order(run.pending)})
    return run


def a_task(name: str) -> Task[..., Any]:
    """A task of no importance, known by its name."""
    return define_task(name, lambda args: {"kind": "shell"})


def line_of(function: Callable[..., Any], mark: str = "# here") -> tuple[str, int]:
    """File and line of the one line of a function that has a mark."""
    lines, first = inspect.getsourcelines(function)
    (line,) = [first + at for at, text in enumerate(lines) if mark in text]
    return function.__code__.co_filename, line


def created() -> dict[str, Any]:
    """The data of a RUN_CREATED."""
    return {
        "runId": RUN_ID,
        "processId": "process",
        "entrypoint": {"file": "process.py", "export": "process"},
        "sourceDigests": {"process.py": "0"},
        "inputsDigest": "0",
    }


def requested(call: Call, edit: int | None = None) -> Draft:
    """EFFECT_REQUESTED for a call."""
    effect = effect_id(RUN_ID, call.step, call.task.id, call.args_hash, call.attempt, edit)
    return "EFFECT_REQUESTED", {
        "effectId": effect,
        "stepId": call.step,
        "taskId": call.task.id,
        "kind": call.task.kind,
        "label": call.task.id,
        "argsHash": call.args_hash,
        "definition": {"args": json.loads(call.args_text)},
        "attempt": call.attempt,
    }


def read_request(data: dict[str, Any]) -> Asked:
    """A request as tests look at it."""
    return Asked(data["stepId"], data["taskId"], data["definition"]["args"])


def resolved(effect: str, result: Any) -> Draft:
    """EFFECT_RESOLVED: an error for a ``TaskFailed``, else a value."""
    if isinstance(result, TaskFailed):
        error = {
            "name": result.name,
            "message": result.message,
            "data": result.data,
            "exitCode": result.exit_code,
        }
        return "EFFECT_RESOLVED", {"effectId": effect, "status": "error", "error": error}
    return "EFFECT_RESOLVED", {"effectId": effect, "status": "ok", "value": result}


def cancelled(effect: str, reason: str, **told: str) -> Draft:
    """EFFECT_CANCELLED, by its process or by a person."""
    return "EFFECT_CANCELLED", {"effectId": effect, "reason": reason, **told}


def given_up(reason: str) -> Draft:
    """RUN_CANCELLED."""
    return "RUN_CANCELLED", {"by": "me", "reason": reason}


def ended(end: End) -> list[Draft]:
    """The event that ends the run; nothing for what a test returns only to look at it itself."""
    if end.error is not None:
        return [("RUN_FAILED", {"error": describe_failure(end.error)})]
    if end.status == HALTED:
        return [("RUN_HALTED", end.value.as_json())]
    if end.status == CONTINUED:
        digest = sha256_hex(compact(end.value.value).encode())
        told = {"runId": successor_id(RUN_ID), "inputs": end.value.value, "sha256": digest}
        return [("RUN_CONTINUED", told)]
    try:
        text = compact(end.value)
    except TypeError:
        return []
    return [("RUN_COMPLETED", {"output": end.value, "sha256": sha256_hex(text.encode())})]
