"""The proof that a run has completed: number and checksum of its last event, which hangs on all before it."""

from __future__ import annotations

from babysitter.errors import InvalidInput, WrongProof

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.runs.run import Run

CHECKSUM_LENGTH = 64
HEX = frozenset("0123456789abcdef")
SHOWN = 12


def read_proof(text: str) -> tuple[int, str]:
    """The number and the checksum that a proof names.

    Raises:
        InvalidInput: that is no proof of anything.
    """
    seq, _, checksum = text.partition("-")
    is_number = seq.isascii() and seq.isdecimal() and len(seq) <= SHOWN and not seq.startswith("0")
    if not is_number or len(checksum) != CHECKSUM_LENGTH or not set(checksum) <= HEX:
        raise InvalidInput(
            f"{text!r} is not a proof; it is the number and the checksum of an event, NUMBER-CHECKSUM",
            hint="copy it whole from where the run was said to have completed",
        )
    return int(seq), checksum


def check_proof(run: Run, proof: tuple[int, str]) -> None:
    """Compare a proof with a run whose journal was verified.

    Raises:
        WrongProof: the run has not completed, or not with the event that the proof names; says what differs.
    """
    if run.proof is None:
        hint = "" if run.state.is_finished else f"babysitter status {run.run_id}"
        raise WrongProof(f"run {run.run_id!r} has not completed, its status is {run.state.status}", hint=hint)
    (seq, checksum), head = proof, run.journal.head
    if (seq, checksum) == (head.seq, head.checksum):
        return
    said = f"it ends with event {head.seq}, and the proof names event {seq}"
    if seq == head.seq:
        said = f"event {seq} has checksum {head.checksum[:SHOWN]}…, and the proof names {checksum[:SHOWN]}…"
    raise WrongProof(
        f"this is not the proof of run {run.run_id!r}: {said}",
        hint="it belongs to another run, or one of the two was made up",
    )
