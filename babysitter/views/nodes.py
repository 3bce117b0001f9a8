"""The parts of a run's tree: effects, branches, groups; each knows its state and its time.

A branch is one line of control: effects and groups, one after the other, so
it stands where its last one stands. A group is branches side by side.
"""

from __future__ import annotations

from babysitter.clock import ms_of
from babysitter.views.decisions import verdict_of, words_of
from babysitter.views.marks import (
    AGENT,
    CANCELLED,
    CHILD,
    CLOCK,
    FAILED,
    NONZERO,
    OK,
    PARTLY,
    PENDING,
    PERSON,
    REJECTED,
    REQUESTED,
    STATES,
    WORDS,
)
from babysitter.views.text import has_word

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
    "subprocess": CHILD,
}
WENT_WELL = (OK, NONZERO, REJECTED)
ONE_IS_ENOUGH = frozenset({"any", "race"})
# What fails in these is told and fails nothing else.
FORGIVING = frozenset({"settled", "cleanup"})
CLEANUP, TIMEOUT = "cleanup", "timeout"
NO_GROUP = ("", "")
NOTHING_ABOVE: dict[str, str] = {}
# The branch of ``ctx.timeout`` that counts the time; and how the wait between two attempts is called.
LIMIT, RETRY = "clock", "~retry"


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
        due_ms: when a sleep ends; of what has failed and is tried again, when that will be.
        question: what a breakpoint asks.
        attempt: which one of ``max_attempts`` it is; ``previous`` was the one before.
        result: the state that its own result or cancellation has brought, once there is one.
        cancelled_by: the person who has cancelled it; empty when its process gave it up.
        taken_by: who works on it, of an agent's effect.
        error: of a failed one; ``value`` is kept only of a command that did not exit with 0.
        decision: of a breakpoint what was decided, once it is and its event has it.
        is_copied: a fork has its result from the run that it comes from.
        is_refused: nobody has begun with it, for a budget does not allow for it; it has failed by that.
        last_line: what it printed last, while it runs.
    """

    __slots__ = (
        "attempt",
        "cancelled_by",
        "decision",
        "due_ms",
        "error",
        "exit_code",
        "group",
        "id",
        "is_copied",
        "is_refused",
        "items_above",
        "kind",
        "label",
        "last_line",
        "max_attempts",
        "previous",
        "question",
        "requested_ms",
        "result",
        "step",
        "taken_by",
        "value",
    )

    parent: Branch

    def __init__(self, event: Event) -> None:
        data = event.data
        super().__init__(None, first_state(data["kind"]))
        self.id: str = data["effectId"]
        self.step: str = data["stepId"]
        self.kind: str = data["kind"]
        self.label: str = data.get("label") or data.get("taskId") or data["kind"]
        self.requested_ms = event.ms
        definition = data.get("definition") or {}
        self.due_ms = _due(definition, event.ms) if self.kind == "sleep" else None
        self.question = str((definition.get("breakpoint") or {}).get("question") or "")
        self.decision: dict[str, Any] | None = None
        self.exit_code: int | None = None
        self.error: dict[str, Any] | None = None
        self.value: Any = None
        self.last_line = ""
        self.is_copied = self.is_refused = False
        self.attempt: int = data.get("attempt") or 1
        self.max_attempts: int = data.get("maxAttempts") or 1
        self.previous: Effect | None = None
        self.result = ""
        self.cancelled_by = ""
        self.taken_by = ""
        group = data.get("group")
        self.group = (group.get("mode") or "", group.get("label") or "") if group else NO_GROUP
        self.items_above: dict[str, str] = (group.get("above") if group else None) or NOTHING_ABOVE

    @property
    def place(self) -> str:
        """The step whose part it is: its own, or that of the attempts between which it is the wait."""
        before, mark, number = self.step.rpartition(RETRY)
        return before if mark and number.isdigit() else self.step

    @property
    def is_limit(self) -> bool:
        """It is the clock of a ``ctx.timeout``."""
        return self.group[0] == TIMEOUT and self.kind == "sleep" and self.scope.endswith(f".{LIMIT}")

    @property
    def scope(self) -> str:
        """The path of the branch that it is in."""
        return self.step.rpartition(".")[0]

    @property
    def shown(self) -> str:
        """Its title, and which attempt it is, once there was more than one or is going to be."""
        is_retried = self.attempt > 1 or (self.max_attempts > 1 and self.result == FAILED)
        return f"{self.label} ({attempt_text(self.attempt, self.max_attempts)})" if is_retried else self.label

    @property
    def name(self) -> str:
        """What is shown of it, after the titles of the branches that it is in, where these say something."""
        return titled(self._branches, self.shown)

    @property
    def in_branches(self) -> str:
        """The same without which attempt it is."""
        return titled(self._branches, self.label)

    @property
    def _branches(self) -> str:
        """The titles of the branches that it is in, the outermost first, but for what its own title says."""
        titles = []
        branch: Branch | None = self.parent
        while branch is not None:
            titles.append(branch.title_before(self))
            branch = branch.parent.parent if branch.parent is not None else None
        return " / ".join(filter(None, reversed(titles)))

    @property
    def verdict(self) -> str:
        """How it stands, in a word or two."""
        if self.state == CANCELLED and not self.cancelled_by:
            return "abandoned"
        if self.is_decided:
            return verdict_of(self.decision)
        return f"exit {self.exit_code}" if self.state == NONZERO else WORDS[self.state]

    @property
    def is_decided(self) -> bool:
        """It is a breakpoint that has its answer."""
        return self.kind == "breakpoint" and self.state in (OK, REJECTED)

    @property
    def last_words(self) -> str:
        """Why it failed, by whom it was cancelled, or what was chosen or said with a decision, in a line."""
        if self.state == CANCELLED:
            return f"by {self.cancelled_by}" if self.cancelled_by else ""
        return words_of(self.decision) if self.is_decided else self.why

    @property
    def why(self) -> str:
        """Why its last attempt failed."""
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

    def replace(self, child: Node, other: Node) -> None:
        """Put another one in the place of a child."""
        other.index = child.index
        self.children[child.index] = other
        self.tally[child.state] -= 1
        self.tally[other.state] += 1
        rise(self)

    def derive(self) -> str:
        """The state that follows from the children's."""
        raise NotImplementedError


class Branch(Container):
    """One line of control; the root is one too.

    ``progress`` is (done, total or None, label); ``scores`` are those of the loop that has told one last.
    """

    __slots__ = ("label", "name", "progress", "scores")

    parent: Group | None

    def __init__(self, parent: Group | None, path: str) -> None:
        super().__init__(parent, path)
        self.name = path.rpartition(".")[2]
        self.label = ""
        self.progress: tuple[float, float | None, str] | None = None
        self.scores: list[dict[str, Any]] = []

    def derive(self) -> str:
        return self.children[-1].state if self.children else OK

    @property
    def title(self) -> str:
        """What tells it from its siblings: its item, or the name given by hand; nothing for a number."""
        if self.parent is not None and self.parent.mode == TIMEOUT:
            return ""
        return self.label or ("" if self.name.isdigit() else self.name)

    def title_before(self, effect: Effect) -> str:
        """The same, before the title of an effect in it; nothing if its item stands there already."""
        return "" if self.label and has_word(effect.label, self.label) else self.title

    @property
    def heading(self) -> str:
        """What its line says: its title and that of the step where it stands; nothing for the root."""
        last = self.children[-1] if self.children else None
        if isinstance(last, Effect):
            return titled(self.title_before(last), last.shown)
        return self.called

    @property
    def called(self) -> str:
        """Its title, or which one it is."""
        return self.title or (f"branch {self.name}" if self.name.isdigit() else self.name)


class Group(Container):
    """Branches side by side. ``mode`` is empty while only groups inside it have asked for something.

    ``limit`` is the clock of a ``ctx.timeout``; its branch is none that is shown. What is done
    at last is a group too, of the mode ``cleanup``: its branches come one after the other. ``performed``
    is the effect that a child run performs, of which the group has the steps. A failure has left
    it for certain when it ``has_raised``.
    """

    __slots__ = ("has_raised", "limit", "mode", "performed")

    parent: Branch

    def __init__(self, parent: Branch, path: str) -> None:
        super().__init__(parent, path)
        self.mode = CLEANUP if path.rpartition(".")[2] == CLEANUP else ""
        self.limit: Effect | None = None
        self.performed: Effect | None = None
        self.has_raised = False

    @property
    def has_run_out(self) -> bool:
        """Its time was over before its branch had ended."""
        return self.limit is not None and self.limit.result == OK

    def derive(self) -> str:
        for state in PENDING:
            if self.tally[state]:
                return state
        if self.performed is not None and self.performed.result:
            return self.performed.result
        if self.has_run_out or self.has_raised:
            return FAILED
        if self.mode not in FORGIVING and (self.tally[FAILED] or self.tally[PARTLY]):
            is_saved = self.mode in ONE_IS_ENOUGH and any(self.tally[state] for state in WENT_WELL)
            return OK if is_saved else PARTLY
        are_all_cancelled = self.children and self.tally[CANCELLED] == len(self.children)
        return CANCELLED if are_all_cancelled else OK

    @property
    def is_current(self) -> bool:
        """Its branch has not gone on to another step."""
        return self.parent.children[-1] is self


def first_state(kind: str) -> str:
    """The state of an effect of this kind that was only just asked for."""
    return FIRST_STATES.get(kind, AGENT)


def attempt_text(attempt: int, most: int) -> str:
    """``attempt 2 of 3``; without how many there may be when that is not known."""
    return f"attempt {attempt} of {most}" if most > 1 else f"attempt {attempt}"


def and_more(name: str, count: int) -> str:
    """``Review and 4 more``, for what is told once of several."""
    return name if count <= 1 else f"{name} and {count - 1} more"


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
