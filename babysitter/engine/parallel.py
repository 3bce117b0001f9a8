"""``ctx.parallel``: what may be handed to it, and how branches get their names."""

from __future__ import annotations

from babysitter.engine.calls import Fork, discard
from babysitter.engine.tasks import Task
from babysitter.ids import sha256_hex, valid_id
from babysitter.jsontext import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from typing import Any, TypeVar, overload

    from babysitter.engine.outcomes import Outcome
    from babysitter.engine.replay import Replay

    A = TypeVar("A")
    B = TypeVar("B")
    C = TypeVar("C")
    T = TypeVar("T")
    U = TypeVar("U")
    Thunk = Callable[[], Awaitable[T]] | Awaitable[T]
    Plain = Callable[[], object] | Awaitable[object]
else:

    def overload(function):
        return None


NAME_LENGTH = 10
EXAMPLE = "ctx.parallel.{mode}([lambda: ctx.task(first), lambda: ctx.task(second)])"


class Parallel:
    """Ways to run branches side by side; every one is awaited.

    A thunk is a function without arguments that returns something to await (or
    a plain value). A call that is not yet awaited, ``ctx.task(…)``, works as well.
    """

    __slots__ = ("_engine",)

    def __init__(self, engine: Replay) -> None:
        self._engine = engine

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            from babysitter.engine.old_ways import no_attribute, public

            raise no_attribute("ctx.parallel", name, public(Parallel), "ctx.parallel")

    # A list has one type for all its branches, a tuple one for each. As with asyncio.gather,
    # only type checkers see a tuple in the result; it is a list.
    @overload
    def all(  # type: ignore[overload-overlap]
        self, thunks: tuple[Thunk[A], Thunk[B]], *, limit: int | None = None
    ) -> Awaitable[tuple[A, B]]: ...
    @overload
    def all(  # type: ignore[overload-overlap]
        self, thunks: tuple[Thunk[A], Thunk[B], Thunk[C]], *, limit: int | None = None
    ) -> Awaitable[tuple[A, B, C]]: ...
    @overload
    def all(self, thunks: Mapping[str, Thunk[T]], *, limit: int | None = None) -> Awaitable[dict[str, T]]: ...
    @overload
    def all(self, thunks: Iterable[Thunk[T]], *, limit: int | None = None) -> Awaitable[list[T]]: ...
    @overload
    def all(self, thunks: Mapping[str, Plain], *, limit: int | None = None) -> Awaitable[dict[str, Any]]: ...
    @overload
    def all(self, thunks: Iterable[Plain], *, limit: int | None = None) -> Awaitable[list[Any]]: ...
    def all(self, thunks: Any, *more: Any, limit: int | None = None) -> Any:
        """Every result, in the order of the thunks; a mapping gives a dict under its names.

        The first branch to fail abandons the others; its error is raised once
        they have ended, with what they gave in ``error.partial``.
        """
        check_one("all", thunks, more)
        return self._fork("all", thunks, limit)

    @overload
    def settled(
        self, thunks: Mapping[str, Plain], *, limit: int | None = None
    ) -> Awaitable[dict[str, Outcome]]: ...
    @overload
    def settled(self, thunks: Iterable[Plain], *, limit: int | None = None) -> Awaitable[list[Outcome]]: ...
    def settled(self, thunks: Any, *more: Any, limit: int | None = None) -> Any:
        """An ``Outcome`` for every branch, in order; never raises for a branch."""
        check_one("settled", thunks, more)
        return self._fork("settled", thunks, limit)

    @overload
    def any(self, thunks: Mapping[str, Thunk[T]]) -> Awaitable[T]: ...
    @overload
    def any(self, thunks: Iterable[Thunk[T]]) -> Awaitable[T]: ...
    def any(self, thunks: Any, *more: Any) -> Any:
        """The first success; the others are cancelled. ``AllFailed`` when there is none."""
        check_one("any", thunks, more)
        return self._fork("any", thunks, None)

    @overload
    def race(self, thunks: Mapping[str, Thunk[T]]) -> Awaitable[T]: ...
    @overload
    def race(self, thunks: Iterable[Thunk[T]]) -> Awaitable[T]: ...
    def race(self, thunks: Any, *more: Any) -> Any:
        """The first to end, well or badly; the others are cancelled."""
        check_one("race", thunks, more)
        return self._fork("race", thunks, None)

    @overload
    def map(
        self,
        items: Iterable[U],
        fn: Callable[[U], Awaitable[T]],
        *,
        limit: int | None = None,
        key: Callable[[U], object] | None = None,
    ) -> Awaitable[list[T]]: ...
    @overload
    def map(
        self,
        items: Iterable[U],
        fn: Callable[[U], T],
        *,
        limit: int | None = None,
        key: Callable[[U], object] | None = None,
    ) -> Awaitable[list[T]]: ...
    def map(
        self,
        items: Iterable[Any],
        fn: Callable[[Any], Any],
        *,
        limit: int | None = None,
        key: Callable[[Any], object] | None = None,
    ) -> Any:
        """``fn`` over the items, results in their order; fails like ``all``.

        A branch is named by its item, so that an item put in between renames no
        other; items that are not JSON values need ``key=``. ``limit`` keeps that
        many branches busy: the next starts when one ends.
        """
        if not callable(fn) or isinstance(fn, Task):
            raise TypeError(
                f"ctx.parallel.map needs a function of one item, found {fn!r};"
                " write `lambda item: ctx.task(…, item)`"
            )
        if isinstance(items, (str, bytes)) or not hasattr(items, "__iter__"):
            raise TypeError(f"ctx.parallel.map needs a list of items, found {items!r}")
        check_limit("map", limit)
        listed = list(items)
        names = name_items(listed, key)
        thunks = [_Applied(fn, item) for item in listed]
        return Fork(self._engine, "map", thunks, names=names, items=listed, limit=limit, depth=1)

    def _fork(self, mode: str, thunks: Any, limit: int | None) -> Fork:
        names, listed = read_thunks(mode, thunks)
        try:
            check_limit(mode, limit)
            for name in names or ():
                check_name(name)
            for index, thunk in enumerate(listed):
                check_thunk(mode, names[index] if names else index, thunk)
            if not listed and mode in ("any", "race"):
                raise ValueError(f"ctx.parallel.{mode} needs at least one branch; of none, none can win")
        except (TypeError, ValueError):
            for thunk in listed:
                discard(thunk)
            raise
        return Fork(self._engine, mode, listed, names=names, limit=limit, depth=2)


class _Applied:
    """``lambda: fn(item)``, in a sixth of the memory."""

    __slots__ = ("_fn", "_item")

    def __init__(self, fn: Callable[[Any], Any], item: Any) -> None:
        self._fn = fn
        self._item = item

    def __call__(self) -> Any:
        return self._fn(self._item)


def check_limit(mode: str, limit: int | None) -> None:
    """A limit is a whole number from 1 on."""
    if limit is None:
        return
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise TypeError(f"limit of ctx.parallel.{mode} is {limit!r}; it is a whole number of branches")
    if limit < 1:
        raise ValueError(f"limit of ctx.parallel.{mode} is {limit}; below 1 no branch could ever start")


def check_one(mode: str, thunks: Any, more: tuple[Any, ...]) -> None:
    """The branches come in one list, as those of asyncio.gather do not."""
    if not more:
        return
    if isinstance(more[0], int):
        cure = f"give the limit by its name: ctx.parallel.{mode}([…], limit={more[0]})"
    else:
        cure = f"write a list: ctx.parallel.{mode}([{', '.join('abc'[: len(more) + 1])}])"
    for given in (thunks, *more):
        for thunk in given.values() if isinstance(given, dict) else _listed(given):
            discard(thunk)
    raise TypeError(
        f"ctx.parallel.{mode} takes one list of branches, found {len(more) + 1} arguments; {cure}"
    )


def _listed(given: Any) -> Any:
    return given if isinstance(given, (list, tuple)) else [given]


def read_thunks(mode: str, thunks: Any) -> tuple[list[str] | None, list[Any]]:
    """Names, if any were given, and the thunks as a list."""
    example = EXAMPLE.format(mode=mode)
    if callable(thunks) or hasattr(thunks, "__await__"):
        discard(thunks)
        raise TypeError(f"ctx.parallel.{mode} needs a list of branches, found a single one; write {example}")
    if isinstance(thunks, dict):
        return list(thunks), list(thunks.values())
    if isinstance(thunks, (str, bytes)) or not hasattr(thunks, "__iter__"):
        raise TypeError(f"ctx.parallel.{mode} needs a list of branches, found {thunks!r}; write {example}")
    return None, list(thunks)


def check_name(name: Any) -> None:
    """A name given by hand becomes part of a step's name."""
    if not valid_id(name):
        raise ValueError(
            f"branch name {name!r} cannot be part of a step's name; it has letters, digits, '-' and '_'"
        )


def check_thunk(mode: str, name: str | int, thunk: Any) -> None:
    """A branch is something to call or to await; a task as it is would run at once, inside the replay."""
    if not isinstance(thunk, Task) and (callable(thunk) or hasattr(thunk, "__await__")):
        return
    raise TypeError(
        f"branch {name!r} of ctx.parallel.{mode} is {thunk!r} ({type(thunk).__name__}), neither a function"
        " nor a call to await; write `lambda: ctx.task(…)`, without `await` before it"
    )


def name_items(items: list[Any], key: Callable[[Any], object] | None) -> list[str]:
    """One name for each item, from its key or its content; equal ones get an occurrence number."""
    seen: dict[str, int] = {}
    names = []
    for item in items:
        name = _name_of(item if key is None else key(item), key is None)
        count = seen[name] = seen.get(name, 0) + 1
        names.append(name if count == 1 else f"{name}~{count}")
    return names


def _name_of(identity: object, is_item: bool) -> str:
    if not is_item and isinstance(identity, str) and valid_id(identity):
        return identity
    try:
        return sha256_hex(canonical(identity).encode())[:NAME_LENGTH]
    except (TypeError, ValueError) as error:
        what = "an item" if is_item else "a key"
        raise TypeError(
            f"{what} of ctx.parallel.map is {identity!r}, which is not a JSON value ({error});"
            " name the items with key=, e.g. key=lambda item: item.id"
        ) from None
