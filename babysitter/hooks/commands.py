"""A person typed one of our commands.

Taken from the expansion of the command only, which a model cannot cause: it may not call these skills,
and what a schedule sends is not expanded. Who it comes from is checked all the same.
"""

from __future__ import annotations

from babysitter.approvals.about import about_lines, about_now
from babysitter.approvals.permits import WHAT, permit
from babysitter.approvals.place import own_names, person
from babysitter.errors import BabysitterError
from babysitter.hooks.batch_text import name_for
from babysitter.hooks.bound import bound_to, members
from babysitter.hooks.doubt import doubt
from babysitter.hooks.shown import open_breakpoints
from babysitter.hooks.typed import (
    answer_of,
    breakpoint_of,
    digest_in,
    permit_of,
    run_meant,
    run_permitted,
    waiting_text,
)
from babysitter.hosts.calls import let_go, tell
from babysitter.runs.answering import decide
from babysitter.runs.results import accept
from babysitter.sessions.grants import grant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.hosts.calls import Answer, Call
    from babysitter.runs.run import Run

LEVEL = "command"
# Typed commands that allow something by themselves.
GRANTS = {"yolo": "policy", "resume": "rebind", "call": "rebind", "forever": "rebind"}


def command(call: Call) -> Answer:
    """Record what a person decided, or what their command allows."""
    if call.command not in GRANTS and call.command != "approve":
        return let_go()
    reason = doubt(call)
    if reason:
        if call.command == "approve":
            return tell(
                f"babysitter: nothing was recorded, {reason}; a person can in a terminal: babysitter approve"
            )
        return let_go()
    if call.command in GRANTS:
        for what in {GRANTS[call.command], "rebind"}:
            grant(call.session, what, _evidence(call))
        return let_go()
    return _approve(call)


def _evidence(call: Call) -> dict[str, Any]:
    return {
        "by": person(),
        "session": call.session,
        "prompt": _writable(call.prompt_id),
        "pid": call.pid,
        "command": _writable(f"{call.command} {call.arguments}".strip()[:500]),
    }


def _writable(text: str) -> str:
    """The text with half characters spelled out, which no file can take."""
    return text.encode(errors="backslashreplace").decode()


def _approve(call: Call) -> Answer:
    bound = bound_to(call)
    if bound is None:
        return _tell_both("nothing was recorded: this session is bound to no run; see `babysitter list`")
    try:
        return _tell_both(_decided(call, members(bound.run)))
    except BabysitterError as error:
        return _tell_both(f"nothing was recorded: {error.message} ({error.hint})")


def _tell_both(text: str) -> Answer:
    """To the person who typed it as well: not in the words of the model."""
    told = _writable(f"babysitter: {text}")
    return tell(told, message=told)


def _decided(call: Call, runs: list[Run]) -> str:
    """Record the decision in the run of the session, or one below it; gives what is to be said of it."""
    words = call.arguments.split()
    if not words:
        # No answer is no yes: nothing was shown that it could be an answer to.
        asking = [run for run in runs if open_breakpoints(run)] or runs[:1]
        told = [waiting_text(run, name_for(call, run), open_breakpoints(run)) for run in asking]
        return f"nothing was recorded: {told[0]}" + "".join(f"\n{text}" for text in told[1:])
    what, name = permit_of(runs[0], words)
    if what:
        return _permitted(call, run_permitted(runs, what, name), what, name)
    run = run_meant(runs, words)
    effect, words = breakpoint_of(run, words)
    shown, words = digest_in(run, effect, words)
    if not words:
        return f"nothing was recorded: {waiting_text(run, name_for(call, run), [effect])}"
    approved, option, feedback = answer_of(run, effect, words)
    evidence = _evidence(call)
    by = str(evidence.pop("by"))
    answer = decide(
        run,
        effect,
        approved,
        by=by,
        names=own_names,
        assurance=LEVEL,
        evidence=evidence,
        option=option,
        feedback=feedback,
        shown=shown,
    )
    refused = accept(run, [answer])[0].error
    if refused is not None:
        raise refused
    said = "yes" if approved else "no"
    return f"recorded, the person said {said} to {effect.label!r}. Stop, and you are told what is next"


def _permitted(call: Call, run: Run, what: str, name: str) -> str:
    """Record a permit; it is said what exactly it is for, of an edit the files as they are at this moment."""
    evidence = _evidence(call)
    by = str(evidence.pop("by"))
    about = about_now(run, what, name)
    lines = about_lines(run, about or {})
    permit(run, what, by=by, assurance=LEVEL, evidence=evidence, about=about)
    said = f"recorded, the person permits to {WHAT[what]}. Do it now, or stop to be told what is next"
    return "\n".join([said, *lines])
