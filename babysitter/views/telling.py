"""What is told at once and stays on the screen: lines for single events."""

from __future__ import annotations

import time

from babysitter.jsontext import compact
from babysitter.views.marks import BOLD, DIM, FAILED, PLAIN
from babysitter.views.scores import number_text
from babysitter.views.text import printable_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from babysitter.journal.events import Event
    from babysitter.views.marks import Line

OUTPUT_LINES = 15


def remark(event: Event) -> Line | None:
    """The line that an event is worth by itself; None for those that only change the tree."""
    if event.type == "PROCESS_LOG" and "message" in event.data:
        return log_line(event.data)
    if event.type == "PROCESS_ERROR":
        return [("stuck     ", FAILED), (problem_text(event.data), PLAIN)]
    if event.type in _CHANGES:
        word, text, role = _CHANGES[event.type](event.data)
        return [(f"{word:<10}", role), (text, PLAIN)]
    return None


def changed_text(data: dict[str, Any]) -> str:
    """What became of an edit of the process."""
    if data.get("isSame"):
        return "what it was stuck in is gone; the process is the same, and goes on"
    if data.get("plan") is None:
        return "the process was edited since; the run goes on with it"
    if "accepted" not in data:
        return "the process was edited since; what reads otherwise now is asked for anew"
    return f"the edited process was accepted by {data.get('by')}, by the rule {data.get('accepted')!r}"


_CHANGES: dict[str, Callable[[dict[str, Any]], tuple[str, str, str]]] = {
    "PROCESS_CHANGED": lambda data: ("changed", changed_text(data), BOLD),
    "RUN_CANCELLED": lambda data: (
        "cancelled",
        f"the run was given up by {data['by']}: {data['reason']}; it does what it does at last, and ends",
        FAILED,
    ),
    "ANSWER_VOIDED": lambda data: (
        "void",
        f"a yes to {data['effectId']} counts no more ({data['reason']}); it is asked again",
        FAILED,
    ),
    "RUN_REWOUND": lambda data: ("rewound", f"to before step {data['to']} by {data['by']}", BOLD),
}


def log_line(data: dict[str, Any]) -> Line:
    """A line of the process's own log, with its fields."""
    level = data.get("level") or "log"
    fields = " ".join(f"{name}={_short(value)}" for name, value in (data.get("fields") or {}).items())
    line = [(f"{level:<10}", DIM if level == "log" else BOLD), (str(data["message"]), PLAIN)]
    return [*line, (f"  {fields}", DIM)] if fields else line


def problem_text(problem: dict[str, Any]) -> str:
    """What is wrong with the author's code, and where."""
    place = f" ({problem['file']}:{problem['line']})" if problem.get("file") else ""
    return f"{error_text(problem)}{place}"


def error_text(error: dict[str, Any]) -> str:
    """Name and message of an error."""
    name, message = error.get("name") or "", error.get("message") or ""
    return f"{name}: {message}" if name and message else str(name or message)


def last_output(data: Any) -> list[str]:
    """The end of what a command printed, or of a function's traceback; ``data`` is what its error carries."""
    streams = [data.get(name) for name in ("stdout", "stderr", "traceback")] if isinstance(data, dict) else []
    texts = [text.strip("\n") for text in streams if isinstance(text, str) and text.strip()]
    # Linters speak on one stream and compilers on the other: neither may push the other one out.
    each = OUTPUT_LINES // max(1, len(texts))
    return [line for text in texts for line in printable_lines(text)[-each:]]


def progress_text(progress: tuple[float, float | None, str]) -> str:
    """``12/40 files``."""
    done, total, label = progress
    amount = number_text(done) if not total else f"{number_text(done)}/{number_text(total)}"
    return f"{amount} {label}".rstrip()


def held_text(name: str, at_ms: int, now_ms: int) -> str:
    """``rate limit of agent, next at 12:03:10``; in the time of this place, as on the wall."""
    # The next whole second: at the one that is told it can be started.
    at, now = time.localtime(-(-at_ms // 1000)), time.localtime(now_ms // 1000)
    form = "%H:%M:%S" if at[:3] == now[:3] else "%Y-%m-%d %H:%M:%S"
    return f"rate limit of {name}, next at {time.strftime(form, at)}"


def _short(value: Any) -> str:
    return value if isinstance(value, str) and value and " " not in value else compact(value)
