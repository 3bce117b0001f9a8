"""Whether the answers in a journal are what people have signed, and its decisions what these come to.

Whoever can write the journal can write anything into it, with a right chain. So nothing is believed
that does not follow from what was signed, where a signature is demanded.
"""

from __future__ import annotations

from typing import NamedTuple

from babysitter.approvals.signed import check_name, message_of
from babysitter.approvals.ssh_keys import Signature, verify
from babysitter.clock import ms_of
from babysitter.engine.breakpoints import Asked
from babysitter.engine.decisions import GivenAnswer, at_deadline, decision
from babysitter.engine.state import OK
from babysitter.errors import BadSignature
from babysitter.runs.assurance import shown_digest, weakest_of
from babysitter.runs.settling import EXPIRED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.journal.events import Event
    from babysitter.runs.run import Run

SIGNED = "signed"
# In the event of an answer that is kept beside others; else, as it is the result, in its evidence.
OF_ANSWERS = ("assurance", "shown", "files", "experts")
OF_RESPONSES = ("approved", "response", "feedback", "option", "respondedBy")


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


class Decided(NamedTuple):
    """A result that was put together of answers, with those that counted when it was written."""

    effect: Effect
    event: Event
    counting: list[GivenAnswer]


class SignedApprovals:
    """Collects the answers to breakpoints while a journal is read, to check them afterwards."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._asked: dict[str, dict[str, Any]] = {}
        self._answers: list[tuple[str, int, dict[str, Any]]] = []
        self._given: dict[str, dict[int, GivenAnswer]] = {}
        self._voided: list[tuple[Event, GivenAnswer]] = []
        self._decided: list[Decided] = []

    def see(self, event: Event) -> None:
        """Take in an event that the run's state has in it already."""
        effect_id = str(event.data.get("effectId"))
        if event.type == "EFFECT_REQUESTED" and event.data["kind"] == "breakpoint":
            self._asked[effect_id] = self._run.definition_of(self._run.state.effects[effect_id])
        elif event.type == "BREAKPOINT_ANSWERED":
            self._given.setdefault(effect_id, {})[event.seq] = GivenAnswer(event.seq, event.data)
            self._answers.append((effect_id, event.seq, event.data))
        elif event.type == "ANSWER_VOIDED":
            self._voided.append((event, self._given[effect_id].pop(event.data["answer"])))
        elif event.type == "EFFECT_RESOLVED" and effect_id in self._asked:
            self._see_result(effect_id, event)

    def _see_result(self, effect_id: str, event: Event) -> None:
        effect, evidence = self._run.state.effects[effect_id], event.data.get("evidence") or {}
        if "answers" in evidence:
            counting = list(self._given.pop(effect_id, {}).values())
            self._decided.append(Decided(effect, event, counting))
            return
        told = self._told(effect)
        kept = {name: evidence.get(name) for name in OF_ANSWERS}
        self._answers.append((effect_id, event.seq, {**told, **kept, "evidence": evidence}))

    def _told(self, effect: Effect) -> dict[str, Any]:
        value = self._run.value_of(effect) if effect.status == OK else None
        return value if isinstance(value, dict) else {}

    def check(self, signers: str) -> list[Approval]:
        """Verify every signed answer, that there is one wherever it was demanded, and what they come to.

        Raises:
            BadSignature: names the event.
            UsageError: there is no ``ssh-keygen``.
        """
        checked: dict[int, Approval] = {}
        for effect_id, seq, data in self._answers:
            try:
                if data.get("assurance") == SIGNED or "signature" in data["evidence"]:
                    checked[seq] = self._checked(effect_id, seq, data, signers)
                elif self._demands(effect_id):
                    raise BadSignature(
                        f"it answers the breakpoint {effect_id!r}, which demands a signature, and has none"
                    )
            except BadSignature as error:
                raise _at(seq, error) from None
        for event, answer in self._voided:
            _check_voided(event, answer)
        for decided in self._decided:
            try:
                self._check_decision(decided, checked)
            except BadSignature as error:
                raise _at(decided.event.seq, error) from None
        return list(checked.values())

    def _demands(self, effect_id: str) -> bool:
        asked = self._asked[effect_id].get("breakpoint")
        return isinstance(asked, dict) and asked.get("assurance") == SIGNED

    def _checked(self, effect_id: str, seq: int, data: dict[str, Any], signers: str) -> Approval:
        evidence, definition, experts = data["evidence"], self._asked[effect_id], data.get("experts")
        # From what the journal says, not from what it says was signed.
        shown = shown_digest(definition, data.get("files"))
        message = message_of(self._run.run_id, effect_id, data, shown, evidence, experts)
        signature = Signature(str(evidence.get("signature")))
        signer = verify(message, signature, signers)
        if signer and experts:
            check_name(data.get("respondedBy"), signer)
        following: dict[str, tuple[Any, Any]] = {
            "assurance": (data.get("assurance"), SIGNED),
            "shown": (data.get("shown"), shown),
            "message": (evidence.get("message"), message),
            "publicKey": (evidence.get("publicKey"), signature.public_key),
            "fingerprint": (evidence.get("fingerprint"), signature.fingerprint),
            "untilMs": (data.get("untilMs"), _until(Asked(definition), evidence)),
        }
        if "allResponses" in data:
            following["allResponses"] = (
                data["allResponses"],
                [{name: data.get(name) for name in OF_RESPONSES}],
            )
        for name, (found, expected) in following.items():
            if found != expected:
                raise BadSignature(f"the answer has another {name!r} than follows from what was signed")
        return Approval(effect_id, seq, data.get("approved") is True, signer, signature.fingerprint)

    def _check_decision(self, decided: Decided, checked: dict[int, Approval]) -> None:
        """A result that was put together of answers is what all of them come to that counted then."""
        effect, event, counting = decided
        evidence, asked = event.data["evidence"], Asked(self._asked[effect.id])
        if "copiedFrom" in evidence and self._demands(effect.id):
            raise BadSignature(
                f"it decides the breakpoint {effect.id!r} by answers of another run, which are verified there"
            )
        if "copiedFrom" in evidence:
            return
        signers = [checked[answer.seq].signer for answer in counting if answer.seq in checked]
        if None not in signers and len(set(signers)) < len(signers):
            raise BadSignature(f"one person counts twice among the answers to the breakpoint {effect.id!r}")
        is_by_clock = effect.executor == "clock"
        value = at_deadline(asked, counting) if is_by_clock else decision(asked, counting)
        level = weakest_of(answer.data["assurance"] for answer in counting) if counting else None
        is_too_early = is_by_clock and not _is_over(asked, effect, event)
        found = (self._told(effect), evidence["answers"], evidence.get("assurance"))
        if is_too_early or found != (value, [answer.seq for answer in counting], level):
            raise BadSignature(f"it decides the breakpoint {effect.id!r} otherwise than its answers do")


def _at(seq: int, error: BadSignature) -> BadSignature:
    return BadSignature(f"event {seq}: {error.message}", hint=error.hint)


def _until(asked: Asked, evidence: dict[str, Any]) -> int | None:
    """How long an answer counts follows from when it was signed."""
    if asked.expires is None:
        return None
    try:
        return asked.until_ms(ms_of(str(evidence.get("at"))))
    except ValueError:
        raise BadSignature("it counts for some time, and it was not signed when it was given") from None


def _is_over(asked: Asked, effect: Effect, event: Event) -> bool:
    """The time to answer was over when this was written."""
    return asked.deadline is not None and event.ms >= effect.requested_ms + round(asked.deadline * 1000)


def _check_voided(event: Event, answer: GivenAnswer) -> None:
    """A no is never void, and a yes expires when it does."""
    has_expired = answer.until_ms is not None and event.ms >= answer.until_ms
    if not answer.approved or (event.data["reason"] == EXPIRED and not has_expired):
        raise BadSignature(f"event {event.seq}: it takes back an answer that counts, event {answer.seq}")
