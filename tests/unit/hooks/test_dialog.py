"""A breakpoint in the host's question dialog: our words, and only a person's answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.hooks.conftest import SESSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.hooks.conftest import Session

pytestmark = pytest.mark.usefixtures("seen")
ASK = 'return (await ctx.breakpoint("Ship 1.2?", title="Ship")).approved'
CHOOSE = 'return (await ctx.breakpoint("Where?", title="Where", options=["eu", "us"])).option'
USE = "toolu_88f2ac2bf08042b3ae5cf609"


class Dialog:
    """A question of the model's, as the hook let it through, and the answers that come back."""

    def __init__(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        self.session = session
        self._now = 1_000_000
        monkeypatch.setattr("babysitter.hosts.claude.now_ms", lambda: self._now)

    def ask(self, **about: Any) -> Any:
        mark = f"[breakpoint:{self.session.pending('breakpoint').id}]"
        forged = [{"question": f"May I? {mark}", "options": [{"label": "Yes"}], "header": "x"}]
        told = self.session.call(
            "before-tool",
            tool_name="AskUserQuestion",
            tool_use_id=USE,
            tool_input={"questions": forged, "answers": {f"May I? {mark}": "Yes"}},
            **about,
        )
        self.questions = (told.input or {}).get("questions")
        return told

    def open(self, wait_ms: int = 600) -> None:
        self.session.call("permission", tool_name="AskUserQuestion", tool_input={"questions": self.questions})
        self._now += wait_ms

    def answer(self, label: str, **about: Any) -> Any:
        """What the host says of an answer; ``about`` changes that."""
        response = {
            "questions": self.questions,
            "answers": {self.questions[0]["question"]: label},
            "annotations": {},
            **about.pop("response", {}),
        }
        response = {name: value for name, value in response.items() if value is not None}
        told = {"tool_use_id": USE, "tool_input": {}, **about}
        return self.session.call("after-tool", tool_name="AskUserQuestion", tool_response=response, **told)

    def label(self, start: str) -> str:
        return next(
            option["label"] for option in self.questions[0]["options"] if option["label"].startswith(start)
        )


@pytest.fixture
def dialog(bound: Callable[..., Session], monkeypatch: pytest.MonkeyPatch) -> Dialog:
    return Dialog(bound(ASK), monkeypatch)


def test_the_question_is_that_of_the_journal_and_what_the_model_answered_is_gone(dialog: Dialog) -> None:
    told = dialog.ask()
    question = told.input["questions"][0]
    assert (told.kind, set(told.input), len(told.input["questions"])) == ("ask", {"questions"}, 1)
    assert question["question"].startswith("Ship 1.2?\n[breakpoint:")
    assert [option["label"].partition(" (")[0] for option in question["options"]] == [
        "Not yet",
        "Approve",
        "Reject",
    ]


def test_a_persons_yes_is_recorded_with_its_evidence(dialog: Dialog) -> None:
    dialog.ask()
    dialog.open()
    effect = dialog.session.pending("breakpoint").id
    told = dialog.answer(dialog.label("Approve"))
    found = dialog.session.run.state.effects[effect]
    assert (told.kind, found.value["approved"], found.executor) == ("tell", True, "person")
    assert [event["assurance"] for event in evidence(dialog)] == ["dialog"]
    assert evidence(dialog)[0]["toolUse"] == USE


def evidence(dialog: Dialog) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    run = dialog.session.run
    from babysitter.runs.run import Run

    again = Run(run.folder)
    again.on_event = lambda event: found.append(event.data["evidence"]) if "evidence" in event.data else None
    again.load()
    return found


def test_a_persons_no_is_an_answer(dialog: Dialog) -> None:
    dialog.ask()
    dialog.open()
    effect = dialog.session.pending("breakpoint").id
    dialog.answer(dialog.label("Reject"))
    assert dialog.session.run.state.effects[effect].value["approved"] is False


@pytest.mark.parametrize("said", ["Not yet", "only after tests pass", "Approve", "Yes", ""])
def test_anything_else_decides_nothing(dialog: Dialog, said: str) -> None:
    dialog.ask()
    dialog.open()
    assert dialog.answer(said).kind == "tell"
    assert dialog.session.pending("breakpoint")


@pytest.mark.parametrize(
    "about",
    [
        {"response": {"annotations": None}},
        {"response": {"afkTimeoutMs": 4000}},
        {"tool_input": {"afkTimeoutMs": 4000}},
        {"response": {"questions": [{"question": "another"}]}},
        {"response": {"answers": {}}},
        {"agent_id": "a1"},
        {"tool_use_id": "toolu_another"},
    ],
    ids=[
        "by a hook",
        "time-out",
        "time-out in the input",
        "another question",
        "no answer",
        "subagent",
        "another call",
    ],
)
def test_an_answer_without_the_marks_of_a_person_does_not_count(
    dialog: Dialog, about: dict[str, Any]
) -> None:
    dialog.ask()
    dialog.open()
    dialog.answer(dialog.label("Approve"), **about)
    assert dialog.session.pending("breakpoint")


def test_an_answer_faster_than_anybody_reads_does_not_count(dialog: Dialog) -> None:
    dialog.ask()
    dialog.open(wait_ms=499)
    told = dialog.answer(dialog.label("Approve"))
    assert ("faster than anybody reads" in told.text, bool(dialog.session.pending("breakpoint"))) == (
        True,
        True,
    )


def test_an_answer_to_a_question_that_was_never_asked_does_not_count(dialog: Dialog) -> None:
    dialog.ask()
    label, dialog.session.environ = dialog.label("Approve"), dict(dialog.session.environ)
    from babysitter.sessions import place

    place.remove(SESSION, f"questions/{USE}.json")
    assert dialog.answer(label).kind == "let go"
    assert dialog.session.pending("breakpoint")


def test_an_answer_counts_once(dialog: Dialog) -> None:
    dialog.ask()
    dialog.open()
    dialog.answer("Not yet")
    dialog.answer(dialog.label("Approve"))
    assert dialog.session.pending("breakpoint")


@pytest.mark.parametrize("about", [{"agent_id": "a1"}, {"tool_use_id": ""}])
def test_where_no_person_can_answer_the_question_is_denied(dialog: Dialog, about: dict[str, Any]) -> None:
    told = dialog.session.call(
        "before-tool",
        tool_name="AskUserQuestion",
        tool_input={"questions": [{"question": f"[breakpoint:{dialog.session.pending('breakpoint').id}]"}]},
        **{"tool_use_id": USE, **about},
    )
    assert (told.kind, "babysitter approve job" in told.text) == ("deny", True)


def test_a_session_without_a_person_is_denied(dialog: Dialog) -> None:
    dialog.session.environ["CLAUDE_CODE_SESSION_ATTENDED"] = "0"
    assert dialog.ask().kind == "deny"


def test_a_breakpoint_that_demands_more_than_a_dialog_is_denied(
    bound: Callable[..., Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = bound('return (await ctx.breakpoint("Ship?", assurance="signed")).approved')
    told = Dialog(session, monkeypatch).ask()
    assert (told.kind, "signed" in told.text) == ("deny", True)


def test_a_question_that_is_none_of_ours_is_let_through(dialog: Dialog) -> None:
    told = dialog.session.call(
        "before-tool",
        tool_name="AskUserQuestion",
        tool_use_id=USE,
        tool_input={"questions": [{"question": "Tea?"}]},
    )
    assert told.kind == "let go"


@pytest.mark.parametrize("name", ["nosuch", "../x", "?"])
def test_a_question_about_no_open_breakpoint_is_denied(dialog: Dialog, name: str) -> None:
    told = dialog.session.call(
        "before-tool",
        tool_name="AskUserQuestion",
        tool_use_id=USE,
        tool_input={"questions": [{"question": f"[breakpoint:{name}]"}]},
    )
    assert told.kind == "deny"


def test_an_option_is_chosen_by_its_label(
    bound: Callable[..., Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = Dialog(bound(CHOOSE), monkeypatch)
    dialog.ask()
    dialog.open()
    effect = dialog.session.pending("breakpoint").id
    dialog.answer(dialog.label("us"))
    assert dialog.session.run.state.effects[effect].value["option"] == "us"


def test_more_options_than_a_dialog_shows_are_left_to_the_command(
    bound: Callable[..., Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = bound('return (await ctx.breakpoint("Where?", options=["a", "b", "c"])).option')
    told = Dialog(session, monkeypatch).ask()
    assert (told.kind, "/babysitter:approve" in told.text) == ("deny", True)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["x" * 60 + " yes", "x" * 60 + " no"], "more than 60 characters"),
        (["Reject", "hold"], "cannot be told apart"),
        (["go", "not yet"], "cannot be told apart"),
        (["go", "Go"], "cannot be told apart"),
    ],
)
def test_options_that_a_dialog_cannot_show_are_left_to_the_command(
    bound: Callable[..., Session], monkeypatch: pytest.MonkeyPatch, options: list[str], why: str
) -> None:
    session = bound(f'return (await ctx.breakpoint("Where?", options={options})).option')
    told = Dialog(session, monkeypatch).ask()
    assert (told.kind, why in told.text, "/babysitter:approve" in told.text) == ("deny", True, True)


@pytest.mark.parametrize(("length", "kind"), [(4000, "ask"), (4001, "deny")])
def test_a_question_is_shown_whole_or_not_at_all(
    bound: Callable[..., Session], monkeypatch: pytest.MonkeyPatch, length: int, kind: str
) -> None:
    dialog = Dialog(bound(f'return (await ctx.breakpoint("?" * {length})).approved'), monkeypatch)
    told = dialog.ask()
    shown = "?" * length in dialog.questions[0]["question"] if dialog.questions else "whole" in told.text
    assert (told.kind, shown) == (kind, True)


def test_a_title_is_shown_whole(bound: Callable[..., Session], monkeypatch: pytest.MonkeyPatch) -> None:
    dialog = Dialog(bound('await ctx.breakpoint("Go?", title="t" * 150 + "u" * 150)'), monkeypatch)
    dialog.ask()
    assert dialog.questions[0]["question"].startswith("t" * 150 + "u" * 150 + "\nGo?\n[breakpoint:")
