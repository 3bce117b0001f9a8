"""What stands in a box, and on a way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from babysitter.graphs.shape import END, GROUP, MORE, PARTLY, START, WORST_FIRST
from babysitter.views.text import duration, has_word, printable

if TYPE_CHECKING:
    from babysitter.graphs.shape import Line, Node, Way

MOST_NAMES = 4
LONGEST = 90
LONGEST_WORD = 48
WORDS = {PARTLY: "partly failed"}
# Their shape says what they are.
WITHOUT_KIND = frozenset({START, END, MORE, GROUP, "breakpoint", "sleep"})


def lines_of(node: Node, line: Line, *, is_alone: bool = False) -> list[str]:
    """What is written in a node, the title first; ``is_alone``: it is all of its branch."""
    title = f"{node.mode}{_limited(node)}" if node.kind == GROUP else node.title
    told = [printable(_cut(title))]
    if node.kind not in WITHOUT_KIND:
        told.append(node.kind)
    if node.attempts > 1:
        told.append(f"up to {node.attempts} attempts")
    names = branches_text(line) if is_alone else ""
    if names and not has_word(title, names):
        told.append(names)
    if node.state:
        took = f" · {duration(node.took_ms)}" if node.took_ms else ""
        told.append(f"{states_text(node)}{took}")
    return told


def _limited(node: Node) -> str:
    if not node.limit:
        return ""
    return f" of {node.limit}" if node.mode == "timeout" else f", at most {node.limit} at a time"


def _cut(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def branches_text(line: Line) -> str:
    """Which branches a line stands for; nothing for one that has no name."""
    if line.times > 1:
        return f"\N{MULTIPLICATION SIGN} {line.times}"
    return printable(_cut(", ".join(line.names[:MOST_NAMES])))


def states_text(node: Node) -> str:
    """How it stands; of several, how many stand how; and how many attempts have failed before."""
    before = f"after {node.retried} failed attempt{'s' if node.retried > 1 else ''}"
    return f"{_states(node)}, {before}" if node.retried else _states(node)


def _states(node: Node) -> str:
    if sum(node.states.values()) > 1:
        return _counted(node.states)
    return _counted(node.branch_states) if node.state == PARTLY else node.state


def _counted(states: dict[str, int]) -> str:
    told = [(states[state], WORDS.get(state, state)) for state in WORST_FIRST if states.get(state)]
    return ", ".join(f"{count} {word}" for count, word in told)


def word_of(way: Way) -> str:
    """What is written on a way."""
    word = printable(_cut(way.word, LONGEST_WORD))
    if way.is_back:
        return f"{word}, again" if word else "again"
    return word
