"""Whether whoever has taken an agent effect is still at it, as far as that can be seen from here."""

from __future__ import annotations

from babysitter.ids import valid_id
from babysitter.runs.taking import is_leased
from babysitter.sessions.agents import carried
from babysitter.sessions.presence import has_died, presence_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run


def is_at_it(run: Run, effect: Effect) -> bool:
    """Somebody has taken the effect, their lease is not over, and their session and subagent are not gone."""
    if not is_leased(run, effect, run.now_ms()):
        return False
    taken = effect.taken or {}
    session, agent = taken.get("session"), taken.get("agent")
    return session is None or _has(run, effect, session, agent)


def _has(run: Run, effect: Effect, session: str, agent: str | None) -> bool:
    # A session on another machine is not seen; only its lease says anything, and who has the run.
    is_seen = valid_id(session) and presence_of(session) is not None
    if is_seen and (
        has_died(session) or (agent is not None and carried(session, agent, is_at_work=True)[0] != effect.id)
    ):
        return False
    bound = _session_over(run)
    return bound is not None and bound["sessionId"] == session


def _session_over(run: Run) -> dict[str, Any] | None:
    """A child run belongs to whoever has the run at the top of its family."""
    if "parent" not in run.state.created:
        return run.state.session
    from babysitter.runs.above import session_over

    return session_over(run)
