"""Made-up runs for the views: events as a journal would have them, without a journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.clock import iso
from babysitter.journal.events import Event
from babysitter.views.quiet import QuietView
from babysitter.views.tree import RunInfo

if TYPE_CHECKING:
    from collections.abc import Callable

START = 1_800_000_000_000


class Story:
    """Tells events to whoever listens; the clock goes on only by ``wait``."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self.tell = tell
        self.now = START
        self.seq = 0

    def clock(self) -> int:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += round(seconds * 1000)

    def event(self, type: str, data: dict[str, Any]) -> None:
        self.seq += 1
        self.tell(Event(self.seq, "0" * 64, self.now, type, iso(self.now), {"prev": "", **data}, 0))

    def request(
        self,
        step: str,
        label: str = "",
        kind: str = "shell",
        *,
        mode: str = "all",
        item: str = "",
        **described: Any,
    ) -> str:
        """An effect; the id is made from its step. A step with dots is in a group."""
        data: dict[str, Any] = {
            "effectId": f"effect-{step}",
            "stepId": step,
            "taskId": "task",
            "kind": kind,
            "label": label or f"Step {step}",
            "argsHash": "",
            "attempt": 1,
            "definition": {"kind": kind, kind: described},
        }
        branch = step.rpartition(".")[0]
        if branch:
            path, _, name = branch.rpartition(".")
            data["group"] = {"path": path, "mode": mode, "branch": name, **({"label": item} if item else {})}
        self.event("EFFECT_REQUESTED", data)
        return data["effectId"]

    def resolve(self, step: str, value: Any = None, **more: Any) -> None:
        self.event("EFFECT_RESOLVED", {"effectId": f"effect-{step}", "status": "ok", "value": value, **more})

    def fail(self, step: str, message: str = "exit code 1", **error: Any) -> None:
        told = {"name": "ShellFailed", "message": message, "exitCode": 1, **error}
        self.event("EFFECT_RESOLVED", {"effectId": f"effect-{step}", "status": "error", "error": told})

    def ends_by(self, *steps: str, message: str = "the checks failed") -> None:
        """The run has failed on purpose, because of what failed at these steps."""
        causes = {"causes": [f"effect-{step}" for step in steps]} if steps else {}
        self.event("RUN_FAILED", {"error": {"name": "Failed", "message": message, **causes}})

    def cancel(self, step: str) -> None:
        self.event("EFFECT_CANCELLED", {"effectId": f"effect-{step}", "reason": "abandoned"})

    def log(self, message: str, scope: str = "", **fields: Any) -> None:
        self.event("PROCESS_LOG", {"scope": scope, "key": "", "message": message, "fields": fields})

    def score(self, round: int, value: float, scope: str = "", **more: Any) -> None:
        """What a loop has reached in this round; the best so far is the last, unless it is given."""
        told = {"name": "score", "value": value, "round": round, "best": value}
        told |= {"reached": False, "stalled": False, **more}
        self.event("PROCESS_LOG", {"scope": scope, "key": f"{scope}{round}={value}", "score": told})

    def progress(self, done: float, total: float | None, label: str = "", scope: str = "") -> None:
        told = {"done": done, "total": total, "label": label}
        self.event("PROCESS_LOG", {"scope": scope, "index": self.seq, "progress": told})


class Shown(Story):
    """A story that a view is watching."""

    def __init__(self, view: QuietView | None = None) -> None:
        self.view = view or QuietView()
        super().__init__(self.view.event)
        self.view.clock = self.clock
        self.view.started(RunInfo("checks-1", "checks", "checks", "/runs/checks-1"))

    def execute(self, step: str) -> None:
        self.view.executing(f"effect-{step}", self.now)

    def run(self, step: str, label: str = "", seconds: float = 1.0, **more: Any) -> None:
        """One shell effect from its request to its result."""
        self.request(step, label, **more)
        self.execute(step)
        self.wait(seconds)
        self.resolve(step, {"exitCode": 0})
