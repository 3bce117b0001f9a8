"""What a person has to have granted before there is a run, when a command is called in an agent's session."""

from __future__ import annotations

from babysitter.errors import PersonNeeded
from babysitter.hosts import session_of
from babysitter.sessions.grants import take

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def demand_policy(environ: Mapping[str, str]) -> dict[str, Any] | None:
    """The evidence that a person wants breakpoints to be answered by policy; None outside a session.

    Raises:
        PersonNeeded: it is asked for inside an agent's session, and nobody has granted it there.
    """
    from babysitter.approvals.place import is_inside_host

    if not is_inside_host(environ):
        return None
    session = session_of(environ)
    granted = None if session is None else take(session[1], "policy")
    if granted is None:
        raise PersonNeeded(
            "inside an agent's session a person chooses that breakpoints are answered by policy",
            hint="type /babysitter:yolo in the session; or create the run in a terminal of your own",
        )
    return granted
