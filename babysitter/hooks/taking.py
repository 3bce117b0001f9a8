"""Somebody in the session begins an agent effect, or is still at it: written down for clock and others.

A subagent has begun when the host has started it, so a start that was denied takes nothing. One in the
foreground is seen when it fetches its prompt; what the session does itself as well.
"""

from __future__ import annotations

import os

from babysitter.errors import BabysitterError
from babysitter.hooks.bound import bound_to, pending_in
from babysitter.hooks.shell_text import commands_of
from babysitter.runs.results import OWN_KINDS
from babysitter.runs.taking import SESSIONS_OWN, beat, take
from babysitter.sessions.agents import carried, folder_of, remember

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from babysitter.engine.state import Effect
    from babysitter.hosts.calls import Call

# Without a sign of life, where nobody can see that the session lives: a subagent may think for long.
LEASE_SECONDS = 1800
FETCH, PROMPT = "show", "--prompt"


def sign_of_life(call: Call) -> None:
    """A subagent does something: it is still at its effect."""
    if not call.agent:
        return
    name, folder = carried(call.session, call.agent)[0], folder_of(call.session, call.agent)
    if name and folder:
        try:
            beat(folder, name)
        except (OSError, BabysitterError):
            # It is only that others may think that it is gone.
            pass


def launched(call: Call, name: str) -> None:
    """The host has started the subagent ``call.agent`` for the effect ``name``."""
    remember(call.session, call.agent, name)
    _take(call, name)


def fetched(call: Call) -> None:
    """A prompt is fetched: by a subagent that the host has not told of yet, or by the session for itself."""
    command = call.tool_input.get("command")
    if not isinstance(command, str):
        return
    if call.agent and carried(call.session, call.agent)[0]:
        return
    for words in commands_of(command):
        name = fetched_effect(words)
        if name:
            _take(call, name)
            return


def fetched_effect(words: Sequence[str]) -> str:
    """The effect whose prompt a command fetches; empty when it is another command."""
    start = next((at for at, word in enumerate(words) if os.path.basename(word) == "babysitter"), len(words))
    rest = words[start + 1 :]
    named = [word for word in rest[1:] if not word.startswith("-")]
    return named[1] if rest[:1] == [FETCH] and PROMPT in rest and len(named) > 1 else ""


def _take(call: Call, name: str) -> None:
    try:
        bound = bound_to(call)
        found = None if bound is None or bound.is_taken_over else pending_in(bound.run, name)
        if found is None or not _is_for(call, found[1]):
            return
        run, effect = found
        if call.agent:
            remember(call.session, call.agent, effect.id, folder=run.folder)
        told = {"session": call.session, "agent": call.agent}
        take(
            run,
            effect,
            lambda found: not _has_taken(call, found),
            by=call.host,
            lease=LEASE_SECONDS,
            **told,
        )
    except BabysitterError:
        # Over, or written down by the hook of the other event; the next stop tells of anything else.
        pass


def _is_for(call: Call, effect: Effect) -> bool:
    return effect.kind not in OWN_KINDS and (bool(call.agent) or effect.kind == SESSIONS_OWN)


def _has_taken(call: Call, effect: Effect) -> bool:
    taken = effect.taken or {}
    return (taken.get("session"), taken.get("agent", "")) == (call.session, call.agent)
