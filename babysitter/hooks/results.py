"""What subagents say: checked, recorded, or sent back with what is wrong."""

from __future__ import annotations

import os
import time

from babysitter.errors import BabysitterError, InvalidInput, ResultRejected
from babysitter.executors.reply import value_of
from babysitter.hooks.batch_text import name_for
from babysitter.hooks.bound import bound_to, pending_in
from babysitter.hooks.taking import launched, sign_of_life
from babysitter.hosts import adapter_of
from babysitter.hosts.calls import QUESTION, SUBAGENT, let_go, send_back, tell
from babysitter.runs.results import OWN_KINDS, Answer, accept, schema_of
from babysitter.sessions.agents import (
    MOST_SENT_BACK,
    Transcript,
    carried,
    forget,
    marked_effect,
    note_gone,
    remember,
)
from babysitter.usage import MESSAGES, sum_of

PATIENCE_SECONDS, PAUSE_SECONDS = 0.5, 0.02
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.hosts import calls
    from babysitter.hosts.calls import Call
    from babysitter.runs.run import Run
    from babysitter.usage import Usage


def subagent_stop(call: Call) -> calls.Answer:
    """A subagent ends: if it carries an effect, its last word is the result."""
    if not call.agent:
        # As the host's own, for compacting.
        return let_go()
    name, sent_back = carried(call.session, call.agent)
    transcript = _whole_transcript(call)
    name = transcript.effect or name
    found = _pending(call, name)
    if found is None:
        # Answered by another, timed out, or cancelled: what it says no longer counts.
        forget(call.session, call.agent)
        return let_go()
    run, effect = found
    problems = record(run, effect, call.last_text, _evidence(call), usage(transcript))
    if not problems:
        forget(call.session, call.agent)
        return let_go()
    if sent_back >= MOST_SENT_BACK:
        # The effect is still pending, and offered again at the next stop.
        note_gone(call.session, call.agent)
        return let_go(f"babysitter: a subagent gave no result that fits effect {effect.id}: {problems}")
    remember(call.session, call.agent, effect.id, sent_back=sent_back + 1)
    return send_back(
        f"Your last message cannot be the result of effect {effect.id}: {problems}\n"
        "Answer again: nothing but one JSON value that fits. The schema, again:"
        f" `babysitter show {name_for(call, run)} {effect.id} --prompt`."
    )


def _whole_transcript(call: Call) -> Transcript:
    """The transcript with the last message in it, which the host may write a little after it calls us."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        transcript = Transcript(call.agent_transcript)
        is_ours = transcript.effect or carried(call.session, call.agent)[0]
        is_whole = transcript.last_text.strip() == call.last_text.strip()
        if not is_ours or is_whole or time.monotonic() > until:
            return transcript
        time.sleep(PAUSE_SECONDS)


def _pending(call: Call, name: str) -> tuple[Run, Effect] | None:
    """The effect of that id, of the session's run or one below it, if an agent's answer is waited for."""
    bound = bound_to(call) if name else None
    found = None if bound is None else pending_in(bound.run, name)
    return None if found is None or found[1].kind in OWN_KINDS else found


def record(run: Run, effect: Effect, text: str, evidence: dict[str, Any], used: Usage | None) -> str:
    """Record what a subagent said as the result of its effect; gives what is wrong with it, if anything."""
    try:
        value = value_of(text, run.limits)
    except InvalidInput as error:
        if schema_of(run, effect) is not None:
            return error.message
        # Where no shape is asked for, a text is a value.
        value = text
    answer = Answer(effect.id, "ok", value, executor="subagent", evidence=evidence, usage=used)
    refused = accept(run, [answer])[0].error
    if isinstance(refused, ResultRejected):
        return refused.message
    # Anything else is about the effect and not about this value: answered meanwhile, or given up.
    return ""


def _evidence(call: Call) -> dict[str, Any]:
    told = {"session": call.session, "agent": call.agent, "toolUse": call.tool_use}
    return {name: value for name, value in told.items() if value}


def usage(transcript: Transcript) -> Usage | None:
    """What a subagent has used: the sum of its messages, of each once, however many lines it takes."""
    adapter, messages = adapter_of(os.environ), transcript.messages.values()
    used = sum_of(adapter.usage_of(message) for message in messages)
    return None if used is None else {**used, MESSAGES: len(messages)}


def after_tool(call: Call) -> calls.Answer:
    """A tool was called: a subagent was started or has ended, or a person was asked."""
    sign_of_life(call)
    if call.tool == SUBAGENT:
        return _after_subagent(call)
    if call.tool == QUESTION:
        from babysitter.hooks.dialog import answered

        return answered(call)
    return let_go()


def _after_subagent(call: Call) -> calls.Answer:
    adapter = adapter_of(os.environ)
    prompt = call.tool_input.get("prompt")
    name = marked_effect(prompt) if isinstance(prompt, str) else ""
    if not name:
        return let_go()
    call.agent = adapter.agent_of(call)
    if adapter.is_subagent_in_background(call):
        launched(call, name)
        return let_go()
    return take_late(call, name, adapter.final_text(call))


def take_late(call: Call, name: str, text: str) -> calls.Answer:
    """A subagent has ended, and its own hook has not recorded its result: it is too late to send it back."""
    try:
        found = _pending(call, name)
    except BabysitterError:
        # The next stop tells of it.
        return let_go()
    if found is None:
        return let_go()
    problems = record(found[0], found[1], text, _evidence(call), adapter_of(os.environ).usage_of_call(call))
    if not problems:
        return let_go()
    return tell(f"babysitter: the result of effect {name} was not recorded: {problems}; it is still pending")
