"""An approval that is signed is one of this run, this breakpoint and this answer, by this key."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gated import GATE, RUNS, SIGNED, begin, needs_ssh_keygen, new_key, open_breakpoint, signers_of

from babysitter.approvals import ssh_keys
from babysitter.approvals.signed import message_of, own_signers, sign
from babysitter.approvals.signed_journal import SignedApprovals
from babysitter.approvals.ssh_keys import Signature, own_key, verify
from babysitter.errors import BadSignature, InvalidInput, UsageError
from babysitter.runs.answering import decide
from babysitter.runs.folder import open_run
from babysitter.runs.results import accept
from babysitter.runs.verification import verify as verify_run

if TYPE_CHECKING:
    from babysitter.approvals.signed_journal import Approval
    from babysitter.runs.run import Run

pytestmark = needs_ssh_keygen


def answered(run: Run, approved: bool = True, evidence: dict[str, Any] | None = None, **told: Any) -> None:
    """The open breakpoint, answered with this evidence for a signature."""
    answer = decide(run, open_breakpoint(run), approved, by="me", assurance="signed", **told)
    assert answer.evidence is not None
    answer.evidence |= evidence or {}
    (verdict,) = accept(run, [answer])
    assert verdict.error is None


def evidence_for(run: Run, key: str, approved: bool = True, **told: Any) -> dict[str, Any]:
    """A signature of an answer to the open breakpoint of a run."""
    effect = open_breakpoint(run)
    return sign(run, decide(run, effect, approved, by="me", assurance="signed", **told), key)


def checked(name: str, signers: str) -> list[Approval]:
    run = open_run(name, os.path.abspath(RUNS))
    approvals = SignedApprovals(run)
    verify_run(run, approvals.see)
    return approvals.check(signers)


def signed_run(key: str, name: str = "r", **told: Any) -> None:
    run = begin(SIGNED, name)
    answered(run, evidence=evidence_for(run, key, **told), **told)


def test_a_signed_answer_is_verified_from_the_journal() -> None:
    key = new_key()
    signed_run(key, option="live", feedback="only eu")
    (approval,) = checked("r", signers_of(anna=key))
    assert (approval.signer, approval.approved, approval.fingerprint[:7]) == ("anna", True, "SHA256:")


def test_the_evidence_names_the_key_as_it_stands_in_its_file() -> None:
    key = new_key()
    evidence = evidence_for(begin(SIGNED), key)
    assert evidence["publicKey"] == " ".join(Path(f"{key}.pub").read_text().split()[:2])


def test_a_key_that_is_not_in_the_file_is_refused() -> None:
    key, other = new_key(), new_key("other")
    signed_run(key)
    with pytest.raises(BadSignature, match=r"event 3: the key SHA256:\S+ is not in the file") as caught:
        checked("r", signers_of(bert=other))
    assert "ssh-ed25519 " in caught.value.hint


def test_where_the_user_has_a_file_of_signers_no_other_key_can_approve(home: Path) -> None:
    new_key("other")
    Path(signers_of(bert=str(Path.cwd() / "other"))).rename(home / "allowed_signers")
    assert own_signers() == str(home / "allowed_signers")
    with pytest.raises(InvalidInput, match="is not in the file of allowed signers"):
        evidence_for(begin(SIGNED), new_key())


def test_where_the_user_has_a_file_of_signers_the_evidence_names_the_signer(home: Path) -> None:
    key = new_key()
    Path(signers_of(anna=key)).rename(home / "allowed_signers")
    assert evidence_for(begin(SIGNED), key)["signer"] == "anna"


def test_without_such_a_file_the_evidence_names_nobody() -> None:
    assert "signer" not in evidence_for(begin(SIGNED), new_key())


def test_a_signature_of_another_run_does_not_count() -> None:
    key = new_key()
    other = evidence_for(begin(SIGNED, "other"), key)
    answered(begin(SIGNED, "r"), evidence=other)
    with pytest.raises(BadSignature, match="is not one of this approval"):
        checked("r", signers_of(anna=key))


def test_a_signature_of_another_breakpoint_does_not_count() -> None:
    key = new_key()
    twice = """
async def process(inputs, ctx):
    await ctx.parallel.all([
        lambda: ctx.breakpoint("Release?", assurance="signed"),
        lambda: ctx.breakpoint("Release?", assurance="signed"),
    ])
"""
    run = begin(twice)
    first, second = run.state.pending.values()
    told = decide(run, first, True, by="me", assurance="signed")
    copied = decide(run, second, True, by="me", assurance="signed")
    assert told.evidence is not None
    assert copied.evidence is not None
    evidence = sign(run, told, key)
    told.evidence |= evidence
    copied.evidence |= evidence
    accept(run, [told, copied])
    with pytest.raises(BadSignature, match="event 5: the signature"):
        checked("r", signers_of(anna=key))


def test_what_is_signed_names_the_run_the_breakpoint_the_question_and_a_nonce() -> None:
    told = {"approved": True, "option": "live", "respondedBy": "me"}
    assert message_of("r", "e", told, "digest", {"nonce": "n"}) == (
        '{"approved":true,"babysitter":"approval","effect":"e","feedback":null,"nonce":"n",'
        '"option":"live","response":null,"run":"r","shown":"digest"}\n'
    )


CHANGES: list[dict[str, Any]] = [
    {"approved": True},
    {"option": "live"},
    {"feedback": "and more"},
    {"response": "yes"},
]


@pytest.mark.parametrize("changed", CHANGES, ids=lambda changed: next(iter(changed)))
def test_a_signature_of_another_answer_does_not_count(changed: dict[str, Any]) -> None:
    key = new_key()
    run = begin(SIGNED)
    evidence = evidence_for(run, key, approved=False, option="staging")
    answered(run, evidence=evidence, **{"approved": False, "option": "staging", **changed})
    with pytest.raises(BadSignature, match="is not one of this approval"):
        checked("r", signers_of(anna=key))


def test_a_signature_of_another_question_does_not_count() -> None:
    key = new_key()
    run = begin(SIGNED)
    effect = open_breakpoint(run)
    evidence = evidence_for(run, key)
    assert effect.definition is not None
    reworded = {**effect.definition, "title": "Another"}
    effect.definition, kept = reworded, effect.definition
    other = evidence_for(run, key)
    effect.definition = kept
    answered(run, evidence=other)
    assert evidence["message"] != other["message"]
    with pytest.raises(BadSignature, match="is not one of this approval"):
        checked("r", signers_of(anna=key))


def test_a_signature_for_another_purpose_does_not_count() -> None:
    key = new_key()
    run = begin(SIGNED)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ssh_keys, "NAMESPACE", "git")
        evidence = evidence_for(run, key)
    answered(run, evidence=evidence)
    with pytest.raises(BadSignature, match="is not one of this approval"):
        checked("r", signers_of(anna=key))


def test_an_answer_without_the_signature_that_is_demanded_is_found() -> None:
    run = begin(SIGNED)
    effect = open_breakpoint(run)
    answer = decide(run, effect, True, by="me", assurance="signed")
    answer.evidence = {"assurance": "terminal"}
    accept(run, [answer])
    with pytest.raises(BadSignature, match="which demands a signature, and has none"):
        checked("r", signers_of(anna=new_key()))


def test_an_answer_that_needs_no_signature_is_passed_over() -> None:
    run = begin(GATE)
    accept(run, [decide(run, open_breakpoint(run), True, by="me")])
    assert checked("r", signers_of(anna=new_key())) == []


def test_a_signature_that_is_none_is_named() -> None:
    answered(begin(SIGNED), evidence={"nonce": "n", "signature": "yes, really"})
    with pytest.raises(BadSignature, match="event 3: what stands there as a signature is none"):
        checked("r", signers_of(anna=new_key()))


@pytest.mark.parametrize("text", ["", "AAAA", "U1NIU0lH", "U1NIU0lHAAAAAQAAAAA=", "U1NIU0lHAAAAAQAAAAFB"])
def test_what_is_cut_off_is_no_signature(text: str) -> None:
    with pytest.raises(BadSignature, match="is none"):
        Signature(f"-----BEGIN SSH SIGNATURE-----\n{text}\n-----END SSH SIGNATURE-----\n")


def test_without_a_file_of_signers_a_signature_must_still_be_one() -> None:
    evidence = evidence_for(begin(SIGNED), new_key())
    signature = Signature(evidence["signature"])
    assert verify(evidence["message"], signature, None) is None
    with pytest.raises(BadSignature):
        verify(evidence["message"] + " ", signature, None)


# The key and the program


def test_a_key_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidInput, match="there is no key file '/nowhere'"):
        evidence_for(begin(SIGNED), "/nowhere")


def test_a_file_that_is_no_key_signs_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    Path("key").write_text("not a key")
    with pytest.raises(InvalidInput, match="nothing was signed with the key 'key'"):
        evidence_for(begin(SIGNED), "key")
    assert capfd.readouterr().err


def test_a_key_on_a_token_comes_first(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    for name in ("id_rsa", "id_ed25519_sk", "id_ed25519"):
        (tmp_path / ".ssh" / name).touch()
    assert own_key(str(tmp_path)) == str(tmp_path / ".ssh" / "id_ed25519_sk")


def test_who_has_no_key_is_told_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no SSH key") as caught:
        own_key(str(tmp_path))
    assert "--key" in caught.value.hint


def test_without_ssh_keygen_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    key = new_key()
    run = begin(SIGNED)
    monkeypatch.setenv("PATH", str(Path.cwd()))
    with pytest.raises(UsageError, match="'ssh-keygen' cannot be called") as caught:
        evidence_for(run, key)
    assert (caught.value.exit_code, "OpenSSH" in caught.value.hint) == (2, True)
