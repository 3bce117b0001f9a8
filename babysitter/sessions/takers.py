"""Whether whoever has taken an agent effect is still at it, as far as that can be seen from here."""

from __future__ import annotations

from babysitter.ids import valid_id
from babysitter.runs.taking import is_leased
from babysitter.sessions.agents import carried
from babysitter.sessions.presence import has_died, presence_of

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    # A child run belongs to whoever has the run above it.
    bound = run.state.session
    is_child = "parent" in run.state.created
    if not is_child and (bound is None or bound["sessionId"] != session):
        return False
    if not valid_id(session) or presence_of(session) is None:
        # A session on another machine; only its lease says anything.
        return True
    return not has_died(session) and (
        agent is None or carried(session, agent, is_at_work=True)[0] == effect.id
    )
