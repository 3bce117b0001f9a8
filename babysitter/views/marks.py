"""The states of what is shown, and how each looks: a mark, a word, a role.

A line is a list of (text, role) pairs; what a role looks like is decided where
the line is printed, so plain lines and coloured ones have one origin.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Line = list[tuple[str, str]]

REQUESTED, RUNNING = "requested", "running"
AGENT, PERSON, CLOCK, CHILD = "agent", "person", "clock", "child"
OK, NONZERO, FAILED, CANCELLED = "ok", "nonzero", "failed", "cancelled"
REJECTED, PARTLY = "rejected", "partly"

# In the order in which what is most worth looking at comes first.
PENDING = (RUNNING, PERSON, AGENT, CLOCK, CHILD, REQUESTED)
STATES = (FAILED, RUNNING, PERSON, AGENT, CLOCK, CHILD, PARTLY, REJECTED, NONZERO, REQUESTED, OK, CANCELLED)
RANK = {state: rank for rank, state in enumerate(STATES)}

BOLD, DIM, PLAIN, BAR = "bold", "dim", "plain", "bar"

# NONZERO: a command whose task says check=False, and that did not end with 0.
# REJECTED: a breakpoint that was answered with no, which is a result like any other.
# PARTLY: a group in which something failed, and nobody knows whether that has left the group.
WORDS = {
    REQUESTED: "queued",
    RUNNING: "running",
    AGENT: "for an agent",
    PERSON: "for a person",
    CLOCK: "sleeping",
    CHILD: "in a child run",
    OK: "ok",
    NONZERO: "non-zero exit",
    REJECTED: "rejected",
    PARTLY: "partly failed",
    FAILED: "failed",
    CANCELLED: "cancelled",
}


class Marks:
    """The characters that stand for states."""

    __slots__ = ("arrow", "bar_done", "bar_left", "dot", "ellipsis", "states")

    def __init__(
        self, states: Mapping[str, str], dot: str, ellipsis: str, bar_done: str, bar_left: str, arrow: str
    ) -> None:
        self.states = states
        self.dot = dot
        self.ellipsis = ellipsis
        self.bar_done = bar_done
        self.bar_left = bar_left
        self.arrow = arrow

    def with_arrow(self, arrow: str) -> Marks:
        """The same with another arrow."""
        return Marks(self.states, self.dot, self.ellipsis, self.bar_done, self.bar_left, arrow)


UNICODE = Marks(
    {
        REQUESTED: "○",
        RUNNING: "●",
        AGENT: "◆",
        PERSON: "?",
        CLOCK: "◔",
        CHILD: "▸",
        OK: "✓",
        NONZERO: "!",
        REJECTED: "!",
        PARTLY: "!",
        FAILED: "✗",
        CANCELLED: "⊘",
    },
    "·",
    "…",
    "━",
    "─",
    "→",
)
ASCII = Marks(
    {
        REQUESTED: ".",
        RUNNING: "*",
        AGENT: "@",
        PERSON: "?",
        CLOCK: "~",
        CHILD: ">",
        OK: "+",
        NONZERO: "!",
        REJECTED: "!",
        PARTLY: "!",
        FAILED: "x",
        CANCELLED: "-",
    },
    "-",
    "...",
    "#",
    "-",
    "->",
)


def tally_text(tally: Mapping[str, int]) -> str:
    """Counts of states for people: ``1 failed, 3 running, 12 ok``."""
    return ", ".join(text for text, _ in tally_line(tally)[::2])


def tally_line(tally: Mapping[str, int]) -> Line:
    """The same as a line, each count in the role of its state."""
    parts = [(f"{tally[state]} {WORDS[state]}", state) for state in STATES if tally.get(state)]
    return join(parts, (", ", DIM))


def join(parts: Sequence[tuple[str, str]], separator: tuple[str, str]) -> Line:
    """The parts as a line, with the separator between each two."""
    line: Line = []
    for part in parts:
        if line:
            line.append(separator)
        line.append(part)
    return line


def text_of(line: Line) -> str:
    """A line without its roles."""
    return "".join(text for text, _ in line)
