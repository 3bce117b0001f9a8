"""A model that does not do what it is told: its run waits, or takes only what is true."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from babysitter.approvals.about import about_now
from babysitter.approvals.permits import permit
from babysitter.runs.folder import open_run
from tests.host.host_program import needs_host
from tests.host.lab import RUNS, each_once, effect, events, left_behind, seen, status
from tests.host.models import Idle, Obeying, bash
from tests.support.commands import told

if TYPE_CHECKING:
    from tests.host.lab import Lab

pytestmark = needs_host
CREATE = "babysitter create tested.py --run-id r"
DONE = '{"done": true}'


def post(label: str, value: str) -> str:
    """The command that gives a value as the result of the effect with this title."""
    return f"babysitter post r {effect('r', label)} --value '{value}'"


def test_a_session_that_stops_twenty_times_leaves_its_run_waiting(lab: Lab) -> None:
    lab.use("tested.py")
    model = Idle(CREATE)
    session = lab.session("go", model)
    assert "is NOT finished" in session.messages[-1]
    while len(model.told) <= 20:
        again = lab.session("go on", model, arguments=["--resume", session.id])
        assert "is NOT finished" in again.messages[-1]
    assert status("r")["status"] == "waiting"
    assert events("r", "EFFECT_RESOLVED") == []


def test_a_claim_to_be_done_is_no_result(lab: Lab) -> None:
    lab.use("tested.py")
    claims = ["say:All is done, the run has completed.", f"say:{DONE}", "say:Everything passes!"]
    session = lab.session("go", Obeying(CREATE, "touch built", *claims, answers={"": DONE}))
    assert len([told for told in session.hooks("Stop") if "(0 of 1" in str(told)]) == len(claims)
    assert status("r")["status"] == "completed"
    assert each_once("r")


def test_garbage_is_refused_and_what_fits_is_taken(lab: Lab) -> None:
    lab.use("tested.py")
    garbage = [
        lambda value=value: post("build", value)
        for value in ("{", "[]", '{"done": "yes"}', '{"done": true, "x": 1}')
    ]
    model = Obeying(CREATE, "touch built", *garbage, lambda: post("build", DONE), answers={"": DONE})
    lab.session("go", model)
    assert [output.splitlines()[0] for output in model.outputs[2:6]] == ["Exit code 2"] * 4
    assert status("r")["status"] == "completed"
    assert events("r", "EFFECT_RESOLVED")[0]["value"] == {"done": True}
    assert each_once("r")


def test_no_model_answers_for_a_command(lab: Lab) -> None:
    lab.use("tested.py")
    passed = '{"exitCode": 0, "stdout": "", "stderr": "", "duration": 1}'
    error = "babysitter post r {} --error nothing"
    model = Obeying(
        CREATE,
        lambda: post("build", DONE),
        "babysitter iterate r",
        lambda: post("tests", passed),
        lambda: error.format(effect("r", "tests")),
        "say:The tests have passed.",
        "touch built",
        answers={"": DONE},
    )
    lab.session("go", model)
    assert all(output.startswith("Exit code ") for output in model.outputs[3:5])
    assert status("r")["status"] == "completed"
    (tests,) = [told for told in events("r", "EFFECT_RESOLVED") if told["executor"] == "local"]
    assert tests["effectId"] == effect("r", "tests")
    assert each_once("r")


def test_a_run_whose_tests_fail_is_never_completed(lab: Lab) -> None:
    lab.use("tested.py")
    session = lab.session("go", Obeying(CREATE, answers={"": DONE}))
    assert status("r")["status"] == "failed"
    assert "it was never built" in session.messages[-1]
    assert "proof" not in str(session.messages)


def test_something_else_in_the_background_lets_no_session_go(lab: Lab) -> None:
    lab.use("tested.py")
    # The host refuses a plain `sleep` outside of its background.
    sleeping = [bash("env sleep 99999 & echo $! >sleeper"), bash("sleep 99998", is_background=True)]
    model = Obeying(CREATE, sleeping, "touch built", answers={"": DONE})
    with lab.going("go", model):
        # The host itself waits for its background command, so this session has no end of its own.
        seen(lambda: events("r", "RUN_COMPLETED"))
        assert int(Path("sleeper").read_text()) in left_behind(lab.home)
    assert status("r")["status"] == "completed"
    assert each_once("r")


@pytest.mark.parametrize("words", ["halt r", "cancel r"])
def test_a_session_whose_run_a_person_has_ended_is_free(words: str, lab: Lab) -> None:
    lab.use("tested.py")
    # A person permits it where the test has its hands; the model may do it then, once.
    model = Idle(CREATE, lambda: permitted(words.split(maxsplit=1)[0]), f"babysitter {words} --reason enough")
    session = lab.session("go", model)
    assert (status("r")["status"], status("r")["reason"]) == ("halted", "enough")
    assert "run r has been halted: enough" in session.messages[-1]
    assert told("session", "list")["sessions"] == []


def permitted(what: str) -> str:
    run = open_run("r", os.path.abspath(RUNS)).load()
    about = about_now(run, what)
    permit(run, what, by="anna", assurance="command", evidence={}, about=about)
    return "true"
