"""Signed approvals: what is signed, and whether what stands in a journal is what somebody has signed."""

from __future__ import annotations

import os
from typing import NamedTuple

from babysitter.approvals.ssh_keys import Signature, verify
from babysitter.approvals.ssh_keys import sign as sign_with
from babysitter.clock import iso, ms_of
from babysitter.engine.breakpoints import Asked
from babysitter.engine.decisions import GivenAnswer, decision
from babysitter.engine.state import OK
from babysitter.errors import BadSignature
from babysitter.jsontext import canonical
from babysitter.paths import home
from babysitter.runs.assurance import shown_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from babysitter.journal.events import Event
    from babysitter.runs.results import Answer
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


def message_of(
    run_id: str, effect_id: str, told: dict[str, Any], shown: str, evidence: Mapping[str, Any]
) -> str:
    """The text that is signed: this answer to this breakpoint of this run, as it was shown, and when."""
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
    return canonical({"babysitter": "approval", **bound, **decided}) + "\n"


def sign(run: Run, answer: Answer, key: str) -> dict[str, Any]:
    """Sign an answer to a pending breakpoint and verify that at once; gives the evidence.

    Raises:
        BadSignature: the user has a file of allowed signers, and the key is not in it, or another's.
        InvalidInput, UsageError: it cannot be signed.
    """
    seen = answer.evidence or {}
    evidence: dict[str, Any] = {"nonce": os.urandom(16).hex(), "at": iso(run.now_ms())}
    message = message_of(run.run_id, answer.effect, answer.value, seen["shown"], evidence)
    signature = sign_with(message, key)
    signer = verify(message, signature, own_signers())
    if signer and seen.get("experts"):
        _check_name(answer.value["respondedBy"], signer)
    return {
        **evidence,
        "message": message,
        "signature": signature.text,
        "publicKey": signature.public_key,
        "fingerprint": signature.fingerprint,
        **({"signer": signer} if signer else {}),
    }


def _check_name(by: Any, signer: str) -> None:
    """Who is one of those that are asked is known by their key."""
    if by != signer:
        raise BadSignature(
            f"it says that {by!r} answers, and the key is that of {signer!r}",
            hint=f"answer with --as {signer}",
        )


class SignedApprovals:
    """Collects the answers to breakpoints while a journal is read, to check them afterwards."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._asked: dict[str, dict[str, Any]] = {}
        self._answers: list[tuple[str, int, dict[str, Any]]] = []
        self._given: dict[str, dict[int, GivenAnswer]] = {}
        self._decided: list[tuple[str, int, Any]] = []

    def see(self, event: Event) -> None:
        """Take in an event that the run's state has in it already."""
        effect_id = str(event.data.get("effectId"))
        if event.type == "EFFECT_REQUESTED" and event.data["kind"] == "breakpoint":
            self._asked[effect_id] = self._run.definition_of(self._run.state.effects[effect_id])
        elif event.type == "BREAKPOINT_ANSWERED":
            self._given.setdefault(effect_id, {})[event.seq] = GivenAnswer(event.seq, event.data)
            self._answers.append((effect_id, event.seq, event.data))
        elif event.type == "ANSWER_VOIDED":
            self._given[effect_id].pop(event.data["answer"])
        elif event.type == "EFFECT_RESOLVED" and effect_id in self._asked:
            evidence = event.data.get("evidence") or {}
            if "answers" in evidence:
                self._decided.append((effect_id, event.seq, evidence))
            else:
                self._answers.append((effect_id, event.seq, self._as_answer(effect_id, evidence)))

    def _as_answer(self, effect_id: str, evidence: dict[str, Any]) -> dict[str, Any]:
        """A result that is one person's answer, in the shape of an answer that is kept beside others."""
        effect = self._run.state.effects[effect_id]
        value = self._run.value_of(effect) if effect.status == OK else None
        told = value if isinstance(value, dict) else {}
        kept = {name: evidence.get(name) for name in ("assurance", "files")}
        return {**told, **kept, "evidence": evidence}

    def check(self, signers: str) -> list[Approval]:
        """Verify every signed answer, that there is one wherever it was demanded, and what they come to.

        Raises:
            BadSignature: names the event.
            UsageError: there is no ``ssh-keygen``.
        """
        checked = []
        for effect_id, seq, data in self._answers:
            if data.get("assurance") == "signed":
                checked.append(self._checked(effect_id, seq, data, signers))
            elif self._demands(effect_id):
                raise BadSignature(
                    f"event {seq} answers the breakpoint {effect_id!r}, "
                    "which demands a signature, and has none"
                )
        for decided in self._decided:
            self._check_decision(*decided)
        return checked

    def _demands(self, effect_id: str) -> bool:
        asked = self._asked[effect_id].get("breakpoint")
        return isinstance(asked, dict) and asked.get("assurance") == "signed"

    def _checked(self, effect_id: str, seq: int, data: dict[str, Any], signers: str) -> Approval:
        evidence, definition = data["evidence"], self._asked[effect_id]
        # From what the journal says, not from what it says was signed.
        shown = shown_digest(definition, data.get("files"))
        message = message_of(self._run.run_id, effect_id, data, shown, evidence)
        try:
            signature = Signature(str(evidence.get("signature")))
            signer = verify(message, signature, signers)
            if signer and data.get("experts"):
                _check_name(data.get("respondedBy"), signer)
            _check_until(data, Asked(definition))
        except BadSignature as error:
            raise BadSignature(f"event {seq}: {error.message}", hint=error.hint) from None
        return Approval(effect_id, seq, data.get("approved") is True, signer, signature.fingerprint)

    def _check_decision(self, effect_id: str, seq: int, evidence: dict[str, Any]) -> None:
        """A yes that was put together of several answers is one that these answers give."""
        effect = self._run.state.effects[effect_id]
        value = self._run.value_of(effect) if effect.status == OK else None
        told = value if isinstance(value, dict) else {}
        if not self._demands(effect_id) or told.get("approved") is not True:
            return
        given = self._given.get(effect_id, {})
        counting = [given[number] for number in evidence["answers"] if number in given]
        if decision(Asked(self._asked[effect_id]), counting) != told:
            raise BadSignature(
                f"event {seq} decides the breakpoint {effect_id!r} otherwise than its answers do"
            )


def _check_until(data: dict[str, Any], asked: Asked) -> None:
    """How long a yes counts follows from when it was signed."""
    if asked.expires is None or "untilMs" not in data:
        return
    signed_at = data["evidence"].get("at")
    if signed_at is None or data["untilMs"] != ms_of(signed_at) + round(asked.expires * 1000):
        raise BadSignature(
            "the answer says that it counts longer, or less long, than from when it was signed"
        )
