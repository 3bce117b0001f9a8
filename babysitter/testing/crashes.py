"""Start again anywhere: a process that was killed at any event must ask for the same as before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.engine.script import USUAL_CAUSE
from babysitter.engine.state import BY_PERSON
from babysitter.errors import NondeterminismError
from babysitter.jsontext import compact, loads

if TYPE_CHECKING:
    from collections.abc import Iterable

    from babysitter.journal.events import Event
    from babysitter.runs.drafts import Draft
    from babysitter.testing.execution import MemoryExecution

    Line = tuple[str, dict[str, Any]]

# What the journal gets from elsewhere; all else is written by the process.
FROM_OUTSIDE = frozenset({"EFFECT_RESOLVED", "RUN_CANCELLED"})
# What tells one request from another. Its description is made once, and may be another each time.
FINGERPRINT = ("stepId", "taskId", "argsHash", "attempt")
OF_THE_JOURNAL = ("prev", "batch")
EXCERPT = 120


def points(events: list[Event]) -> list[int]:
    """After how many events a kill may come; results that came together are there together."""
    return [at for at in range(1, len(events) + 1) if not _is_inside_results(events[at - 1])]


def _is_inside_results(event: Event) -> bool:
    return event.type == "EFFECT_RESOLVED" and event.batch_end > event.seq


def check_repeats(execution: MemoryExecution, length: int) -> None:
    """Start the process again with the first ``length`` events of its journal.

    Raises:
        NondeterminismError: it asks for something else than it did when it was not killed.
    """
    then = _lines((event.type, event.data) for event in _until_result(execution.run.journal.events[length:]))
    now = _lines(execution.start_again(length))
    if list(map(_meaning, now)) != list(map(_meaning, then)):
        raise NondeterminismError(
            f"started again after event {length}, the process goes on with {_difference(now, then)}",
            hint=USUAL_CAUSE,
        )


def _until_result(events: list[Event]) -> Iterable[Event]:
    for event in events:
        if event.type in FROM_OUTSIDE or event.data.get("reason") == BY_PERSON:
            return
        yield event


def _lines(written: Iterable[Draft]) -> list[Line]:
    # What was recorded is handed on, so it is not recorded again.
    return [(kind, loads(compact(data))) for kind, data in written if kind != "RECORDED"]


def _meaning(line: Line) -> Line:
    kind, data = line
    if kind in _MEANINGS:
        return kind, {name: data[name] for name in _MEANINGS[kind]}
    return kind, {name: item for name, item in data.items() if name not in OF_THE_JOURNAL}


_MEANINGS = {"EFFECT_REQUESTED": FINGERPRINT, "PROCESS_ERROR": ("name", "message")}


def _difference(now: list[Line], then: list[Line]) -> str:
    for ours, theirs in zip(now, then, strict=False):
        if _meaning(ours) != _meaning(theirs):
            return f"{_shown(ours)}, and before it went on with {_shown(theirs)}"
    if len(now) > len(then):
        return f"{_shown(now[len(then)])}, and before it did not"
    return f"nothing more, and before it went on with {_shown(then[len(now)])}"


def _shown(line: Line) -> str:
    kind, data = line
    if kind == "EFFECT_REQUESTED":
        told = data["definition"].get(data["kind"])
        args = told.get("args", told) if isinstance(told, dict) else told
        return f"task {data['taskId']!r} at step {data['stepId']!r} with {compact(args)[:EXCERPT]}"
    return f"{kind} {compact(data)[:EXCERPT]}"
