"""Who begins an agent effect in a real session, what is told of one that is over, what the session does."""

from __future__ import annotations

import os
import re
import threading
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.approvals.permits import permit
from babysitter.runs.folder import open_run
from tests.host.host_program import needs_host
from tests.host.lab import RUNS, each_once, effect, events, journal, seen, status
from tests.host.models import NEXT, Obeying, bash, subagent
from tests.support.commands import call

if TYPE_CHECKING:
    from pathlib import Path

    from tests.host.asked import Asked
    from tests.host.fake_api import Turn
    from tests.host.lab import Lab

pytestmark = needs_host


def takes(run: str) -> list[tuple[int, str, bool]]:
    """Each take: its number, the session, and whether a subagent is named."""
    return [(data["attempt"], data["session"], "agent" in data) for data in events(run, "EFFECT_TAKEN")]


@pytest.mark.parametrize("is_foreground", [False, True], ids=["background", "foreground"])
def test_a_subagent_takes_its_effect_before_it_answers(lab: Lab, is_foreground: bool) -> None:
    lab.use("chain.py")
    model = Obeying(
        "babysitter create chain.py -i steps=2 --run-id r",
        answers={"after": NEXT},
        is_foreground=is_foreground,
    )
    session = lab.session("go", model)
    told_of = [
        (event["type"], event["data"]["effectId"])
        for event in journal("r")
        if event["type"] in ("EFFECT_TAKEN", "EFFECT_RESOLVED")
    ]
    first, second = (data["effectId"] for data in events("r", "EFFECT_REQUESTED"))
    assert takes("r") == [(1, session.id, True)] * 2
    assert told_of == [(kind, of) for of in (first, second) for kind in ("EFFECT_TAKEN", "EFFECT_RESOLVED")]
    assert status("r")["status"] == "completed"


class Waiting(Obeying):
    """One whose subagents wait before they answer, each until it may.

    Attributes:
        may: part of a prompt → whether the subagent that has it may answer.
        asked: how many were asked.
    """

    def __init__(self, *plan: Any, answers: dict[str, str]) -> None:
        super().__init__(*plan, answers=answers)
        self.may = {part: threading.Event() for part in answers}
        self.asked = 0

    def __call__(self, asked: Asked) -> Turn:
        turn = super().__call__(asked)
        if asked.lane == "subagent" and asked.results:
            self.asked += 1
            next(may for part, may in self.may.items() if part in asked.results[-1]).wait(60)
        return turn


def test_what_a_killed_session_had_taken_is_taken_again(lab: Lab) -> None:
    lab.use("chain.py")
    first = Waiting("babysitter create chain.py -i steps=1 --run-id r", answers={"after": "1"})
    with lab.going("go", first) as session:
        seen(lambda: first.asked and takes("r"))
        session.kill()
        first.may["after"].set()
    killed = takes("r")[0][1]
    second = lab.session("go on", Obeying("babysitter session bind r", answers={"after": "2"}))
    assert takes("r") == [(1, killed, True), (2, second.id, True)]
    assert status("r")["output"] == 2


def test_a_subagent_whose_effect_was_cancelled_is_to_be_stopped_and_its_answer_does_not_count(
    lab: Lab,
) -> None:
    lab.use("pair.py")
    model = Waiting("babysitter create pair.py --run-id r", answers={"of one": "late", "of two": "in time"})
    with lab.going("go", model) as going:
        seen(lambda: model.asked == 2 and len(takes("r")) == 2)
        cancelled = effect("r", "ask one")
        run = open_run("r", os.path.abspath(RUNS)).load()
        permit(run, "cancel", by="anna", assurance="command", evidence={}, about={"effect": cancelled})
        assert call("cancel", "r", cancelled).code == 0
        model.may["of two"].set()
        seen(lambda: any("no longer counts" in asked.new_text for asked in going.api.asked))
        model.may["of one"].set()
        session = going.end()
    texts = [asked.new_text for asked in session.api.asked if asked.lane == "main"]
    assert len([text for text in texts if f"effect {cancelled}" in text and "no longer counts" in text]) == 1
    assert status("r")["output"] == ["TaskCancelled", "in time"]
    assert [hook for hook in session.hooks("SubagentStop") if hook.get("decision") == "block"] == []


class Thinking(Obeying):
    """One that does itself what it is told to do itself."""

    def obey(self, asked: Asked) -> Turn:
        turn = super().obey(asked)
        line = re.search(r"^- yourself.*`(babysitter show \S+ )ID( --prompt)`", asked.said, re.MULTILINE)
        if line is None or not isinstance(turn, dict):
            return turn
        own = effect("r", "think")
        self.plan.append(f"babysitter post r {own} --value 7")
        return {"tools": [*turn["tools"], bash(f"{line[1]}{own}{line[2]}")]}


def test_what_the_session_is_to_do_itself_it_does(lab: Lab) -> None:
    lab.use("own.py")
    session = lab.session("go", Thinking("babysitter create own.py --run-id r", answers={"Count": "3"}))
    assert status("r")["output"] == [7, 3]
    assert each_once("r")
    assert sorted(takes("r")) == [(1, session.id, False), (1, session.id, True)]


def limited(home: Path) -> None:
    (home / "config.yaml").write_text("kinds:\n  agent: {limit: 1/4s}\n")


def test_a_batch_offers_what_a_rate_limit_admits_and_the_rest_when_it_may_begin(lab: Lab, home: Path) -> None:
    lab.use("pair.py")
    limited(home)
    model = Obeying("babysitter create pair.py --run-id r", answers={"of": "something"})
    lab.session("go", model)
    # A busy machine may stop the session once more before the rest may begin.
    offers = ["1 more effects for subagents" in text for text in model.told]
    assert (offers[0], offers[-1], sorted(offers, reverse=True)) == (True, False, offers)
    assert [(attempt, is_agent) for attempt, _, is_agent in takes("r")] == [(1, True)] * 2
    assert status("r")["status"] == "completed"
    assert each_once("r")


def both() -> list[dict[str, Any]]:
    """Subagents for both effects, whatever was offered."""
    prompt = "[effect:{0}] Run `babysitter show r {0} --prompt` and do what it says."
    return [subagent(prompt.format(data["effectId"])) for data in events("r", "EFFECT_REQUESTED")]


def test_a_subagent_that_no_rate_limit_admits_is_not_started(lab: Lab, home: Path) -> None:
    lab.use("pair.py")
    limited(home)
    model = Obeying("babysitter create pair.py --run-id r", both, answers={"of": "something"})
    lab.session("go", model)
    assert sorted("a rate limit admits effect" in output for output in model.outputs[1:3]) == [False, True]
    assert len(takes("r")) == 2
    assert status("r")["status"] == "completed"
