"""How a command that drove a run ended: its exit code, what it prints, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.cli.output import as_json
from babysitter.cli.reports import by_kind, divergence_json, ending_json, next_wake

if TYPE_CHECKING:
    from babysitter.driver import Ending
    from babysitter.runs.run import Run

# What an agent command performs.
AGENT = frozenset({"agent", "orchestrator_task"})
EXIT_CODES = {
    "completed": 0,
    "failed": 1,
    "halted": 1,
    "stuck": 7,
    "diverged": 7,
    "waiting": 8,
    "interrupted": 130,
}


def tell(run: Run, ending: Ending, view: Any, wants_json: bool, no_agent: str) -> int:
    """Print how it ended and close the view; gives the exit code."""
    from babysitter.views.summary import Outcome

    told = ending_json(run)
    hint = hint_for(run, ending, no_agent)
    error = _error(ending, told)
    if wants_json:
        as_json(
            {
                "run": run.run_id,
                "status": ending.status,
                **({"pending": by_kind(ending.waiting_for)} if ending.waiting_for else {}),
                **next_wake(run),
                **told,
                **divergence_json(ending.diverged),
                **({"hint": hint} if hint else {}),
            }
        )
    view.finished(Outcome(ending.status, told.get("output"), error, waiting_for(ending), hint))
    return EXIT_CODES[ending.status]


def _error(ending: Ending, told: dict[str, Any]) -> dict[str, Any] | None:
    if ending.diverged is not None:
        return {"name": type(ending.diverged).__name__, "message": ending.diverged.message}
    if "reason" in told:
        return {"name": "Halted", "message": told["reason"], "data": told.get("data")}
    error: dict[str, Any] | None = told.get("error") or told.get("problem")
    return error


def waiting_for(ending: Ending) -> list[str]:
    """What a run that waits is waiting for, a line each."""
    return [f"{effect.kind} {effect.id}: {effect.label}" for effect in ending.waiting_for]


def hint_for(run: Run, ending: Ending, no_agent: str) -> str:
    """What a person can do next."""
    resume = f"babysitter resume {run.run_id}"
    if ending.status == "interrupted":
        return resume
    if ending.diverged is not None:
        from babysitter.runs.iterate import divergence_hint

        return divergence_hint(ending.diverged)
    if ending.status == "stuck":
        return f"mend the process, then: {resume} (wrong inputs need a new run)"
    return _hint_for_waiting(run, ending, no_agent) if ending.status == "waiting" else ""


def _hint_for_waiting(run: Run, ending: Ending, no_agent: str) -> str:
    kinds = [effect.kind for effect in ending.waiting_for]
    post = f"babysitter post {run.run_id} EFFECT --value JSON"
    last = f"babysitter resume {run.run_id}"
    first = []
    if "breakpoint" in kinds:
        which = " EFFECT" if kinds.count("breakpoint") > 1 else ""
        first.append(f"babysitter approve {run.run_id}{which} (or reject)")
    is_for_agent = not AGENT.isdisjoint(kinds)
    if set(kinds) - {"breakpoint", "sleep", *AGENT}:
        first.append(post)
    if is_for_agent and no_agent:
        first.append(no_agent)
    elif is_for_agent:
        last += f" --agent-command 'claude -p' (or answer by hand: {post})"
    return f"{', '.join(first)}, then: {last}" if first else last
