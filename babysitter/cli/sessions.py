"""``session``: which session of an agent host is to finish which run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import json_option, opened, run_argument, runs_dir_option
from babysitter.cli.output import as_json, line
from babysitter.errors import BabysitterError, PersonNeeded, RunFinished, UsageError

if TYPE_CHECKING:
    from babysitter.runs.run import Run
    from babysitter.sessions.binding import Binding


@click.group(
    epilog="""\b
Example:
  babysitter session list
  babysitter session bind release-1-2-0"""
)
def session() -> None:
    """Sessions of agent hosts, and the runs that they are bound to."""


@session.command("list", epilog="\b\nExample:\n  babysitter session list --json")
@json_option
def list_sessions(as_json: bool) -> None:
    """List the sessions that are bound to a run, or were when they ended."""
    from babysitter.sessions.binding import ENDED, binding_of
    from babysitter.sessions.place import known

    told = []
    for name in known():
        bound, ended = binding_of(name), binding_of(name, ENDED)
        if bound or ended:
            told.append(_shown(bound or ended, is_bound=bound is not None))
    if as_json:
        _json({"sessions": told})
        return
    for each in told:
        line(f"{each['session']}  {each['state']:<6}  {each['run']}  {each['folder']}")
    if not told:
        line("no session is bound to a run")


def _shown(binding: Binding | None, *, is_bound: bool) -> dict[str, Any]:
    from babysitter.sessions.presence import is_alive, presence_of

    assert binding is not None
    seen = presence_of(binding.session)
    lives = is_alive(binding.session) if seen else None
    state = "ended" if not is_bound else {True: "alive", False: "dead", None: "unseen"}[lives]
    return {
        "session": binding.session,
        "host": binding.host,
        "state": state,
        "run": binding.run_id,
        "folder": binding.folder,
        "boundAt": binding.bound_at,
    }


@session.command("whoami", epilog="\b\nExample:\n  babysitter session whoami --json")
@json_option
def whoami(as_json: bool) -> None:
    """Show the session in which this is called, and its run."""
    from babysitter.sessions.binding import binding_of

    host, name = _here()
    binding = binding_of(name)
    told: dict[str, Any] = {"session": name, "host": host}
    if binding is not None:
        told.update(run=binding.run_id, folder=binding.folder, boundAt=binding.bound_at)
    if as_json:
        _json(told)
    else:
        line(f"session {name} of {host}: " + (f"bound to run {binding.run_id}" if binding else "not bound"))


@session.command("bind", epilog="\b\nExample:\n  babysitter session bind release-1-2-0")
@run_argument(required=True)
@runs_dir_option
@json_option
def bind(run: str, runs_dir: str | None, as_json: bool) -> None:
    """Bind this session to RUN; a session that had it before is told at its next stop."""
    host, name = _here()
    found = opened(run, runs_dir)
    if found.state.is_finished:
        raise RunFinished(f"run {found.run_id!r} has {found.state.status}; nothing is left to be done in it")
    is_granted = check_free(name, found.folder)
    check_takeover(found, name, is_granted=is_granted)
    before = found.state.session
    bind_to(found, host, name)
    taken = before["sessionId"] if before and before["sessionId"] != name else None
    if as_json:
        _json({"session": name, "run": found.run_id, **({"takenFrom": taken} if taken else {})})
    else:
        line(
            f"session {name} is bound to run {found.run_id}" + (f", taken over from {taken}" if taken else "")
        )


@session.command(
    "release", epilog="\b\nExample:\n  babysitter session release\n  babysitter session release SESSION"
)
@click.argument("name", required=False, metavar="[SESSION]")
@json_option
def release(name: str | None, as_json: bool) -> None:
    """Let a session end before its run has (default: this one); the run is not touched, and waits.

    Needs a person: type `/babysitter:approve release` in the session, or call it in a terminal of your own.
    """
    from babysitter.approvals.permits import demand
    from babysitter.approvals.place import demand_terminal
    from babysitter.sessions.binding import binding_of, unbind
    from babysitter.sessions.binding import release as release_run

    name = name or _here()[1]
    binding = binding_of(name)
    if binding is None:
        raise UsageError(f"session {name!r} is bound to no run", hint="babysitter session list")
    try:
        run = _run_of(binding)
    except PersonNeeded:
        demand_terminal()
    else:
        if not run.state.is_finished:
            demand(run, "release")
            release_run(run, name, "released by a person")
    unbind(name)
    if as_json:
        _json({"session": name, "run": binding.run_id, "status": "released"})
    else:
        line(f"session {name} is released from run {binding.run_id}")


def _run_of(binding: Binding) -> Run:
    """The run of a binding, as far as a person need not look at it first.

    Raises:
        PersonNeeded: it is not there, or cannot be trusted, so nobody knows what is left to be done in it.
    """
    try:
        return binding.open().load()
    except BabysitterError as error:
        raise PersonNeeded(
            f"the run {binding.run_id!r} of session {binding.session!r} cannot be read: {error.message}",
            hint=f"put it right; or in a terminal of your own: babysitter session release {binding.session}",
        ) from None


def _here() -> tuple[str, str]:
    from babysitter.hosts import session_of

    found = session_of(os.environ)
    if found is None:
        raise UsageError(
            "this is no session of an agent host",
            hint="call it from the shell of the agent, or name the session",
        )
    return found


def check_free(name: str, folder: str = "") -> bool:
    """A session that has an unfinished run cannot take another without a person.

    Gives whether a person has granted a change of runs by a command they typed; that is used up now,
    needed or not.

    Raises:
        PersonNeeded
    """
    from babysitter.approvals.permits import demand
    from babysitter.sessions.binding import binding_of
    from babysitter.sessions.binding import release as release_run
    from babysitter.sessions.grants import take

    is_granted = take(name, "rebind") is not None
    binding = binding_of(name)
    if binding is None or binding.folder == folder:
        return is_granted
    run = _run_of(binding)
    if run.state.is_finished or (run.state.session or {}).get("sessionId") != name:
        return is_granted
    if not is_granted:
        demand(run, "rebind")
    release_run(run, name, "bound to another run")
    return is_granted


def check_takeover(run: Run, name: str, *, is_granted: bool) -> None:
    """A run that another session still has is taken over only if a person wants it.

    Raises:
        PersonNeeded
    """
    from babysitter.approvals.permits import is_permitted
    from babysitter.sessions.presence import has_died

    told = run.state.session
    if told is None or told["sessionId"] == name or is_granted or has_died(told["sessionId"]):
        return
    if not is_permitted(run, "rebind"):
        raise PersonNeeded(
            f"run {run.run_id!r} belongs to session {told['sessionId']!r}; only a person can take it away",
            hint=f"type /babysitter:resume {run.run_id} in this session; or in a terminal of your own:"
            f" babysitter session release {told['sessionId']}",
        )


def bind_to(run: Run, host: str, name: str) -> None:
    """Bind a session to a run; nothing is left to bind it to when that has ended."""
    from babysitter.sessions.binding import bind as bind_session

    if not run.state.is_finished:
        bind_session(run, host, name)


def _json(told: dict[str, Any]) -> None:
    as_json(told)


commands = {"session": session}
