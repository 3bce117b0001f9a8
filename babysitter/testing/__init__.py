"""Test a process: run it in memory, with results that the test gives, in no time.

    from babysitter.testing import approves, play

    def test_a_release_that_is_approved_is_published():
        played = play(process, {"version": "2.0"}, results={"tests": "ok", "publish": 0}, people=approves())
        assert played.tasks == [["tests"], ["breakpoint"], ["publish"]]

docs/testing.md has all of it. Only tests import this package, and the commands for authors.
"""

from __future__ import annotations

from babysitter.errors import NoAnswer
from babysitter.testing.asked import Asked
from babysitter.testing.canned import (
    Failure,
    approves,
    exits,
    fails,
    in_turn,
    never,
    rejects,
    takes,
)
from babysitter.testing.giving_up import given_up
from babysitter.testing.orders import Orders, every_order
from babysitter.testing.play import Play
from babysitter.testing.playing import Options, begin, play
from babysitter.testing.processes import load
from babysitter.testing.recorded import Recorded, recorded

__all__ = [
    "Asked",
    "Failure",
    "NoAnswer",
    "Options",
    "Orders",
    "Play",
    "Recorded",
    "approves",
    "begin",
    "every_order",
    "exits",
    "fails",
    "given_up",
    "in_turn",
    "load",
    "never",
    "play",
    "recorded",
    "rejects",
    "takes",
]
