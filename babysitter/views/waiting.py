"""What waits for a person, as people read it.

It takes what ``inbox`` prints with ``--json``, so both say the same.
"""

from __future__ import annotations

from babysitter.clock import ms_of
from babysitter.engine.state import OWN_STEPS
from babysitter.views.tables import moment, place_of
from babysitter.views.telling import problem_text
from babysitter.views.text import duration
from babysitter.views.values import cell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NOTHING = "nothing waits for you"


def inbox_lines(told: dict[str, Any], project: str, now_ms: int) -> list[str]:
    """All of it, and what cannot be read; ``project`` is the present one, which need not be named."""
    lines = []
    for number, each in enumerate(told["waiting"], 1):
        head, *rest = _lines(each)
        age = duration(now_ms - ms_of(each["since"]))
        where = [f"in {each['project']}"] if each["project"] != project else []
        child = [f"child of {each['parent']}"] if "parent" in each else []
        lines.append(f"{number}. {each['run']}: {head}, {age} ago")
        more = [f"all of it: {each['show']}"] if _is_cut(each) else []
        lines += [f"   {text}" for text in (*where, *child, *rest, *more, each["command"])]
    lines += [f"run {each['run']} cannot be read: {each['error']}" for each in told.get("unreadable", [])]
    return lines or [NOTHING]


def _lines(each: dict[str, Any]) -> list[str]:
    if each["kind"] == "diverged":
        return ["an edit needs you", cell(each["problem"]["message"]), "undo it, or accept it"]
    return _stuck_lines(each) if each["kind"] == "stuck" else _breakpoint_lines(each)


def _is_cut(each: dict[str, Any]) -> bool:
    """There is more of a question than what stands here."""
    return "\n" in str(each.get("question", "")).strip() or bool(each.get("files"))


def _stuck_lines(each: dict[str, Any]) -> list[str]:
    return ["stuck", problem_text(each["problem"]), "once that is mended it goes on"]


def _breakpoint_lines(each: dict[str, Any]) -> list[str]:
    question = cell(str(each.get("question", "")))
    options = [f"options: {', '.join(map(str, each['options']))}"] if each.get("options") else []
    return [
        each["title"],
        *([question] if question and question != each["title"] else []),
        *options,
        *([" · ".join(about)] if (about := _about(each)) else []),
        *_answered(each),
        f"blocks {_blocks(each)}",
    ]


def _answered(each: dict[str, Any]) -> list[str]:
    said = [f"{answer['by']} {'yes' if answer['approved'] else 'no'}" for answer in each.get("answers", ())]
    lines = [cell(f"so far: {', '.join(said)}")] if said else []
    return [*lines, "decided, as soon as the run goes on"] if each.get("isDecided") else lines


def _about(each: dict[str, Any]) -> list[str]:
    listed = [(name, each.get(name)) for name in ("tags", "expert", "strategy", "assurance")]
    about = [
        f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in listed
        if value
    ]
    return [*about, *([f"until {moment(each['deadline'])}"] if "deadline" in each else [])]


def _blocks(each: dict[str, Any]) -> str:
    if str(each.get("step", "")).startswith(OWN_STEPS):
        return "whatever the budget does not allow for"
    if each["blocks"] == "run":
        return "all of the run"
    place, count = place_of(each.get("group")), each["beside"]
    line = f"branch {place}" if place else "its main line"
    return f"{line}; {count} other effect{'' if count == 1 else 's'} pending beside it"
