"""``cancel`` and ``halt``: what they do to a run, and who may."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.approvals.permits import permit
from babysitter.cli import stopping
from babysitter.cli.stopping import _give_up, _halt, _of_the_newest
from babysitter.errors import RunBusy
from babysitter.runs.folder import open_run
from tests.support.commands import call, told, write
from tests.support.driving import Terminal

if TYPE_CHECKING:
    from babysitter.runs.run import Run

pytestmark = pytest.mark.usefixtures("project")

CLEANING = """
@agent
def tidy():
    "Tidy up"
    return "Tidy up."

async def process(inputs, ctx):
    ctx.on_cleanup(lambda: ctx.task(tidy))
    try:
        return await ctx.task(ask, question="A")
    except TaskFailed as error:
        return [error.name, str(error)]
"""


def opened() -> Run:
    return open_run("r", os.path.abspath(".a5c/runs")).load()


def begin() -> str:
    """A run with one agent effect; gives its id."""
    told("create", write("p.py", CLEANING), "--run-id", "r")
    (effect,) = opened().state.pending
    return effect


def begin_guarded() -> str:
    effect = begin()
    opened().append([("SESSION_BOUND", {"host": "claude-code", "sessionId": "s-1"})])
    return effect


def allow(what: str, about: dict[str, Any] | None = None) -> None:
    permit(opened(), what, by="anna", assurance="command", evidence={}, about=about)


# What they do


def test_the_process_of_a_cancelled_effect_sees_it_and_why() -> None:
    effect = begin()
    cancelled = told("cancel", "r", effect, "--reason", "not needed")
    assert cancelled == {"run": "r", "effect": effect, "status": "cancelled"}
    told("iterate", "r")
    told("post", "r", *opened().state.pending, "--value", "1")
    assert told("iterate", "r")["output"] == [
        "TaskCancelled",
        "task 'ask' was cancelled by a person: not needed",
    ]


def test_who_cancels_an_effect_is_in_the_journal() -> None:
    effect = begin()
    told("cancel", "r", effect, "--reason", "not needed")
    data = told("events", "r", "--type", "EFFECT_CANCELLED")["events"][0]["data"]
    assert (data["reason"], data["why"], bool(data["by"])) == ("cancelled", "not needed", True)


def test_a_cancelled_run_says_what_its_cleanup_needs_and_is_halted_after_that() -> None:
    effect = begin()
    cancelled = told("cancel", "r", "--reason", "enough")
    assert (cancelled["status"], list(cancelled["new"]["agent"].values())) == ("waiting", ["Tidy up"])
    assert opened().state.effects[effect].status == "cancelled"
    told("post", "r", *cancelled["new"]["agent"], "--value", "1")
    halted = told("iterate", "r", code=1)
    assert (halted["status"], halted["reason"]) == ("halted", "enough")


def test_a_cancelled_run_that_has_nothing_to_clean_up_is_halted_at_once_and_that_is_success() -> None:
    told("create", write("p.py", "async def process(inputs, ctx): await ctx.sleep(9)"), "--run-id", "r")
    assert told("cancel", "r")["status"] == "halted"


def test_a_halted_run_does_nothing_more_not_even_clean_up() -> None:
    begin()
    halted = told("halt", "r", "--reason", "fire")
    assert (halted, len(opened().state.effects)) == ({"run": "r", "status": "halted", "reason": "fire"}, 1)
    assert told("iterate", "r", code=1)["reason"] == "fire"


@pytest.mark.parametrize("command", ["status", "iterate", "show"])
def test_people_are_told_why_a_run_was_halted(command: str) -> None:
    begin()
    told("halt", "r", "--reason", "fire")
    assert "fire" in call(command, "r").stdout


@pytest.mark.parametrize("words", [["cancel", "r"], ["halt", "r"], ["cancel", "r", "EFFECT"]])
def test_what_is_over_is_a_conflict(words: list[str]) -> None:
    effect = begin()
    told("halt", "r")
    ended = call(*(effect if word == "EFFECT" else word for word in words), "--json")
    assert (ended.code, ended.told["error"]["name"]) == (3, "RunFinished")


@pytest.mark.parametrize(
    ("how", "name"), [("post", "AlreadyResolved"), ("cancel", "EffectCancelled")], ids=["post", "cancel"]
)
def test_an_effect_is_over_once(how: str, name: str) -> None:
    effect = begin()
    told(how, "r", effect, *(["--value", "1"] if how == "post" else []))
    assert told("cancel", "r", effect, code=3)["error"]["name"] == name


def test_a_run_that_was_given_up_already_goes_on_with_its_cleanup() -> None:
    begin()
    told("cancel", "r")
    again = told("cancel", "r")
    assert (again["status"], len(told("events", "r", "--type", "RUN_CANCELLED")["events"])) == ("waiting", 1)


FAMILY = """
async def child(inputs, ctx):
    return await ctx.task(ask, question="A")

async def process(inputs, ctx):
    return await ctx.subprocess(child, {})
"""


def begin_family() -> tuple[str, str]:
    """A run of nobody's with a child that waits; gives the effect, and the id of the child."""
    begun = told("create", write("p.py", FAMILY), "--run-id", "r")
    ((effect, _),) = begun["new"]["subprocess"].items()
    return effect, begun["children"][0]["run"]


def bind(run: str) -> None:
    found = open_run(run, os.path.abspath(".a5c/runs")).load()
    found.append([("SESSION_BOUND", {"host": "claude-code", "sessionId": "s-1"})])


@pytest.mark.parametrize("words", [["cancel", "CHILD"], ["halt", "CHILD"]])
def test_a_child_is_guarded_by_the_session_that_its_parent_got_later(words: list[str]) -> None:
    _, child = begin_family()
    bind("r")
    named = [child if word == "CHILD" else word for word in words]
    assert told(*named, code=3)["error"]["name"] == "PersonNeeded"


@pytest.mark.parametrize("words", [["cancel", "r"], ["halt", "r"], ["cancel", "r", "EFFECT"]])
def test_a_run_of_nobodys_is_no_way_to_end_the_child_that_a_session_came_to(words: list[str]) -> None:
    effect, child = begin_family()
    bind(child)
    named = [effect if word == "EFFECT" else word for word in words]
    error = told(*named, code=3)["error"]
    assert (error["name"], child in error["message"]) == ("PersonNeeded", True)


def halt_parent_alone() -> None:
    """As whoever was killed at it has left it."""
    opened().append([("RUN_HALTED", {"reason": "fire", "by": "me", "isAtOnce": True})])


def test_what_was_left_below_a_halted_run_is_halted_and_then_there_is_nothing_left() -> None:
    _, child = begin_family()
    halt_parent_alone()
    told("halt", "r")
    assert told("status", child)["status"] == "halted"
    assert told("halt", "r", code=3)["error"]["name"] == "RunFinished"


def test_a_person_halts_what_was_left_below_the_halted_run_of_a_session() -> None:
    begin_family()
    bind("r")
    halt_parent_alone()
    assert told("halt", "r", code=3)["error"]["name"] == "PersonNeeded"


def test_nobody_takes_anything_of_a_child_whose_parent_was_halted() -> None:
    _, child = begin_family()
    halt_parent_alone()
    error = told("take", child, "--by", "me", code=3)["error"]
    says = "belongs to run 'r', which has halted"
    assert (error["name"], says in error["message"]) == ("RunFinished", True)


# Who may

WAYS: dict[str, tuple[list[str], str, dict[str, Any] | None]] = {
    "cancel": (["cancel", "r"], "cancel", {"run": "r"}),
    "cancel an effect": (["cancel", "r", "EFFECT"], "cancel", {"effect": "EFFECT"}),
    "halt": (["halt", "r"], "halt", None),
}


def way(name: str, effect: str) -> tuple[list[str], str, dict[str, Any] | None]:
    words, what, about = WAYS[name]
    put = [effect if word == "EFFECT" else word for word in words]
    return put, what, about and {key: effect if value == "EFFECT" else value for key, value in about.items()}


@pytest.mark.parametrize("name", WAYS)
def test_of_a_run_that_an_agent_works_on_a_person_is_needed(name: str) -> None:
    effect = begin_guarded()
    words, what, _ = way(name, effect)
    error = told(*words, code=3)["error"]
    named = f" {effect}" if "effect" in name else ""
    assert (error["name"], f"/babysitter:approve {what}{named} in" in error["hint"]) == ("PersonNeeded", True)
    assert (opened().state.status, list(opened().state.pending)) == ("waiting", [effect])


@pytest.mark.parametrize("name", WAYS)
def test_what_a_person_has_permitted_is_done(name: str) -> None:
    words, what, about = way(name, begin_guarded())
    allow(what, about)
    assert call(*words).code == 0
    assert opened().state.permits == [] or opened().state.is_finished


@pytest.mark.parametrize("about", [{"effect": "another"}, {"run": "r"}], ids=["another", "run"])
def test_a_permit_to_cancel_something_else_is_none_for_an_effect(about: dict[str, str]) -> None:
    effect = begin_guarded()
    allow("cancel", about)
    assert told("cancel", "r", effect, code=3)["error"]["name"] == "PersonNeeded"


def test_a_permit_to_cancel_an_effect_does_not_end_the_run() -> None:
    allow("cancel", {"effect": begin_guarded()})
    assert told("cancel", "r", code=3)["error"]["name"] == "PersonNeeded"


def test_to_cancel_an_effect_uses_up_its_permit_and_no_other() -> None:
    effect = begin_guarded()
    for about in ({"effect": effect}, {"run": "r"}):
        allow("cancel", about)
    told("cancel", "r", effect)
    assert [given["about"] for given in opened().state.permits] == [{"run": "r"}]


def test_inside_a_session_a_run_of_nobodys_can_be_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    begin()
    monkeypatch.setenv("CLAUDECODE", "1")
    assert call("halt", "r").code == 0


def test_a_person_permits_to_cancel_an_effect_at_a_terminal() -> None:
    effect = begin_guarded()
    with Terminal("approve", "r", effect, "--permit", "cancel", "--yes") as terminal:
        terminal.sees(f"effect {effect}")
        assert terminal.end() == 0
    assert call("cancel", "r", effect).code == 0


def test_a_person_permits_to_rewind_to_a_step_at_a_terminal() -> None:
    begin_guarded()
    with Terminal("approve", "r", "--permit", "rewind", "--to", "1", "--yes") as terminal:
        assert terminal.end() == 0
    assert opened().state.permits[0]["about"] == {"to": "1"}


@pytest.mark.parametrize("words", [[], ["--permit", "release"]])
def test_a_step_to_go_back_to_belongs_to_a_permit_for_that(words: list[str]) -> None:
    begin()
    assert told("approve", "r", *words, "--to", "1", code=2)["error"]["name"] == "UsageError"


def test_a_person_at_a_terminal_halts_a_run_by_the_command_alone() -> None:
    begin_guarded()
    with Terminal("halt", "r") as terminal:
        terminal.sees("halted")
        assert terminal.end() == 0
    (given,) = told("events", "r", "--type", "PERMITTED")["events"]
    assert (given["data"]["what"], given["data"]["assurance"]) == ("halt", "terminal")


def test_a_mistake_in_the_process_is_in_the_way_of_its_cleanup_and_not_of_a_halt() -> None:
    begin()
    Path("p.py").write_text("raise ValueError('mistake')\n")
    assert told("cancel", "r", code=7)["status"] == "stuck"
    assert call("halt", "r").code == 0


# By the name that a run had before it was continued as new

CHAIN = """
async def process(inputs, ctx):
    await ctx.task(ask, question=str(inputs["n"]))
    ctx.continue_as_new({"n": inputs["n"] + 1})
"""


def begin_chain() -> None:
    told("create", write("p.py", CHAIN), "--run-id", "r", "-i", "n=1")


def go_on(run: str) -> str:
    """Have a run go on as the next, whose id it gives."""
    (effect,) = told("tasks", run, "--pending")["tasks"]
    told("post", run, effect["id"], "--value", '"x"')
    return str(told("iterate", run)["run"])


@pytest.mark.parametrize("command", ["cancel", "halt"])
def test_a_run_is_ended_by_its_first_name(command: str) -> None:
    begin_chain()
    last = go_on(go_on("r"))
    ended = told(command, "r", "--reason", "enough")
    assert (ended["run"], ended["status"], ended["reason"]) == (last, "halted", "enough")
    assert (last, told("status", last)["status"]) == ("r-c3", "halted")


def test_an_effect_is_cancelled_by_the_first_name_of_its_run() -> None:
    begin_chain()
    (over,) = told("tasks", "r")["tasks"]
    (effect,) = told("tasks", go_on("r"))["tasks"]
    assert told("cancel", "r", effect["id"])["run"] == "r-c2"
    assert told("cancel", "r", over["id"], code=3)["error"]["name"] == "AlreadyResolved"


@pytest.mark.parametrize("end", [_give_up, _halt])
def test_one_that_goes_on_just_then_is_followed(end: Any) -> None:
    begin_chain()

    def too_late(run: Run) -> Run:
        if run.run_id != "r-c3":
            go_on(run.run_id)
        ended: Run = end(run, "enough")
        return ended

    ended = _of_the_newest(opened(), too_late)
    assert (ended.run_id, ended.state.is_cancelled or ended.state.status == "halted") == ("r-c3", True)


def test_one_that_goes_on_all_the_time_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    begin_chain()
    monkeypatch.setattr(stopping, "MOST_CONTINUED", 2)

    def too_late(run: Run) -> Run:
        go_on(run.run_id)
        return _halt(run, "enough")

    with pytest.raises(RunBusy, match="goes on as another one all the time"):
        _of_the_newest(opened(), too_late)
