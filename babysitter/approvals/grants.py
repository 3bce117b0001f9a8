"""What a person has granted an agent's session in words that only a person can type; each serves once.

The session's hook writes a grant when a person types the command for it. It is
a file, ``sessions/ID/grants/WHAT.json`` in the user's own folder, and its
content is the evidence.
"""

from __future__ import annotations

import os

from babysitter.errors import InvalidInput, PersonNeeded, UnsafePath
from babysitter.files import read_regular, sync_folder
from babysitter.ids import valid_id
from babysitter.jsontext import loads
from babysitter.paths import home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MOST_OF_GRANT = 1 << 16
SESSION_VARIABLES = ("CLAUDE_CODE_SESSION_ID",)


def take(environ: Mapping[str, str], what: str) -> dict[str, Any] | None:
    """Use a grant up and give its evidence; None when there is none for this session."""
    session = next((environ[name] for name in SESSION_VARIABLES if environ.get(name)), "")
    if not (valid_id(session) and valid_id(what)):
        return None
    folder = os.path.join(home(), "sessions", session, "grants")
    path = os.path.join(folder, f"{what}.json")
    try:
        content = read_regular(path, MOST_OF_GRANT, is_own=True)
        # Before it is made use of: of two commands at once only one gets it.
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError, InvalidInput, UnsafePath):
        return None
    sync_folder(folder)
    try:
        told = loads(content)
    except (ValueError, RecursionError, InvalidInput):
        return None
    return told if isinstance(told, dict) else None


def demand_policy(environ: Mapping[str, str]) -> dict[str, Any] | None:
    """The evidence that a person wants breakpoints to be answered by policy; None outside a session.

    Raises:
        PersonNeeded: it is asked for inside an agent's session, and nobody has granted it there.
    """
    from babysitter.approvals.place import is_inside_host

    if not is_inside_host(environ):
        return None
    granted = take(environ, "policy")
    if granted is None:
        raise PersonNeeded(
            "inside an agent's session a person chooses that breakpoints are answered by policy",
            hint="type /babysitter:yolo in the session; or create the run in a terminal of your own",
        )
    return granted
