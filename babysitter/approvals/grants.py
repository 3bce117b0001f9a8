"""Breakpoints answered by policy are chosen by a person, also where an agent creates the run."""

from __future__ import annotations

from babysitter.approvals.place import is_inside_host
from babysitter.errors import PersonNeeded
from babysitter.hosts import session_of
from babysitter.ids import valid_id
from babysitter.sessions.grants import take

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def demand_policy(environ: Mapping[str, str]) -> dict[str, Any] | None:
    """The evidence that a person wants breakpoints to be answered by policy; None outside a session.

    Inside one it is what their typed command has granted, and serves once.

    Raises:
        PersonNeeded: it is asked for inside an agent's session, and nobody has granted it there.
    """
    if not is_inside_host(environ):
        return None
    _, session = session_of(environ) or ("", "")
    granted = take(session, "policy") if valid_id(session) else None
    if granted is None:
        raise PersonNeeded(
            "inside an agent's session a person chooses that breakpoints are answered by policy",
            hint="type /babysitter:yolo in the session; or create the run in a terminal of your own",
        )
    return granted
