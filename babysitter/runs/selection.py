"""Which runs are meant: those that are named, or those that ended long enough ago."""

from __future__ import annotations

import os

from babysitter.clock import ms_of
from babysitter.errors import BabysitterError, Conflict, JournalError, StorageError, UnsafePath
from babysitter.runs.ended import EndedRun
from babysitter.runs.folder import check_folder, packed_ids, run_ids
from babysitter.runs.unpacking import open_packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from babysitter.runs.packed import Packed

Skipped = tuple[str, BabysitterError]


class Choice:
    """Runs that have ended like this, before that time.

    Attributes:
        skipped: those of which it cannot be said, with the reason.
    """

    def __init__(self, runs_dir: str, statuses: Collection[str], before_ms: int) -> None:
        self._runs_dir = runs_dir
        self._statuses = statuses
        self._before_ms = before_ms
        self.skipped: list[Skipped] = []

    def runs(self) -> Iterator[EndedRun]:
        """Those with a folder, by name. Whoever is still alive is passed over without a word."""
        for run_id in sorted(run_ids(self._runs_dir)):
            folder = os.path.join(self._runs_dir, run_id)
            try:
                check_folder(folder)
                ended = EndedRun(folder)
            except Conflict:
                continue
            except (JournalError, UnsafePath, StorageError) as error:
                self._skip(run_id, error)
                continue
            state = ended.run.state
            if self._fits(state.status, state.ended_ms):
                yield ended

    def packed(self) -> Iterator[Packed]:
        """Those that are packed, by name; each is closed."""
        for run_id in sorted(packed_ids(self._runs_dir)):
            try:
                with open_packed(run_id, self._runs_dir) as packed:
                    about = packed.about
            except BabysitterError as error:
                self._skip(run_id, error)
                continue
            if self._fits(about["status"], ms_of(about["endedAt"])):
                yield packed

    def _fits(self, status: str, ended_ms: int) -> bool:
        return status in self._statuses and ended_ms <= self._before_ms

    def _skip(self, run_id: str, error: BabysitterError) -> None:
        self.skipped.append((run_id, error))
