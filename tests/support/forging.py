"""A journal written anew with something else in it, and with a chain that is right again."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from babysitter.journal.store import Journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from babysitter.journal.events import Event

OF_THE_JOURNAL = ("prev", "batch")


class Forged:
    """One event as it is going to stand there.

    Attributes:
        ms: when it is said to have been written.
    """

    def __init__(self, type: str, data: dict[str, Any], ms: int) -> None:
        self.type = type
        self.data = data
        self.ms = ms

    def copy(self) -> Forged:
        return Forged(self.type, json.loads(json.dumps(self.data)), self.ms)


def forge(folder: str, run_id: str, change: Callable[[list[Forged]], object]) -> None:
    """Write the journal of a run again, as ``change`` makes it; no digest of it shows that."""
    found: list[Event] = []
    Journal(folder, run_id).load(found.append, use_cache=False)
    events = [Forged(each.type, _without_chain(each.data), each.ms) for each in found]
    change(events)
    for name in ("journal", "state"):
        shutil.rmtree(os.path.join(folder, name))
        os.mkdir(os.path.join(folder, name), 0o700)
    journal = Journal(folder, run_id)
    journal.load(lambda event: None)
    for event in events:
        journal.append([(event.type, event.data)], event.ms)


def _without_chain(data: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(json.dumps(data))
    return {name: item for name, item in told.items() if name not in OF_THE_JOURNAL}
