"""The context: what a process can ask for."""

from __future__ import annotations

import sys

from babysitter.engine.calls import Call
from babysitter.engine.definitions import check_assurance
from babysitter.engine.durations import seconds
from babysitter.engine.parallel import Parallel
from babysitter.engine.parameters import Parameters
from babysitter.engine.places import place_of_call
from babysitter.engine.tasks import Task
from babysitter.errors import NondeterminismError, ProcessError
from babysitter.jsontext import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime
    from random import Random
    from typing import Any, ParamSpec, TypeVar, overload

    from babysitter.engine.notes import Notes
    from babysitter.engine.outcomes import Decision
    from babysitter.engine.replay import Replay

    P = ParamSpec("P")
    R = TypeVar("R")
    T = TypeVar("T")
else:

    def overload(function):
        return None


def _built_in(kind: str) -> Any:
    return Task(kind, kind, lambda: None, {}, parameters=Parameters(None), is_author_made=False)


BREAKPOINT: Task[..., Decision] = _built_in("breakpoint")
SLEEP: Task[..., None] = _built_in("sleep")


class Context:
    """Handed to ``async def process(inputs, ctx)``.

    Attributes:
        parallel: ``all``, ``map``, ``settled``, ``any`` and ``race``.
        run_id: the id of this run.
        artifacts: path of the folder for the process's own files.
    """

    __slots__ = ("_engine", "_notes", "artifacts", "parallel", "run_id")

    def __init__(self, engine: Replay, notes: Notes, artifacts: str) -> None:
        self._engine = engine
        self._notes = notes
        self.parallel = Parallel(engine)
        self.run_id = engine.run_id
        self.artifacts = artifacts

    @overload
    def task(self, task: Task[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[R]: ...
    @overload
    def task(self, task: Task[..., R], args: Mapping[str, Any], /) -> Awaitable[R]: ...
    def task(self, task: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Perform a task; await it for its result.

        Raises:
            TaskFailed: at the await, when the task failed.
            TypeError: the arguments do not fit the task's function, or are not JSON values.
        """
        if not isinstance(task, Task):
            raise TypeError(
                f"ctx.task needs a task, found {task!r}; make one with @shell, @python, @agent or define_task"
            )
        return self._call(task, task.bind(args, kwargs))

    def breakpoint(
        self,
        question: str,
        *,
        title: str | None = None,
        options: Sequence[str] | None = None,
        assurance: str | None = None,
    ) -> Awaitable[Decision]:
        """Ask a person; await it for the ``Decision``.

        ``assurance`` is how sure it must be that a person answered, at least:
        ``dialog``, ``command``, ``terminal`` or ``signed``.
        """
        if not isinstance(question, str) or not question.strip():
            raise TypeError(f"ctx.breakpoint needs a question, found {question!r}")
        listed: Any = None if options is None else [str(option) for option in options]
        args = {"question": question, "title": title, "options": listed}
        if assurance is not None:
            check_assurance(assurance)
            # Only then: the arguments of a breakpoint without it are what they always were.
            args["assurance"] = assurance
        return self._call(BREAKPOINT, args)

    def sleep(self, length: float | str) -> Awaitable[None]:
        """Wait this long from the moment of asking: seconds, or a text such as ``"10m"``; durable."""
        return self._call(SLEEP, {"seconds": seconds(length)})

    def sleep_until(self, moment: datetime | str) -> Awaitable[None]:
        """Wait until an aware ``datetime`` or an ISO 8601 text with its offset."""
        return self._call(SLEEP, {"until": _utc_text(moment)})

    def _call(self, task: Task[..., R], args: dict[str, Any]) -> Awaitable[R]:
        try:
            text = canonical(args)
        except (TypeError, ValueError) as error:
            raise TypeError(f"the arguments of task {task.id!r} are not JSON values: {error}") from None
        return Call(self._engine, task, text, depth=2)

    def now(self) -> datetime:
        """The time (UTC) of the last event that this process has seen: the same on every replay."""
        from datetime import UTC, datetime

        return datetime.fromtimestamp(self._engine.now_ms / 1000, tz=UTC)

    @property
    def random(self) -> Random:
        """A source of chance for this branch: the same on every replay."""
        return self._engine.branch_now().random(self.run_id)

    def uuid(self) -> str:
        """A new UUID, the same on every replay."""
        return self._engine.branch_now().uuid(self.run_id)

    def record(self, name: str, fn: Callable[[], T]) -> T:
        """Run a quick function once and journal what it gave: a JSON value, the same on every replay.

        An error in the function cannot be recorded, so catching it outside would
        not be the same on every replay: the run is stuck until it is mended.
        """
        engine = self._engine
        try:
            recorded: T = self._notes.record(engine.branch_now(), name, lambda: engine.outside(fn))
        except NondeterminismError as error:
            engine.diverge(error)
            raise
        except Exception:
            engine.misuse(failed_record(name), place_of_call(sys._getframe(1)))
            raise
        return recorded

    def log(self, message: str, **fields: Any) -> None:
        """Note a line in the journal, once, however often the process is replayed."""
        self._notes.log(self._engine.branch_now(), str(message), fields)

    def progress(self, done: float, total: float | None = None, label: str = "") -> None:
        """Say how far this branch is."""
        self._notes.progress(self._engine.branch_now(), done, total, label)


def failed_record(name: str) -> ProcessError:
    """The error for a function that gives nothing to record."""
    return ProcessError(
        f"the function of ctx.record({name!r}) gave no value to record",
        hint="return a JSON value; catch errors inside the function and return what the process has to know",
    )


def _utc_text(moment: datetime | str) -> str:
    from datetime import UTC, datetime

    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if not isinstance(moment, datetime):
        raise TypeError(f"ctx.sleep_until needs a datetime or an ISO 8601 text, found {moment!r}")
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; write datetime(…, tzinfo=UTC)")
    utc = moment.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"
