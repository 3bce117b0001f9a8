"""A run that is nowhere on a disk: its journal is a list, its clock stands still until it is moved."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from babysitter.errors import CorruptEvent, InvalidInput
from babysitter.ids import sha256_hex
from babysitter.journal.store import Journal
from babysitter.jsontext import compact, loads
from babysitter.limits import Limits
from babysitter.runs.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from babysitter.journal.events import Draft, Event, Head

FOLDER = os.path.join(os.sep, "in-memory")


def limits() -> Limits:
    """Those of every run, but that nothing is too large to stand in its event, and a debugger may wait."""
    return Limits(inline_bytes=sys.maxsize, iterate_seconds=0)


class MemoryJournal(Journal):
    """The events of one run: encoded, chained and read back as those on a disk are.

    Attributes:
        events: all of them, in order.
    """

    def __init__(self, run_id: str) -> None:
        super().__init__(os.path.join(FOLDER, run_id), run_id)
        self.events: list[Event] = []

    def load(self, visit: Callable[[Event], object], *, use_cache: bool = True) -> Head:
        for event in self.events:
            visit(event)
            self.head = event
        return self.head

    def append(self, drafts: Sequence[Draft], now_ms: int) -> list[Event]:
        written = self._decode(self._encode(drafts, now_ms))
        self.events += written
        if written:
            self.head = written[-1]
        return written

    def read_since(self, visit: Callable[[Event], object]) -> Head:
        return self.head

    def verify(self) -> Head:
        return self.head

    def flush(self) -> None:
        pass


class MemoryRun(Run):
    """A run in memory.

    Attributes:
        clock_ms: what time it is; nothing but ``move_clock`` changes that.
    """

    journal: MemoryJournal
    has_files = False

    def __init__(self, about: dict[str, Any], inputs: Any, *, clock_ms: int, artifacts: str | None) -> None:
        super().__init__(os.path.join(FOLDER, about["runId"]), limits(), about=about)
        self.journal = MemoryJournal(self.run_id)
        self.clock_ms = clock_ms
        self._artifacts = artifacts
        self._inputs = _as_text(inputs)

    def create(self, source_digests: dict[str, str], seed: str | None = None) -> None:
        """Write the first event; ``seed`` is what chance is made from, if not the run's id."""
        created = {
            **{name: item for name, item in self.about.items() if name != "layout"},
            "inputsRef": "inputs.json",
            "inputsDigest": sha256_hex(self._inputs.encode()),
            "sourceDigests": source_digests,
            "gates": [],
            **({"seed": seed} if seed else {}),
        }
        self.append([("RUN_CREATED", created)])

    def upto(self, length: int) -> MemoryRun:
        """The same run as it was when its journal had only so many events."""
        earlier = MemoryRun(self.about, None, clock_ms=self.clock_ms, artifacts=self._artifacts)
        earlier._inputs = self._inputs
        earlier.journal.events = self.journal.events[:length]
        earlier.load()
        return earlier

    def load(self, *, use_cache: bool = True) -> MemoryRun:
        self.journal.load(self._see)
        return self

    def read_again(self, see: Callable[[Event], object]) -> None:
        for event in self.journal.events:
            see(event)

    def now_ms(self) -> int:
        return self.clock_ms

    def move_clock(self, to_ms: int) -> None:
        """Let it be later; it is never earlier."""
        self.clock_ms = max(self.clock_ms, to_ms)

    @property
    def project(self) -> str:
        return os.getcwd()

    @property
    def artifacts(self) -> str:
        return self._artifacts or super().artifacts

    def inputs(self) -> Any:
        return loads(self._inputs)

    def read_file(self, name: str, limit: int = sys.maxsize) -> bytes:
        raise CorruptEvent(f"a run in memory has no file {name!r}")


def _as_text(inputs: Any) -> str:
    try:
        return compact(inputs)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the inputs cannot be written as JSON: {error}") from None
