"""Claude Code: all that is its own. Its contract as observed on versions 2.1.197 and 2.1.330."""

from __future__ import annotations

import os

from babysitter.clock import now_ms
from babysitter.hosts.calls import (
    ASK,
    DENY,
    GO_ON,
    LET_GO,
    OTHER,
    QUESTION,
    SCHEDULE,
    SEND_BACK,
    SHELL,
    SUBAGENT,
    WRITE,
    Background,
    Call,
)
from babysitter.usage import (
    CACHE_READ,
    CACHE_WRITE,
    CURRENCY,
    INPUT,
    MODEL,
    MONEY,
    OUTPUT,
    PARTIAL,
    counts_of,
    is_model,
    money_of,
    sum_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from babysitter.hosts.calls import Answer
    from babysitter.usage import Usage

NAME = "claude-code"
SESSION = "CLAUDE_CODE_SESSION_ID"
# Set in everything that a session starts.
SIGNS = ("CLAUDECODE", SESSION, "CLAUDE_PID")
# A file of shell commands for the session's shell, to the hook of its start.
SHELL_FILE = "CLAUDE_ENV_FILE"
QUESTION_TOOL = "AskUserQuestion"
PLUGIN = "babysitter:"
# What tokens are called by the API, as in transcripts, and in the summary by model.
_API = {
    INPUT: "input_tokens",
    OUTPUT: "output_tokens",
    CACHE_READ: "cache_read_input_tokens",
    CACHE_WRITE: "cache_creation_input_tokens",
}
_SUMMARY = {
    INPUT: "inputTokens",
    OUTPUT: "outputTokens",
    CACHE_READ: "cacheReadInputTokens",
    CACHE_WRITE: "cacheCreationInputTokens",
}
EVENTS = {
    "session-start": "SessionStart",
    "prompt": "UserPromptSubmit",
    "command": "UserPromptExpansion",
    "before-tool": "PreToolUse",
    "permission": "PermissionRequest",
    "after-tool": "PostToolUse",
    "subagent-stop": "SubagentStop",
    "stop": "Stop",
    "compact": "PreCompact",
    "session-end": "SessionEnd",
}
TOOLS = {
    "Bash": SHELL,
    "Write": WRITE,
    "Edit": WRITE,
    "MultiEdit": WRITE,
    "NotebookEdit": WRITE,
    QUESTION_TOOL: QUESTION,
    "Agent": SUBAGENT,
    "Task": SUBAGENT,  # what older versions call it
    "CronCreate": SCHEDULE,
    "ScheduleWakeup": SCHEDULE,
}


def skills_folder(project: str | None) -> str:
    """Where the host looks for skills, each of which is a command: a project's, or with None the user's."""
    own = os.environ.get("CLAUDE_CONFIG_DIR") or os.path.join(os.path.expanduser("~"), ".claude")
    return os.path.join(os.path.join(project, ".claude") if project else own, "skills")


def session_of(environ: Mapping[str, str]) -> str:
    """The id of the session that a command of its shell belongs to."""
    return environ.get(SESSION, "")


def read(event: str, payload: Mapping[str, Any], environ: Mapping[str, str]) -> Call:
    """What the host says about an event; what has not the expected type counts as not said."""
    call = Call(NAME, event, _text(payload, "session_id") or session_of(environ))
    call.seen_at = now_ms()
    call.agent = _text(payload, "agent_id")
    call.source = _text(payload, "source") or _text(payload, "reason") or _text(payload, "trigger")
    call.prompt = _text(payload, "prompt")
    call.prompt_id = _text(payload, "prompt_id")
    call.last_text = _text(payload, "last_assistant_message")
    call.agent_transcript = _text(payload, "agent_transcript_path")
    call.project = environ.get("CLAUDE_PROJECT_DIR") or _text(payload, "cwd")
    call.has_person = environ.get("CLAUDE_CODE_SESSION_ATTENDED") == "1"
    call.pid = _number(environ.get("CLAUDE_PID", ""))
    call.background = [_background(told) for told in _objects(payload.get("background_tasks"))]
    _read_tool(call, payload)
    _read_command(call, payload)
    return call


def _read_tool(call: Call, payload: Mapping[str, Any]) -> None:
    call.tool = TOOLS.get(_text(payload, "tool_name"), OTHER)
    call.tool_use = _text(payload, "tool_use_id")
    call.tool_input = _object(payload, "tool_input")
    call.tool_response = _object(payload, "tool_response")


def _read_command(call: Call, payload: Mapping[str, Any]) -> None:
    name = _text(payload, "command_name")
    if name.startswith(PLUGIN) and payload.get("command_source") == "plugin":
        call.command = name[len(PLUGIN) :]
        call.arguments = _text(payload, "command_args")


def _background(told: Mapping[str, Any]) -> Background:
    return Background(_text(told, "id"), told.get("type") == "subagent", _text(told, "command"))


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""


def _object(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = told.get(name)
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0


def render(call: Call, answer: Answer) -> dict[str, Any] | None:
    """What to print; None when there is nothing to say."""
    told: dict[str, Any] = {"systemMessage": answer.message} if answer.message else {}
    if answer.kind == SEND_BACK:
        told.update(decision="block", reason=answer.text)
    elif answer.kind != LET_GO:
        told["hookSpecificOutput"] = {"hookEventName": EVENTS[call.event], **_specific(answer)}
    return told or None


def _specific(answer: Answer) -> dict[str, Any]:
    if answer.kind == DENY:
        return {"permissionDecision": "deny", "permissionDecisionReason": answer.text}
    if answer.kind == ASK:
        # `ask` wins over another hook's `allow`, and then it is our text that the person sees.
        return {"permissionDecision": "ask", "updatedInput": answer.input}
    # As additional context it arrives once; the reason of a `block` would arrive twice, and as an error.
    assert answer.kind in (GO_ON, "tell")
    return {"additionalContext": answer.text}


def is_subagent_in_background(call: Call) -> bool:
    """The subagent has only been started; its answer comes with its own event."""
    return call.tool_response.get("status") == "async_launched"


def agent_of(call: Call) -> str:
    """The id of the subagent that a call of the tool has started."""
    return _text(call.tool_response, "agentId")


def final_text(call: Call) -> str:
    """The last that a subagent in the foreground said: the last block; the first may be a list of tools."""
    texts = [_text(block, "text") for block in _objects(call.tool_response.get("content"))]
    return texts[-1] if texts else ""


def notification(call: Call) -> tuple[str, str] | None:
    """The subagent and its last text, when a prompt is the host's note that it has ended."""
    if not call.prompt.startswith("<task-notification>"):
        return None
    return _between(call.prompt, "task-id"), _between(call.prompt, "result")


def _between(text: str, tag: str) -> str:
    _, opened, rest = text.partition(f"<{tag}>")
    inside, closed, _ = rest.rpartition(f"</{tag}>")
    return inside if opened and closed else ""


def is_answered_by_person(call: Call) -> bool:
    """The marks that an answer of the question dialog has and one given by a hook lacks."""
    told = call.tool_response
    return isinstance(told.get("annotations"), dict) and "afkTimeoutMs" not in {**told, **call.tool_input}


def usage_of(message: Mapping[str, Any]) -> Usage | None:
    """The tokens of one message of a transcript, and its model; None where nothing is said of them."""
    return _usage(_object(message, "usage"), _API, message.get("model"))


def usage_of_call(call: Call) -> Usage | None:
    """What is said of a subagent in the foreground when it has ended: the tokens of its last request only."""
    told = usage_of({**call.tool_response, "model": call.tool_response.get("resolvedModel")})
    return None if told is None else {**told, PARTIAL: True}


def usage_of_envelope(envelope: Mapping[str, Any], *, takes_dollars: bool) -> Usage | None:
    """What ``claude -p --output-format json`` says that it has used, by all its models."""
    models = _object(envelope, "modelUsage")
    parts = [_usage(_object(models, name), _SUMMARY, name) for name in models]
    # Its ``usage`` leaves out what the small model and subagents have used.
    if parts and None not in parts:
        usage = sum_of(parts)
    else:
        only = next(iter(models)) if len(models) == 1 else None
        usage = _usage(_object(envelope, "usage"), _API, only)
    dollars = {MONEY: envelope.get("total_cost_usd"), CURRENCY: "USD"}
    return {**(usage or {}), **dollars} if takes_dollars and money_of(dollars) is not None else usage


def _usage(told: Mapping[str, Any], names: Mapping[str, str], model: Any) -> Usage | None:
    counts = counts_of({ours: told.get(theirs) for ours, theirs in names.items()})
    if not counts:
        return None
    return {**counts, MODEL: model} if is_model(model) else {**counts}
