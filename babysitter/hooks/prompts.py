"""Something was sent to the model: by a person, or by the host when a subagent has ended."""

from __future__ import annotations

import os

from babysitter.hooks.results import take_late
from babysitter.hosts import adapter_of
from babysitter.hosts.calls import let_go
from babysitter.sessions.agents import carried, forget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.hosts.calls import Answer, Call


def prompt(call: Call) -> Answer:
    """The host's note that a subagent has ended brings its result, if its own hook has not recorded it."""
    noted = adapter_of(os.environ).notification(call)
    if noted is None:
        # What a person says is between them and the model. Approvals are never taken from here: a prompt
        # that a schedule sends looks the same.
        return let_go()
    agent, text = noted
    name, _ = carried(call.session, agent)
    if not name or not text:
        return let_go()
    call.agent = agent
    answer = take_late(call, name, text)
    forget(call.session, agent)
    return answer
