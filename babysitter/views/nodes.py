"""The parts of a run's tree: effects, branches, groups; each knows its state and its time.

A branch is one line of control: effects and groups, one after the other, so
it stands where its last one stands. A group is branches side by side.
"""

from __future__ import annotations

from babysitter.clock import ms_of
from babysitter.views.marks import (
    AGENT,
    CANCELLED,
    CLOCK,
    FAILED,
    NONZERO,
    OK,
    PENDING,
    PERSON,
    REQUESTED,
    STATES,
    WORDS,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.journal.events import Event

FIRST_STATES = {
    "breakpoint": PERSON,
    "sleep": CLOCK,
    "shell": REQUESTED,
    "python": REQUESTED,
    "hook": REQUESTED,
}
ONE_IS_ENOUGH = frozenset({"any", "race"})


class Node:
    """A place in the tree: its state, and from when to when something went on in it.

    ``index`` is its number among its siblings.
    """

    __slots__ = ("ended_ms", "index", "parent", "started_ms", "state")

    def __init__(self, parent: Branch | Group | None, state: str) -> None:
        self.parent = parent
        self.state = state
        self.index = 0
        self.started_ms: int | None = None
        self.ended_ms: int | None = None

    @property
    def is_pending(self) -> bool:
        return self.state in PENDING

    def elapsed(self, now: int) -> int | None:
        """Milliseconds until now, or until its end; None when nothing has begun in it."""
        if self.started_ms is None:
            return None
        end = now if self.is_pending or self.ended_ms is None else self.ended_ms
        return max(0, end - self.started_ms)


class Effect(Node):
    """One effect: what a person wants to know of it.

    Attributes:
        due_ms: when a sleep ends.
        question: what a breakpoint asks.
        error: of a failed one; ``value`` is kept only of a command that did not exit with 0.
        last_line: what it printed last, while it runs.
    """

    __slots__ = (
        "due_ms",
        "error",
        "exit_code",
        "id",
        "kind",
        "label",
        "last_line",
        "question",
        "requested_ms",
        "step",
        "value",
    )

    parent: Branch

    def __init__(self, parent: Branch, event: Event) -> None:
        data = event.data
        super().__init__(parent, FIRST_STATES.get(data["kind"], AGENT))
        self.id: str = data["effectId"]
        self.step: str = data["stepId"]
        self.kind: str = data["kind"]
        self.label: str = data.get("label") or data.get("taskId") or data["kind"]
        self.requested_ms = event.ms
        definition = data.get("definition") or {}
        self.due_ms = _due(definition, event.ms) if self.kind == "sleep" else None
        self.question = str((definition.get("breakpoint") or {}).get("question") or "")
        self.exit_code: int | None = None
        self.error: dict[str, Any] | None = None
        self.value: Any = None
        self.last_line = ""

    @property
    def name(self) -> str:
        """Its title, after those of the branches that it is in, where these say something."""
        titles = []
        branch: Branch | None = self.parent
        while branch is not None:
            titles.append(branch.title)
            branch = branch.parent.parent if branch.parent is not None else None
        return titled(" / ".join(filter(None, reversed(titles))), self.label)

    @property
    def verdict(self) -> str:
        """How it stands, in a word or two."""
        return f"exit {self.exit_code}" if self.state == NONZERO else WORDS[self.state]

    @property
    def last_words(self) -> str:
        """Why it failed, in a line."""
        if self.error is not None:
            return str(self.error.get("message") or self.error.get("name") or "")
        return f"exit code {self.exit_code}" if self.exit_code else ""


class Container(Node):
    """Something with children; ``tally`` counts them by state."""

    __slots__ = ("children", "path", "tally")

    def __init__(self, parent: Branch | Group | None, path: str) -> None:
        super().__init__(parent, REQUESTED)
        self.path = path
        self.children: list[Any] = []
        self.tally = dict.fromkeys(STATES, 0)

    def add(self, child: Node) -> None:
        child.index = len(self.children)
        self.children.append(child)
        self.tally[child.state] += 1
        rise(self)

    def derive(self) -> str:
        """The state that follows from the children's."""
        raise NotImplementedError


class Branch(Container):
    """One line of control; the root is one too. ``progress`` is (done, total or None, label)."""

    __slots__ = ("label", "name", "progress")

    parent: Group | None

    def __init__(self, parent: Group | None, path: str) -> None:
        super().__init__(parent, path)
        self.name = path.rpartition(".")[2]
        self.label = ""
        self.progress: tuple[float, float | None, str] | None = None

    def derive(self) -> str:
        return self.children[-1].state if self.children else OK

    @property
    def title(self) -> str:
        """What tells it from its siblings: its item, or the name given by hand; nothing for a number."""
        return self.label or ("" if self.name.isdigit() else self.name)

    @property
    def heading(self) -> str:
        """What its line says: its title and that of the step where it stands; nothing for the root."""
        last = self.children[-1] if self.children else None
        if isinstance(last, Effect):
            return titled(self.title, last.label)
        return self.title or (f"branch {self.name}" if self.name else "")


class Group(Container):
    """Branches side by side. ``mode`` is empty while only groups inside it have asked for something."""

    __slots__ = ("mode",)

    parent: Branch

    def __init__(self, parent: Branch, path: str) -> None:
        super().__init__(parent, path)
        self.mode = ""

    def derive(self) -> str:
        for state in PENDING:
            if self.tally[state]:
                return state
        if self.mode != "settled" and self.tally[FAILED]:
            is_saved = self.mode in ONE_IS_ENOUGH and (self.tally[OK] or self.tally[NONZERO])
            return OK if is_saved else FAILED
        return CANCELLED if self.tally[CANCELLED] == len(self.children) else OK

    @property
    def is_current(self) -> bool:
        """Its branch has not gone on to another step."""
        return self.parent.children[-1] is self


def titled(title: str, label: str) -> str:
    return f"{title}: {label}" if title else label


def change(node: Node, state: str) -> None:
    """Set a node's state and let its ancestors follow, as far up as anything changes."""
    while node.state != state:
        parent, before = node.parent, node.state
        node.state = state
        if parent is None:
            return
        parent.tally[before] -= 1
        parent.tally[state] += 1
        node, state = parent, parent.derive()


def rise(container: Container) -> None:
    change(container, container.derive())


def begin(node: Node | None, ms: int) -> None:
    while node is not None and (node.started_ms is None or node.started_ms > ms):
        node.started_ms = ms
        node = node.parent


def end(node: Node | None, ms: int) -> None:
    while node is not None and (node.ended_ms is None or node.ended_ms < ms):
        node.ended_ms = ms
        node = node.parent


def _due(definition: dict[str, Any], requested_ms: int) -> int:
    sleep = definition.get("sleep") or {}
    try:
        if "until" in sleep:
            return time_or(sleep["until"], requested_ms)
        return requested_ms + round(float(sleep.get("seconds", 0)) * 1000)
    except (TypeError, ValueError, AttributeError, OverflowError):
        # Whoever waits for it says what is wrong with it.
        return requested_ms


def time_or(text: Any, otherwise: int) -> int:
    try:
        return ms_of(text) if isinstance(text, str) else otherwise
    except ValueError:
        return otherwise
