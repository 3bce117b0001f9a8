"""What happens in a child run, as a part of the tree of its parent."""

from __future__ import annotations

from babysitter.journal.events import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ENDINGS = frozenset({"RUN_FAILED", "RUN_HALTED", "PROCESS_ERROR"})
SHOWN = frozenset({"EFFECT_REQUESTED", "EFFECT_RESOLVED", "EFFECT_CANCELLED", "PROCESS_LOG"}) | ENDINGS


def as_part(event: Event, path: str, run_id: str) -> Event | None:
    """An event of a child, at its place below ``path`` (``3.child.``); None for one that changes no tree."""
    if event.type not in SHOWN:
        return None
    data = dict(event.data)
    if "stepId" in data:
        data["stepId"] = f"{path}{data['stepId']}"
        data["group"] = _group(data.get("group"), path, run_id)
    if "scope" in data:
        data["scope"] = f"{path}{data['scope']}"
    if event.type in ENDINGS:
        data["scope"] = path
    return Event(event.seq, event.checksum, event.ms, event.type, event.at, data, event.raw_size)


def _group(group: Any, path: str, run_id: str) -> dict[str, Any]:
    """Where it stands in a group; the child itself is one branch, named for its run."""
    if group:
        placed = {**group, "path": f"{path}{group['path']}"}
        above = {f"{path}{outer}": item for outer, item in (group.get("above") or {}).items()}
        return {**placed, "above": above} if above else placed
    step, _, branch = path[:-1].rpartition(".")
    return {"path": step, "mode": "child", "branch": branch, "label": run_id}
