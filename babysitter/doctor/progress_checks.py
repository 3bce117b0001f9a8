"""Looks at what keeps a run from going on: its process, and the effects that wait."""

from __future__ import annotations

import os

from babysitter.clock import iso, now_ms
from babysitter.doctor.checks import Check, failed, passed, warned
from babysitter.engine.breakpoints import Asked
from babysitter.engine.decisions import decision
from babysitter.engine.state import SUBPROCESS
from babysitter.errors import BabysitterError, EditNeedsPerson, OtherPython, ProcessError
from babysitter.executors.effect_lock import worker_of
from babysitter.runs.execution import Execution
from babysitter.runs.sleeping import deadline_of_breakpoint, due_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

# Longer than most agents take for an answer.
LONG_MS = 3_600_000


def waiting(run: Run, name: str) -> Iterator[Check]:
    """What the run waits for, and who could see to it."""
    if run.state.is_finished:
        yield passed("effects", f"the run has {run.state.status}; nothing is open")
        return
    if not run.state.pending:
        yield warned("effects", "nothing is open, and the run has not ended", f"babysitter iterate {name}")
        return
    kinds: dict[str, list[Effect]] = {}
    for effect in run.state.pending.values():
        kinds.setdefault(effect.kind, []).append(effect)
    for kind, effects in kinds.items():
        yield _waiting_for(run, name, kind, effects)


def _waiting_for(run: Run, name: str, kind: str, effects: list[Effect]) -> Check:
    oldest = min(effect.requested_ms for effect in effects)
    told = f"{len(effects)} {kind}, the oldest since {iso(oldest)}"
    if kind in ("shell", "python", "hook"):
        return _own(run, name, effects, told)
    if kind == "breakpoint":
        return _asked(run, name, effects, told)
    if kind == "sleep":
        return _sleeping(name, effects)
    if kind == SUBPROCESS:
        return passed("effects", f"{told}: their child runs go on with the run", f"babysitter status {name}")
    is_long = now_ms() - oldest > LONG_MS
    by_hand = f"babysitter post {name} EFFECT --value JSON"
    cure = f"{by_hand}, or: babysitter resume {name} --agent-command COMMAND"
    return (warned if is_long else passed)("effects", f"{told}: an agent has to answer", cure)


def _asked(run: Run, name: str, effects: list[Effect], told: str) -> Check:
    dues = [at for effect in effects if (at := deadline_of_breakpoint(run, effect)) is not None]
    is_decided = any(
        decision(Asked(run.definition_of(effect)), run.state.answers.get(effect.id, [])) for effect in effects
    )
    if is_decided or (dues and min(dues) <= now_ms()):
        return warned(
            "effects", f"{told}: it is decided, and nobody has looked since", f"babysitter iterate {name}"
        )
    return warned("effects", f"{told}: a person has to answer", f"babysitter approve {name} (or reject)")


def _own(run: Run, name: str, effects: list[Effect], told: str) -> Check:
    at_work = sum(worker_of(os.path.join(run.folder, "tasks", effect.id)) is not None for effect in effects)
    if at_work:
        return passed("effects", f"{told}: {at_work} of them at work")
    return warned("effects", f"{told}: nobody is at work on them", f"babysitter resume {name}")


def _sleeping(name: str, effects: list[Effect]) -> Check:
    due = min(due_at(effect) for effect in effects)
    if due > now_ms():
        return passed("effects", f"{len(effects)} sleep, the next ends {iso(due)}")
    return warned(
        "effects",
        f"a sleep ended {iso(due)}, and nobody has looked since",
        f"babysitter iterate {name}",
    )


def process(run: Run, name: str) -> Check:
    """Whether the process can be loaded, and does what the journal says; runs it, and writes nothing."""
    resume = f"babysitter resume {name}"
    execution = Execution(run, is_dry=True)
    try:
        execution.start()
    except BabysitterError as error:
        return failed("process", error)
    if execution.diverged is not None:
        cure = "undo the part of the edit that this run has behind it, or make a new run"
        diverged = execution.diverged
        has_cure = isinstance(diverged, (EditNeedsPerson, OtherPython))
        return failed("process", diverged, diverged.hint if has_cure else cure)
    if execution.is_stuck:
        assert execution.end is not None
        mistake = execution.end.error
        told = f"the author's code has a mistake: {type(mistake).__name__}: {mistake}"
        return failed("process", ProcessError(told), f"mend it, then: {resume}")
    if execution.is_source_changed:
        return passed("process", "it was edited since, and still does what the journal says")
    return passed("process", "it can be loaded, and does what the journal says")
