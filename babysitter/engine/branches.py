"""A branch: one line of control, with its own scope, counters and streams of chance."""

from __future__ import annotations

from babysitter.errors import BranchCancelled
from babysitter.ids import sha256_hex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from random import Random
    from typing import Any

    from babysitter.engine.groups import Group

# READY: queued, to be resumed with its inbox. WAITING: at a call. JOINING: at a group
# of its own. ENDED: over; queued once more so that its group hears of it in its turn.
READY, WAITING, JOINING, ENDED = "ready", "waiting", "joining", "ended"


class Branch:
    """A coroutine that is driven by hand, and where it stands."""

    __slots__ = (
        "_random",
        "_uuids",
        "cancelled",
        "coroutine",
        "error",
        "group",
        "inbox_error",
        "inbox_value",
        "index",
        "joining",
        "keys",
        "progress_marks",
        "records",
        "scope",
        "state",
        "step",
        "steps",
        "thunk",
        "throws",
        "value",
    )

    def __init__(self, thunk: Any, scope: str, group: Group | None, index: int) -> None:
        self.thunk = thunk
        self.scope = scope
        self.group = group
        self.index = index
        self.coroutine: Any = None
        self.state = READY
        self.cancelled = False
        self.inbox_value: Any = None
        self.inbox_error: BaseException | None = None
        self.step = ""
        self.joining: Group | None = None
        self.value: Any = None
        self.error: BaseException | None = None
        self.steps = 0
        self.throws = 0
        self.records = 0
        self.progress_marks = 0
        self.keys: dict[str, int] | None = None
        self._random: Random | None = None
        self._uuids = 0

    def next_step(self, key: str | None) -> str:
        """The path of the step that is awaited now.

        Each branch counts for itself, so that a name never depends on which
        result came first. A key has an occurrence number instead.
        """
        if key is None:
            self.steps += 1
            return f"{self.scope}{self.steps}"
        if self.keys is None:
            self.keys = {}
        count = self.keys[key] = self.keys.get(key, 0) + 1
        return f"{self.scope}{key}" if count == 1 else f"{self.scope}{key}~{count}"

    def drop_inbox(self) -> None:
        """The branch is cancelled before it saw what was delivered."""
        self.inbox_value = None
        self.inbox_error = BranchCancelled()

    def random(self, seed: str) -> Random:
        """This scope's stream of chance: the same on every replay."""
        if self._random is None:
            from random import Random

            self._random = Random(int(sha256_hex(f"random {seed} {self.scope}".encode()), 16))
        return self._random

    def uuid(self, seed: str) -> str:
        """The next of this scope's UUIDs (version 8: made by a rule of our own, RFC 9562 §5.8)."""
        self._uuids += 1
        digest = sha256_hex(f"uuid {seed} {self.scope} {self._uuids}".encode())
        variant = "89ab"[int(digest[16], 16) % 4]
        return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"
