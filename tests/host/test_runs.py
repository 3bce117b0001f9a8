"""What becomes of runs in a session: done at once, mended, asleep, or answered by policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.host.host_program import needs_host
from tests.host.lab import each_once, effect, events, status
from tests.host.models import Idle, Obeying

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.host.lab import Lab

pytestmark = needs_host


def test_ten_effects_are_done_once_in_one_session(lab: Lab, count: Callable[[str, int], None]) -> None:
    lab.use("fan.py")
    session = lab.session("go", Obeying("babysitter create fan.py --run-id r", answers={"": "4"}))
    assert status("r")["status"] == "completed"
    assert each_once("r")
    assert len(events("r", "EFFECT_RESOLVED")) == 10
    assert len(Path("counted").read_text().splitlines()) == 6
    count("ms of a session of the host with ten effects", int(session.seconds * 1000))
    count("ms of hooks in it", int(session.hook_seconds * 1000))


def test_a_mistake_in_the_process_is_mended_and_the_run_goes_on(lab: Lab) -> None:
    lab.use("mistaken.py")
    mend = """sed -i 's/inputs."absent"./[1, 2]/' mistaken.py"""
    plan = [lambda: f"babysitter post r {effect('r', 'begin')} --value 1", "say:I am done.", mend]
    session = lab.session("go", Obeying("babysitter create mistaken.py --run-id r", *plan))
    assert "KeyError" in str(session.hooks("Stop")[0])
    assert status("r")["status"] == "completed"
    assert events("r", "RUN_COMPLETED")[0]["output"] == 2
    assert each_once("r")


def test_a_run_that_sleeps_lets_its_session_go_and_says_for_how_long(lab: Lab) -> None:
    lab.use("sleeping.py")
    session = lab.session("go", Idle("babysitter create sleeping.py --run-id r"))
    assert "is not finished; it waits for 20" in session.messages[0]
    assert "additionalContext" not in str(session.hooks("Stop"))
    assert status("r")["pending"] == {"sleep": 1}


def test_a_session_that_ends_leaves_its_run_to_the_next(lab: Lab) -> None:
    lab.use("fan.py")
    session = lab.session("go", Idle("babysitter create fan.py --run-id r"))
    assert [told["sessionId"] for told in events("r", "SESSION_RELEASED")] == [session.id]
    again = lab.session("go on", Obeying(answers={"": "4"}), arguments=["--resume", session.id])
    assert again.id == session.id
    assert "bound to run r" in str(again.hooks("SessionStart"))
    assert status("r")["status"] == "completed"
    assert each_once("r")
