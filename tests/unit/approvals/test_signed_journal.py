"""Of a journal that somebody has written anew, chain and all, nothing is believed that nobody has signed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from gated import needs_ssh_keygen, new_key, signers_of

from babysitter.approvals.signed import sign
from babysitter.approvals.signed_journal import SignedApprovals
from babysitter.clock import iso
from babysitter.errors import BadSignature
from babysitter.runs.answering import decide
from babysitter.runs.folder import open_run
from babysitter.runs.results import accept
from babysitter.runs.verification import verify as verify_run
from tests.support.asking import Question
from tests.support.forging import Forged, forge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from babysitter.approvals.signed_journal import Approval

    Change = Callable[[list[Forged]], object]

pytestmark = needs_ssh_keygen
COLLECTING = """
async def process(inputs, ctx):
    about = {"assurance": "signed", "files": ["plan.md"], "expires": "1h", "options": ["staging", "live"]}
    asked = [
        lambda: ctx.breakpoint("Release?", quorum=2, expert=["anna", "bert", "cleo"], **about),
        lambda: ctx.breakpoint("Release?", quorum=3, **about),
    ]
    return [told.approved for told in await ctx.parallel.all(asked)]
"""
PLAIN = """
async def process(inputs, ctx):
    return (await ctx.breakpoint("Release?", assurance="signed", expert=["anna", "security"])).approved
"""
IN_TIME = """
async def process(inputs, ctx):
    return (await ctx.breakpoint("Release?", assurance="signed", deadline="1h", quorum=2)).approved
"""
# The events of the collecting run: what anna and bert have signed, and what that comes to.
ASKED, OTHER, ANNA, BERT, DECIDED = 1, 2, 3, 4, 5
NOT_THIS = r"the signature of the key SHA256:\S+ is not one of this approval"


class Signing(NamedTuple):
    """A project in which people sign."""

    question: Question
    keys: dict[str, str]
    signers: str

    def sign(self, by: str, approved: bool, *, effect: int = 0, **told: Any) -> None:
        run = self.question.open()
        names = told.pop("names", tuple)
        asked = list(run.state.effects.values())[effect]
        answer = decide(run, asked, approved, by=by, assurance="signed", names=names, **told)
        assert answer.evidence is not None
        answer.evidence |= sign(run, answer, self.keys[by])
        (verdict,) = accept(run, [answer])
        assert verdict.error is None, verdict.error

    def checked(self, change: Change | None = None) -> list[Approval]:
        """What ``verify --signers`` finds, after somebody has changed the journal so."""
        folder = os.path.join(self.question.runs, "r")
        if change is not None:
            forge(folder, "r", change)
        run = open_run("r", self.question.runs)
        approvals = SignedApprovals(run)
        verify_run(run, approvals.see)
        return approvals.check(self.signers)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Three projects, with everything signed that is to be signed in them."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("BABYSITTER_HOME", str(tmp_path_factory.mktemp("home")))
        keys = tmp_path_factory.mktemp("keys")
        patched.chdir(keys)
        paths = {name: new_key(name) for name in ("anna", "bert", "cleo")}
        signers_of(**paths)
        folders = {}
        for name, source in (("collecting", COLLECTING), ("plain", PLAIN), ("in time", IN_TIME)):
            folder = folders[name] = tmp_path_factory.mktemp("projects") / "project"
            folder.mkdir()
            shutil.copytree(keys, folder / "keys")
            _fill(opened(folder), name, source)
        yield folders


def _fill(signing: Signing, name: str, source: str) -> None:
    signing.question.write("plan.md", "one")
    signing.question.ask(source)
    if name == "collecting":
        signing.sign("anna", True, option="live", response="fine", feedback="only eu")
        signing.sign("bert", True, option="live")
    elif name == "plain":
        signing.sign("anna", True, feedback="only eu", names=lambda: ["security"])
    else:
        signing.sign("anna", True)
        return
    signing.question.iterate()


def opened(folder: Path) -> Signing:
    keys = {name: str(folder / "keys" / name) for name in ("anna", "bert", "cleo")}
    return Signing(Question(folder), keys, str(folder / "keys" / "signers"))


@pytest.fixture
def copied(made: dict[str, Path], project: Path) -> Callable[[str], Signing]:
    """One of the projects, to be changed."""

    def copy(name: str) -> Signing:
        shutil.copytree(made[name], project, dirs_exist_ok=True)
        return opened(project)

    return copy


@pytest.fixture
def collecting(copied: Callable[[str], Signing]) -> Signing:
    return copied("collecting")


def test_what_several_have_signed_is_verified_from_the_journal(collecting: Signing) -> None:
    assert [(each.seq, each.signer, each.approved) for each in collecting.checked()] == [
        (4, "anna", True),
        (5, "bert", True),
    ]


def test_a_journal_that_was_written_anew_as_it_was_is_as_good(collecting: Signing) -> None:
    assert len(collecting.checked(lambda events: None)) == 2


# Each part of an answer.


def put(seq: int, *path: str, value: Any) -> Change:
    """Put something else at a place of an event; None takes away what is there."""

    def change(events: list[Forged]) -> None:
        *folders, name = path
        data: Any = events[seq].data
        for folder in folders:
            data = data[int(folder)] if isinstance(data, list) else data[folder]
        assert data.get(name) != value, f"{path} is {value!r} already"
        data[name] = value
        if value is None:
            del data[name]

    return change


def of_bert(*path: str) -> Change:
    """Put into anna's answer what bert's has there."""

    def change(events: list[Forged]) -> None:
        *folders, name = path
        data, other = events[ANNA].data, events[BERT].data
        for folder in folders:
            data, other = data[folder], other[folder]
        assert data[name] != other[name]
        data[name] = other[name]

    return change


def to_the_other(events: list[Forged]) -> None:
    events[ANNA].data["effectId"] = events[OTHER].data["effectId"]


def another(name: str) -> str:
    return f"event 4: the answer has another '{name}' than follows from what was signed"


ANSWERS: dict[str, tuple[Change, str]] = {
    "approved": (put(ANNA, "approved", value=False), NOT_THIS),
    "another option": (put(ANNA, "option", value="staging"), NOT_THIS),
    "no option": (put(ANNA, "option", value=None), NOT_THIS),
    "response": (put(ANNA, "response", value="bad"), NOT_THIS),
    "feedback": (put(ANNA, "feedback", value=None), NOT_THIS),
    "more feedback": (put(BERT, "feedback", value="and more"), NOT_THIS),
    "respondedBy": (put(ANNA, "respondedBy", value="cleo"), NOT_THIS),
    "experts": (put(ANNA, "experts", value=["anna", "cleo"]), NOT_THIS),
    "no experts": (put(ANNA, "experts", value=None), NOT_THIS),
    "another effect": (to_the_other, NOT_THIS),
    "shown": (put(ANNA, "shown", value="0" * 64), another("shown")),
    "a file": (put(ANNA, "files", "0", "sha256", value="0" * 64), NOT_THIS),
    "the length of a file": (put(ANNA, "files", "0", "bytes", value=4), NOT_THIS),
    "no files": (put(ANNA, "files", value=None), NOT_THIS),
    "untilMs": (put(ANNA, "untilMs", value=9_000_000_000_000), another("untilMs")),
    "no untilMs": (put(ANNA, "untilMs", value=None), another("untilMs")),
    "assurance": (put(ANNA, "assurance", value="terminal"), another("assurance")),
    "nonce": (put(ANNA, "evidence", "nonce", value="00"), NOT_THIS),
    "at": (put(ANNA, "evidence", "at", value="2027-01-01T00:00:00.000Z"), NOT_THIS),
    "no at": (put(ANNA, "evidence", "at", value=None), NOT_THIS),
    "message": (of_bert("evidence", "message"), another("message")),
    "another's signature": (of_bert("evidence", "signature"), NOT_THIS),
    "no signature at all": (
        put(ANNA, "evidence", "signature", value=None),
        "event 4: what stands there as a",
    ),
    "publicKey": (of_bert("evidence", "publicKey"), another("publicKey")),
    "fingerprint": (of_bert("evidence", "fingerprint"), another("fingerprint")),
    "all of the evidence": (
        put(ANNA, "evidence", value={}),
        "event 4: what stands there as a signature is none",
    ),
    "another's evidence": (of_bert("evidence"), NOT_THIS),
}


@pytest.mark.parametrize(("change", "message"), ANSWERS.values(), ids=ANSWERS)
def test_no_part_of_a_signed_answer_can_be_changed(collecting: Signing, change: Change, message: str) -> None:
    with pytest.raises(BadSignature, match=message):
        collecting.checked(change)


def test_a_signed_answer_that_is_said_to_be_none_is_missed(collecting: Signing) -> None:
    def change(events: list[Forged]) -> None:
        events[ANNA].data |= {"assurance": "terminal", "evidence": {}}

    with pytest.raises(BadSignature, match=r"event 4: it answers the breakpoint .* and has none"):
        collecting.checked(change)


def test_who_signs_answers_under_their_own_name(collecting: Signing) -> None:
    signers = Path(collecting.signers)
    signers.write_text(signers.read_text().replace("anna", "zoe"))
    with pytest.raises(
        BadSignature, match="event 4: it says that 'anna' answers, and the key is that of 'zoe'"
    ):
        collecting.checked()


# The answers all together.


def twice(events: list[Forged]) -> None:
    events[BERT] = events[ANNA].copy()
    words = {"response": "fine", "feedback": "only eu", "option": "live", "respondedBy": "anna"}
    said = {"approved": True, **words}
    events[DECIDED].data["value"] = {**said, "allResponses": [said, said]}


def without_bert(events: list[Forged]) -> None:
    del events[BERT]


def with_a_third(events: list[Forged]) -> None:
    events.insert(BERT + 1, events[BERT].copy())


def taken_back(seq: int, reason: str) -> Change:
    def change(events: list[Forged]) -> None:
        effect, at = events[ASKED].data["effectId"], events[BERT].ms
        data = {"effectId": effect, "answer": seq + 1, "reason": reason}
        events.insert(BERT + 1, Forged("ANSWER_VOIDED", data, at))

    return change


OTHERWISE = "event 6: it decides the breakpoint '[0-9a-z]+' otherwise than its answers do"
TOGETHER: dict[str, tuple[Change, str]] = {
    "one twice": (twice, "event 6: one person counts twice among the answers"),
    "one removed": (without_bert, "event 5: it decides the breakpoint .* otherwise"),
    "one more": (with_a_third, "event 7: one person counts twice"),
    "one taken back": (taken_back(ANNA, "expired"), "event 6: it takes back an answer that counts, event 4"),
    "approved": (put(DECIDED, "value", "approved", value=False), OTHERWISE),
    "option": (put(DECIDED, "value", "option", value="staging"), OTHERWISE),
    "feedback": (put(DECIDED, "value", "feedback", value="everywhere"), OTHERWISE),
    "respondedBy": (put(DECIDED, "value", "respondedBy", value="bert"), OTHERWISE),
    "a response": (put(DECIDED, "value", "allResponses", "1", "approved", value=False), OTHERWISE),
    "no responses": (put(DECIDED, "value", "allResponses", value=[]), OTHERWISE),
    "fewer answers": (put(DECIDED, "evidence", "answers", value=[4]), OTHERWISE),
    "other answers": (put(DECIDED, "evidence", "answers", value=[5, 4]), OTHERWISE),
    "no answers": (
        put(DECIDED, "evidence", "answers", value=None),
        "event 6: what stands there as a signature is none",
    ),
    "assurance": (put(DECIDED, "evidence", "assurance", value="terminal"), OTHERWISE),
    "by the clock": (put(DECIDED, "executor", value="clock"), OTHERWISE),
    "a failure": (put(DECIDED, "status", value="error"), OTHERWISE),
    "copied": (
        put(DECIDED, "evidence", "copiedFrom", value={"runId": "x", "effectId": "y"}),
        "event 6: it decides the breakpoint .* by answers of another run, which are verified there",
    ),
}


@pytest.mark.parametrize(("change", "message"), TOGETHER.values(), ids=TOGETHER)
def test_no_decision_is_other_than_what_was_signed(collecting: Signing, change: Change, message: str) -> None:
    with pytest.raises(BadSignature, match=message):
        collecting.checked(change)


def test_a_no_is_never_taken_back(collecting: Signing) -> None:
    collecting.sign("cleo", False, effect=1, option="live")

    def change(events: list[Forged]) -> None:
        answer = len(events)
        data = {"effectId": events[OTHER].data["effectId"], "answer": answer, "reason": "changed: plan.md"}
        events.append(Forged("ANSWER_VOIDED", data, events[-1].ms))

    assert len(collecting.checked()) == 3
    with pytest.raises(BadSignature, match="it takes back an answer that counts"):
        collecting.checked(change)


def test_a_yes_that_has_expired_may_be_void(collecting: Signing) -> None:
    collecting.sign("cleo", True, effect=1, option="live")

    def change(events: list[Forged]) -> None:
        answer, effect = events[-1], events[OTHER].data["effectId"]
        data = {"effectId": effect, "answer": len(events), "reason": "expired"}
        events.append(Forged("ANSWER_VOIDED", data, answer.data["untilMs"]))

    assert [each.signer for each in collecting.checked(change)] == ["anna", "bert", "cleo"]


# Time.


def by_clock(seconds: int, approved: bool, answers: list[int]) -> Change:
    """Let the clock decide so long after the question."""

    def change(events: list[Forged]) -> None:
        asked, said = events[1], {"response": None, "feedback": None, "option": None}
        anna = {"approved": True, **said, "respondedBy": "anna"}
        value = {
            "approved": approved,
            **said,
            "respondedBy": "deadline",
            "allResponses": [anna] * len(answers),
        }
        at = asked.ms + seconds * 1000
        data = {"effectId": asked.data["effectId"], "status": "ok", "value": value, "executor": "clock"}
        evidence = {"answers": answers, **({"assurance": "signed"} if answers else {})}
        events.append(Forged("EFFECT_RESOLVED", {**data, "finishedAt": iso(at), "evidence": evidence}, at))

    return change


def test_time_decides_by_the_default_when_it_is_over(copied: Callable[[str], Signing]) -> None:
    assert len(copied("in time").checked(by_clock(3600, False, [3]))) == 1


@pytest.mark.parametrize(
    "change",
    [by_clock(3599, False, [3]), by_clock(3600, True, [3]), by_clock(3600, False, [])],
    ids=["too early", "with a yes", "as if nobody had answered"],
)
def test_time_decides_nothing_else(copied: Callable[[str], Signing], change: Change) -> None:
    with pytest.raises(BadSignature, match=r"event 4: it decides the breakpoint .* otherwise"):
        copied("in time").checked(change)


# An answer that is itself the result.

RESULTS: dict[str, tuple[Change, str]] = {
    "approved": (put(2, "value", "approved", value=False), NOT_THIS),
    "feedback": (put(2, "value", "feedback", value=None), NOT_THIS),
    "respondedBy": (put(2, "value", "respondedBy", value="bert"), NOT_THIS),
    "responses": (put(2, "value", "allResponses", "0", "feedback", value="all"), "another 'allResponses'"),
    "experts": (put(2, "evidence", "experts", value=["anna"]), NOT_THIS),
    "shown": (put(2, "evidence", "shown", value=None), "another 'shown'"),
    "assurance": (put(2, "evidence", "assurance", value="terminal"), "another 'assurance'"),
    "fingerprint": (put(2, "evidence", "fingerprint", value="SHA256:x"), "another 'fingerprint'"),
    "a decision": (put(2, "evidence", "answers", value=[]), "decides the breakpoint .* otherwise"),
}


def test_an_answer_that_is_the_result_is_verified(copied: Callable[[str], Signing]) -> None:
    assert [each.signer for each in copied("plain").checked()] == ["anna"]


@pytest.mark.parametrize(("change", "message"), RESULTS.values(), ids=RESULTS)
def test_no_part_of_a_signed_result_can_be_changed(
    copied: Callable[[str], Signing], change: Change, message: str
) -> None:
    with pytest.raises(BadSignature, match=message):
        copied("plain").checked(change)
