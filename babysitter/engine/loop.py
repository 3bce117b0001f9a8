"""The event loop of processes that use asyncio: the same callbacks in the same order on every replay.

Callbacks run first in, first out. Time is that of the journal, so it stands
still while the process runs, and a timer is a sleep: an effect of the branch
that sets it. Everything else that an event loop has would reach outside of the
process, and is refused.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from asyncio import events
from collections import deque
from typing import TYPE_CHECKING, Any

from babysitter.engine.built_in import SLEEP
from babysitter.engine.calls import AWAITED, Call
from babysitter.engine.loop_rules import refusal
from babysitter.engine.loop_tasks import Future
from babysitter.engine.places import is_authors, place_in_branch
from babysitter.jsontext import canonical

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from babysitter.engine.branches import Branch
    from babysitter.engine.loop_replay import LoopReplay

# The branch whose code has set a callback up: what the callback asks for is in its scope.
BRANCH: contextvars.ContextVar[Branch] = contextvars.ContextVar("branch")


class Timer(asyncio.TimerHandle):
    """A callback for later; ``step`` is its sleep."""

    __slots__ = ("step",)
    step: str


class Loop:
    """What asyncio asks of an event loop.

    Attributes:
        timers: the timers that run, by the step of their sleep.
    """

    def __init__(self, replay: LoopReplay) -> None:
        self._replay = replay
        self._ready: deque[asyncio.Handle] = deque()
        self._numbers = 0
        self.timers: dict[str, Timer] = {}

    def next_number(self) -> int:
        """A number for something that may be put into a set."""
        self._numbers += 1
        return self._numbers

    def next_ready(self) -> asyncio.Handle | None:
        """The callback whose turn it is."""
        while self._ready:
            handle = self._ready.popleft()
            if not handle.cancelled():
                return handle
        return None

    def ring(self, timer: Timer) -> None:
        """A sleep is over."""
        self._ready.append(timer)

    # What asyncio calls.

    def time(self) -> float:
        return self._replay.now_ms / 1000

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def get_debug(self) -> bool:
        # Future and Task ask when they are made. By hand, they would stand in a set by their address.
        if is_authors(sys._getframe(1).f_code.co_filename):
            self.refuse("Future")
        return False

    def call_soon(
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)  # type: ignore[arg-type]
        self._ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[..., Any],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> Timer:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[..., Any],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> Timer:
        timer = Timer(when, callback, args, self, context)  # type: ignore[arg-type]
        timer.step = ""
        milliseconds = round(min((when - self.time()) * 1000, LONGEST_MS))
        if milliseconds <= 0:
            self.ring(timer)
        else:
            self._set(timer, milliseconds)
        return timer

    def _set(self, timer: Timer, milliseconds: int) -> None:
        seconds, rest = divmod(milliseconds, 1000)
        length = milliseconds / 1000 if rest else seconds
        call = Call(self._replay, SLEEP, canonical({"seconds": length}), depth=1)
        call.use = AWAITED
        timer.step = self._replay.ask_for_sleep(call)
        self.timers[timer.step] = timer

    def _timer_handle_cancelled(self, timer: Timer) -> None:
        if self.timers.pop(timer.step, None) is not None:
            self._replay.drop_step(timer.step)

    def create_future(self) -> Future:
        return Future(self)

    def create_task(
        self,
        coro: Any,
        *,
        name: str | None = None,
        context: contextvars.Context | None = None,
        eager_start: bool | None = None,
    ) -> Any:
        if eager_start:
            self.refuse("eager_task_factory")
        if not hasattr(coro, "__await__") and not asyncio.iscoroutine(coro):
            raise TypeError(f"a coroutine was expected, got {coro!r}")
        return self._replay.begin_task(coro, name, context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Nothing: asyncio calls it when something is collected, and that is at any time.

        What a task failed with and nobody looked at is told when the process ends.
        """

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        self.refuse(name)

    def refuse(self, name: str) -> NoReturn:
        """The run is stuck, whoever catches this."""
        frame = sys._getframe(2)
        error = refusal(name, frame)
        self._replay.misuse(error, place_in_branch(frame) or self._replay.place_of_task())
        raise error


# A hundred years: a wait without an end, as an author writes it.
LONGEST_MS = 100 * 365 * 86_400_000


def running_loop() -> Loop | None:
    """The loop of the process that runs, if it is one of ours."""
    loop: Any = events._get_running_loop()
    return loop if isinstance(loop, Loop) else None
