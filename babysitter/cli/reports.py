"""What an iteration and a status say, as JSON and as lines.

The JSON of an iteration is small on purpose, an agent pays for each byte:
new effects by kind with their titles, the other pending ones by id only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.cli.output import safe
from babysitter.clock import iso
from babysitter.engine.state import SUBPROCESS
from babysitter.errors import BabysitterError
from babysitter.jsontext import compact
from babysitter.runs.sleeping import moments

if TYPE_CHECKING:
    from babysitter.engine.state import Effect
    from babysitter.errors import ReplayError
    from babysitter.runs.iterate import Iteration
    from babysitter.runs.run import Run

TITLE_LENGTH = 60
SHORTEST_TITLE = 12
# Bytes for all titles together: with a thousand new effects an iteration stays below 60 kB.
MOST_TITLES = 36_000
MOST_LINES = 20
WHO = {
    "shell": "babysitter work",
    "python": "babysitter work",
    "hook": "babysitter work",
    "breakpoint": "a person",
    "sleep": "the clock",
    "subprocess": "its child run",
}


def iteration_json(iteration: Iteration) -> dict[str, Any]:
    """``{run, status, new: {kind: {id: title}}, pending: [id], …}`` and what ended it; so of children."""
    children = [_child_json(each) for each in iteration.below()]
    return {**_iteration_json(iteration), **({"children": children} if children else {})}


def _child_json(iteration: Iteration) -> dict[str, Any]:
    return {**_iteration_json(iteration), "parent": iteration.run.state.created["parent"]["runId"]}


def _iteration_json(iteration: Iteration) -> dict[str, Any]:
    run = iteration.run
    new = {effect.id for effect in iteration.new}
    told: dict[str, Any] = {"run": run.run_id, "status": iteration.status}
    if iteration.new:
        told["new"] = by_kind(iteration.new)
    pending = [effect.id for effect in run.state.pending.values() if effect.id not in new]
    if pending:
        told["pending"] = pending
    if iteration.held:
        told["held"] = iteration.held
    return {
        **told,
        **given_up_json(run),
        **next_wake(run),
        **ending_json(run),
        **divergence_json(run, iteration.diverged),
    }


def by_kind(effects: list[Effect]) -> dict[str, dict[str, str]]:
    """Effects as ``{kind: {id: title}}``; the more there are, the shorter their titles."""
    room = max(SHORTEST_TITLE, min(TITLE_LENGTH, MOST_TITLES // max(1, len(effects))))
    kinds: dict[str, dict[str, str]] = {}
    for effect in effects:
        kinds.setdefault(effect.kind, {})[effect.id] = brief(effect.label, room)
    return kinds


def brief(title: str, room: int) -> str:
    """The beginning of a title that takes so many bytes in JSON."""
    start = title[:room]
    if start.isascii() and start.isprintable() and '"' not in start and "\\" not in start:
        return start
    for end, char in enumerate(start):
        room -= len(safe(compact(char)).encode()) - len('""')
        if room < 0:
            return start[:end]
    return start


def next_wake(run: Run) -> dict[str, str]:
    """When the clock ends something next, if it does."""
    next_ones = [] if run.state.is_finished else moments(run)
    return {"until": iso(next_ones[0][0])} if next_ones else {}


def given_up_json(run: Run) -> dict[str, Any]:
    """By whom a run was given up, and why, if it was: it only cleans up, or has ended by that."""
    if not run.state.is_cancelled:
        return {}
    told: Any = next(data for kind, data, _ in reversed(run.state.script) if kind == "RUN_CANCELLED")
    return {"cancelled": {"by": told["by"], "reason": told["reason"]}}


def ending_json(run: Run) -> dict[str, Any]:
    """Output and proof of a completed run, the error of a failed one, why one was halted or is stuck."""
    state = run.state
    if state.status == "completed":
        return {"output": run.output(), "proof": run.proof}
    if state.status == "failed":
        return {"error": (state.ending or {}).get("error")}
    if state.status == "continued":
        return {"continuedAs": (state.ending or {}).get("runId")}
    if state.status == "halted":
        ending = state.ending or {}
        return {name: ending[name] for name in ("reason", "by", "data") if name in ending}
    if state.status == "stuck":
        problem = state.problem or {}
        return {
            "problem": {
                name: problem[name] for name in problem if name not in ("prev", "sourceDigests", "batch")
            }
        }
    return {}


def usage_json(run: Run) -> dict[str, Any]:
    """What a loaded run and those below it have used, in one sum, if anything is known of that."""
    effects = run.state.effects.values()
    if not any(effect.usage is not None or effect.kind == SUBPROCESS for effect in effects):
        return {}
    # Here, for whoever asks no agent.
    from babysitter.runs.costs import total_of_run

    try:
        total = total_of_run(run)
    except BabysitterError:
        # A run that could be read a moment ago is told of all the same.
        return {}
    return {} if total is None else {"usage": total}


def divergence_json(run: Run, diverged: ReplayError | None) -> dict[str, Any]:
    """Where a changed process stopped fitting its journal, and what to do."""
    if diverged is None:
        return {}
    # Here, for a status has no need of all that an iteration needs.
    from babysitter.runs.iterate import divergence_hint

    return {
        "divergence": {"stepId": diverged.step, "message": diverged.message},
        "hint": divergence_hint(diverged, run),
    }


def iteration_lines(iteration: Iteration) -> list[str]:
    """An iteration for people, and after it those of its children."""
    lines = _iteration_lines(iteration)
    for child in iteration.below():
        lines += [f"  {line}" for line in _iteration_lines(child)]
    return lines


def _iteration_lines(iteration: Iteration) -> list[str]:
    run = iteration.run
    lines = [f"run {run.run_id}: {iteration.status}", *given_up_lines(run)]
    lines += [
        f"  new      {effect.id}  {effect.kind:<10} {effect.label}" for effect in iteration.new[:MOST_LINES]
    ]
    if len(iteration.new) > MOST_LINES:
        lines.append(f"  new      … and {len(iteration.new) - MOST_LINES} more")
    lines += waiting_lines(run)
    if iteration.held:
        lines.append(f"  held     {iteration.held} more, until the budget allows for them")
    if iteration.diverged is not None:
        from babysitter.runs.iterate import divergence_hint

        lines += [f"  {iteration.diverged.message}", f"  {divergence_hint(iteration.diverged, run)}"]
    return lines + ending_lines(run)


def given_up_lines(run: Run) -> list[str]:
    """That a run only cleans up, while it does."""
    told = {} if run.state.is_finished else given_up_json(run)
    return [f"  given up by {told['cancelled']['by']}: {told['cancelled']['reason']}"] if told else []


def waiting_lines(run: Run) -> list[str]:
    """Whom the run waits for."""
    counts: dict[str, int] = {}
    for effect in run.state.pending.values():
        counts[effect.kind] = counts.get(effect.kind, 0) + 1
    return [f"  waiting  {count} {kind} ({WHO.get(kind, 'an agent')})" for kind, count in counts.items()]


def ending_lines(run: Run) -> list[str]:
    """How the run ended, for people."""
    ending = ending_json(run)
    if "output" in ending:
        return [f"  output   {compact(ending['output'])}", f"  proof    {ending['proof']}"]
    if "error" in ending:
        error = ending["error"] or {}
        return [f"  error    {error.get('name')}: {error.get('message')}"]
    if "continuedAs" in ending:
        return [f"  goes on  as {ending['continuedAs']}"]
    if "reason" in ending:
        by = f" (by {ending['by']})" if "by" in ending else ""
        data = [f"  data     {compact(ending['data'])}"] if "data" in ending else []
        return [f"  reason   {ending['reason']}{by}", *data]
    if "problem" in ending:
        problem = ending["problem"]
        place = f" ({problem['file']}:{problem['line']})" if problem.get("file") else ""
        lines = [f"  problem  {problem['name']}: {problem['message']}{place}"]
        return lines + ([f"           {problem['hint']}"] if problem.get("hint") else [])
    return []
