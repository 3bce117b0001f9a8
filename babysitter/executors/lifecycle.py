"""Lifecycle hooks of a run: what happens to it, as calls for those who want to hear of it.

Whoever writes an event calls its hooks, after it is durable; who only reads it
calls nothing. So each event is told once, and not at all when its writer was
killed before it could.
"""

from __future__ import annotations

from functools import partial

from babysitter.clock import iso, now_ms
from babysitter.executors.hook_files import hook_names
from babysitter.runs.asked import told_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.executors.hook_calls import Calls
    from babysitter.journal.events import Event
    from babysitter.runs.run import Run

START, COMPLETE, FAIL, HALT = "on-run-start", "on-run-complete", "on-run-fail", "on-run-halt"
ITERATION_START, ITERATION_END = "on-iteration-start", "on-iteration-end"
TASK_START, TASK_COMPLETE = "on-task-start", "on-task-complete"
BREAKPOINT, LOG, SCORE = "on-breakpoint", "on-log", "on-score"
ENDINGS = {"RUN_COMPLETED": COMPLETE, "RUN_FAILED": FAIL, "RUN_HALTED": HALT}
# Of the event's own data what is told of how something ended.
ENDING_WORDS = ("output", "outputRef", "error", "reason", "by", "data")
RESULT_WORDS = ("value", "resultRef", "error", "startedAt", "finishedAt", "executor", "reason")
LOG_WORDS = ("message", "level", "fields", "score", "scope")
# Nobody does anything for it.
WITHOUT_WORK = ("sleep",)


class Lifecycle:
    """Watches one run; its ``calls`` are made by whoever has time for them."""

    def __init__(self, run: Run, calls: Calls) -> None:
        self.calls = calls
        self._run = run
        self._names = hook_names(run.project)
        self._beginning: Callable[[], dict[str, Any]] | None = None
        run.observer = self
        if run.is_new:
            self._add(START, self._started)

    def watch_too(self, run: Run) -> None:
        """Watch a run that belongs to this one in the same way; its calls come in between."""
        Lifecycle(run, self.calls)

    def written(self, events: Sequence[Event]) -> None:
        """Events that were written here."""
        if self._beginning is not None:
            self._add(ITERATION_START, self._beginning)
            self._beginning = None
        for event in events:
            name = self._hook_of(event)
            if name in self._names:
                self._add(name, partial(self._about, event))

    def iteration_begins(self) -> None:
        """The process is about to be replayed: these hooks are called before that, and waited for."""
        self._add(ITERATION_START, lambda: {"at": iso(now_ms())})
        if not self.calls.is_attended:
            self.calls.finish()

    def round_begins(self) -> None:
        """As an iteration, if anything comes of it; nobody waits for its hooks."""
        at = iso(now_ms())
        self._beginning = lambda: {"at": at}

    def round_was_empty(self) -> None:
        """Nothing was written, so it was no iteration."""
        self._beginning = None

    def iteration_ended(self, status: str, new: Sequence[Effect]) -> None:
        """An iteration is over, and has requested these effects."""
        self._beginning = None
        told = {"at": iso(now_ms()), "status": status}
        self._add(ITERATION_END, lambda: {**told, "new": [_effect(effect) for effect in new]})

    def _add(self, name: str, about: Callable[[], dict[str, Any]]) -> None:
        if name in self._names:
            self.calls.add(self._run, name, lambda: {**self._where(), **about()})

    def _where(self) -> dict[str, Any]:
        run = self._run
        return {
            "runId": run.run_id,
            "runFolder": run.folder,
            "project": run.project,
            "process": run.about["processId"],
        }

    def _started(self) -> dict[str, Any]:
        created = self._run.state.created
        parts = ("parent", "continuedFrom", "forkedFrom")
        return {
            "at": self._run.about.get("createdAt"),
            "prompt": self._run.about.get("prompt"),
            **{name: created[name] for name in parts if name in created},
        }

    def _hook_of(self, event: Event) -> str:
        if event.type in ENDINGS:
            return ENDINGS[event.type]
        if event.type == "PROCESS_LOG":
            return LOG if "message" in event.data else SCORE if "score" in event.data else ""
        effect = self._run.state.effects.get(str(event.data.get("effectId")))
        if effect is None or effect.kind in WITHOUT_WORK:
            return ""
        if event.type == "EFFECT_REQUESTED":
            return BREAKPOINT if effect.kind == "breakpoint" else TASK_START
        if event.type == "ANSWER_VOIDED":
            return BREAKPOINT if self._is_open(effect) else ""
        return TASK_COMPLETE if event.type in ("EFFECT_RESOLVED", "EFFECT_CANCELLED") else ""

    def _is_open(self, effect: Effect) -> bool:
        """A breakpoint waits for people again, and not only for the run to go on."""
        from babysitter.engine.breakpoints import Asked
        from babysitter.engine.decisions import decision
        from babysitter.runs.sleeping import deadline_of_breakpoint

        run = self._run
        if not effect.is_pending:
            return False
        at_ms = deadline_of_breakpoint(run, effect)
        is_over = at_ms is not None and at_ms <= run.now_ms()
        answers = run.state.answers.get(effect.id, [])
        return not is_over and decision(Asked(run.definition_of(effect)), answers) is None

    def _about(self, event: Event) -> dict[str, Any]:
        told = {"at": event.at, "seq": event.seq}
        if event.type in ENDINGS:
            return {**told, "status": self._run.state.status, **_some(event, ENDING_WORDS)}
        if event.type == "PROCESS_LOG":
            return {**told, **_some(event, LOG_WORDS)}
        effect = self._run.state.effects[event.data["effectId"]]
        told["effect"] = _effect(effect)
        if event.type == "EFFECT_REQUESTED":
            return {**told, **_question(event, effect)}
        if event.type == "ANSWER_VOIDED":
            return {**told, **_asked(effect), "voided": event.data["reason"]}
        status = "cancelled" if event.type == "EFFECT_CANCELLED" else event.data["status"]
        return {**told, "status": status, **_exit_code(event), **_some(event, RESULT_WORDS)}


def _some(event: Event, names: Sequence[str]) -> dict[str, Any]:
    return {name: event.data[name] for name in names if event.data.get(name) is not None}


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "id": effect.id,
        "step": effect.step,
        "task": effect.task_id,
        "kind": effect.kind,
        "title": effect.label,
        "attempt": effect.attempt,
    }


def _question(event: Event, effect: Effect) -> dict[str, Any]:
    asked = (event.data.get("definition") or {}).get("breakpoint")
    if not asked:
        return {}
    # By a rule or a policy, in the call that asked for it: nobody need be disturbed.
    return {**told_of(asked, event.ms), **({} if effect.is_pending else {"answered": True})}


def _asked(effect: Effect) -> dict[str, Any]:
    asked = (effect.definition or {}).get("breakpoint")
    return told_of(asked, effect.requested_ms) if asked else {}


def _exit_code(event: Event) -> dict[str, Any]:
    code = (event.data.get("evidence") or {}).get("exitCode")
    return {} if code is None else {"exitCode": code}
