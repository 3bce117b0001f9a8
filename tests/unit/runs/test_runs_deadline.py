from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from babysitter.engine.replay import DeadlineExceeded
from babysitter.runs.deadline import Aside, Deadline

if TYPE_CHECKING:
    from collections.abc import Callable

SOON = 0.02


def endless() -> None:
    while True:
        pass


def swallowing() -> None:
    while True:
        try:
            time.sleep(9)
        except BaseException:  # noqa: S112 - that is what it is about
            continue


def swallowing_each_line() -> None:
    try:
        endless()
    except BaseException:
        try:
            endless()
        except BaseException:
            endless()


@pytest.mark.parametrize("loop", [endless, swallowing, swallowing_each_line])
def test_a_loop_is_left(loop: Callable[[], None]) -> None:
    with pytest.raises(DeadlineExceeded), Deadline(SOON):
        loop()


def test_code_that_ends_in_time_is_left_alone() -> None:
    with Deadline(60):
        pass
    assert (signal.getitimer(signal.ITIMER_REAL), signal.getitimer(signal.ITIMER_VIRTUAL)) == ((0, 0), (0, 0))


def test_everything_is_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGALRM), sys.gettrace()
    with pytest.raises(DeadlineExceeded), Deadline(SOON):
        swallowing()
    assert (signal.getsignal(signal.SIGALRM), sys.gettrace()) == before


def test_an_alarm_that_comes_too_late_is_nothing() -> None:
    deadline = Deadline(60)
    with deadline:
        pass
    deadline._ring(signal.SIGALRM, sys._getframe())
    assert deadline._alarms == 0


def test_an_alarm_while_the_context_is_left_does_not_keep_the_timers_on() -> None:
    rang = []

    class Late(Deadline):
        __slots__ = ()

        def _ring(self, number: int, frame: object) -> None:
            rang.append(frame)
            super()._ring(number, frame)  # type: ignore[arg-type]

    deadline = Late(60)
    deadline.__enter__()

    def ring_at_once(frame: object, event: str, _: object) -> None:
        if event == "call" and getattr(frame, "f_code", None) is Deadline.__exit__.__code__:
            sys.setprofile(None)
            deadline._ring(signal.SIGALRM, frame)

    sys.setprofile(ring_at_once)
    deadline.__exit__()
    assert (len(rang), signal.getitimer(signal.ITIMER_REAL)) == (1, (0, 0))


def test_another_thread_has_no_deadline() -> None:
    done = []

    def work() -> None:
        with Deadline(SOON):
            time.sleep(3 * SOON)
        done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]


HARD = """
import sys, itertools, time
sys.path[:0] = {path!r}
from babysitter.runs import deadline
deadline.PATIENCE_SECONDS = 0.1
def give_up(place):
    print("given up", place[1], flush=True)
def nested():
    while True:
        try:
            while True:
                try: time.sleep(9)
                except BaseException: pass
        except BaseException:
            continue
def within_c():
    sum(itertools.repeat(0))
with deadline.Deadline(0.05, give_up):
    {loop}()
"""


def end_of(loop: str) -> subprocess.CompletedProcess[str]:
    script = HARD.format(path=sys.path, loop=loop)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


def test_what_swallows_every_interruption_ends_the_command_which_says_so_first() -> None:
    ended = end_of("nested")
    assert (ended.returncode, ended.stdout[:8]) == (7, "given up")
    assert "the process does not let go of" in ended.stderr


def test_a_loop_within_c_is_ended_by_the_system() -> None:
    assert end_of("within_c").returncode == -signal.SIGVTALRM


def test_what_is_printed_aside_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with Aside():
        sys.stdout.write("aside")
    sys.stdout.write("here")
    assert capsys.readouterr() == ("here", "aside")
