"""Tasks: what an author defines once and a process asks for many times.

A task is a plain function that *describes* work: the command to run, the
prompt to answer, the arguments to call with. It is called only when a new
effect is requested, never on replay.
"""

from __future__ import annotations

from _thread import _local

from babysitter.durations import seconds
from babysitter.engine.definitions import DEFINERS, READERS, define_described
from babysitter.engine.parameters import Parameters
from babysitter.engine.retries import Retry
from babysitter.ids import valid_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Generic, Literal, ParamSpec, TypeVar, overload

    from babysitter.engine.outcomes import ShellResult
    from babysitter.engine.replay import Replay

    P = ParamSpec("P")
    R = TypeVar("R")
    M = TypeVar("M")

    class _Typed(Generic[P, R]):
        """Carries a task's parameters and result to a type checker."""

else:
    # Importing typing costs as much as starting Python; at run time the names only have to exist.
    P = R = None

    def overload(function):
        return None

    class _Typed:
        __slots__ = ()

        def __class_getitem__(cls, item):
            return cls


SHARED_OPTIONS = ("key", "title", "retry")
KIND_OPTIONS = {
    "shell": ("timeout", "check", "parse", "cwd", "env", "secrets", "input"),
    "python": ("timeout", "interpreter"),
    "agent": ("timeout", "returns", "name"),
}


class Driven(_local):
    """Whose process runs in this thread, the innermost: a function that is recorded may play another."""

    replay: Replay | None = None


DRIVEN = Driven()


class Task(_Typed[P, R]):
    """A kind of work that a process can ask for with ``ctx.task``.

    Attributes:
        id: names the task in the journal; by default the function's name.
        kind: who performs it: ``shell``, ``python``, ``agent`` or another word.
        function: the author's plain function.
    """

    __slots__ = ("_parameters", "function", "id", "is_author_made", "kind", "options")

    def __init__(
        self,
        id: str,
        kind: str,
        function: Callable[..., Any],
        options: Mapping[str, Any],
        *,
        parameters: Parameters | None = None,
        is_author_made: bool = True,
    ) -> None:
        if not valid_id(id):
            raise ValueError(f"task id {id!r} is not an id: letters, digits, '-' and '_', at most 64")
        self.id = id
        self.kind = kind
        self.function = function
        self.options = dict(options)
        self.is_author_made = is_author_made
        self._parameters = parameters or Parameters(function)

    def using(self, **options: Any) -> Task[P, R]:
        """The same task with other options, for one call.

        ``key`` names the step by hand; ``title`` is what people read; the
        others are the options of the decorator.

        Raises:
            TypeError: the kind of task has no such option.
        """
        check_options(self.kind, options)
        merged = {**self.options, **options}
        return Task(
            self.id,
            self.kind,
            self.function,
            merged,
            parameters=self._parameters,
            is_author_made=self.is_author_made,
        )

    @property
    def key(self) -> str | None:
        """The name that the author gave the step, if any."""
        return self.options.get("key")

    @property
    def retry(self) -> Retry | None:
        """How it is tried again when it fails; None: it is not."""
        return self.options.get("retry")

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments of one call, by name; one mapping counts as keywords.

        Raises:
            TypeError: as Python itself would, had the function been called.
        """
        return self._parameters.bind(self.id, args, kwargs)

    def names_of(self, args: tuple[Any, ...]) -> list[str]:
        """What the function calls the arguments that are given to it by position, as far as it has names."""
        return list(self._parameters.positional[: len(args)])

    def define(self, args: dict[str, Any], effect: Any = None) -> dict[str, Any]:
        """The plain description that an executor works from; called for new requests only."""
        # What builds it may call other tasks' functions, also in a play that a recorded function makes.
        before = DRIVEN.replay
        try:
            DRIVEN.replay = None
            return DEFINERS.get(self.kind, define_described)(self, args, effect)
        finally:
            DRIVEN.replay = before

    def read_result(self, value: Any) -> Any:
        """What the process gets for a journalled value."""
        reader = READERS.get(self.kind)
        return reader(self, value) if reader else value

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """The plain function, for tests and other tasks.

        Raises:
            ProcessError: the process itself calls it, and means ``ctx.task``.
        """
        if DRIVEN.replay is not None:
            # Here, because hardly any iteration needs it.
            from babysitter.engine.called_tasks import refused_call

            raise refused_call(DRIVEN.replay, self, args, kwargs)
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<{self.kind} task {self.id!r}>"


def check_options(kind: str, options: Mapping[str, Any]) -> None:
    """Refuse an option that the kind does not have, a key that cannot name a step, and an unclear timeout."""
    allowed = SHARED_OPTIONS + KIND_OPTIONS.get(kind, ())
    for name in options:
        if name not in allowed:
            raise TypeError(_no_option(kind, name, allowed))
    check_key(options.get("key"))
    if options.get("timeout") is not None:
        seconds(options["timeout"])
    if not isinstance(options.get("retry"), (Retry, type(None))):
        raise TypeError(
            f"retry={options['retry']!r} is not a Retry; write retry=Retry(3) for three attempts in all,"
            " with `from babysitter import Retry`"
        )


def _no_option(kind: str, name: str, allowed: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, allowed, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"a task of kind {kind!r} has no option {name!r}; {hint}it has {', '.join(allowed)}"


def check_key(key: str | None) -> None:
    """Refuse a key that cannot name a step.

    Raises:
        ValueError
    """
    if key is not None and (not valid_id(key) or key.isdigit()):
        raise ValueError(f"key {key!r} cannot name a step: letters, digits, '-' and '_', not only digits")


def _decorate(kind: str, function: Callable[..., Any] | None, id: str | None, options: dict[str, Any]) -> Any:
    check_options(kind, options)

    def made(function: Callable[..., Any]) -> Task[..., Any]:
        return Task(id or function.__name__, kind, function, options)

    return made(function) if function is not None else made


@overload
def shell(function: Callable[P, Any], /) -> Task[P, ShellResult]: ...
@overload
def shell(
    *, parse: Literal["json"], id: str | None = None, **options: Any
) -> Callable[[Callable[P, Any]], Task[P, Any]]: ...
@overload
def shell(*, id: str | None = None, **options: Any) -> Callable[[Callable[P, Any]], Task[P, ShellResult]]: ...
def shell(function: Any = None, /, *, id: str | None = None, **options: Any) -> Any:
    """A task that runs a command; the function returns its words, or a text for ``sh``.

    Options: ``timeout`` (seconds or ``"10m"``), ``check=False`` (a non-zero exit
    is a result, not a failure), ``parse="json"`` (the output, parsed, is the
    result), ``cwd`` (in the project), ``env``, ``secrets`` (names of environment
    variables to pass on), ``input`` (text for its standard input), ``retry``, ``title``, ``key``.
    """
    return _decorate("shell", function, id, options)


@overload
def python(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def python(*, id: str | None = None, **options: Any) -> Callable[[Callable[P, R]], Task[P, R]]: ...
def python(function: Any = None, /, *, id: str | None = None, **options: Any) -> Any:
    """A task that calls the function in a worker process; it takes and returns JSON values.

    Options: ``timeout``, ``interpreter`` (a Python of the project's own), ``retry``, ``title``, ``key``.
    """
    return _decorate("python", function, id, options)


@overload
def agent(function: Callable[P, Any], /) -> Task[P, Any]: ...
@overload
def agent(
    *, returns: type[M], id: str | None = None, **options: Any
) -> Callable[[Callable[P, Any]], Task[P, M]]: ...
@overload
def agent(*, id: str | None = None, **options: Any) -> Callable[[Callable[P, Any]], Task[P, Any]]: ...
def agent(function: Any = None, /, *, id: str | None = None, **options: Any) -> Any:
    """A task for an agent; the function returns the prompt.

    Options: ``returns`` (a pydantic model or a JSON Schema dict that the answer
    must fit), ``timeout``, ``name``, ``retry``, ``title``, ``key``.
    """
    return _decorate("agent", function, id, options)


def define_task(id: str, build: Callable[..., dict[str, Any]]) -> Task[..., Any]:
    """A task from a function that returns the plain description of its effect.

    ``build(args)`` or ``build(args, effect)`` returns a dict with at least a
    ``kind``; ``effect`` has ``effect_id``, ``run_id`` and ``step_id``. ``args``
    is the one mapping, or the keywords, given to ``ctx.task``.
    """
    return Task(id, "described", build, {}, parameters=Parameters(None))
