"""What is asked at a session: of whom it is for, on files as they are, and again when an answer is void."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.hooks import dialog as dialog_module
from babysitter.runs.answering import decide
from babysitter.runs.iterate import iterate
from babysitter.runs.results import accept
from tests.unit.hooks.test_commands import typed
from tests.unit.hooks.test_dialog import Dialog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.hooks.conftest import Session

pytestmark = pytest.mark.usefixtures("seen")
SHOWS = 'return (await ctx.breakpoint("Ship?", title="Ship", files=["plan.md"])).approved'
CHOOSES = 'return (await ctx.breakpoint("Where?", files=["plan.md"], options=["eu", "abad1dea"])).option'
OF_ALICE = 'return (await ctx.breakpoint("Ship?", title="Ship", expert="alice")).approved'
OF_TWO = 'return (await ctx.breakpoint("Ship?", title="Ship", quorum=2)).approved'
EXPIRES = 'return (await ctx.breakpoint("Ship?", title="Ship", expires=60)).approved'


@pytest.fixture
def plan(project: Path) -> Path:
    """A file that is shown."""
    path = project / "plan.md"
    path.write_text("one")
    return path


@pytest.fixture(autouse=True)
def zoe(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user of this machine."""
    monkeypatch.setenv("LOGNAME", "zoe")


def given(session: Session) -> list[Any]:
    """Who has said what so far to what is open."""
    return [
        (answer.by, answer.approved, answer.data["assurance"])
        for answers in session.run.state.answers.values()
        for answer in answers
    ]


def goes_by(home: Path, *names: str) -> None:
    (home / "config.yaml").write_text(f"answersAs: [{', '.join(names)}]\n")


@pytest.fixture
def asking(
    plan: Path, bound: Callable[..., Session], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Dialog]:
    """A question of the model's, in the dialog."""
    return lambda body: Dialog(bound(body), monkeypatch)


# Files, in the dialog.


def test_the_dialog_names_each_file_with_its_digest(asking: Callable[[str], Dialog]) -> None:
    dialog = asking(SHOWS)
    (question,) = dialog.ask().input["questions"]
    lines = question["question"].splitlines()
    assert re.fullmatch("file +plan.md, 3 bytes, 7692c3ad", lines[1])
    labels = [option["label"] for option in question["options"]]
    digest = lines[-1].split()[-1]
    assert labels == ["Not yet", f"Approve ({digest})", f"Reject ({digest})"]


def test_a_yes_to_a_file_is_kept_until_the_run_goes_on(asking: Callable[[str], Dialog]) -> None:
    dialog = asking(SHOWS)
    dialog.ask()
    dialog.open()
    assert "recorded, the person said yes" in dialog.answer(dialog.label("Approve")).text
    assert given(dialog.session) == [("zoe", True, "dialog")]
    assert "completed" in dialog.session.call("stop").text


def test_a_file_that_changes_between_question_and_answer_leaves_nothing_recorded(
    asking: Callable[[str], Dialog], plan: Path
) -> None:
    dialog = asking(SHOWS)
    dialog.ask()
    dialog.open()
    plan.write_text("two")
    for label in ("Approve", "Reject"):
        assert "nothing was recorded" in dialog.answer(dialog.label(label)).text
        assert (given(dialog.session), dialog.session.pending("breakpoint").is_pending) == ([], True)
        dialog.ask()
        plan.write_text(f"after {label}")
        dialog.open()


def test_what_is_asked_anew_names_the_file_as_it_is_now(asking: Callable[[str], Dialog], plan: Path) -> None:
    dialog = asking(SHOWS)
    dialog.ask()
    before = dialog.label("Approve")
    plan.write_text("two")
    dialog.ask()
    dialog.open()
    assert "changed since it was asked" in dialog.questions[0]["question"]
    assert before != dialog.label("Approve")
    dialog.answer(dialog.label("Approve"))
    assert given(dialog.session) == [("zoe", True, "dialog")]


def test_a_file_that_changes_at_the_very_last_moment_leaves_nothing_recorded(
    asking: Callable[[str], Dialog], plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = asking(SHOWS)
    dialog.ask()
    dialog.open()
    real = dialog_module.decide

    def late(*args: Any, **told: Any) -> Any:
        plan.write_text("two")
        return real(*args, **told)

    monkeypatch.setattr(dialog_module, "decide", late)
    assert (
        "nothing was recorded: something else is shown by now" in dialog.answer(dialog.label("Approve")).text
    )
    assert given(dialog.session) == []


# Files, typed.


def digest_of(told: str) -> str:
    (found,) = re.findall(r", digest (\w{8}):", told)
    return str(found)


def test_what_is_typed_without_a_digest_is_about_what_was_asked_at_first(
    bound: Callable[..., Session], plan: Path
) -> None:
    session = bound(SHOWS)
    plan.write_text("two")
    told = typed(session, "approve", "yes").message
    assert ("plan.md has changed since it was asked" in told, given(session)) == (True, [])


def test_who_is_shown_a_changed_file_is_told_to_type_its_digest(
    bound: Callable[..., Session], plan: Path
) -> None:
    session = bound(SHOWS)
    effect = session.pending("breakpoint").id
    assert "to answer: /babysitter:approve yes, or" in typed(session, "approve").message
    plan.write_text("two")
    told = typed(session, "approve").message
    digest = digest_of(told)
    assert f"to answer: /babysitter:approve {effect} {digest} yes, or" in told
    assert "recorded, the person said yes" in typed(session, "approve", f"{effect} {digest} yes").message
    assert given(session) == [("zoe", True, "command")]


def test_a_digest_that_is_not_right_any_more_leaves_nothing_recorded(
    bound: Callable[..., Session], plan: Path
) -> None:
    session = bound(SHOWS)
    before = digest_of(typed(session, "approve").message)
    plan.write_text("two")
    for words in (f"{before} yes", f"{session.pending('breakpoint').id} {before} no"):
        told = typed(session, "approve", words).message
        assert ("something else is shown by now" in told, given(session)) == (True, [])


def test_an_option_that_looks_like_a_digest_is_an_option(bound: Callable[..., Session], plan: Path) -> None:
    session = bound(CHOOSES)
    typed(session, "approve", "abad1dea at once")
    (answers,) = session.run.state.answers.values()
    assert (answers[0].data["option"], answers[0].data["feedback"]) == ("abad1dea", "at once")


# Of whom.


def test_what_asks_somebody_else_is_not_asked_of_this_person(bound: Callable[..., Session]) -> None:
    told = bound(OF_ALICE).call("stop")
    assert (told.kind, "the answer of alice to 'Ship'" in told.message, "your answer" in told.message) == (
        "let go",
        True,
        False,
    )


def test_what_asks_somebody_else_is_not_put_in_a_dialog(asking: Callable[[str], Dialog]) -> None:
    told = asking(OF_ALICE).ask()
    assert (told.kind, "asks alice, and this is an answer of 'zoe'" in told.text) == ("deny", True)


def test_what_asks_somebody_else_is_not_taken_when_it_is_typed(bound: Callable[..., Session]) -> None:
    session = bound(OF_ALICE)
    assert "asks alice, and this is an answer of 'zoe'" in typed(session, "approve", "yes").message
    assert session.pending("breakpoint").is_pending


def test_who_goes_by_that_name_is_asked_and_answers(bound: Callable[..., Session], home: Path) -> None:
    goes_by(home, "security", "alice")
    session = bound(OF_ALICE)
    effect = session.pending("breakpoint").id
    assert f"[breakpoint:{effect}] Ship" in session.call("stop").text
    assert "recorded" in typed(session, "approve", "yes").message
    (resolved,) = [event.data for event in events(session) if event.type == "EFFECT_RESOLVED"]
    assert (resolved["value"]["respondedBy"], resolved["evidence"]["experts"]) == ("zoe", ["alice"])


def test_a_configuration_that_cannot_be_read_keeps_no_session(
    bound: Callable[..., Session], home: Path
) -> None:
    (home / "config.yaml").write_text("answersAs: 7\n")
    told = bound(OF_ALICE).call("stop")
    assert (told.kind, "the answer of alice" in told.message) == ("let go", True)


def events(session: Session) -> list[Any]:
    found: list[Any] = []
    session.run.journal.load(found.append)
    return found


def test_who_has_answered_is_not_asked_again_while_others_are_waited_for(
    bound: Callable[..., Session],
) -> None:
    session = bound(OF_TWO)
    typed(session, "approve", "yes")
    told = session.call("stop")
    assert (told.kind, "the answer of others to 'Ship'" in told.message) == ("let go", True)


def test_until_when_an_answer_is_waited_for_is_told(bound: Callable[..., Session]) -> None:
    told = bound('await ctx.breakpoint("Ship?", deadline="1d", expert="alice")').call("stop")
    assert re.search(r"the answer of alice to 'Ship\?', until 20\d\d-\S+Z", told.message)


# Again.


def test_a_void_answer_is_asked_anew(bound: Callable[..., Session], plan: Path) -> None:
    session = bound(SHOWS)
    effect = session.pending("breakpoint").id
    assert f"[breakpoint:{effect}]" in session.call("stop").text
    typed(session, "approve", "yes")
    plan.write_text("two")
    assert f"[breakpoint:{effect}]" in session.call("stop").text
    assert given(session) == []
    # Once: then the session is let go.
    assert session.call("stop").kind == "let go"


def test_a_yes_that_has_expired_is_asked_anew(
    bound: Callable[..., Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = bound(EXPIRES)
    effect = session.pending("breakpoint").id
    session.call("stop")
    typed(session, "approve", "yes")
    (answers,) = session.run.state.answers.values()
    later = (answers[0].until_ms or 0) + 1
    monkeypatch.setattr("babysitter.runs.run.now_ms", lambda: later)
    assert f"[breakpoint:{effect}]" in session.call("stop").text
    assert session.call("stop").kind == "let go"


def test_a_question_whose_file_has_changed_is_asked_anew(bound: Callable[..., Session], plan: Path) -> None:
    session = bound(SHOWS)
    effect = session.pending("breakpoint").id
    session.call("stop")
    assert session.call("stop").kind == "let go"
    plan.write_text("two")
    assert f"[breakpoint:{effect}]" in session.call("stop").text


def test_what_others_have_decided_meanwhile_brings_the_session_on(bound: Callable[..., Session]) -> None:
    session = bound(OF_TWO)
    for by in ("ann", "ben"):
        run = session.run
        accept(run, [decide(run, session.pending("breakpoint"), True, by=by, assurance="terminal")])
    assert "completed" in session.call("stop").text
    assert iterate(session.run).status == "completed"
