"""The execution of a run in memory: that of every run, with the process and the records that a test gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.engine.notes import Notes
from babysitter.jsontext import loads
from babysitter.runs.execution import Execution
from babysitter.runs.inputs import present
from babysitter.testing.sites import Sites

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from babysitter.engine.branches import Branch
    from babysitter.engine.calls import Call
    from babysitter.runs.drafts import Described, Draft
    from babysitter.testing.memory import MemoryRun
    from babysitter.testing.processes import Given

    Records = dict[tuple[str, int], tuple[str, Any]]


class Known:
    """What was so before: places and values of records, answers of ``patched``.

    Attributes:
        is_held: child runs that the process gave up keep its run from ending.
    """

    def __init__(
        self,
        records: Records | None = None,
        patches: dict[str, bool] | None = None,
        *,
        is_held: bool = False,
    ) -> None:
        self.records = records or {}
        self.patches = patches or {}
        self.is_held = is_held


class CannedNotes(Notes):
    """Notes for which a test may say what ``ctx.record`` gives, by the record's name."""

    def __init__(self, canned: Mapping[str, Any]) -> None:
        super().__init__()
        self._canned = canned

    def record(self, branch: Branch, name: str, fn: Callable[[], Any]) -> Any:
        if name not in self._canned:
            return super().record(branch, name, fn)
        value = self._canned[name]
        return super().record(branch, name, value if callable(value) else lambda: value)


class MemoryExecution(Execution):
    """The process of a run in memory.

    Attributes:
        args: the arguments of each step that was asked for here.
        sites: where in the source these steps come from.
    """

    run: MemoryRun

    def __init__(
        self, run: MemoryRun, source: Given, canned: Mapping[str, Any], known: Known | None = None
    ) -> None:
        """``canned`` is what ``ctx.record`` gives by name, ``known`` what was noted before."""
        self._given = source
        self._canned = canned
        self._known = known or Known()
        self.args: dict[str, dict[str, Any]] = {}
        self.sites = Sites()
        super().__init__(run)

    @property
    def is_held(self) -> bool:
        """Here no child run lives that could go on when it is given up, unless one did in a recorded run."""
        return self._known.is_held and self.end is not None and not self.is_stuck

    def _new_notes(self) -> Notes:
        return CannedNotes(self._canned)

    def _load(self, inputs: Any) -> None:
        self._use(self._given)
        self._notes.records.update(self._known.records)
        self._notes.patches.update(self._known.patches)
        self._inputs = present(self._given, inputs)

    def _describe(self, calls: list[tuple[Branch, Call]]) -> Iterator[Described]:
        for branch, call in calls:
            self.args[call.step] = loads(call.args_text)
            self.sites.note(branch, call)
        yield from super()._describe(calls)

    @property
    def records(self) -> Records:
        """What the process has recorded, also what is not in the journal yet."""
        return {**self._known.records, **self._notes.records}

    def start_again(self, length: int) -> list[Draft]:
        """What a new execution would write that finds only the first ``length`` events.

        It records what was recorded here: after a real crash another value
        would be recorded, and everything would follow from that one.

        Raises:
            NondeterminismError: the process asks for something else than those events have.
        """
        known = Known(self.records, self._known.patches, is_held=self._known.is_held)
        again = MemoryExecution(self.run.upto(length), self._given, self._canned, known)
        again.start()
        return [] if again.run.state.is_finished else again._draft()
