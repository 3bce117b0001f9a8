"""What a hook is called with and what it answers, in words that are no host's own."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Kinds of tools, whatever a host calls them.
SHELL, WRITE, QUESTION, SUBAGENT, SCHEDULE, OTHER = "shell", "write", "question", "subagent", "schedule", ""


class Background:
    """Something that a session has running: a subagent, or a command of its shell."""

    __slots__ = ("command", "id", "is_subagent")

    def __init__(self, id: str, is_subagent: bool, command: str = "") -> None:
        self.id = id
        self.is_subagent = is_subagent
        self.command = command


class Call:
    """One call of a hook. Texts are empty and objects too where the host says nothing.

    Attributes:
        event: the name of the hook's script: ``stop``, ``session-start``, …
        session: the host's id of the session; ``agent``: that of the subagent it is about, if any.
        source: why a session starts, ends or is compacted.
        prompt, prompt_id: what was sent to the model, and its id.
        command, arguments: the command that a person typed, without the plugin's name; only if it is ours.
        tool: what kind of tool is called; ``tool_use``: the id of that call.
        last_text: the last that the model said.
        agent_transcript: path of what the subagent said and did.
        has_person: somebody sits at the session.
        pid: of the host.
        seen_at: when the hook was called, in milliseconds.
    """

    __slots__ = (
        "agent",
        "agent_transcript",
        "arguments",
        "background",
        "command",
        "event",
        "has_person",
        "host",
        "last_text",
        "pid",
        "project",
        "prompt",
        "prompt_id",
        "seen_at",
        "session",
        "source",
        "tool",
        "tool_input",
        "tool_response",
        "tool_use",
    )

    def __init__(self, host: str, event: str, session: str) -> None:
        self.host = host
        self.event = event
        self.session = session
        self.agent = self.source = self.prompt = self.prompt_id = self.last_text = ""
        self.command = self.arguments = self.agent_transcript = self.project = ""
        self.tool, self.tool_use = OTHER, ""
        self.tool_input: dict[str, Any] = {}
        self.tool_response: dict[str, Any] = {}
        self.background: list[Background] = []
        self.has_person = False
        self.pid = 0
        self.seen_at = 0


LET_GO, GO_ON, SEND_BACK, DENY, ASK, TELL = "let go", "go on", "send back", "deny", "ask", "tell"


class Answer:
    """What a hook wants.

    ``text`` is for the model, ``message`` for the person, ``input`` what a tool is to be called with.
    """

    __slots__ = ("input", "kind", "message", "text")

    def __init__(
        self, kind: str, text: str = "", message: str = "", input: dict[str, Any] | None = None
    ) -> None:
        self.kind = kind
        self.text = text
        self.message = message
        self.input = input


def let_go(message: str = "") -> Answer:
    """Nothing is wanted: the session may stop, the tool may be called."""
    return Answer(LET_GO, message=message)


def go_on(text: str, message: str = "") -> Answer:
    """The model is not to stop, but to do this."""
    return Answer(GO_ON, text, message)


def send_back(text: str) -> Answer:
    """A subagent's last word does not count, and this is why."""
    return Answer(SEND_BACK, text)


def deny(text: str) -> Answer:
    """The tool is not to be called, and this is why."""
    return Answer(DENY, text)


def ask(input: dict[str, Any]) -> Answer:
    """A person is to be asked exactly this."""
    return Answer(ASK, input=input)


def tell(text: str, message: str = "") -> Answer:
    """The model is to know this, and the person the message."""
    return Answer(TELL, text, message)
