"""``play`` and ``begin``: a process, what it gets, and what came of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypedDict

from babysitter.errors import InvalidInput
from babysitter.testing.answers import Answers
from babysitter.testing.hints import hinted
from babysitter.testing.play import MOST_EFFECTS, RUN_ID, START, Play
from babysitter.testing.processes import given

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from typing import Unpack

    from babysitter.testing.answers import By, People, Results
    from babysitter.testing.processes import Given, Process

__tracebackhide__ = True  # pytest shows the lines of the test, not ours


class Options(TypedDict, total=False):
    """What a test gives a process, and says of its run.

    ``results`` maps tasks, their names, titles or single steps to what they give:
    a value; a function of the task's arguments; ``fails(…)``; ``in_turn(…)``;
    ``takes("10m", …)``; ``never``. It may also be one function of the ``Asked``.
    Of a command, a text is its output, a number its exit code.

    ``people`` says what breakpoints are answered: ``approves()``, ``rejects("why")``,
    by question or title, or by a function of the question. ``records`` is what
    ``ctx.record`` gives, by name; without it the process's own function is called.
    ``hooks`` and ``subprocesses`` are what those give, by name; their functions
    take the payload, and the inputs.

    ``at`` is when the play begins, ``run_id`` and ``artifacts`` are those of the
    context, ``most_effects`` is how many the process may ask for.
    """

    results: Results
    people: People
    records: Mapping[str, Any]
    hooks: By
    subprocesses: By
    at: datetime | str
    run_id: str
    artifacts: str | os.PathLike[str]
    most_effects: int


@hinted
def begin(process: Process | Given, inputs: Any = None, **options: Unpack[Options]) -> Play:
    """A process that has asked for its first batch, to be gone on with step by step.

    The options are those of ``play``; what has no answer stays pending until
    ``answer`` gives it one.
    """
    artifacts = options.get("artifacts")
    return Play(
        given(process),
        inputs,
        Answers(
            options.get("results"),
            options.get("people"),
            hooks=options.get("hooks"),
            subprocesses=options.get("subprocesses"),
        ),
        records=options.get("records", {}),
        at=options.get("at", START),
        run_id=options.get("run_id", RUN_ID),
        artifacts=None if artifacts is None else os.fspath(artifacts),
        most_effects=options.get("most_effects", MOST_EFFECTS),
    )


@hinted
def play(
    process: Process | Given, inputs: Any = None, *, order: Iterable[str] = (), **options: Unpack[Options]
) -> Play:
    """Run a process in memory, to its end, with the results that the test gives.

    The code that runs is that of real runs; only the disk, the clock and
    whoever performs the effects are missing. All that is pending is answered
    at once, in the order of requests, unless it has its time. When there is
    nothing but sleeps to wait for, the clock jumps to the first of them.

    ``process`` is the function, its module, its file, or its name in the library;
    ``order`` names steps that are answered first, one after the other; the other
    arguments are those of ``Options``.

    Raises:
        NoAnswer: the process asks for something for which there is none.
        ResultRejected, InvalidInput: a result does not fit.
        NondeterminismError: replayed from its journal, the process asks for something else.
    """
    begun = begin(process, inputs, **options)
    for step in order:
        _give_step(begun, step)
    return begun.finish()


def _give_step(begun: Play, step: str) -> None:
    choices = begun.choices()
    for coming in choices:
        if coming.asked.step == step:
            begun.give([coming])
            return
    may_come = ", ".join(repr(coming.asked.step) for coming in choices) or "nothing"
    raise InvalidInput(f"nothing can come at step {step!r} now; what can: {may_come}")
