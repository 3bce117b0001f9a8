"""What a process awaits: a ``Call`` asks for one effect, a ``Fork`` for a group of branches.

Both are lazy, so nothing is asked before the ``await``, and one-shot: a step
has one place in the process. Making one and forgetting the ``await`` is the
most common slip of authors; since CPython drops an object with its last
reference, ``__del__`` notices it at once and at the same place on each replay.

An error drops what was prepared and not yet awaited as well, and that is no
slip. One that the engine throws in, or that ends a branch, moves the branch's
``throws`` on. One that the author raises and catches within a branch is not
seen by the engine: what its frames held is let go where its ``except`` ends.
"""

from __future__ import annotations

import sys

from babysitter.engine.built_in import built_in
from babysitter.errors import ProcessError, TaskCancelled, TaskFailed
from babysitter.ids import sha256_hex
from babysitter.jsontext import canonical, compact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from types import FrameType
    from typing import Any, NoReturn

    from babysitter.engine.branches import Branch
    from babysitter.engine.replay import Replay
    from babysitter.engine.retries import Retry
    from babysitter.engine.tasks import Task

NEW, AWAITED, DISCARDED = 0, 1, 2
LABEL_LENGTH = 80
JOINED_BY_NAME = frozenset({"all", "settled"})


class Step:
    """Something that takes a place in a scope when it is awaited."""

    __slots__ = ("branch", "code", "engine", "line", "throws", "use")

    noun = "step"
    engine: Replay
    branch: Branch
    throws: int
    code: Any
    line: int
    use: int

    def __await__(self) -> Generator[Any, Any, Any]:
        raise NotImplementedError

    def _born(self, engine: Replay, depth: int) -> None:
        frame = sys._getframe(depth + 1)
        # Until it is whole: outside its process a context has no branch, and refuses.
        self.use = DISCARDED
        self.engine = engine
        self.branch = engine.branch_now()
        self.throws = self.branch.throws
        self.code = frame.f_code
        self.line = frame.f_lineno
        self.use = NEW

    @property
    def place(self) -> tuple[str, int]:
        """File and line where the author wrote it."""
        return self.code.co_filename, self.line

    def _claim(self) -> None:
        if self.use != NEW:
            fault = ProcessError(
                f"the {self.noun} made here is awaited a second time",
                hint="a step is one-shot: keep the result in a variable, or make a new call",
            )
            self.engine.misuse(fault, self.place)
            raise fault
        self.use = AWAITED

    def discard(self) -> None:
        """It will never be awaited, and that is right: its branch never starts."""
        self.use = DISCARDED

    def miss(self) -> None:
        """It was to be awaited and is not."""
        if self.use == NEW:
            fault = ProcessError(
                f"the {self.noun} made here is never awaited",
                hint=f"write `await` before it, or hand it to ctx.parallel as `lambda: {self.noun}`",
            )
            self.engine.misuse(fault, self.place)

    def __getattr__(self, name: str) -> NoReturn:
        # Its result has it: the author has forgotten the `await` before using that.
        raise AttributeError(
            f"a step that is not awaited has no {name!r}; write `await` before it", name=name
        )

    def __getitem__(self, key: Any) -> NoReturn:
        raise TypeError(f"a step that is not awaited has no {key!r}; write `await` before it")

    def __iter__(self) -> NoReturn:
        raise TypeError("a step that is not awaited cannot be gone through; write `await` before it")

    def _refuse_use(self, *others: Any) -> NoReturn:
        raise TypeError(f"{self.noun} is not awaited, so it is no value yet; write `await` before it")

    __len__ = __int__ = __float__ = __index__ = __neg__ = _refuse_use
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse_use
    __lt__ = __le__ = __gt__ = __ge__ = _refuse_use

    def __bool__(self) -> bool:
        # Else Python would ask for its length.
        return True

    def __repr__(self) -> str:
        return self.noun

    def __del__(self) -> None:
        # At the exit of the interpreter, say, the process is not what drops it; nor is there a frame.
        if self.use != NEW or not self.engine.is_driven:
            return
        if self.throws == self.branch.throws and not ends_except(sys._getframe(1)):
            self.miss()


class Call(Step):
    """A request for one effect: a task with its arguments, as canonical JSON.

    The text is a snapshot: what the author does to a list after the call does
    not change what was asked for.
    """

    __slots__ = ("args_hash", "args_text", "attempt", "step", "task")

    def __init__(self, engine: Replay, task: Task[..., Any], args_text: str, depth: int) -> None:
        self._born(engine, depth + 1)
        self.task = task
        self.args_text = args_text
        self.args_hash = sha256_hex(args_text.encode())
        self.attempt = 1
        self.step = ""

    @property
    def noun(self) -> str:  # type: ignore[override]
        return f"ctx.task({self.task.id!r})" if self.task.is_author_made else f"ctx.{self.task.id}(…)"

    def __await__(self) -> Generator[Call, Any, Any]:
        self._claim()
        if self.task.retry is None:
            return self.task.read_result((yield self))
        value = yield from self._tried(self.task.retry)
        return self.task.read_result(value)

    def _tried(self, retry: Retry) -> Generator[Call, Any, Any]:
        """Ask again after a failure, under the same name, until it goes well or the failure stands."""
        while True:
            try:
                return (yield self)
            except TaskFailed as error:
                wait = retry.wait_after(self.attempt, error, f"{self.engine.seed} {self.step}")
                if wait is None:
                    raise
            if wait:
                yield from self._paused(wait)
            self.attempt += 1

    def _paused(self, wait: float) -> Generator[Call, Any, Any]:
        """Wait for the next attempt; whoever cancels the wait has cancelled the task."""
        try:
            yield self._pause(wait)
        except TaskCancelled as cancelled:
            cancelled.task_id, cancelled.step, cancelled.attempts = self.task.id, self.step, self.attempt
            raise

    def _pause(self, wait: float) -> Call:
        """The wait between two attempts: a sleep with a name of its own, so that no other step is renamed."""
        task = built_in("sleep", title=f"{self.task.id}: wait before attempt {self.attempt + 1}")
        pause = Call(self.engine, task, canonical({"seconds": wait}), depth=0)
        pause.use = AWAITED
        pause.step = f"{self.step}~retry{self.attempt}"
        return pause


class Fork(Step):
    """A request for a group: several branches, one mode of joining them."""

    __slots__ = ("items", "limit", "mode", "names", "thunks")

    def __init__(
        self,
        engine: Replay,
        mode: str,
        thunks: Sequence[Any],
        *,
        names: Sequence[str] | None = None,
        items: Sequence[Any] | None = None,
        limit: int | None = None,
        depth: int = 0,
    ) -> None:
        self._born(engine, depth + 1)
        self.mode = mode
        self.thunks = thunks
        self.names = names
        self.items = items
        self.limit = limit

    @property
    def noun(self) -> str:  # type: ignore[override]
        return f"ctx.parallel.{self.mode}(…)"

    def __await__(self) -> Generator[Fork, Any, Any]:
        self._claim()
        value = yield self
        return self.by_name(value) if self.mode in JOINED_BY_NAME else value

    def by_name(self, values: list[Any]) -> Any:
        """A value for each branch: a dict under names given by hand, else the list itself."""
        if self.names is None or self.items is not None:
            return values
        return dict(zip(self.names, values, strict=True))

    def discard(self) -> None:
        self.use = DISCARDED
        for thunk in self.thunks:
            discard(thunk)

    def branch_name(self, index: int) -> str:
        """The name of a branch in its step path."""
        return self.names[index] if self.names is not None else str(index)

    def branch_label(self, index: int) -> str:
        """What a person reads for this branch; empty when its name says it."""
        if self.items is None:
            return ""
        item = self.items[index]
        try:
            return (item if isinstance(item, str) else compact(item))[:LABEL_LENGTH]
        except (TypeError, ValueError):
            # An object of the author's, which was given its name by ``key=``.
            return ""


def ends_except(frame: FrameType) -> bool:
    """Whether the frame is about to leave an ``except`` block, and so to let its error go."""
    from opcode import opname

    at = frame.f_lasti
    now, *following = [opname[operation] for operation in frame.f_code.co_code[at : at + 3 : 2]]
    # `except … as error:` ends with `error = None; del error`.
    return now == "POP_EXCEPT" or (now.startswith("STORE_") and following == [f"DELETE_{now[6:]}"])


def step_within(value: Any) -> Step | None:
    """The first step, never awaited, in what a process returns."""
    waiting, seen = [value], set[int]()
    while waiting:
        item = waiting.pop()
        if isinstance(item, Step):
            return item
        if isinstance(item, (dict, list, tuple)) and id(item) not in seen:
            # It may contain itself.
            seen.add(id(item))
            waiting += reversed(list(item.values() if isinstance(item, dict) else item))
    return None


def discard(thunk: Any) -> None:
    """Throw away the beginning of a branch that never starts, without complaints."""
    if isinstance(thunk, Step):
        thunk.discard()
    elif hasattr(thunk, "cr_frame") and not thunk.cr_suspended:
        # A coroutine that never began runs none of the author's code when closed;
        # left alone, Python would warn that nobody awaited it.
        thunk.close()
