"""What a process notes beside its steps: recorded values, log lines, scores, progress.

They are answered at the call and never fed. Each kind has counters of its own,
so a new log line renames no step. What the journal has already is not noted
again; what is new waits here until the iteration writes it.
"""

from __future__ import annotations

from babysitter.errors import NondeterminismError
from babysitter.ids import sha256_hex
from babysitter.jsontext import canonical, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from babysitter.engine.branches import Branch
    from babysitter.engine.scores import Aim, Score, Standing

KEY_LENGTH = 16


class Notes:
    """Known notes from the journal, and new ones of this iteration.

    Attributes:
        records: (scope, index) → (name, value), all that the journal has.
        logged: keys of the log lines that the journal has.
        marks: scope → index of the last progress that the journal has.
        scores: those of the journal that count, by scope and name: the state's own, so it is never behind.
        patches: the answers of ``patched`` that the journal has.
        is_past: an earlier iteration has been here, with the process as it was then.
    """

    def __init__(self) -> None:
        self.records: dict[tuple[str, int], tuple[str, Any]] = {}
        self.logged: set[str] = set()
        self.marks: dict[str, int] = {}
        self.scores: Standing = {}
        self.asked_records: set[tuple[str, int]] = set()
        self.new_records: dict[tuple[str, int], dict[str, Any]] = {}
        self.new_logs: dict[str, dict[str, Any]] = {}
        self.told_scores: set[str] = set()
        self.new_marks: dict[str, dict[str, Any]] = {}
        self.patches: dict[str, bool] = {}
        self.new_patches: dict[str, None] = {}
        self.is_past = False
        self._patched: dict[str, bool] = {}
        self._spoken: dict[str, int] = {}
        self._histories: dict[tuple[str, str], list[float]] = {}

    def record(self, branch: Branch, name: str, fn: Callable[[], Any]) -> Any:
        """The recorded value, or, the first time, what ``fn`` gives now, as JSON gives it back."""
        if not isinstance(name, str):
            raise TypeError(f"a record has a name, found {name!r}; write ctx.record('name', function)")
        branch.records += 1
        place = (branch.scope, branch.records)
        self.asked_records.add(place)
        if place not in self.records:
            value = loads(canonical(fn()))
            self.records[place] = (name, value)
            self.new_records[place] = {
                "scope": branch.scope,
                "index": branch.records,
                "name": name,
                "value": value,
            }
        known, value = self.records[place]
        if known != name:
            raise NondeterminismError(
                f"the process records {name!r} where its journal has {known!r}",
                step=f"{branch.scope}record {branch.records}",
                hint="keep the order of ctx.record calls, or start a new run",
            )
        return loads(canonical(value))

    def log(self, branch: Branch, message: str, fields: dict[str, Any]) -> None:
        """Note a line once; equal lines of a scope are told apart by their occurrence."""
        content = canonical([branch.scope, message, fields])
        count = self._spoken[content] = self._spoken.get(content, 0) + 1
        key = sha256_hex(f"{content}{count}".encode())[:KEY_LENGTH]
        if key not in self.logged:
            self.new_logs[key] = {
                "scope": branch.scope,
                "key": key,
                "message": message,
                "fields": loads(canonical(fields)),
            }

    def progress(self, branch: Branch, done: float, total: float | None, label: str) -> None:
        """Note how far a scope is; of several in one iteration only the last is kept."""
        mark = {"done": done, "total": total, "label": label}
        canonical(mark)  # what the journal cannot hold is refused here, at the author's line
        branch.progress_marks += 1
        if branch.progress_marks > self.marks.get(branch.scope, 0):
            self.new_marks[branch.scope] = {
                "scope": branch.scope,
                "index": branch.progress_marks,
                "progress": mark,
            }

    def score(self, branch: Branch, name: str, value: float, aim: Aim) -> Score:
        """Note what a loop has reached; what that means depends only on what this replay has told before."""
        # Here, because hardly any process has one.
        from babysitter.engine.scores import told

        history = [*self._histories.get((branch.scope, name), ()), value]
        score = aim.judge(history)
        data = told(branch.scope, name, score, lower=aim.lower)
        self._histories[branch.scope, name] = history
        # Among the log lines, in the order of telling. Whether the journal lacks it is seen at the writing.
        self.new_logs[data["key"]] = data
        self.told_scores.add(data["key"])
        return score

    def patched(self, id: str) -> bool:
        """Whether the process takes its new path: always the answer that it was given first in this run."""
        if id not in self._patched:
            known = self.patches.get(id)
            self._patched[id] = not self.is_past if known is None else known
            if known is None and not self.is_past:
                self.new_patches[id] = None
        return self._patched[id]

    def see_patch(self, id: str, is_new: bool) -> None:
        """The journal has this answer now."""
        self.patches.setdefault(id, is_new)
        self.new_patches.pop(id, None)

    def to_log(self) -> list[dict[str, Any]]:
        """Log lines, scores and progress that the journal does not have yet."""
        lines = list(self.new_logs.values())
        if self.told_scores:
            from babysitter.engine.scores import unwritten

            lines = unwritten(lines, self.scores)
        return [*lines, *self.new_marks.values()]

    def see_record(self, data: dict[str, Any]) -> None:
        """The journal has this recorded value now."""
        place = (data["scope"], data["index"])
        self.records[place] = (data["name"], data["value"])
        self.new_records.pop(place, None)

    def see_log(self, data: dict[str, Any]) -> None:
        """The journal has this line, or this progress, now; of scores it says itself which count."""
        if "score" in data:
            return
        if "key" in data:
            self.logged.add(data["key"])
            self.new_logs.pop(data["key"], None)
            return
        scope, index = data["scope"], data["index"]
        self.marks[scope] = max(index, self.marks.get(scope, 0))
        if scope in self.new_marks and self.new_marks[scope]["index"] <= index:
            del self.new_marks[scope]
