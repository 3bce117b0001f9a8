"""A task that the process calls like a function, in place of asking for it.

``count(path)`` reads in Python as if it were a step. It would do the work here and
now, again at each replay, and the journal would know nothing of it; a task that only
describes its work would give its command, or its prompt, for a result. What calls a
task elsewhere (another task, a description, a test) means the function, and gets it.
"""

from __future__ import annotations

import sys

from babysitter.engine.places import place_of_call
from babysitter.errors import ProcessError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from babysitter.engine.replay import Replay
    from babysitter.engine.tasks import Task


def refused_call(
    replay: Replay, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> ProcessError:
    """The error for a call that the process makes; its run is stuck, whoever catches that."""
    caller = sys._getframe(2)
    fault = ProcessError(
        f"the task {task.id!r} is called like a function, so it is done inside the process",
        hint=f"write `{_asked_for(task, args, kwargs, caller)}`",
    )
    replay.misuse(fault, place_of_call(caller))
    return fault


def _asked_for(task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], caller: FrameType) -> str:
    """The step that the author meant, as far as it is known here: not what the arguments are called there."""
    name = getattr(task.function, "__name__", task.id)
    named = [f"{each}=…" for each in (*task.names_of(args), *kwargs)]
    unnamed = ["…"] * (len(args) + len(kwargs) - len(named))
    step = f"ctx.task({', '.join([name if name.isidentifier() else task.id, *unnamed, *named])})"
    # There is no `await` in a lambda: it hands the step on, and whoever calls it awaits.
    return f"lambda: {step}" if caller.f_code.co_name == "<lambda>" else f"await {step}"
