"""What a parent has recorded of its children, held against the children that are still there. Reads only."""

from __future__ import annotations

import os

from babysitter.errors import WrongProof
from babysitter.ids import valid_id
from babysitter.runs.run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.journal.events import Event
    from babysitter.limits import Limits


class ChildProofs:
    """Sees the events of a run, and remembers with which proof each child has completed."""

    def __init__(self) -> None:
        self._proofs: dict[str, str] = {}

    def see(self, event: Event) -> None:
        told = event.data.get("evidence") if event.type == "EFFECT_RESOLVED" else None
        evidence = told if isinstance(told, dict) else {}
        child_id, proof = str(evidence.get("childRun")), evidence.get("proof")
        if valid_id(child_id) and isinstance(proof, str):
            self._proofs[child_id] = proof

    def check(self, run: Run) -> int:
        """Compare them with the children as they are now; gives how many there are.

        A child that is packed or removed proves nothing, and is passed over.

        Raises:
            WrongProof: a child is not the one that the run has counted on.
            JournalError, UnsafePath, StorageError
        """
        found = 0
        for child_id, proof in self._proofs.items():
            folder = os.path.join(os.path.dirname(run.folder), child_id)
            if not os.path.lexists(folder):
                continue
            found += 1
            if not _has(folder, proof, run.limits):
                raise WrongProof(
                    f"the child run {child_id!r} is not the one whose output run {run.run_id!r} has",
                    hint=f"babysitter doctor {child_id}",
                )
        return found


def _has(folder: str, proof: str, limits: Limits) -> bool:
    """Whether the event that completed a run is there; more may stand behind it, when a person went back."""
    seen: set[str] = set()
    run = Run(folder, limits)
    run.on_event = lambda event: seen.add(f"{event.seq}-{event.checksum}")
    run.load(use_cache=False)
    return proof in seen
