"""Habits that come from the JavaScript original, told with what is written here.

Only what has gone wrong already leads here, so nothing of it is paid for where all is well.
"""

from __future__ import annotations

from difflib import get_close_matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

LONGEST = 60
# What is called otherwise here; a name that only differs in its capitals is found without this.
NAMES = {
    "allSettled": "settled",
    "forEach": "map",
    "durationMs": "duration",
    "code": "exit_code",
    "breakpointId": "id",
    "label": "title",
}
# Keywords of the original's breakpoint that have no single name here.
BREAKPOINT_CURES = {
    "context": "write files=[…]",
    "autoApproveAfterN": "a rule of the user's does that: babysitter rule add --match ID --always --after N",
}
OPTIONS = frozenset(
    {"key", "title", "retry", "timeout", "check", "parse", "cwd", "env", "secrets", "input", "interpreter"}
    | {"returns", "label"}
)


def renamed(name: str, known: Iterable[str]) -> str | None:
    """What a name of the original's is among those that there are."""
    names = list(known)
    return next((each for each in (NAMES.get(name), in_snake_case(name)) if each in names), None)


def in_snake_case(name: str) -> str:
    """``sleepUntil`` as Python has it."""
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)


def here(name: str, known: Iterable[str]) -> str | None:
    """What a name of the original's, or one that was mistyped, is among those that there are."""
    names = list(known)
    near = get_close_matches(in_snake_case(name), names, n=1, cutoff=0.75)
    return renamed(name, names) or (near[0] if near else None)


def public(kind: type) -> list[str]:
    """What an author reads of a class."""
    return [name for name in dir(kind) if not name.startswith("_")]


def no_attribute(what: str, name: str, known: Sequence[str], written: str = "") -> AttributeError:
    """The error for a name that there is not; ``written`` is what an author has before the point."""
    meant = here(name, known)
    told = f"write {written}.{meant}" if meant else f"it has {', '.join(known)}"
    return AttributeError(f"{what} has no {name!r}; {told}", name=name)


def no_item(what: str, key: Any, known: Sequence[str]) -> TypeError:
    """The error for what is no dict, and was read like one."""
    meant = here(key, known) if isinstance(key, str) else None
    told = f"write .{meant}" if meant else f"it has {', '.join(known)}"
    return TypeError(f"{what} is no dict and has no [{key!r}]; {told}")


def misasked(question: Any, more: Sequence[Any], other: Mapping[str, Any], known: Iterable[str]) -> TypeError:
    """The error for a breakpoint that is written as the original has it."""
    if not isinstance(question, dict) and not more:
        return TypeError(f"ctx.breakpoint has no {min(other)!r}; {keyword_cure(min(other), known)}")
    asked = dict(question) if isinstance(question, dict) else {"question": question}
    for each in more:
        asked.update(each if isinstance(each, dict) else {})
    found = "a dict" if isinstance(question, dict) else f"{1 + len(more)} values"
    return TypeError(
        f"ctx.breakpoint needs a question, a text, found {found};"
        f" write {in_python(repr(asked.pop('question', '…')), [*asked, *other], known)}"
    )


def in_python(question: str, told: Iterable[str], known: Iterable[str]) -> str:
    """A breakpoint with what it was told as it is written here; the question is source."""
    names = list(known)
    meant = ["files" if name == "context" else here(name, names) for name in told]
    text = question if len(question) <= LONGEST else f"{question[:LONGEST]}…"
    options = [f"{name}=…" for name in dict.fromkeys(filter(None, meant))]
    return f"ctx.breakpoint({', '.join([text, *options])})"


def keyword_cure(name: str, known: Iterable[str]) -> str:
    """What is written in place of a keyword that a breakpoint has not."""
    names = list(known)
    meant = here(name, names)
    told = f"write {meant}=…" if meant else f"it has {', '.join(names)}"
    return BREAKPOINT_CURES.get(name, told)


def option_cure(task_id: str, name: str) -> str:
    """What is added to the message for an argument that a task has not, and that is an option of tasks."""
    if name not in OPTIONS:
        return ""
    return f"; for one call an option is written ctx.task({task_id}.using({NAMES.get(name, name)}=…), …)"


def options_cure(task_id: str, last: Any) -> str:
    """The same for a dict behind the arguments."""
    if not isinstance(last, dict):
        return ""
    names = [f"{NAMES.get(str(name), name)}=…" for name in last if str(name) in OPTIONS] or ["title=…"]
    return f"; options of one call are written ctx.task({task_id}.using({', '.join(names)}), …)"
