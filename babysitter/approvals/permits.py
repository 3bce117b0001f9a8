"""What goes round a process needs a person, who permits it first; each permit is an event and serves once."""

from __future__ import annotations

from babysitter.approvals.about import about_now, as_typed
from babysitter.approvals.place import is_inside_host, is_person_there, person, seen_here
from babysitter.errors import InvalidInput, PersonNeeded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from babysitter.runs.run import Run

# What can be permitted → what it means, for people.
WHAT = {
    "edit": "go on with the process as it has been edited",
    "release": "let the session leave the run unfinished",
    "rebind": "let the session turn to another run",
    "policy": "answer breakpoints that demand nothing without asking",
    "repair": "go back to an earlier event",
    "rewind": "go back to an earlier step",
    "cancel": "give up the run, or an effect of it",
    "halt": "end the run at once",
}
# What is decided at a terminal only: nothing in the run itself would use such a permit up.
AT_TERMINAL = {
    "fork": "begin another run with what this one has",
    "budget": "let it spend more, or have it end when that is spent,",
}


def permit(
    run: Run,
    what: str,
    *,
    by: str,
    assurance: str,
    evidence: dict[str, Any],
    about: dict[str, Any] | None = None,
) -> None:
    """Record that a person permits it; durable when this returns.

    ``about`` is what ``about_now`` gives, if it does not say otherwise.

    Raises:
        InvalidInput: nothing by that name can be permitted, or it has to be said what.
        RunFinished: nothing is left to be permitted.
        RunBusy, StorageError
    """
    if what not in WHAT:
        raise InvalidInput(f"{what!r} is nothing that can be permitted", hint=f"one of {', '.join(WHAT)}")
    if about is None:
        about = about_now(run, what)
    told = {"what": what, "by": by, "assurance": assurance, "evidence": evidence}
    data = told if about is None else {**told, "about": about}
    run.append_whatever_comes([("PERMITTED", data)])


def is_permitted(run: Run, what: str, about: dict[str, Any] | None = None) -> bool:
    """A person has permitted it, and it was not made use of yet."""
    return any(
        given["what"] == what and (about is None or given.get("about") == about)
        for given in run.state.permits
    )


def is_free(run: Run) -> bool:
    """Nobody has to permit anything: no session was ever bound to the run, or it has ended."""
    return not run.is_guarded or run.state.is_finished


def demand(
    run: Run, what: str, about: dict[str, Any] | None = None, environ: Mapping[str, str] | None = None
) -> None:
    """Let a command go on that goes round the process, if a person wants it.

    Of a run that is free, or when it is permitted, nothing happens. A person at
    a terminal outside any host permits it by calling the command.

    Raises:
        PersonNeeded: it is not seen that a person wants it; nothing was done.
    """
    if is_free(run) or is_permitted(run, what, about):
        return
    told = person_for(run.run_id, what, environ, ways_to_permit(run.run_id, what, about))
    permit(run, what, by=told["by"], assurance=told["assurance"], evidence=told["evidence"], about=about)


def person_of(
    run: Run, what: str, about: dict[str, Any] | None = None, environ: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Who wants this, and what there is to show for that; also of a run that has ended.

    Of a run that no session ever worked on it is whoever calls the command.

    Raises:
        PersonNeeded: it is not seen that a person wants it; nothing was done.
    """
    if not run.is_guarded:
        return {"by": person()}
    for given in run.state.permits:
        if given["what"] == what and (about is None or given.get("about") == about):
            return {"by": given["by"], "evidence": {"assurance": given["assurance"], **given["evidence"]}}
    # A run that has ended takes no permit any more.
    here = f"in a terminal of your own: babysitter {what} {run.run_id} …"
    is_permit = what in WHAT and not run.state.is_finished
    hint = ways_to_permit(run.run_id, what, about) if is_permit else here
    told = person_for(run.run_id, what, environ, hint)
    return {"by": told["by"], "evidence": {"assurance": told["assurance"], **told["evidence"]}}


def person_for(
    run_id: str, what: str, environ: Mapping[str, str] | None = None, hint: str = ""
) -> dict[str, Any]:
    """Who calls this command at a terminal outside any host, and what there is to show for that.

    Raises:
        PersonNeeded: nobody does.
    """
    if not is_person_there() or is_inside_host(environ, is_guarded=True):
        raise PersonNeeded(
            f"an agent's session works on run {run_id!r}; to {(WHAT | AT_TERMINAL)[what]} needs a person",
            hint=hint or ways_to_permit(run_id, what),
        )
    return {"by": person(), "assurance": "terminal", "evidence": seen_here()}


def ways_to_permit(run_id: str, what: str, about: dict[str, Any] | None = None) -> str:
    """What a person can do to permit something."""
    typed, options = as_typed(what, about)
    return (
        f"type /babysitter:approve {typed} in the session; or in a terminal of your own: "
        f"babysitter approve {run_id} {options}"
    )
