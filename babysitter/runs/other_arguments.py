"""In what a request differs from the one that the journal has: the first of it, in a few words.

Arguments are not in the journal, only their digest is. What came of them is:
the description, and the task makes that anew from the arguments of now.
"""

from __future__ import annotations

from babysitter.jsontext import compact
from babysitter.redaction import redaction_of
from babysitter.runs.drafts import defined
from babysitter.runs.requested import Requests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from babysitter.engine.calls import Call
    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

    Difference = tuple[str, Any, Any]

MOST = 50
# So much of what two long texts have in common is shown before the place where they part.
BEFORE = 12
ABSENT = object()


class OtherArguments:
    """What a run's process asks for otherwise than its journal has it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._requests = Requests(run)

    def told(self, effect: Effect, call: Call) -> str:
        """What differs first, as the end of a sentence; nothing where the descriptions do not show it."""
        try:
            before = self._run.definition_of(self._requests.of(effect))
            now = defined(self._run, call, effect.id, call.step)
        except Exception:
            # That it differs is what counts; the author's task may be what raises.
            return ""
        redaction = redaction_of(self._run.limits)
        return difference(redaction.data(before), redaction.data(now))


def difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    """What differs first of two descriptions, as the end of a sentence."""
    kind = before["kind"]
    first = _differences("", before.get(kind), now.get(kind)) if now["kind"] == kind else ()
    for name, old, new in (*first, *_differences("", before, now)):
        was, is_now = _excerpts(old, new)
        return f": {name} was {was}, and is {is_now}"
    return ""


def _differences(path: str, before: Any, now: Any) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(now, dict):
        for name in {**before, **now}:
            inner = f"{path}.{name}" if path else name
            yield from _differences(inner, before.get(name, ABSENT), now.get(name, ABSENT))
    elif isinstance(before, list) and isinstance(now, list):
        for index in range(max(len(before), len(now))):
            pair = (each[index] if index < len(each) else ABSENT for each in (before, now))
            yield from _differences(f"{path}[{index}]", *pair)
    elif before is ABSENT or now is ABSENT or compact(before) != compact(now):
        yield path, before, now


def _excerpts(before: Any, now: Any) -> tuple[str, str]:
    """Both, short, and so that it is seen where they part."""
    if isinstance(before, str) and isinstance(now, str):
        before, now = _from_where_they_part(before, now)
    return _short(before), _short(now)


def _from_where_they_part(before: str, now: str) -> tuple[str, str]:
    pairs = enumerate(zip(before, now, strict=False))
    parts = next((at for at, (old, new) in pairs if old != new), min(len(before), len(now)))
    if max(len(before), len(now)) <= MOST or parts <= BEFORE:
        return before, now
    return f"…{before[parts - BEFORE :]}", f"…{now[parts - BEFORE :]}"


def _short(value: Any) -> str:
    if value is ABSENT:
        return "absent"
    if isinstance(value, str):
        return compact(_cut(value))
    return _cut(compact(value))


def _cut(text: str) -> str:
    return text if len(text) <= MOST else f"{text[: MOST - 1]}…"
