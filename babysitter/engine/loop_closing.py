"""The end of a process whose tasks may outlive it.

As in ``asyncio.run()``: when the process has returned, tasks that still run
are cancelled and waited for, and their ``finally`` blocks may ask for effects.
Only then has the process ended. What a task failed with, and nobody has looked
at, is reported then; asyncio would print it whenever the task is collected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from babysitter.engine.branches import Branch
    from babysitter.engine.loop import Loop
    from babysitter.engine.loop_tasks import BranchTask, Driven


class Closing:
    """Tasks that run, and what becomes of them when the process has ended.

    Attributes:
        live: every branch that has not ended, in the order of their making.
    """

    def __init__(self, loop: Loop, report: Callable[[Branch, str], None]) -> None:
        self.live: dict[Branch, Driven] = {}
        self._loop = loop
        self._report = report
        self._failed: list[BranchTask] = []
        self._top: Branch | None = None
        self._is_told = False
        self._cancelled: set[Driven] = set()

    def hear_end_of(self, task: BranchTask) -> None:
        """A task that the author has made is over."""
        self._cancelled.discard(task.driven)
        if not task.cancelled() and is_unseen(task):
            # Kept until it is known that nobody looks at it.
            self._failed.append(task)

    def forget_seen(self) -> None:
        """Keep no task any longer whose failure somebody has looked at."""
        self._failed = [task for task in self._failed if is_unseen(task)]

    def begin(self, top: Branch, *, is_told: bool) -> None:
        """The process, or a cleanup, is over; ``is_told``: report what it has left running."""
        self._top = top
        self._is_told = is_told

    def go_on(self) -> Branch | None:
        """Cancel what still runs; when nothing does, gives what is over, once."""
        if self._top is None or self._cancelled:
            return None
        left = [driven for driven in self.live.values() if driven.branch.group is None]
        if left:
            self._cancel(left)
            return None
        top, self._top = self._top, None
        self._drop_timers()
        self._report_failures()
        return top

    def _cancel(self, left: list[Driven]) -> None:
        self._cancelled.update(left)
        for driven in left:
            if self._is_told:
                path = driven.branch.scope[:-1]
                self._report(
                    driven.branch, f"the process returned while its task {path} still ran: cancelled"
                )
            driven.cancel()

    def _drop_timers(self) -> None:
        for timer in [*self._loop.timers.values()]:
            timer.cancel()

    def _report_failures(self) -> None:
        self.forget_seen()
        for task in self._failed:
            branch, error = task.driven.branch, task.exception()
            told = f"{type(error).__name__} in the task {branch.scope[:-1]}, which nobody awaited"
            self._report(branch, f"{told}: {error}")
        self._failed = []

    def failure(self) -> BaseException | None:
        """The first that a task has failed with and nobody has looked at."""
        return next((task.exception() for task in self._failed if is_unseen(task)), None)


def is_unseen(task: BranchTask) -> bool:
    """It has failed, and nobody has asked how it ended."""
    return bool(task._log_traceback)
