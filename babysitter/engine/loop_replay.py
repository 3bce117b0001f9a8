"""Drive a process that uses asyncio: every branch is a task of a loop of our own.

Results are fed as ever. What differs is the queue: it is the loop's, with a
task for each branch and the callbacks of asyncio between them. A task that the
author makes is a branch with a scope of its own, numbered where it is made.
Groups of ``ctx.parallel`` stay what they are; to asyncio they are futures.
"""

from __future__ import annotations

import asyncio
import contextvars
from asyncio import events, tasks
from typing import TYPE_CHECKING, Any

from babysitter.engine.branches import ENDED, READY, Branch
from babysitter.engine.calls import Step
from babysitter.engine.ending import STUCK, ends_the_run, read_end
from babysitter.engine.foreign import foreign_await
from babysitter.engine.loop import BRANCH, Loop
from babysitter.engine.loop_mends import mend_asyncio
from babysitter.engine.loop_tasks import Answer, BranchCancelled, BranchTask, Driven
from babysitter.engine.places import place_of, place_of_await
from babysitter.engine.replay import DeadlineExceeded, Replay
from babysitter.errors import ProcessError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from babysitter.engine.calls import Call
    from babysitter.engine.ending import GivingUp

    T = TypeVar("T")

mend_asyncio()


class LoopReplay(Replay):
    """One process, driven from its start, with an event loop."""

    def __init__(self, run_id: str, started_ms: int) -> None:
        super().__init__(run_id, started_ms)
        self.loop = Loop(self)
        self._numbers = 0
        self._driven: dict[Branch, Driven] = {}
        self._stepping: Driven | None = None
        self._ended_top: Branch | None = None
        self._left: set[Driven] = set()
        self._failed: list[BranchTask] = []
        self._interrupt: BaseException | None = None

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
        return self._make_task(Branch(coroutine, scope, None, 0), name, context or contextvars.copy_context())

    def _make_task(self, branch: Branch, name: str | None, context: contextvars.Context) -> BranchTask:
        self._numbers += 1
        driven = self._driven[branch] = Driven(self, branch)
        task = BranchTask(driven, self.loop, self._numbers, name or f"Task-{self._numbers}", context)
        task.add_done_callback(self._hear_end)
        return task

    def deliver(self, branch: Branch, value: Any, error: BaseException | None) -> None:
        branch.inbox_value, branch.inbox_error = value, error
        branch.joining = None
        branch.state = READY
        answer = self._driven[branch].answer
        assert answer is not None
        answer.arrive()

    def cancel(self, branch: Branch) -> None:
        if not branch.cancelled and branch.state != ENDED:
            branch.cancelled = True
            self._driven[branch].cancel()

    def give_up(self, why: GivingUp) -> None:
        giver = self._stepping
        if giver is None:
            super().give_up(why)
            return
        giver.is_giving_up = giver.is_told = True
        try:
            super().give_up(why)
        finally:
            giver.is_giving_up = False

    def cancellation(self) -> BranchCancelled:
        return BranchCancelled()

    def drop(self, branch: Branch) -> None:
        """The branch no longer waits for its effect."""
        branch.state = READY
        self._drop(branch.step)

    def drop_step(self, step: str) -> None:
        """Nobody waits for this effect any more."""
        self._drop(step)

    def ask_for_sleep(self, call: Call) -> str:
        """A timer is set; the step of its sleep."""
        branch = self.branch_now()
        step = call.step = branch.next_step(None)
        self.waiting[step] = self.asked[step] = (branch, call)
        return step

    def outside(self, work: Callable[[], T]) -> T:
        # As long as a task runs, asyncio lets no other loop run one.
        task = asyncio.current_task(self.loop)  # type: ignore[arg-type]
        if task is not None:
            tasks._leave_task(self.loop, task)  # type: ignore[arg-type] # noqa: SLF001
        events._set_running_loop(None)  # noqa: SLF001
        try:
            return work()
        finally:
            events._set_running_loop(self.loop)  # type: ignore[arg-type] # noqa: SLF001
            if task is not None:
                tasks._enter_task(self.loop, task)  # type: ignore[arg-type] # noqa: SLF001

    # The loop.

    def _run_until_quiet(self) -> None:
        with Inside(self.loop):
            while not self._stands_still and (handle := self.loop.next_ready()) is not None:
                self._call(handle)
        if self.is_quiet_for_ever:
            self._blame_quiet()

    @property
    def _stands_still(self) -> bool:
        return self._fault is not None or self.divergence is not None or self.end is not None

    def _call(self, handle: asyncio.Handle) -> None:
        context, callback, args = handle._context, handle._callback, handle._args  # noqa: SLF001
        del handle
        self._running = context.get(BRANCH, self._root)
        try:
            context.run(callback, *args)
        except (DeadlineExceeded, KeyboardInterrupt):
            raise
        except BaseException as error:
            if getattr(callback, "__self__", None) is self:
                raise
            self._report_callback(error)
        finally:
            self._running = None
        if self._interrupt is not None:
            raise self._interrupt

    def _report_callback(self, error: BaseException) -> None:
        # A task raises SystemExit here as well as where it is awaited; a callback that halts the run has done so.
        if isinstance(error, (SystemExit, BranchCancelled)) or self._fault is not None:
            return
        assert self._running is not None
        self.report(self._running, f"{type(error).__name__} in a callback: {error}")

    def advance(self, driven: Driven) -> Any:
        """Let a branch run to its next await; the future that its task is to wait for."""
        before, self._running, self._stepping = self._running, driven.branch, driven
        BRANCH.set(driven.branch)
        try:
            return self._to_await(driven, self._step_of(driven))
        except (DeadlineExceeded, KeyboardInterrupt) as interrupt:
            # The task keeps it for itself.
            self._interrupt = interrupt
            raise
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
            self._note_value(branch, stop)
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

    def _note_value(self, branch: Branch, stop: StopIteration) -> None:
        branch.state = ENDED
        branch.coroutine = None
        if isinstance(stop.value, Step):
            stop.value.miss()
        if branch.group is not None or branch is self._root:
            # Its task holds nothing: that an un-awaited call is dropped is noticed by that.
            branch.value, stop.value = stop.value, None

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
        del self._driven[branch]
        driven.task = driven.answer = None
        if task.cancelled() and branch.error is None:
            # It has returned, cancelled by itself in the same moment.
            branch.error = asyncio.CancelledError()
        if branch.group is not None:
            branch.group.hear_end_of(branch)
        elif branch is self._root or branch is self._cleaning:
            self._hear_end_of_top(branch)
        else:
            self._hear_end_of_task(task)
        if self._ended_top is not None:
            self._end_what_is_left()

    def _hear_end_of_task(self, task: BranchTask) -> None:
        self._left.discard(task.driven)
        # Kept until it is known that nobody looks at it.
        task.driven.branch.error = None
        if not task.cancelled() and _is_unseen(task):
            self._failed.append(task)

    def _hear_end_of_top(self, branch: Branch) -> None:
        if self._is_mistake(branch):
            # What else runs goes on when that is mended.
            self._pass_on(branch)
        else:
            self._ended_top = branch

    def _is_mistake(self, branch: Branch) -> bool:
        if branch is self._root:
            return read_end(branch, self.giving_up).status == STUCK
        return branch.error is not None and not ends_the_run(branch.error)

    def _end_what_is_left(self) -> None:
        """The process has returned: tasks that still run are cancelled and waited for, as in asyncio.run()."""
        if self._left:
            return
        self._left = {driven for driven in self._driven.values() if driven.branch.group is None}
        if not self._left:
            top, self._ended_top = self._ended_top, None
            assert top is not None
            for timer in [*self.loop.timers.values()]:
                timer.cancel()
            self._report_unseen()
            self._pass_on(top)
        for driven in [*self._driven.values()]:
            if driven in self._left:
                path = driven.branch.scope[:-1]
                self.report(driven.branch, f"the task {path} still ran when the process returned, and is cancelled")
                driven.cancel()

    def _let_go(self) -> None:
        if not self._driven:
            super()._let_go()

    def _report_unseen(self) -> None:
        for task in self._failed:
            error = task.exception() if _is_unseen(task) else None
            if error is not None:
                branch = task.driven.branch
                self.report(branch, f"{type(error).__name__} in the task {branch.scope[:-1]}, which nobody awaited: {error}")
        self._failed = []

    def _blame_quiet(self) -> None:
        """Nothing can happen any more: its tasks wait for each other, or for one that has failed."""
        assert self._root is not None
        failure = next((task.exception() for task in self._failed if _is_unseen(task)), None)
        never = ProcessError(
            "the process waits for something that never comes",
            hint="every await has to end by a step of ctx or by another task",
        )
        never.__cause__ = failure
        place = place_of(failure.__traceback__) if failure is not None else None
        self._fault = (never, place or place_of_await(self._root.coroutine))


class Inside:
    """A context in which a loop is the one that runs; another around it is given its place back."""

    __slots__ = ("_before", "_loop", "_task")

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def __enter__(self) -> None:
        self._before: Any = events._get_running_loop()  # noqa: SLF001
        self._task: Any = None if self._before is None else asyncio.current_task(self._before)
        if self._task is not None:
            tasks._leave_task(self._before, self._task)  # noqa: SLF001
        events._set_running_loop(self._loop)  # type: ignore[arg-type] # noqa: SLF001

    def __exit__(self, *_: object) -> None:
        events._set_running_loop(self._before)  # noqa: SLF001
        if self._task is not None:
            tasks._enter_task(self._before, self._task)  # noqa: SLF001


def _is_cancellation(error: BaseException | None) -> bool:
    """Also when nothing came: what the branch awaited has swallowed that it was cancelled."""
    return error is None or isinstance(error, asyncio.CancelledError)


def _is_unseen(task: BranchTask) -> bool:
    """It has failed, and nobody has asked how it ended."""
    return bool(task._log_traceback)  # type: ignore[attr-defined] # noqa: SLF001
