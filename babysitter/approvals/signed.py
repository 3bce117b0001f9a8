"""Signed answers: what is signed, and the signing."""

from __future__ import annotations

import os

from babysitter.approvals.ssh_keys import sign as sign_with
from babysitter.approvals.ssh_keys import verify
from babysitter.clock import iso
from babysitter.errors import BadSignature, InvalidInput
from babysitter.jsontext import canonical
from babysitter.paths import home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from babysitter.runs.results import Answer
    from babysitter.runs.run import Run

SIGNERS = "allowed_signers"
# What of a person's answer is signed; who answered is what the signature itself tells.
DECIDED = ("approved", "option", "response", "feedback")


def own_signers() -> str | None:
    """The user's own file of allowed signers, if there is one."""
    path = os.path.join(home(), SIGNERS)
    return path if os.path.isfile(path) else None


def message_of(
    run_id: str,
    effect_id: str,
    told: Mapping[str, Any],
    shown: str,
    evidence: Mapping[str, Any],
    experts: Any = None,
) -> str:
    """The text that is signed: this answer to this breakpoint of this run, as shown, by whom, and when.

    ``experts`` are those for whom it is given.
    """
    bound: dict[str, Any] = {
        "run": run_id,
        "effect": effect_id,
        "shown": shown,
        "nonce": str(evidence.get("nonce")),
    }
    decided = {name: told.get(name) for name in DECIDED}
    if "at" in evidence:
        # Earlier versions did not sign who answers, nor when.
        bound |= {"at": evidence["at"], "respondedBy": told.get("respondedBy")}
        if experts:
            bound["experts"] = experts
    return canonical({"babysitter": "approval", **bound, **decided}) + "\n"


def sign(run: Run, answer: Answer, key: str) -> dict[str, Any]:
    """Sign an answer to a pending breakpoint and verify that at once; gives the evidence.

    Raises:
        InvalidInput: the user has a file of allowed signers, and the key is not in it, or another's.
        UsageError: it cannot be signed.
    """
    seen = answer.evidence or {}
    evidence: dict[str, Any] = {"nonce": os.urandom(16).hex(), "at": iso(run.now_ms())}
    shown, experts = seen["shown"], seen.get("experts")
    message = message_of(run.run_id, answer.effect, answer.value, shown, evidence, experts)
    signature = sign_with(message, key)
    try:
        signer = verify(message, signature, own_signers())
        if signer and experts:
            check_name(answer.value["respondedBy"], signer)
    except BadSignature as error:
        # Nothing in the journal is wrong: it is not written there.
        raise InvalidInput(error.message, hint=error.hint) from None
    return {
        **evidence,
        "message": message,
        "signature": signature.text,
        "publicKey": signature.public_key,
        "fingerprint": signature.fingerprint,
        **({"signer": signer} if signer else {}),
    }


def check_name(by: Any, signer: str) -> None:
    """Who is one of those that are asked is known by their key."""
    if by != signer:
        raise BadSignature(
            f"it says that {by!r} answers, and the key is that of {signer!r}",
            hint=f"answer with --as {signer}",
        )
