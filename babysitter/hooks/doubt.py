"""Whether what a hook is told comes from a person at the session, as far as that can be seen."""

from __future__ import annotations

import os
import stat

from babysitter.approvals.place import ancestors
from babysitter.hosts import adapter_of
from babysitter.sessions.presence import is_below_host, is_nested, presence_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.hosts.calls import Call


def doubt(call: Call) -> str:
    """Why a decision may be no person's; empty when there is no reason to doubt."""
    started, signs = presence_of(call.session), adapter_of(os.environ).SIGNS
    if call.agent or not call.has_person:
        return "no person is at this session"
    if started is None or started.pid != call.pid:
        return "it comes from another process than the one in which this session began"
    if is_nested(call.pid, signs) or is_below_host(above(call.pid), signs):
        return "this session was itself started by a session of an agent"
    if not is_called_by_host(call):
        return "the host has not called this hook"
    return ""


def above(pid: int) -> list[int]:
    """The processes above a host's process, which is itself above this one."""
    found = list(ancestors())
    return found[found.index(pid) + 1 :] if pid in found else []


def is_called_by_host(call: Call) -> bool:
    """Whether the host itself has started this hook, and not a shell of the session.

    Its scripts become this process, so the host is its parent; and the host talks to hooks through a
    socket, which a shell cannot make. A program can.
    """
    return os.getppid() == call.pid and stat.S_ISSOCK(os.fstat(0).st_mode)
