"""A process that a person gives up: at each moment at which that may be, once."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from babysitter.testing.crashes import points
from babysitter.testing.hints import hinted
from babysitter.testing.playing import begin
from babysitter.testing.processes import given

if TYPE_CHECKING:
    from typing import Unpack

    from babysitter.testing.play import Play
    from babysitter.testing.playing import Options
    from babysitter.testing.processes import Process

__tracebackhide__ = True  # pytest shows the lines of the test, not ours


@hinted
def given_up(process: Process, inputs: Any = None, **options: Unpack[Options]) -> list[Play]:
    """Plays that a person gives up: before the first result, after the first, after the second, and so on.

    Each is gone on with to its end, with its cleanups, and started again after every event. Results
    come one at a time, in the order of requests. The other arguments are those of ``play``.

    Raises:
        NoAnswer: a cleanup asks for something for which the test has no answer.
        NondeterminismError: started again, the process asks for something else.
    """
    source = given(process)
    plays: list[Play] = []
    for most in count():
        begun = begin(source, inputs, **options)
        came = 0
        while came < most and (choices := begun.choices()):
            begun.give(choices[:1])
            came += 1
        if came < most or begun.is_over:
            break
        plays.append(begun.cancel_run().finish())
        for at in points(begun.events):
            begun.check_that_it_repeats(at)
    return plays
