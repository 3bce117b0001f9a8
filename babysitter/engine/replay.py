"""Drive a process against known results.

The process is a coroutine, driven by hand with ``send`` and ``throw``: there is
no event loop, so nothing but the order in which results are fed decides what
happens. Ready branches run first in, first out; a branch that ends is queued to
its group like any other. An ``await`` without a result simply is not resumed:
waiting is never an exception that a handler could swallow.

A suspended coroutine is never closed, because that would run the author's
``finally`` blocks on every iteration. ``close``, garbage collection and
interpreter exit all do it; so this module keeps every process that has not
ended for as long as Python runs, and the command line leaves by ``os._exit``.
"""

from __future__ import annotations

from collections import deque

from babysitter.engine.branches import ENDED, JOINING, READY, WAITING, Branch
from babysitter.engine.calls import Call, Fork, Step, discard
from babysitter.engine.ending import End, ends_the_run, read_end
from babysitter.engine.foreign import NoLoop, foreign_await
from babysitter.engine.groups import Group
from babysitter.engine.places import place_of
from babysitter.engine.state import STUCK
from babysitter.engine.tasks import DRIVEN
from babysitter.errors import BranchCancelled, ProcessError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, TypeVar

    from babysitter.engine.ending import GivingUp
    from babysitter.engine.places import Place
    from babysitter.errors import NondeterminismError, ReplayError

    T = TypeVar("T")

_never_collected: set[Replay] = set()


class DeadlineExceeded(BaseException):
    """The process ran too long without coming to rest; raised from outside into whatever runs."""


class Replay:
    """One process, driven from its start.

    Attributes:
        seed: what chance is made from; that of the run from which a run was forked.
        waiting: the branches that wait for an effect, by step, in the order of asking.
        asked: steps newly asked for and not yet requested in the journal.
        dropped: steps given up; of those, ``newly_dropped`` are not yet journalled.
        end: how the process ended, or None.
        giving_up: why all of it is being given up, on purpose; None while it is not.
        has_tasks: the process makes branches beside those of its groups.
        is_driven: the process runs now; between two results only the garbage collector drops things.
    """

    has_tasks = False

    def __init__(self, run_id: str, started_ms: int, *, seed: str | None = None) -> None:
        self.run_id = run_id
        self.seed = seed or run_id
        self.now_ms = started_ms
        self.waiting: dict[str, tuple[Branch, Call]] = {}
        self.asked: dict[str, tuple[Branch, Call]] = {}
        self.dropped: set[str] = set()
        self.newly_dropped: dict[str, None] = {}
        self.reports: list[tuple[str, str]] = []
        self.end: End | None = None
        self._queue: deque[Branch] = deque()
        self._running: Branch | None = None
        self.is_driven = False
        self.giving_up: GivingUp | None = None
        self._cleanups: list[tuple[int, Callable[[], Any]]] = []
        self._cleanups_registered = 0
        self._cleaning: Branch | None = None
        self.divergence: NondeterminismError | None = None
        self._fault: tuple[BaseException, Place | None] | None = None
        self._root: Branch | None = None
        self._no_loop = NoLoop(self)

    def start(self, main: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Run the process until it is quiet."""
        _never_collected.add(self)
        # All other branches hang on this one, also when nothing waits for them any more.
        self._root = Branch(main, "", None, 0)
        self.enqueue(self._root)
        self._drain()

    def resolve(self, step: str, value: Any, error: BaseException | None, at_ms: int) -> bool:
        """Feed one result and run until quiet; False when nobody waits at this step."""
        self.now_ms = at_ms
        entry = self.waiting.pop(step, None)
        if entry is None:
            return False
        self.deliver(entry[0], value, error)
        self._drain()
        return True

    @property
    def is_quiet_for_ever(self) -> bool:
        """Nothing waits and yet the process has not ended."""
        return self.end is None and self.divergence is None and not self.waiting

    # What branches and groups tell the engine.

    def enqueue(self, branch: Branch) -> None:
        """Let a branch have its turn."""
        self._queue.append(branch)

    def deliver(self, branch: Branch, value: Any, error: BaseException | None) -> None:
        """Resume a branch with what it awaited."""
        branch.inbox_value, branch.inbox_error = value, error
        branch.joining = None
        branch.state = READY
        self._queue.append(branch)

    def cancel(self, branch: Branch) -> None:
        """Give a branch up: ``BranchCancelled`` once, at its await, inner groups first."""
        if branch.cancelled or branch.state == ENDED:
            return
        branch.cancelled = True
        if branch.state == WAITING:
            self._drop(branch.step)
            self.deliver(branch, None, BranchCancelled())
        elif branch.state == READY:
            # Its turn was coming; what it would have seen came too late, as in asyncio.
            branch.drop_inbox()
        elif branch.joining is not None:
            branch.joining.abandon()

    def give_up(self, why: GivingUp) -> None:
        """Cancel every branch; once all of them have ended, so has the run. The first reason stands.

        A cleanup that asks for this gives up no more than itself: the run has ended already.
        """
        if self._cleaning is not None:
            self._give_up_cleanup(self._cleaning, why)
        elif self.giving_up is None and self._root is not None:
            self.giving_up = why
            self.cancel(self._root)

    def give_up_now(self, why: GivingUp) -> None:
        """The same from outside, when nothing runs: until it is quiet. Cleanups are left to end."""
        if self._cleaning is None:
            self.give_up(why)
            self._drain()

    def _give_up_cleanup(self, cleaning: Branch, why: GivingUp) -> None:
        if not cleaning.cancelled:
            reason = f": {why.reason}" if why.reason else ""
            self.report(cleaning, f"a cleanup wanted the run {why.status}, which had ended already{reason}")
            self.cancel(cleaning)

    def cancellation(self) -> BranchCancelled:
        """The error for code that is given up at once, and not at its next await."""
        return BranchCancelled()

    def clean_up_with(self, thunk: Callable[[], Any]) -> None:
        """Begin this branch when the process has ended."""
        self._cleanups_registered += 1
        self._cleanups.append((self._cleanups_registered, thunk))

    def _drop(self, step: str) -> None:
        del self.waiting[step]
        self.dropped.add(step)
        if self.asked.pop(step, None) is None:
            self.newly_dropped[step] = None

    def report(self, branch: Branch, message: str) -> None:
        """Something that a person should read and that changes nothing."""
        self.reports.append((branch.scope, message))

    def misuse(self, error: ReplayError, place: Place) -> None:
        """The author broke a rule of steps; the run is stuck until it is mended, whoever catches what."""
        if self._fault is None and self.end is None:
            self._fault = (error, place)

    def diverge(self, error: NondeterminismError) -> None:
        """The process asks for something else than the journal has; nothing may be written."""
        if self.divergence is None:
            self.divergence = error

    def place_now(self) -> Place | None:
        """Where the process is, as far as no traceback tells it."""
        return None

    def outside(self, work: Callable[[], T]) -> T:
        """Call what is not part of the process; it may have an event loop of its own."""
        self._no_loop.leave()
        try:
            return work()
        finally:
            self._no_loop.enter()

    def branch_now(self) -> Branch:
        """The branch whose code runs.

        Raises:
            ProcessError: none does; the context was used outside its process.
        """
        if self._running is None:
            raise ProcessError(
                "the context is used outside its process",
                hint="call ctx only from the process and what it awaits, not from a thread or a task",
            )
        return self._running

    # The loop.

    def _drain(self) -> None:
        before = DRIVEN.replay
        try:
            DRIVEN.replay = self
            self.is_driven = True
            self._run_until_quiet()
        finally:
            self.is_driven = False
            DRIVEN.replay = before
        if self._fault is not None:
            error, place = self._fault
            self.end = End.stuck(error, place)

    def _run_until_quiet(self) -> None:
        queue = self._queue
        while queue and self._fault is None and self.divergence is None:
            branch = queue.popleft()
            if branch.state == ENDED:
                self._pass_on(branch)
            elif branch.state == READY:
                self._step(branch)

    def _pass_on(self, branch: Branch) -> None:
        if branch.group is not None:
            branch.group.hear_end_of(branch)
            return
        assert self._root is not None
        if branch is self._cleaning:
            self._report_cleanup(branch)
        elif self.giving_up is not None and branch.error is not None and ends_the_run(branch.error):
            self.report(branch, f"{type(branch.error).__name__} while the run was given up: {branch.error}")
        end = read_end(self._root, self.giving_up)
        if end.status != STUCK and self._cleanups:
            self._clean_up()
        elif self._fault is None:
            self.end = end
            self._let_go()

    def _let_go(self) -> None:
        """Nothing of the process is suspended any more."""
        _never_collected.discard(self)

    def _clean_up(self) -> None:
        """Begin the next cleanup, the last one registered first; nothing cancels it."""
        number, thunk = self._cleanups.pop()
        self._cleaning = Branch(thunk, f"cleanup.{number}.", None, 0)
        self.enqueue(self._cleaning)

    def _report_cleanup(self, branch: Branch) -> None:
        """A failed cleanup changes nothing of how the run ends; a mistake in its code is to be mended."""
        error = branch.error
        if error is None or (branch.cancelled and isinstance(error, BranchCancelled)):
            return
        if ends_the_run(error):
            self.report(branch, f"{type(error).__name__} in a cleanup: {error}")
        elif self._fault is None:
            self._fault = (error, place_of(error.__traceback__))

    def _step(self, branch: Branch) -> None:
        self._running = branch
        self._no_loop.enter()
        try:
            asked = self._resume(branch)
        except StopIteration as stop:
            branch.value = stop.value
            if isinstance(stop.value, Step):
                stop.value.miss()
            self._ended(branch)
        except (DeadlineExceeded, KeyboardInterrupt):
            raise
        except BaseException as error:
            branch.throws += 1
            branch.error = error
            self._ended(branch)
            self._blame(error)
        else:
            self._take(branch, asked)
        finally:
            self._no_loop.leave()
            self._running = None

    def _blame(self, error: BaseException) -> None:
        """Name the mistake and not its consequence: calls that it kept from being awaited."""
        if self._fault is None or ends_the_run(error):
            return
        consequence, place = self._fault
        if consequence.__traceback__ is None and place is not None:
            try:
                error.add_note(f"{consequence}: {place[0]}, line {place[1]}")
            except AttributeError:
                pass  # the author's own class, and it takes no notes
            self._fault = (error, place_of(error.__traceback__))

    def _resume(self, branch: Branch) -> Any:
        # Kept nowhere else: what the author lets go must go, an un-awaited call is noticed by that.
        error, value = branch.inbox_error, branch.inbox_value
        branch.inbox_error = branch.inbox_value = None
        if branch.coroutine is None and error is None:
            return self._begin(branch)
        if error is None:
            return branch.coroutine.send(value)
        branch.throws += 1
        try:
            if branch.coroutine is not None:
                return branch.coroutine.throw(error)
            discard(branch.thunk)
            raise error
        finally:
            del error  # its traceback leads to this frame, and so to itself

    def _begin(self, branch: Branch) -> Any:
        thunk, branch.thunk = branch.thunk, None
        begun = _call(thunk) if callable(thunk) else thunk
        if isinstance(begun, Step):
            # Nearly always: one step is the whole branch. Its own generator is all that it takes.
            branch.coroutine = begun.__await__()
        elif hasattr(begun, "send") and not getattr(begun, "cr_suspended", False):
            branch.coroutine = begun
        elif hasattr(begun, "__await__"):
            # Python itself refuses here to await a coroutine that another branch drives already.
            branch.coroutine = _awaiting(begun)
        else:
            raise StopIteration(begun)
        return branch.coroutine.send(None)

    def _ended(self, branch: Branch) -> None:
        branch.state = ENDED
        branch.coroutine = None
        self._queue.append(branch)

    def _take(self, branch: Branch, asked: Any) -> None:
        if type(asked) is Call:
            # It has a name already when it is asked for again, after a failure.
            step = asked.step = asked.step or branch.next_step(asked.task.key)
            branch.step = step
            branch.state = WAITING
            self.waiting[step] = self.asked[step] = (branch, asked)
        elif type(asked) is Fork:
            group = Group(self, branch, branch.next_step(None), asked)
            branch.state = JOINING
            branch.joining = group
            group.open()
        else:
            self.misuse(*foreign_await(branch.coroutine, asked))


def _call(thunk: Callable[[], Any]) -> Any:
    try:
        return thunk()
    except StopIteration as error:
        # As inside a generator (PEP 479): it must not pass for the branch's end.
        raise RuntimeError("a branch raised StopIteration") from error


async def _awaiting(awaitable: Any) -> Any:
    return await awaitable
