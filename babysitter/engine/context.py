"""The context: what a process can ask for."""

from __future__ import annotations

import sys

from babysitter.durations import brief, seconds
from babysitter.engine.built_in import BREAKPOINT, HOOK, SLEEP, built_in
from babysitter.engine.calls import Call, Fork, discard
from babysitter.engine.ending import GivingUp
from babysitter.engine.parallel import Parallel
from babysitter.engine.places import place_of_call
from babysitter.engine.retries import Retry
from babysitter.engine.state import CONTINUED, HALTED
from babysitter.engine.tasks import Task, check_key
from babysitter.errors import BranchTimeout, NondeterminismError, ProcessError
from babysitter.ids import valid_id
from babysitter.jsontext import canonical, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime
    from random import Random
    from typing import Any, Never, NoReturn, ParamSpec, TypeVar, overload

    from babysitter.engine.notes import Notes
    from babysitter.engine.outcomes import Decision
    from babysitter.engine.replay import Replay
    from babysitter.engine.scores import Score

    P = ParamSpec("P")
    R = TypeVar("R")
    T = TypeVar("T")
else:

    def overload(function):
        return None


ASYNC_FUNCTION = 0x80  # inspect.CO_COROUTINE; importing inspect costs more than a replay


class Context:
    """Handed to ``async def process(inputs, ctx)``.

    Attributes:
        parallel: ``all``, ``map``, ``settled``, ``any`` and ``race``.
        run_id: the id of this run.
        artifacts: path of the folder for the process's own files.
    """

    __slots__ = ("_engine", "_folder", "_notes", "artifacts", "parallel", "run_id")

    def __init__(self, engine: Replay, notes: Notes, artifacts: str, folder: str = "") -> None:
        self._folder = folder
        self._engine = engine
        self._notes = notes
        self.parallel = Parallel(engine)
        self.run_id = engine.run_id
        self.artifacts = artifacts

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            from babysitter.engine.old_ways import no_attribute, public

            raise no_attribute("ctx", name, public(Context), "ctx")

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
        *more: Never,
        title: str | None = None,
        options: Sequence[str] | None = None,
        id: str | None = None,
        tags: str | Sequence[str] | None = None,
        expert: str | Sequence[str] | None = None,
        strategy: str | None = None,
        quorum: int | None = None,
        files: Sequence[str | Mapping[str, str]] | None = None,
        previous_feedback: str | None = None,
        attempt: int | None = None,
        deadline: float | str | None = None,
        default: bool | str | None = None,
        expires: float | str | None = None,
        assurance: str | None = None,
        **other: Never,
    ) -> Awaitable[Decision]:
        """Ask a person; await it for the ``Decision``. A no is an answer, and never an error.

        ``id`` names the question over all runs, for rules, and ``tags`` say what it is about.
        ``expert`` is who is asked, by name or role, ``"owner"`` whoever made the run; ``strategy`` how
        their answers become one: ``single``, ``first-response``, ``collect-all``, or ``quorum`` (so many
        have to agree). ``files`` are shown with the question: paths in the project, or in the run's
        artifacts; a yes is void when one has changed before it is made use of. ``previous_feedback`` and
        ``attempt`` tell those who are asked again why. After ``deadline`` the ``default`` is taken: True,
        False (as without it), or an option. A yes is void after it ``expires``.
        ``assurance`` is how sure it must be that a person answered, at least: ``dialog``, ``command``,
        ``terminal`` or ``signed``.

        Raises:
            TypeError, ValueError: something of it is not what it can be, or does not go together.
        """
        if more or other or isinstance(question, dict):
            from babysitter.engine.old_ways import misasked

            raise misasked(question, more, other, BREAKPOINT_OPTIONS)
        told = {
            "id": id,
            "tags": tags,
            "expert": expert,
            "strategy": strategy,
            "quorum": quorum,
            "files": files,
            "previousFeedback": previous_feedback,
            "attempt": attempt,
            "deadline": deadline,
            "default": default,
            "expires": expires,
            "assurance": assurance,
        }
        return self._call(BREAKPOINT, asked_with(question, title, options, told))

    def sleep(self, length: float | str) -> Awaitable[None]:
        """Wait this long from the moment of asking: seconds, or a text such as ``"10m"``; durable."""
        return self._call(SLEEP, {"seconds": seconds(length)})

    def sleep_until(self, moment: datetime | str) -> Awaitable[None]:
        """Wait until an aware ``datetime`` or an ISO 8601 text with its offset."""
        return self._call(SLEEP, {"until": _utc_text(moment)})

    def timeout(self, length: float | str, thunk: Callable[[], Awaitable[T]] | Awaitable[T]) -> Awaitable[T]:
        """What the branch gives, if it ends within this time; else it is given up.

        The time begins when this is awaited, and goes on while nothing runs.

        Raises:
            BranchTimeout: at the await; a ``TimeoutError``.
        """
        try:
            most = seconds(length)
            check_branch(thunk)
        except (TypeError, ValueError):
            discard(thunk)
            raise

        async def clock() -> None:
            await self._call(built_in("sleep", title=f"time limit of {brief(most)}"), {"seconds": most})
            raise BranchTimeout(most)

        return Fork(self._engine, "timeout", [thunk, clock], names=["branch", "clock"], depth=1)

    def subprocess(
        self,
        process: str | Callable[..., Any],
        inputs: Any = None,
        *,
        key: str | None = None,
        title: str | None = None,
        retry: Retry | None = None,
        budget: Mapping[str, Any] | None = None,
    ) -> Awaitable[Any]:
        """Perform another process as a run of its own; await it for its output.

        ``process`` is a name of ``babysitter process list``, a ``FILE.py`` or ``FILE.py#FUNCTION``
        beside this process's file, or an ``async def`` of its modules. ``budget`` is what it may spend,
        such as ``{"tokens": "200k", "wall": "10m"}``, within what this run may spend.

        Raises:
            TaskFailed: at the await, when the child run failed or was halted.
            ValueError: the budget is none.
        """
        check_key(key)
        task = built_in("subprocess", key=key, title=title, retry=retry)
        args = {"process": name_process(process, self._folder), "inputs": {} if inputs is None else inputs}
        if budget is not None:
            from babysitter.budget import amounts_of

            # Only then: the arguments of a subprocess without it are what they always were.
            args["budget"] = amounts_of(budget)
        return self._call(task, args)

    @overload
    def orchestrator_task(
        self,
        prompt: str,
        *,
        returns: type[T],
        title: str | None = None,
        key: str | None = None,
        timeout: float | str | None = None,
    ) -> Awaitable[T]: ...
    @overload
    def orchestrator_task(
        self,
        prompt: str,
        *,
        returns: Any = None,
        title: str | None = None,
        key: str | None = None,
        timeout: float | str | None = None,
    ) -> Awaitable[Any]: ...
    def orchestrator_task(
        self,
        prompt: str,
        *,
        returns: Any = None,
        title: str | None = None,
        key: str | None = None,
        timeout: float | str | None = None,
    ) -> Any:
        """Have the agent of the session do something itself, not a subagent; await it for the answer.

        ``returns`` is a pydantic model or a JSON Schema dict that the answer must fit. ``timeout`` counts
        from when the agent has begun.
        """
        if not isinstance(prompt, str) or not prompt.strip():
            raise TypeError(f"ctx.orchestrator_task needs a prompt, found {prompt!r}")
        check_key(key)
        if timeout is not None:
            seconds(timeout)
        return self._call(
            built_in("orchestrator_task", returns=returns, title=title, key=key, timeout=timeout),
            {"prompt": prompt},
        )

    def hook(self, name: str, payload: Any = None) -> Awaitable[list[Any]]:
        """Call the user's and the project's hooks of this name; await it for what each of them gave."""
        if not valid_id(name):
            raise ValueError(f"{name!r} cannot name a hook: letters, digits, '-' and '_'")
        return self._call(HOOK, {"name": name, "payload": payload})

    def _call(self, task: Task[..., R], args: dict[str, Any]) -> Awaitable[R]:
        try:
            text = canonical(args)
        except (TypeError, ValueError) as error:
            from babysitter.engine.old_ways import option_cure

            cures = (option_cure(task.id, name) for name in args if isinstance(args[name], Retry))
            raise TypeError(
                f"the arguments of task {task.id!r} are not JSON values: {error}{next(cures, '')}"
            ) from None
        return Call(self._engine, task, text, depth=2)

    def halt(self, reason: str, **data: Any) -> NoReturn:
        """End the run on purpose: every branch is cancelled, cleanups are performed, and that is the end."""
        if not isinstance(reason, str) or not reason.strip():
            raise TypeError(f"ctx.halt needs a reason, a text for people, found {reason!r}")
        told = _as_json("the data of ctx.halt", data) if data else None
        self._give_up(GivingUp(HALTED, told, reason=reason, error=sys.exception()))

    def continue_as_new(self, inputs: Any) -> NoReturn:
        """End this run, and go on in a new one with these inputs and an empty journal."""
        self._give_up(GivingUp(CONTINUED, _as_json("the inputs of ctx.continue_as_new", inputs)))

    def _give_up(self, why: GivingUp) -> NoReturn:
        self._engine.branch_now()
        self._engine.give_up(why)
        raise self._engine.cancellation()

    def on_cleanup(self, fn: Callable[[], Awaitable[Any]]) -> None:
        """Call ``fn`` when the process has ended, however it did; the last one registered comes first.

        Its steps are performed as any other, also when the run was cancelled. Not while the run is
        stuck in a mistake: that is to be mended first.
        """
        self._engine.branch_now()
        if not callable(fn) or isinstance(fn, Task):
            discard(fn)
            raise TypeError(
                f"ctx.on_cleanup needs an async function without arguments, found {fn!r};"
                " write `ctx.on_cleanup(clean)`, or `ctx.on_cleanup(lambda: ctx.task(…))`"
            )
        self._engine.clean_up_with(fn)

    def patched(self, id: str) -> bool:
        """Whether to take the new path of an edited process.

        False in a run that came past here before the edit, for good; True in
        every other, which the journal remembers. So both paths can stand in the code.
        """
        if not isinstance(id, str) or not id:
            raise TypeError(f"ctx.patched needs the name of the change, found {id!r}")
        self._engine.branch_now()
        return self._notes.patched(id)

    def now(self) -> datetime:
        """The time (UTC) of the last event that this process has seen: the same on every replay."""
        from datetime import UTC, datetime

        return datetime.fromtimestamp(self._engine.now_ms / 1000, tz=UTC)

    @property
    def random(self) -> Random:
        """A source of chance for this branch: the same on every replay."""
        return self._engine.branch_now().random(self._engine.seed)

    def uuid(self) -> str:
        """A new UUID, the same on every replay."""
        return self._engine.branch_now().uuid(self._engine.seed)

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

    def score(
        self,
        value: float,
        target: float | None = None,
        *,
        name: str = "score",
        patience: int | None = None,
        min_change: float = 0,
        lower: bool = False,
    ) -> Score:
        """Note the number that a loop of improvement has reached; gives it as a ``Score``.

        Each branch has its own numbers, and each ``name`` in it. More is better, unless ``lower`` is set.
        ``patience`` is how many of them in a row may bring nothing that is better by more than
        ``min_change`` than the best before them: then ``stalled`` is true, as ``reached`` is at the target.

        Raises:
            TypeError, ValueError: the number is none or not finite, or an option makes no sense.
        """
        # Here, because hardly any process has one.
        from babysitter.engine.scores import Aim, checked_name, number

        branch = self._engine.branch_now()
        aim = Aim(target, patience=patience, min_change=min_change, lower=lower)
        return self._notes.score(branch, checked_name(name), number("value", value), aim)

    def progress(self, done: float, total: float | None = None, label: str = "") -> None:
        """Say how far this branch is."""
        self._notes.progress(self._engine.branch_now(), done, total, label)


BREAKPOINT_OPTIONS = tuple(Context.breakpoint.__kwdefaults__ or ())


def asked_with(question: str, title: Any, options: Any, told: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a breakpoint; of a plain one they are what they always were.

    Raises:
        TypeError, ValueError
    """
    # Here, because most iterations ask no person.
    from babysitter.engine.breakpoints import checked

    plain = {"question": question, "title": title, "options": options}
    kept = checked({**plain, **told})
    return {**dict.fromkeys(plain), **kept}


def check_branch(thunk: Any) -> None:
    """A timeout is for one branch: something to call or to await."""
    if isinstance(thunk, Task) or not (callable(thunk) or hasattr(thunk, "__await__")):
        raise TypeError(
            f"ctx.timeout needs a function or a call to await, found {thunk!r};"
            " write `ctx.timeout(60, lambda: ctx.task(…))`, without `await` before the task"
        )


def _as_json(what: str, value: Any) -> Any:
    """The value as the journal will have it.

    Raises:
        TypeError: it cannot have it.
    """
    try:
        return loads(canonical(value))
    except (TypeError, ValueError) as error:
        raise TypeError(f"{what} cannot be written as JSON: {error}") from None


def failed_record(name: str) -> ProcessError:
    """The error for a function that gives nothing to record."""
    return ProcessError(
        f"the function of ctx.record({name!r}) gave no value to record",
        hint="return a JSON value; catch errors inside the function and return what the process has to know",
    )


def name_process(process: Any, folder: str) -> str:
    """What a child run's process is called: a name or a file as it is, a function by its file and name.

    Raises:
        TypeError: it is none of these.
    """
    if isinstance(process, str) and process:
        return process
    code = getattr(process, "__code__", None)
    name = getattr(process, "__qualname__", "")
    if code is None or not code.co_flags & ASYNC_FUNCTION or not name.isidentifier():
        raise TypeError(
            f"ctx.subprocess needs the name of a process, a FILE.py, or an async function of a module,"
            f" found {process!r}"
        )
    # Beside the process: the journal must not depend on where the project lies.
    file = code.co_filename.removeprefix(folder.rstrip("/") + "/") if folder else code.co_filename
    return f"{file}#{name}"


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
