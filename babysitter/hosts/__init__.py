"""The agent hosts that babysitter lives in: one adapter module for each, and what they have in common.

An adapter has ``NAME``, ``SIGNS``, ``session_of(environ)``, ``read(event, payload, environ)``, which makes a
``Call`` of what a hook was called with, and ``render(call, answer)``, which makes of an ``Answer``
what that host understands. ``SIGNS`` are variables of whatever a session starts. ``SHELL_FILE`` and
``QUESTION_TOOL`` name what the host calls so, and ``notification``, ``agent_of``,
``is_subagent_in_background``, ``final_text``, ``is_answered_by_person``, ``usage_of`` and
``usage_of_call`` read what it says in ways of its own. The next host is a module more in ``ADAPTERS``,
and a list of its events.
"""

from __future__ import annotations

from babysitter.hosts import claude

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

ADAPTERS = {claude.NAME: claude}
OWN_VARIABLE = "BABYSITTER_SESSION_ID"


def session_of(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Host and id of the session in which a command was called, as the host itself says.

    Only where the host says nothing in its environment, the variable counts that the hook of the
    session's start has given to its shell.
    """
    for name, adapter in ADAPTERS.items():
        session = adapter.session_of(environ)
        if session:
            return name, session
    told = environ.get(OWN_VARIABLE)
    return (claude.NAME, told) if told else None


def signs() -> tuple[str, ...]:
    """The variables that hosts set in everything that their sessions start."""
    return tuple(name for adapter in ADAPTERS.values() for name in adapter.SIGNS)


def adapter_of(environ: Mapping[str, str]) -> Any:
    """The adapter of the host that calls a hook; its hooks.json need not say which it is."""
    return claude
