"""A person typed one of our commands.

Taken from the expansion of the command only, which a model cannot cause: it may not call these skills,
and what a schedule sends is not expanded. Who it comes from is checked all the same.
"""

from __future__ import annotations

import os

from babysitter.approvals.permits import WHAT, permit
from babysitter.approvals.place import person
from babysitter.errors import BabysitterError, NoSuchEffect
from babysitter.hooks.bound import bound_to
from babysitter.hosts import adapter_of
from babysitter.hosts.calls import let_go, tell
from babysitter.runs.results import accept, decide, find_effect
from babysitter.sessions.grants import grant
from babysitter.sessions.presence import is_nested, presence_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.hosts.calls import Answer, Call
    from babysitter.runs.run import Run

LEVEL = "command"
YES, NO = frozenset({"yes", "y", "ok", "approve"}), frozenset({"no", "n", "reject"})
# Typed commands that allow something by themselves.
GRANTS = {"yolo": "policy", "resume": "rebind", "call": "rebind", "forever": "rebind"}


def command(call: Call) -> Answer:
    """Record what a person decided, or what their command allows."""
    if call.command not in GRANTS and call.command != "approve":
        return let_go()
    doubt = _doubt(call)
    if doubt:
        if call.command == "approve":
            return tell(
                f"babysitter: nothing was recorded, {doubt}; a person can in a terminal: babysitter approve"
            )
        return let_go()
    if call.command in GRANTS:
        for what in {GRANTS[call.command], "rebind"}:
            grant(call.session, what, _evidence(call))
        return let_go()
    return _approve(call)


def _doubt(call: Call) -> str:
    """Why this may be no person's command; empty when there is no reason to doubt."""
    started = presence_of(call.session)
    if not call.has_person:
        return "no person is at this session"
    if started is None or started.pid != call.pid:
        return "it comes from another process than the one in which this session began"
    if is_nested(call.pid, adapter_of(os.environ).SIGNS):
        return "this session was itself started by a session of an agent"
    return ""


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
        return tell(
            "babysitter: nothing was recorded: this session is bound to no run; see `babysitter list`"
        )
    try:
        return tell(f"babysitter: {_decided(call, bound.run)}")
    except BabysitterError as error:
        return tell(f"babysitter: nothing was recorded: {error.message} ({error.hint})")


def _decided(call: Call, run: Run) -> str:
    """Record the decision; gives what is to be said of it."""
    words = call.arguments.split()
    evidence = _evidence(call)
    by = str(evidence.pop("by"))
    if words and words[0] in WHAT:
        permit(run, words[0], by=by, assurance=LEVEL, evidence=evidence)
        return f"recorded, the person permits to {WHAT[words[0]]}. Do it now, or stop to be told what is next"
    effect, words = _effect(run, words)
    approved, option, feedback = _read(run, effect, words)
    answer = decide(
        run, effect, approved, by=by, assurance=LEVEL, evidence=evidence, option=option, feedback=feedback
    )
    refused = accept(run, [answer])[0].error
    if refused is not None:
        raise refused
    said = "yes" if approved else "no"
    return f"recorded, the person said {said} to {effect.label!r}. Stop, and you are told what is next"


def _effect(run: Run, words: list[str]) -> tuple[Effect, list[str]]:
    """The breakpoint that is meant, and the words that are left."""
    if words and words[0].lower() not in YES | NO:
        try:
            return find_effect(run, words[0]), words[1:]
        except NoSuchEffect:
            # Then it is an option or feedback to the only one that there is.
            pass
    open_ones = [effect for effect in run.state.pending.values() if effect.kind == "breakpoint"]
    if len(open_ones) == 1:
        return open_ones[0], words
    listed = "; ".join(f"{effect.id} {effect.label}" for effect in open_ones[:5]) or "none is open"
    raise NoSuchEffect(f"it has to be said which breakpoint: {listed}", hint="/babysitter:approve EFFECT yes")


def _read(run: Run, effect: Effect, words: list[str]) -> tuple[bool, str | None, str | None]:
    """Yes or no, one of the options, and feedback, of what was typed after the breakpoint."""
    options = [str(option) for option in run.definition_of(effect).get("breakpoint", {}).get("options") or []]
    text = " ".join(words)
    for option in options:
        if text == option or text.startswith(f"{option} "):
            return True, option, text[len(option) :].strip() or None
    first = words[0].lower() if words else ""
    if first in NO:
        return False, None, " ".join(words[1:]) or None
    if options:
        raise NoSuchEffect(
            f"the breakpoint has options: {', '.join(options)}", hint="type one of them, or no"
        )
    if first in YES:
        return True, None, " ".join(words[1:]) or None
    if words:
        raise NoSuchEffect(
            f"{text!r} is neither yes nor no", hint="/babysitter:approve [EFFECT] yes|no [feedback]"
        )
    return True, None, None
