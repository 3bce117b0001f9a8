"""A model that does what it is told brings a run to its end, whatever happens to its session."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.host.host_program import needs_host
from tests.host.lab import each_once, events, journal, seen, status
from tests.host.models import NEXT, Alone, Idle, Obeying

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.host.lab import Lab

pytestmark = needs_host
GOOD = '{"verdict": "good"}'


@pytest.mark.parametrize("is_foreground", [False, True], ids=["background", "foreground"])
def test_every_effect_of_a_mixed_process_is_done_once(lab: Lab, is_foreground: bool) -> None:
    lab.use("mixed.py")
    model = Obeying("babysitter create mixed.py --run-id r", answers={"": GOOD}, is_foreground=is_foreground)
    session = lab.session("go", model)
    assert status("r")["status"] == "completed"
    assert each_once("r")
    assert Path("checked").read_text() == "one\ntwo\n"
    assert len(set(model.told)) == len(model.told)
    last = journal("r")[-1]
    assert f"proof {len(journal('r'))}-{last['checksum']}" in session.messages[-1]


def test_a_subagent_is_sent_back_until_its_answer_fits(lab: Lab) -> None:
    lab.use("mixed.py")
    answers = {
        "part a": ["It looks good to me.", '{"verdict": "fine"}', GOOD],
        "part b": ['{"verdict": "good", "why": "it is"}', '{"verdict": "bad"}'],
        "part all": GOOD,
    }
    session = lab.session("go", Obeying("babysitter create mixed.py --run-id r", answers=answers))
    assert status("r")["status"] == "completed"
    assert each_once("r")
    verdicts = [
        told["value"] for told in events("r", "EFFECT_RESOLVED") if told.get("executor") == "subagent"
    ]
    assert sorted(value["verdict"] for value in verdicts) == ["bad", "good", "good"]
    assert len([told for told in session.hooks("SubagentStop") if told.get("decision") == "block"]) == 3


def test_the_tokens_of_a_subagent_are_counted_once_per_message(lab: Lab) -> None:
    lab.use("chain.py")
    lab.session("go", Obeying("babysitter create chain.py -i steps=1 --run-id r", answers={"after 0": "1"}))
    (told,) = events("r", "EFFECT_RESOLVED")
    assert told["usage"]["messages"] == 2
    assert (told["usage"]["inputTokens"], told["usage"]["outputTokens"]) == (20, 10)


def test_a_run_ends_when_the_tokens_of_its_subagents_have_used_its_budget_up(lab: Lab) -> None:
    lab.use("chain.py")
    # Each subagent takes 30, so a fourth is not within it any more.
    budget = "--budget tokens=100 --budget reached=halt"
    command = f"babysitter create chain.py -i steps=10 --run-id r {budget}"
    session = lab.session("go", Obeying(command, answers={"after": NEXT}))
    told = status("r")
    assert (told["status"], told["by"], len(events("r", "EFFECT_RESOLVED"))) == ("halted", "budget", 3)
    assert (told["budget"][0]["spent"], session.code) == (90, 0)


@pytest.mark.torture
def test_thirty_iterations_fit_into_one_session(lab: Lab, torture: bool) -> None:
    lab.use("chain.py")
    # Subagents take three times as long.
    kind = Obeying if torture else Alone
    model = kind("babysitter create chain.py -i steps=30 --run-id r", answers={"after": NEXT})
    session = lab.session("go", model)
    assert status("r")["status"] == "completed"
    assert each_once("r")
    assert len(events("r", "EFFECT_RESOLVED")) == 30
    assert session.code == 0


def test_a_session_that_was_compacted_goes_on(lab: Lab) -> None:
    lab.use("chain.py")
    full = {"text": "I am about to forget all this.", "usage": {"input_tokens": 199_000}}
    model = Obeying("babysitter create chain.py -i steps=3 --run-id r", full, answers={"after": NEXT})
    session = lab.session("go", model, CLAUDE_CODE_AUTO_COMPACT_WINDOW="100000")
    assert "compact" in [asked.lane for asked in session.api.asked]
    assert status("r")["status"] == "completed"
    assert each_once("r")


@pytest.mark.torture
def test_sessions_at_once_bring_the_runs_of_one_folder_to_their_ends(
    lab: Lab, torture: bool, count: Callable[[str, int], None]
) -> None:
    lab.use("mixed.py")
    runs = [f"run-{number}" for number in range(8 if torture else 2)]
    models = {run: Obeying(f"babysitter create mixed.py --run-id {run}", answers={"": GOOD}) for run in runs}
    count("sessions of the host at once", len(runs))
    with ThreadPoolExecutor(len(runs)) as pool:
        sessions = list(pool.map(lambda model: lab.session("go", model), models.values()))
    for run, session in zip(models, sessions, strict=True):
        assert status(run)["status"] == "completed"
        assert each_once(run)
        assert {told["sessionId"] for told in events(run, "SESSION_BOUND")} == {session.id}


class Interrupted(Obeying):
    """One whose subagents never get to say anything from the second prompt on."""

    def __init__(self, *plan: str, most: int) -> None:
        super().__init__(*plan, answers={"after": NEXT})
        self.most = most
        self.for_ever = threading.Event()

    def answer(self, prompt: str) -> str:
        if len(self.prompts) > self.most:
            self.for_ever.wait(60)
        return super().answer(prompt)


def killed_in_the_middle(lab: Lab) -> str:
    """A session that was killed when a subagent was at the second of three steps; gives its id."""
    lab.use("chain.py")
    model = Interrupted("babysitter create chain.py -i steps=3 --run-id r", most=1)
    with lab.going("go", model) as session:
        seen(lambda: len(model.prompts) == 2)
        session.kill()
        model.for_ever.set()
    assert status("r")["status"] == "waiting"
    assert len(events("r", "EFFECT_RESOLVED")) == 1
    return str(events("r", "SESSION_BOUND")[0]["sessionId"])


def test_a_killed_session_that_is_resumed_brings_its_run_to_the_end(lab: Lab) -> None:
    killed = killed_in_the_middle(lab)
    session = lab.session("go on", Obeying(answers={"after": NEXT}), arguments=["--resume", killed])
    assert status("r")["status"] == "completed"
    assert each_once("r")
    assert session.id == killed


def test_a_new_session_takes_the_run_of_a_killed_one_over(lab: Lab) -> None:
    killed = killed_in_the_middle(lab)
    session = lab.session("go on", Obeying("babysitter session bind r", answers={"after": NEXT}))
    assert status("r")["status"] == "completed"
    assert each_once("r")
    assert [told["sessionId"] for told in events("r", "SESSION_BOUND")] == [killed, session.id]


def test_a_session_whose_run_was_taken_over_is_told_and_let_go(lab: Lab) -> None:
    killed = killed_in_the_middle(lab)
    lab.session("go on", Idle("babysitter session bind r"))
    late = lab.session("go on", Obeying(answers={"after": NEXT}), arguments=["--resume", killed])
    assert "this session is free" in str(late.hooks("SessionStart"))
    assert len(events("r", "EFFECT_RESOLVED")) == 1
    assert status("r")["pending"] == {"agent": 1}
