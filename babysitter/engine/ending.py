"""How a process ends: completed, failed, given up on purpose, or stuck in a mistake of its author."""

from __future__ import annotations

from babysitter.engine.foreign import missing_loop
from babysitter.engine.places import is_own, place_of
from babysitter.errors import (
    AllFailed,
    BabysitterError,
    BranchCancelled,
    Failed,
    ReplayError,
    TaskFailed,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from babysitter.engine.branches import Branch
    from babysitter.engine.places import Place

# What asyncio says where it finds no loop, or not the one it wants.
_ABOUT_LOOPS = "event loop"
MOST_CAUSES = 20


class GivingUp:
    """Why all of a process is given up: ``halted`` with reason and data, or ``continued`` with new inputs.

    ``error`` is what the process was just handling, if anything.
    """

    __slots__ = ("by", "causes", "reason", "status", "value")

    def __init__(
        self,
        status: str,
        value: Any,
        *,
        reason: str = "",
        by: str | None = None,
        error: BaseException | None = None,
    ) -> None:
        self.status = status
        self.value = value
        self.reason = reason
        self.by = by
        # The error itself would keep all frames that it came through.
        self.causes = causes_of(error)

    def as_json(self) -> dict[str, Any]:
        """The data of a RUN_HALTED."""
        told = {"reason": self.reason, "by": self.by, "data": self.value, "causes": self.causes or None}
        return {name: item for name, item in told.items() if item is not None}


class End:
    """How it ended.

    ``status`` is completed (``value``), failed (``error``), halted or continued
    (``value`` is the ``GivingUp``), or stuck (``error`` and ``place``).
    """

    __slots__ = ("error", "place", "status", "value")

    def __init__(self, status: str, value: Any, error: BaseException | None, place: Place | None) -> None:
        self.status = status
        self.value = value
        self.error = error
        self.place = place

    @classmethod
    def stuck(cls, error: BaseException, place: Place | None) -> End:
        return cls("stuck", None, error, place)


def read_end(root: Branch, giving_up: GivingUp | None) -> End:
    """What the end of the root branch means for the run."""
    error = root.error
    if giving_up is not None and (error is None or isinstance(error, BranchCancelled) or ends_the_run(error)):
        return End(giving_up.status, giving_up, None, None)
    if error is None:
        return End("completed", root.value, None, None)
    if ends_the_run(error):
        return End("failed", None, error, None)
    place = place_of(error.__traceback__)
    if isinstance(error, RuntimeError) and _ABOUT_LOOPS in str(error):
        foreign = missing_loop()
        foreign.__cause__ = error
        return End.stuck(foreign, place)
    return End.stuck(error, place)


def ends_the_run(error: BaseException) -> bool:
    """A failure that the process let through, as against a mistake in its code."""
    # TimeoutError: that of ctx.timeout, or of asyncio; nothing else in a process takes time.
    if isinstance(error, (Failed, TaskFailed, TimeoutError)):
        return True
    if isinstance(error, AllFailed):
        return all(ends_the_run(inner) for inner in error.errors)
    if isinstance(error, BaseExceptionGroup):
        return all(ends_the_run(inner) for inner in error.exceptions)
    return False


def describe_stuck(end: End) -> dict[str, Any]:
    """The data of a PROCESS_ERROR: name, message, file, line, hint and traceback."""
    error = end.error
    assert error is not None
    file, line = end.place or ("", 0)
    own = isinstance(error, ReplayError) and error.__cause__ is None
    return {
        "name": type(error).__name__,
        "message": str(error) or repr(error),
        "file": file,
        "line": line,
        "hint": error.hint if isinstance(error, BabysitterError) else "",
        "traceback": "" if own else _traceback_of(error),
        **_with_causes(error),
    }


def _traceback_of(error: BaseException) -> str:
    """The traceback without the frames of the engine, which are not the author's to mend."""
    from traceback import StackSummary, TracebackException

    told: TracebackException | None = TracebackException.from_exception(error)
    whole = told
    while told is not None:
        told.stack = StackSummary.from_list([frame for frame in told.stack if not is_own(frame.filename)])
        told = told.__cause__ or told.__context__
    return "".join(whole.format()) if whole is not None else ""


def describe_failure(error: BaseException) -> dict[str, Any]:
    """The data of a RUN_FAILED's error."""
    described: dict[str, Any] = {"name": type(error).__name__, "message": str(error)}
    if isinstance(error, TaskFailed):
        described["name"] = error.name
        described["effectId"] = error.effect_id
        described["stepId"] = error.step
        if error.exit_code is not None:
            described["exitCode"] = error.exit_code
    data = getattr(error, "data", None)
    if data is not None:
        described["data"] = data
    return described | _with_causes(error)


def _with_causes(error: BaseException) -> dict[str, Any]:
    """The causes, where they are not the error itself alone."""
    causes = causes_of(error)
    is_alone = isinstance(error, TaskFailed) and causes == [error.effect_id]
    return {"causes": causes} if causes and not is_alone else {}


def causes_of(error: BaseException | None) -> list[str]:
    """The effects whose failures an error came of, by their ids, the nearest first.

    It is one of them itself, was raised while one was handled, or ``from`` one. What was caught, and is
    over, is none.
    """
    found: dict[str, None] = {}
    for each in _chain(error):
        if isinstance(each, TaskFailed) and each.effect_id:
            found[each.effect_id] = None
    return list(found)[:MOST_CAUSES]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error with all that Python would tell of how it came about."""
    ahead, seen = [error], set[int]()
    while ahead:
        each = ahead.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        handled = None if each.__suppress_context__ else each.__context__
        # An exception of the author's may be false.
        ahead.append(handled if each.__cause__ is None else each.__cause__)
        if isinstance(each, BaseExceptionGroup):
            ahead += reversed(each.exceptions)
        elif isinstance(each, AllFailed):
            ahead += reversed(each.errors)
