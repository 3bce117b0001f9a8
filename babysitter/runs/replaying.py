"""Execute a process against the whole journal of its run, to prove that it asks for the same."""

from __future__ import annotations

from babysitter.errors import NondeterminismError
from babysitter.runs.execution import Execution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.errors import ReplayError
    from babysitter.runs.run import Run


class _Strict(Execution):
    """An execution in which a question is what it was, also one that is still open."""

    def _is_free(self, effect: Effect) -> bool:
        return False


def replay(run: Run) -> dict[str, Any]:
    """Whether the script of a loaded run holds; nothing is written.

    ``{"holds", "edited", "status", "effects", "next"}``: how many effects the
    script has, and how many requests would come next. When it does not hold,
    ``message`` says why, and ``stepId`` where.
    """
    execution = _Strict(run, is_dry=True)
    told: dict[str, Any] = {"status": run.state.status}
    broken: ReplayError | None = None
    try:
        execution.start()
        broken = execution.diverged
    except NondeterminismError as error:
        broken = error
    told["edited"] = execution.is_source_changed
    told["effects"] = sum(not effect.is_superseded for effect in run.state.effects.values())
    if broken is not None:
        step = {"stepId": broken.step} if broken.step else {}
        return {**told, "holds": False, "message": broken.message, **step}
    return {**told, **_standing(run, execution)}


def _standing(run: Run, execution: Execution) -> dict[str, Any]:
    """Where the process stands at the end of its script."""
    end = execution.end
    if execution.is_stuck and run.state.status != "stuck":
        assert end is not None
        return {
            "holds": False,
            "message": f"the process has a mistake: {type(end.error).__name__}: {end.error}",
        }
    return {"holds": True, "next": 0 if run.state.is_finished else execution.count_new_requests()}
