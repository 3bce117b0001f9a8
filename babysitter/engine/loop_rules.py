"""What of asyncio a process cannot have, and what to write instead.

A replay repeats what the process itself does. What asyncio does outside of it,
in a thread, on a socket, in another program, happens again on every replay, or
at another time. That is what tasks are for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from babysitter.engine.places import is_authors, is_own
from babysitter.errors import ForeignAwait

if TYPE_CHECKING:
    from types import FrameType

THREADS = "do it in a task that is a function with @python: `await ctx.task(…)`"
PROGRAMS = "run the program in a @shell task: `await ctx.task(…)`"
OUTSIDE = "do it in a @python or @shell task: `await ctx.task(…)`"
LOOPS = "the process has a loop already: `await` the coroutine, or `ctx.record(name, lambda: asyncio.run(…))`"
SIGNALS = "ask a person with ctx.breakpoint, and end the run with ctx.halt or `babysitter cancel`"
FUTURES = (
    "write `asyncio.get_running_loop().create_future()`, or use asyncio.Event; and `asyncio.create_task(…)`"
)
TASKS = "make it with `asyncio.create_task(…)`"
OTHERS = "await steps of ctx, and what docs/asyncio.md lists"
# By the beginning of what is called: first the function of asyncio, then what it asks of the loop.
CURES = {
    "to_thread": THREADS,
    "run_in_executor": THREADS,
    "run_coroutine_threadsafe": THREADS,
    "call_soon_threadsafe": THREADS,
    "create_subprocess": PROGRAMS,
    "subprocess_": PROGRAMS,
    "create_connection": OUTSIDE,
    "create_server": OUTSIDE,
    "create_unix": OUTSIDE,
    "create_datagram": OUTSIDE,
    "connect_": OUTSIDE,
    "start_tls": OUTSIDE,
    "sendfile": OUTSIDE,
    "sock_": OUTSIDE,
    "getaddrinfo": OUTSIDE,
    "getnameinfo": OUTSIDE,
    "add_reader": OUTSIDE,
    "add_writer": OUTSIDE,
    "add_signal_handler": SIGNALS,
    "remove_signal_handler": SIGNALS,
    "run": LOOPS,
    "new_event_loop": LOOPS,
    "stop": LOOPS,
    "close": LOOPS,
    "shutdown_": LOOPS,
    "Future": FUTURES,
    "eager": TASKS,
    "set_task_factory": TASKS,
}


def refusal(name: str, frame: FrameType | None) -> ForeignAwait:
    """The error for something of asyncio; ``frame`` is what asked for it, ``name`` what of the loop."""
    return ForeignAwait(
        f"the process uses {_called(name, frame)}, which a replay cannot repeat", hint=_cure(name)
    )


def _cure(name: str) -> str:
    return next((cure for beginning, cure in CURES.items() if name.startswith(beginning)), OTHERS)


def _called(name: str, frame: FrameType | None) -> str:
    """What the author has called, which is not always what touched the loop."""
    called = None
    while (
        frame is not None
        and not is_authors(frame.f_code.co_filename)
        and not is_own(frame.f_code.co_filename)
    ):
        called = frame.f_code.co_qualname
        frame = frame.f_back
    if name == "Future":
        return "asyncio.Future(…) or asyncio.Task(…)"
    if called is None and name not in _OF_ASYNCIO:
        return f"{name!r} of the event loop"
    return f"asyncio.{called or name}"


_OF_ASYNCIO = frozenset({"eager_task_factory", "new_event_loop", "run"})
