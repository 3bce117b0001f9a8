"""How a command that drove a run ended: its exit code, what it prints, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.cli.output import as_json
from babysitter.cli.reports import (
    by_kind,
    divergence_json,
    ending_json,
    given_up_json,
    next_wake,
    usage_json,
)
from babysitter.engine.state import ERROR, SUBPROCESS
from babysitter.views.text import shorten

if TYPE_CHECKING:
    from babysitter.driven import Driven
    from babysitter.driver import Ending
    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

# What an agent command performs.
AGENT = frozenset({"agent", "orchestrator_task"})
# An agent pays for each byte; `babysitter show` has the rest.
MOST_FAILED, MOST_MESSAGE = 10, 300
EXIT_CODES = {
    "completed": 0,
    "failed": 1,
    "halted": 1,
    "stuck": 7,
    "diverged": 7,
    "waiting": 8,
    "interrupted": 130,
}


def tell(
    ending: Ending, view: Any, wants_json: bool, no_agent: str, *, since: int = 0, is_work: bool = False
) -> int:
    """Print how it ended and close the view; gives the exit code.

    ``since`` is the last event that was there before; ``is_work``: it was not to wait for the clock.
    """
    from babysitter.views.summary import Outcome

    run = ending.run
    told = ending_json(run)
    hint = hint_for(run, ending, no_agent)
    if is_work and ending.status == "waiting" and {each.kind for each in ending.waiting_for} == {"sleep"}:
        # Whoever calls `work` is an agent, and `resume` would ask another one.
        hint = f"babysitter work {run.run_id} --wait"
    error = _error(ending, told)
    used = usage_json(run)
    if wants_json:
        as_json(
            {
                "run": run.run_id,
                "status": ending.status,
                **_failed_json(run, since),
                **({"pending": by_kind(ending.waiting_for)} if ending.waiting_for else {}),
                **({"children": [_child_json(each) for each in ending.children]} if ending.children else {}),
                **given_up_json(run),
                **next_wake(run),
                **told,
                **used,
                **divergence_json(run, ending.diverged),
                **({"hint": hint} if hint else {}),
            }
        )
    outcome = Outcome(
        ending.status,
        told.get("output"),
        error,
        waiting_for(ending),
        hint,
        usage=used.get("usage"),
        questions=[] if wants_json else _questions(ending),
    )
    view.finished(outcome)
    is_blocked = ending.status == "waiting" and ending.blocked
    return EXIT_CODES["stuck" if is_blocked else ending.status]


def _failed_json(run: Run, since: int) -> dict[str, Any]:
    """Which effects have failed after an event, whatever the process makes of that."""
    failed = [
        {"effect": effect.id, "title": effect.label, "message": shorten(_message(effect), MOST_MESSAGE)}
        for effect in run.state.effects.values()
        if effect.status == ERROR and effect.resolved_seq > since and not effect.is_superseded
    ]
    return {"failed": failed[-MOST_FAILED:]} if failed else {}


def _message(effect: Effect) -> str:
    error = effect.error or {}
    return str(error.get("message") or error.get("name") or "it failed")


def _child_json(child: Driven) -> dict[str, Any]:
    run = child.run
    pending = [] if child.is_finished else list(run.state.pending.values())
    return {
        "run": run.run_id,
        "parent": run.state.created["parent"]["runId"],
        "status": _status_of(child),
        **({"pending": by_kind(pending)} if pending else {}),
        **next_wake(run),
        **ending_json(run),
        **divergence_json(child.run, child.diverged),
    }


def _status_of(child: Driven) -> str:
    return "diverged" if child.diverged is not None else child.run.state.status


def _error(ending: Ending, told: dict[str, Any]) -> dict[str, Any] | None:
    if ending.diverged is not None:
        return {"name": type(ending.diverged).__name__, "message": ending.diverged.message}
    if "reason" in told:
        by = f" (by {told['by']})" if told.get("by") else ""
        return {"message": f"{told['reason']}{by}", "data": told.get("data")}
    error: dict[str, Any] | None = told.get("error") or told.get("problem")
    return error


def waiting_for(ending: Ending) -> list[str]:
    """What a run that waits is waiting for, a line each; then the same of its children."""
    lines = [f"{effect.kind} {effect.id}: {effect.label}" for effect in ending.waiting_for]
    for child in ending.children:
        why = _why_blocked(child)
        run_id = child.run.run_id
        lines += [f"{run_id} is {_status_of(child)}: {why}"] if why else []
        lines += [
            f"{effect.kind} {effect.id} of {run_id}: {effect.label}"
            for effect in (() if child.is_finished else child.run.state.pending.values())
            if effect.kind != SUBPROCESS
        ]
    return lines


def _questions(ending: Ending) -> list[list[str]]:
    """What people are asked, all of it: nobody should have to answer what they have not read."""
    if ending.status != "waiting":
        return []
    runs = [ending.run, *(child.run for child in ending.children if not child.is_finished)]
    asked = [(run, effect) for run in runs for effect in run.state.pending.values()]
    return [lines for run, effect in asked if effect.kind == "breakpoint" and (lines := _asked(run, effect))]


def _asked(run: Run, effect: Effect) -> list[str]:
    from babysitter.runs.answering import Shown
    from babysitter.views.questions import untold_lines

    return untold_lines(run, Shown(run, effect))


def _why_blocked(child: Driven) -> str:
    if child.diverged is not None:
        return child.diverged.message
    problem = child.run.state.problem
    return f"{problem.get('name')}: {problem.get('message')}" if problem else ""


def hint_for(run: Run, ending: Ending, no_agent: str) -> str:
    """What a person can do next."""
    resume = f"babysitter resume {run.run_id}"
    if ending.status == "interrupted":
        return resume
    if ending.diverged is not None:
        from babysitter.runs.iterate import divergence_hint

        return divergence_hint(ending.diverged, run)
    if ending.status == "stuck":
        return f"mend the process, then: {resume} (wrong inputs need a new run)"
    return _hint_for_waiting(run, ending, no_agent) if ending.status == "waiting" else ""


def _hint_for_waiting(run: Run, ending: Ending, no_agent: str) -> str:
    last = f"babysitter resume {run.run_id}"
    if ending.blocked:
        names = ", ".join(child.run.run_id for child in ending.blocked)
        return f"mend the process of {names}, then: {last}"
    runs = [run, *(child.run for child in ending.children)]
    kinds = [(each.run_id, effect.kind) for each in runs for effect in each.state.pending.values()]
    first = []
    asked = [run_id for run_id, kind in kinds if kind == "breakpoint"]
    if asked:
        sign = " --sign" if _wants_signature(runs) else ""
        first.append(f"babysitter approve {asked[0]}{' EFFECT' if len(asked) > 1 else ''}{sign} (or reject)")
    others = [run_id for run_id, kind in kinds if kind not in ("breakpoint", "sleep", *AGENT, SUBPROCESS)]
    if others:
        first.append(_post(others[0]))
    agents = [run_id for run_id, kind in kinds if kind in AGENT]
    if agents and no_agent:
        first.append(no_agent)
    elif agents:
        last += f" --agent-command 'claude -p' (or answer by hand: {_post(agents[0])})"
    return f"{', '.join(first)}, then: {last}" if first else last


def _wants_signature(runs: list[Run]) -> bool:
    """All that people are asked wants to be signed."""
    asked = [
        run.definition_of(effect)["breakpoint"].get("assurance")
        for run in runs
        for effect in run.state.pending.values()
        if effect.kind == "breakpoint"
    ]
    return set(asked) == {"signed"}


def _post(run_id: str) -> str:
    return f"babysitter post {run_id} EFFECT --value JSON"
