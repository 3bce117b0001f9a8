"""Drive a process that uses asyncio: every branch is a task of a loop of our own.

Results are fed as ever. What differs is the queue: it is the loop's, with a
task for each branch and the callbacks of asyncio between them. A task that the
author makes is a branch with a scope of its own, numbered where it is made.
Groups of ``ctx.parallel`` stay what they are; to asyncio they are futures.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from typing import TYPE_CHECKING, Any

from babysitter.engine.branches import ENDED, READY, Branch
from babysitter.engine.calls import Step
from babysitter.engine.ending import ends_the_run, read_end
from babysitter.engine.foreign import foreign_await
from babysitter.engine.loop import BRANCH, Loop
from babysitter.engine.loop_closing import Closing
from babysitter.engine.loop_mends import mend_asyncio
from babysitter.engine.loop_place import inside, outside
from babysitter.engine.loop_tasks import Answer, BranchCancelled, BranchTask, Driven
from babysitter.engine.places import NOWHERE, place_in_branch, place_of, place_of_await
from babysitter.engine.replay import DeadlineExceeded, Replay
from babysitter.engine.state import STUCK
from babysitter.errors import ProcessError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from babysitter.engine.calls import Call
    from babysitter.engine.ending import GivingUp
    from babysitter.engine.places import Place

    T = TypeVar("T")

mend_asyncio()


class LoopReplay(Replay):
    """One process, driven from its start, with an event loop."""

    has_tasks = True

    def __init__(self, run_id: str, started_ms: int, *, seed: str | None = None) -> None:
        super().__init__(run_id, started_ms, seed=seed)
        self.loop = Loop(self)
        self._numbers = 0
        self._closing = Closing(self.loop, self.report)
        self._live = self._closing.live
        self._stepping: Driven | None = None
        self._last: Branch | None = None

    def resolve(self, step: str, value: Any, error: BaseException | None, at_ms: int) -> bool:
        timer = self.loop.timers.pop(step, None)
        if timer is None:
            return super().resolve(step, value, error, at_ms)
        self.now_ms = at_ms
        del self.waiting[step]
        self.loop.ring(timer)
        self._drain()
        return True

    # What branches, groups and asyncio tell the engine.

    def enqueue(self, branch: Branch) -> None:
        self._make_task(branch, "", contextvars.copy_context())

    def begin_task(self, coroutine: Any, name: str | None, context: contextvars.Context | None) -> BranchTask:
        """A task that the author makes: a branch of its own, numbered among the steps of its maker."""
        scope = f"{self.branch_now().next_step(None)}.0."
        branch = Branch(coroutine, scope, None, 0)
        task = self._make_task(branch, name, context or contextvars.copy_context())
        self._live[branch].made_at = place_in_branch(sys._getframe(2)) or self.place_of_task()
        return task

    def _make_task(self, branch: Branch, name: str | None, context: contextvars.Context) -> BranchTask:
        self._numbers += 1
        driven = self._live[branch] = Driven(self, branch)
        task = BranchTask(driven, self.loop, self._numbers, name or f"Task-{self._numbers}", context)
        task.add_done_callback(self._hear_end)
        return task

    def deliver(self, branch: Branch, value: Any, error: BaseException | None) -> None:
        branch.inbox_value, branch.inbox_error = value, error
        branch.joining = None
        branch.state = READY
        answer = self._live[branch].answer
        assert answer is not None
        answer.arrive()

    def cancel(self, branch: Branch) -> None:
        if not branch.cancelled and branch.state != ENDED:
            branch.cancelled = True
            self._live[branch].cancel()

    def give_up(self, why: GivingUp) -> None:
        if self._stepping is not None:
            self._stepping.has_given_up = self._stepping.is_told = True
        if self._root is None or self._root.state != ENDED or self._cleaning is not None:
            super().give_up(why)
        elif self._stepping is not None:
            # As a cleanup that asks for it: how the process ended stands.
            told = f"a task wanted the run {why.status}, which had ended already: {why.reason}"
            self.report(self._stepping.branch, told)

    def cancellation(self) -> BranchCancelled:
        return BranchCancelled()

    def drop(self, branch: Branch) -> None:
        """The branch no longer waits for its effect."""
        branch.state = READY
        self._drop(branch.step)

    def drop_step(self, step: str) -> None:
        """Nobody waits for this effect any more."""
        self._drop(step)

    def place_of_task(self) -> Place:
        """Where the author has made the task that runs."""
        return NOWHERE if self._stepping is None else self._stepping.made_at

    def place_now(self) -> Place | None:
        # Tasks may take turns for ever, and be interrupted between two of them.
        return None if self._last is None else place_of_await(self._last.coroutine)

    def ask_for_sleep(self, call: Call) -> str:
        """A timer is set; the step of its sleep."""
        branch = self.branch_now()
        step = call.step = branch.next_step(None)
        self.waiting[step] = self.asked[step] = (branch, call)
        return step

    def outside(self, work: Callable[[], T]) -> T:
        with outside():
            return work()

    # The loop.

    def _run_until_quiet(self) -> None:
        with inside(self.loop):
            while not self._stands_still and (handle := self.loop.next_ready()) is not None:
                self._call(handle)
        self._closing.forget_seen()
        if self.is_quiet_for_ever and self._fault is None:
            self._blame_quiet()

    @property
    def _stands_still(self) -> bool:
        return self._fault is not None or self.divergence is not None or self.end is not None

    def _call(self, handle: asyncio.Handle) -> None:
        # Handle has no public way to run it that lets an error through.
        parts: Any = handle
        context, callback, args = parts._context, parts._callback, parts._args
        del handle, parts
        self._running = context.get(BRANCH, self._root)
        try:
            context.run(callback, *args)
        except (DeadlineExceeded, KeyboardInterrupt):
            raise
        except BaseException as error:
            owner = getattr(callback, "__self__", None)
            if owner is self:
                raise
            # A task raises SystemExit here as well as where it is awaited.
            if not isinstance(owner, BranchTask):
                self._report_callback(error)
        finally:
            self._running = None
            # The traceback of what a task fails with leads to this frame, and from here to the task.
            del context, callback, args

    def _report_callback(self, error: BaseException) -> None:
        # A callback may halt the run.
        if self._running is not None and self._fault is None and not isinstance(error, BranchCancelled):
            self.report(self._running, f"{type(error).__name__} in a callback: {error}")

    def advance(self, driven: Driven) -> Any:
        """Let a branch run to its next await; the future that its task is to wait for."""
        before, self._running, self._stepping = self._running, driven.branch, driven
        self._last = driven.branch
        BRANCH.set(driven.branch)
        try:
            return self._to_await(driven, self._step_of(driven))
        finally:
            self._running, self._stepping = before, None

    def _step_of(self, driven: Driven) -> Any:
        branch = driven.branch
        if branch.cancelled and not driven.is_told and _is_cancellation(branch.inbox_error):
            driven.is_told = True
            branch.inbox_value, branch.inbox_error = None, BranchCancelled()
        try:
            return self._resume(branch)
        except StopIteration as stop:
            self._note_value(branch, stop.value)
            raise
        except (DeadlineExceeded, KeyboardInterrupt):
            raise
        except BaseException as raised:
            branch.throws += 1
            self._note_error(branch, raised)
            raise

    def _note_error(self, branch: Branch, error: BaseException) -> None:
        branch.state = ENDED
        branch.coroutine = None
        # Parts of asyncio raise a cancellation of their own in place of the one that they have caught.
        is_given_up = branch.cancelled and isinstance(error, asyncio.CancelledError)
        branch.error = BranchCancelled() if is_given_up else error
        self._blame(error)

    def _note_value(self, branch: Branch, value: Any) -> None:
        branch.state = ENDED
        branch.coroutine = None
        if isinstance(value, Step):
            value.miss()
        if branch.group is not None or branch is self._root:
            branch.value = value

    def _to_await(self, driven: Driven, asked: Any) -> Any:
        if isinstance(asked, Step):
            # First, for an empty group delivers at once.
            driven.answer = Answer(self, driven.branch)
            self._take(driven.branch, asked)
            return driven.answer
        if asked is None or (asyncio.isfuture(asked) and asked.get_loop() is self.loop):  # type: ignore[comparison-overlap]
            return asked
        self.misuse(*foreign_await(driven.branch.coroutine, asked))
        return None

    # The end.

    def _hear_end(self, task: BranchTask) -> None:
        driven = task.driven
        branch = driven.branch
        del self._live[branch]
        driven.task = driven.answer = None
        if isinstance(task._exception, (DeadlineExceeded, KeyboardInterrupt)):
            # Wherever it came, between two lines of ours even: a task keeps it for itself.
            raise task._exception
        if task.cancelled() and branch.error is None:
            # It has returned, cancelled by itself in the same moment.
            branch.error = asyncio.CancelledError()
        if branch.group is not None:
            branch.group.hear_end_of(branch)
        elif branch is self._root or branch is self._cleaning:
            self._hear_end_of_top(branch)
        else:
            branch.error = None
            self._closing.hear_end_of(task)
        ended = self._closing.go_on()
        if ended is not None:
            self._pass_on(ended)

    def _hear_end_of_top(self, branch: Branch) -> None:
        if self._is_mistake(branch):
            # What else runs goes on when that is mended.
            self._pass_on(branch)
        else:
            self._closing.begin(branch, is_told=branch.error is None and self.giving_up is None)

    def _is_mistake(self, branch: Branch) -> bool:
        if branch is self._root:
            return read_end(branch, self.giving_up).status == STUCK
        is_given_up = branch.cancelled and isinstance(branch.error, BranchCancelled)
        return branch.error is not None and not is_given_up and not ends_the_run(branch.error)

    def _let_go(self) -> None:
        if not self._live:
            super()._let_go()

    def _blame_quiet(self) -> None:
        """Nothing can happen any more: its tasks wait for each other, or for one that has failed."""
        failure = self._closing.failure()
        never = ProcessError(
            "the process waits for something that never comes",
            hint="every await has to end by a step of ctx or by another task",
        )
        never.__cause__ = failure
        place = None if failure is None else place_of(failure.__traceback__)
        waiting = next((branch.coroutine for branch in self._live), None)
        self._fault = (never, place or place_of_await(waiting))


def _is_cancellation(error: BaseException | None) -> bool:
    """Also when nothing came: what the branch awaited has swallowed that it was cancelled."""
    return error is None or isinstance(error, asyncio.CancelledError)
