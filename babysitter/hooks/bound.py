"""The run that a session is bound to, as a hook opens it."""

from __future__ import annotations

import os
import time

from babysitter import config
from babysitter import limits as limits_module
from babysitter.engine.state import CONTINUED
from babysitter.errors import BabysitterError
from babysitter.paths import has_hooks
from babysitter.sessions.binding import bind, binding_of
from babysitter.sessions.progress import below_of, check_tail, progress_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.executors.lifecycle import Lifecycle
    from babysitter.hosts.calls import Call
    from babysitter.limits import Limits
    from babysitter.runs.run import Run


# For all lifecycle hooks together: the host waits for us, and has a time limit of its own.
MOST_SECONDS = 20.0
watched: list[Lifecycle] = []


class Bound:
    """A session, its run with the journal read, and how far it was at the last stop."""

    __slots__ = ("below", "moved", "progress", "run", "session")

    def __init__(self, session: str, run: Run, progress: dict[str, Any]) -> None:
        self.session = session
        self.run = run
        self.progress = progress
        # How far it and all below it have come; 0: only the run itself counts.
        self.moved = 0
        # Where the journals of those below it end, as far as it was seen.
        self.below = below_of(progress)

    @property
    def is_taken_over(self) -> bool:
        """Another session has the run now, or a person has released this one."""
        told = self.run.state.session
        return not self.run.state.is_finished and (told is None or told["sessionId"] != self.session)

    @property
    def taken_over_message(self) -> str:
        """What the person at a session is told that has lost its run."""
        told = self.run.state.session
        by = f"taken over by session {told['sessionId']}" if told else "released"
        return f"babysitter: run {self.run.run_id} was {by}; this session is free"


def bound_to(call: Call) -> Bound | None:
    """The run of the session; None when it has none.

    Raises:
        JournalError: it cannot be trusted, or lacks what this session has seen in it.
        NoSuchRun, StorageError
    """
    binding = binding_of(call.session)
    if binding is None:
        return None
    run = binding.open(limits_of(call, binding.folder))
    watch(run)
    run.load()
    bound = Bound(call.session, run, progress_of(call.session))
    check_tail(run, bound.progress)
    if run.state.status == CONTINUED:
        from babysitter.runs.succession import newest_there

        return gone_on(call, newest_there(run)) or bound
    return bound


def members(run: Run) -> list[Run]:
    """A run and those below it that have not ended."""
    if not run.state.children:
        return [run]
    from babysitter.runs.children import family

    return family(run)


def pending_in(run: Run, effect_id: str) -> tuple[Run, Effect] | None:
    """A pending effect of a run, or of one below it, and the run that it is of."""
    if effect_id in run.state.pending:
        return run, run.state.pending[effect_id]
    for member in members(run):
        if effect_id in member.state.pending:
            return member, member.state.pending[effect_id]
    return None


def gone_on(call: Call, run: Run) -> Bound | None:
    """The session with the run in which its own goes on; None when the session has nothing to do with it."""
    told = run.state.session
    if run.state.is_finished or told is None or told["sessionId"] != call.session:
        return None
    bind(run, call.host, call.session)
    return Bound(call.session, run, progress_of(call.session))


def watch(run: Run) -> None:
    """Have lifecycle hooks called for what this hook writes, when the host has its answer."""
    if has_hooks(run.project) and "BABYSITTER_HOOK" not in os.environ:
        from babysitter.executors.hook_calls import Calls
        from babysitter.executors.lifecycle import Lifecycle

        calls = Calls(_tell_nobody)
        calls.until = time.monotonic() + MOST_SECONDS
        watched.append(Lifecycle(run, calls))


def _tell_nobody(text: str) -> None:
    """The host has its answer; `babysitter hooks` tells of it."""


def finish() -> None:
    """Make the calls that are left of all that was watched."""
    while watched:
        watched.pop().calls.finish()


def limits_of(call: Call, folder: str) -> Limits:
    """The limits of the session's project, else of the run's folder.

    A configuration that cannot be read is no reason to let a session go: whoever writes to the project
    could have that at will. Every command complains about it.
    """
    try:
        return config.load(call.project or folder).limits
    except (BabysitterError, OSError):
        return limits_module.DEFAULT
