"""Where a command is called: by a person at a terminal, by a script, or inside an agent's session."""

from __future__ import annotations

import os
import sys

from babysitter import hosts
from babysitter.errors import PersonNeeded
from babysitter.paths import user_name
from babysitter.sessions.place import known
from babysitter.sessions.presence import presence_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

# Set by other agent hosts than those of ``hosts`` for what they start, and by nobody for himself.
OTHER_HOSTS = (
    "AI_AGENT",
    "CODEX_CI",
    "CODEX_SANDBOX",
    "CODEX_SANDBOX_NETWORK_DISABLED",
    "CODEX_THREAD_ID",
    "COPILOT_AGENT",
    "CURSOR_AGENT",
    "GEMINI_CLI",
    "OPENCODE",
)
MOST_OF_ENVIRONMENT = 1 << 22
EFFECT = "BABYSITTER_EFFECT_ID"
NO_MORE = "run {run!r} is not allowed to spend more"
STARTED_BY_US = (EFFECT, "BABYSITTER_HOOK")


def is_inside_host(environ: Mapping[str, str] | None = None, *, is_guarded: bool = False) -> bool:
    """Whether an agent host has started this command, directly or not, as far as can be seen.

    By its variables; and, for those who take them away, by the processes above
    this one: is one of them the host of a session that babysitter knows, or
    started by it? Names of programs prove nothing and are not looked at. About a
    run that is guarded any session counts: which ones are known depends on a
    folder that whoever calls can choose.
    """
    told = os.environ if environ is None else environ
    if any(told.get(name) for name in (*hosts.signs(), *OTHER_HOSTS)):
        return True
    sessions = set(known())
    if not sessions and not is_guarded:
        return False
    pids = {found.pid for session in sessions if (found := presence_of(session)) is not None}
    return any(
        pid in pids or session_of_process(pid) in sessions or (is_guarded and has_signs(pid))
        for pid in ancestors()
    )


def sessions_here() -> set[str]:
    """The ids of all sessions in which this command was called, as far as can be seen.

    By the variable, and by the processes above this one, for those who take it away or put another there.
    """
    told = hosts.session_of(os.environ)
    pids = list(ancestors())
    found = {session_of_process(pid) for pid in pids} | {told[1] if told else ""}
    known_ones = ((session, presence_of(session)) for session in known())
    found |= {session for session, presence in known_ones if presence is not None and presence.pid in pids}
    return found - {""}


def ancestors() -> Iterator[int]:
    """The processes above this one, the nearest first, without the first of the system."""
    parents = None if os.path.exists("/proc/self/stat") else _listed_parents()
    pid, seen = os.getppid(), {os.getpid()}
    while pid > 1 and pid not in seen:
        yield pid
        seen.add(pid)
        pid = _parent_of(pid) if parents is None else parents.get(pid, 0)


def _parent_of(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name of the program comes first, in brackets, and may hold anything.
            return int(file.read().rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _listed_parents() -> dict[int, int]:
    import subprocess

    try:
        told = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, check=False).stdout
    except OSError:
        return {}
    pairs = [line.split() for line in told.splitlines()]
    return {int(pair[0]): int(pair[1]) for pair in pairs if len(pair) == 2}


def session_of_process(pid: int) -> str:
    """The session that the environment of a process names; empty where that cannot be read."""
    found = hosts.session_of(_environment_of(pid))
    return found[1] if found else ""


def has_signs(pid: int) -> bool:
    """The environment of a process says that a host's session has started it, whichever."""
    environment = _environment_of(pid)
    return any(environment.get(name) for name in (*hosts.signs(), hosts.OWN_VARIABLE))


def _environment_of(pid: int) -> dict[str, str]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            entries = file.read(MOST_OF_ENVIRONMENT).decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(entry.partition("=")[::2] for entry in entries)


def is_person_there() -> bool:
    """Somebody can read a question and answer it: both ends are a terminal, and it is ours at the moment.

    What babysitter itself has started, an effect or a hook, is nobody, whatever terminal it makes.
    """
    if any(name in os.environ for name in STARTED_BY_US):
        return False
    try:
        return sys.stdin.isatty() and sys.stdout.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (AttributeError, OSError, ValueError):
        # Closed from the start (then there is no stream), closed since, or not the terminal of our session.
        return False


def person() -> str:
    """The name of who answers."""
    return user_name()


def own_names() -> list[str]:
    """What else the user goes by who answers here, as their own configuration has it.

    Raises:
        InvalidInput: the configuration cannot be read.
    """
    from babysitter.config import user_settings

    return user_settings().answers_as


def level_here(
    what: str, hint: str, environ: Mapping[str, str] | None = None, *, is_guarded: bool = False
) -> str:
    """``terminal`` or ``script``: how sure it is that a person calls this command.

    Raises:
        PersonNeeded: it is called inside an agent's session; ``what`` cannot be done there.
    """
    if is_inside_host(environ, is_guarded=is_guarded):
        raise PersonNeeded(f"inside an agent's session {what}", hint=hint)
    return "terminal" if is_person_there() else "script"


def demand_no_agent(what: str, *, is_guarded: bool = False) -> None:
    """Go on only where neither an agent calls nor an effect, as far as can be seen; ``what`` is not for them.

    Raises:
        PersonNeeded
    """
    if EFFECT in os.environ or is_inside_host(is_guarded=is_guarded):
        raise PersonNeeded(f"{what} by an agent or an effect", hint="call it in a terminal of your own")


def demand_terminal(environ: Mapping[str, str] | None = None) -> None:
    """Go on only where a person calls, in a terminal outside of any agent's session.

    Raises:
        PersonNeeded
    """
    if is_inside_host(environ, is_guarded=True) or not is_person_there():
        raise PersonNeeded(
            "it is not seen that a person wants this", hint="call it in a terminal of your own"
        )


def seen_here() -> dict[str, Any]:
    """What there is to show for a person at a terminal."""
    try:
        terminal = os.ttyname(sys.stdin.fileno())
    except (AttributeError, OSError, ValueError):
        terminal = "?"
    return {"terminal": terminal, "pid": os.getpid(), "parent": os.getppid()}
