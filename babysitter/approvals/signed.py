"""Signed approvals: what is signed, and whether what stands in a journal is what somebody has signed."""

from __future__ import annotations

import os
from typing import NamedTuple

from babysitter.approvals.ssh_keys import Signature, verify
from babysitter.approvals.ssh_keys import sign as sign_with
from babysitter.engine.state import OK
from babysitter.errors import BadSignature
from babysitter.jsontext import canonical
from babysitter.paths import home
from babysitter.runs.assurance import shown_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.journal.events import Event
    from babysitter.runs.run import Run

SIGNERS = "allowed_signers"
# What of a person's answer is signed; who answered is what the signature itself tells.
DECIDED = ("approved", "option", "response", "feedback")


class Approval(NamedTuple):
    """Who has signed which answer."""

    effect: str
    seq: int
    approved: bool
    signer: str | None
    fingerprint: str

    def as_json(self) -> dict[str, Any]:
        return {
            "effect": self.effect,
            "event": self.seq,
            "approved": self.approved,
            "signer": self.signer,
            "key": self.fingerprint,
        }


def own_signers() -> str | None:
    """The user's own file of allowed signers, if there is one."""
    path = os.path.join(home(), SIGNERS)
    return path if os.path.isfile(path) else None


def message_of(run_id: str, effect_id: str, told: dict[str, Any], shown: str, nonce: str) -> str:
    """The text that is signed: this answer to this breakpoint of this run, as it was shown."""
    decided = {name: told.get(name) for name in DECIDED}
    bound = {"run": run_id, "effect": effect_id, "shown": shown, "nonce": nonce, **decided}
    return canonical({"babysitter": "approval", **bound}) + "\n"


def sign(run: Run, effect_id: str, told: dict[str, Any], key: str) -> dict[str, Any]:
    """Sign an answer to a pending breakpoint and verify that at once; gives the evidence.

    Raises:
        BadSignature: the user has a file of allowed signers, and this key is not in it.
        InvalidInput, UsageError: it cannot be signed.
    """
    shown = shown_digest(run.definition_of(run.state.effects[effect_id]))
    nonce = os.urandom(16).hex()
    message = message_of(run.run_id, effect_id, told, shown, nonce)
    signature = sign_with(message, key)
    signer = verify(message, signature, own_signers())
    return {
        "nonce": nonce,
        "message": message,
        "signature": signature.text,
        "publicKey": signature.public_key,
        "fingerprint": signature.fingerprint,
        **({"signer": signer} if signer else {}),
    }


class SignedApprovals:
    """Collects the answers to breakpoints while a journal is read, to check them afterwards."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._shown: dict[str, tuple[str, bool]] = {}
        self._answers: list[tuple[str, int, Any]] = []

    def see(self, event: Event) -> None:
        """Take in an event that the run's state has in it already."""
        if event.type == "EFFECT_REQUESTED" and event.data["kind"] == "breakpoint":
            definition = self._run.definition_of(self._run.state.effects[event.data["effectId"]])
            asked = definition.get("breakpoint")
            demands = isinstance(asked, dict) and asked.get("assurance") == "signed"
            self._shown[event.data["effectId"]] = (shown_digest(definition), demands)
        elif event.type == "EFFECT_RESOLVED" and event.data["effectId"] in self._shown:
            self._answers.append((event.data["effectId"], event.seq, event.data.get("evidence") or {}))

    def check(self, signers: str) -> list[Approval]:
        """Verify every signed answer, and that there is one wherever it was demanded.

        Raises:
            BadSignature: names the event.
            UsageError: there is no ``ssh-keygen``.
        """
        checked = []
        for effect_id, seq, evidence in self._answers:
            shown, demands = self._shown[effect_id]
            if evidence.get("assurance") == "signed":
                checked.append(self._checked(effect_id, seq, evidence, shown, signers))
            elif demands:
                raise BadSignature(
                    f"event {seq} answers the breakpoint {effect_id!r}, "
                    "which demands a signature, and has none"
                )
        return checked

    def _checked(
        self, effect_id: str, seq: int, evidence: dict[str, Any], shown: str, signers: str
    ) -> Approval:
        effect = self._run.state.effects[effect_id]
        value = self._run.value_of(effect) if effect.status == OK else None
        told = value if isinstance(value, dict) else {}
        # From what the journal says, not from what it says was signed.
        message = message_of(self._run.run_id, effect_id, told, shown, str(evidence.get("nonce")))
        try:
            signature = Signature(str(evidence.get("signature")))
            signer = verify(message, signature, signers)
        except BadSignature as error:
            raise BadSignature(f"event {seq}: {error.message}", hint=error.hint) from None
        return Approval(effect_id, seq, told.get("approved") is True, signer, signature.fingerprint)
