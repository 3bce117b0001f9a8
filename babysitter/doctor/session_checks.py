"""Looks at the sessions of agent hosts: whom each is bound to, and whether that still holds."""

from __future__ import annotations

import os

from babysitter.doctor.checks import Check, failed, passed, warned
from babysitter.errors import BabysitterError
from babysitter.sessions.binding import Binding, binding_of
from babysitter.sessions.place import known
from babysitter.sessions.presence import is_alive, presence_of
from babysitter.sessions.progress import check_below, check_tail, progress_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.runs.run import Run

NAME = "session"


def sessions() -> Iterator[Check]:
    """Every session that is bound to a run."""
    bound = [binding for binding in map(binding_of, known()) if binding is not None]
    if not bound:
        yield passed("sessions", "none is bound to a run")
    for binding in bound:
        yield _session(binding)


def _session(binding: Binding) -> Check:
    told = f"session {binding.session} is bound to run {binding.run_id}"
    if not os.path.isdir(binding.folder):
        return warned(
            "sessions",
            f"{told}, whose folder {binding.folder!r} is gone; it is let go at its next stop",
            f"babysitter session release {binding.session}",
        )
    if presence_of(binding.session) is not None and not is_alive(binding.session):
        return passed(
            "sessions",
            f"{told}; its host has ended without a word, which does no harm: any session can take over",
        )
    return passed("sessions", told)


def session_of_run(run: Run, name: str) -> Check:
    """The session that is to finish a run, and whether the journal has all that it has seen."""
    told = run.state.session
    if told is None:
        return passed(NAME, "no session is bound to it")
    try:
        check_tail(run, progress_of(told["sessionId"]))
    except BabysitterError as error:
        return failed(NAME, error, f"babysitter repair {name} --dry-run")
    try:
        check_below(run, progress_of(told["sessionId"]))
    except BabysitterError as error:
        return failed(NAME, error, error.hint)
    binding = binding_of(told["sessionId"])
    if binding is None or binding.folder != run.folder:
        return passed(
            NAME,
            f"session {told['sessionId']} of {told['host']} has it, and is not known here (or has ended)",
        )
    return passed(NAME, f"session {told['sessionId']} of {told['host']} is to finish it")
