"""Random processes: trees of steps and groups, and a process that walks such a tree.

A tree is a tuple, its kind first. The same process runs on the engine and on
the reference, because it only uses what both of their contexts have.
"""

from __future__ import annotations

import itertools
from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st

from babysitter import Retry, define_task
from babysitter.engine.state import BY_PERSON, HALTED
from babysitter.errors import AllFailed, TaskFailed
from tests.support.rounds import cancelled, given_up, resolved

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

    from tests.support.rounds import Draft, Rounds

    Tree = tuple[Any, ...]

THOROUGH = 20
# How often a person gives up one effect, and, in each round, the whole run.
CANCELLED, GIVEN_UP = 0.05, 0.03


def examples(usual: int) -> settings:
    """So many examples, or twenty times as many in the thorough profile."""
    is_thorough = settings.get_current_profile_name() == "thorough"
    return settings(max_examples=usual * THOROUGH if is_thorough else usual, deadline=None)


def _task(name: str) -> Any:
    return define_task(name, lambda args: {"kind": "shell"})


TASKS = {name: _task(name) for name in ("good", "bad", "cleanup", "odd", "flaky")}

leaves = st.sampled_from(
    [
        *[("task", "good")] * 7,
        *[("task", "bad")] * 2,
        ("keyed", "k"),
        # A branch without a step: a plain value, or an error at once.
        ("value",),
        ("raise",),
        ("halt",),
    ]
) | st.tuples(
    st.just("tried"),
    st.sampled_from(["good", "bad", "odd", "flaky"]),
    st.integers(1, 3),
    st.sampled_from([0, 5]),
    st.sampled_from([None, "Odd"]),
)
limits = st.none() | st.integers(1, 3)
forms = st.sampled_from(["function", "awaitable"])


def _grow(child: SearchStrategy[Tree]) -> SearchStrategy[Tree]:
    some = st.lists(child, min_size=2, max_size=4)
    any_number = st.lists(child, max_size=4)
    return st.one_of(
        st.tuples(st.just("seq"), some),
        st.tuples(st.just("map"), some, limits, st.booleans()),
        st.tuples(st.sampled_from(["all", "settled"]), some | any_number, limits, forms),
        st.tuples(st.sampled_from(["any", "race"]), some, forms),
        st.tuples(st.just("named"), some, limits),
        st.tuples(st.just("try"), child, child),
        st.tuples(st.just("finally"), child, st.booleans()),
        st.tuples(st.just("stubborn"), child, child),
        st.tuples(st.just("timeout"), child),
        st.tuples(st.just("last"), child, child),
        st.tuples(st.just("cleaned"), child, child),
    )


def _levels(leaf: SearchStrategy[Tree], depth: int) -> SearchStrategy[Tree]:
    # st.recursive prefers trees of one or two steps, in which little can go wrong.
    level = leaf
    for _ in range(depth):
        level = _grow(level | leaf)
    return level


trees: SearchStrategy[Tree] = st.one_of([_levels(leaves, depth) for depth in (1, 2, 3)])
# Nothing in these is ever given up, so that every order of arrival asks for the same.
quiet_leaves = st.sampled_from(
    [*[("task", "good")] * 6, ("tried", "flaky", 3, 5, None), ("keyed", "k"), ("value",)]
)


def _grow_quietly(child: SearchStrategy[Tree]) -> SearchStrategy[Tree]:
    some = st.lists(child, min_size=1, max_size=4)
    return st.one_of(
        st.tuples(st.just("seq"), some),
        st.tuples(st.just("map"), some, limits, st.booleans()),
        st.tuples(st.sampled_from(["all", "settled"]), some, limits, forms),
        st.tuples(st.just("named"), some, limits),
        st.tuples(st.just("try"), st.just(("task", "bad")), child),
        st.tuples(st.just("finally"), child, st.booleans()),
        st.tuples(st.just("last"), child, child),
    )


quiet_trees: SearchStrategy[Tree] = _grow_quietly(_grow_quietly(_grow_quietly(quiet_leaves) | quiet_leaves))
seeds = st.integers(0, 1 << 30)
chances: SearchStrategy[Random] = st.randoms(use_true_random=False)


def process_of(tree: Tree, mark: Callable[[str], None] = lambda _: None) -> Any:
    """The process that walks the tree; ``mark`` hears of every ``finally`` that runs."""

    async def process(_: Any, ctx: Any) -> Any:
        return plain(await _Walk(ctx, mark).walk(tree))

    return process


def noting_process_of(tree: Tree) -> Any:
    """The same with notes beside every step, and with time and chance in its arguments and results."""

    async def process(_: Any, ctx: Any) -> Any:
        return plain(await _NotingWalk(ctx, lambda _: None).walk(tree))

    return process


def placed_process_of(tree: Tree) -> Any:
    """The same with the place in the tree as argument of every task."""

    async def process(_: Any, ctx: Any) -> Any:
        return plain(await _PlacedWalk(ctx, lambda _: None).walk(_placed(tree, "root")))

    return process


def _placed(tree: Any, place: str) -> Any:
    if isinstance(tree, list):
        return [_placed(child, f"{place}/{at}") for at, child in enumerate(tree)]
    if not isinstance(tree, tuple):
        return tree
    parts = (_placed(part, f"{place}/{at}") for at, part in enumerate(tree))
    return (*parts, place) if tree[0] in {"task", "keyed", "tried"} else tuple(parts)


class _Walk:
    def __init__(self, ctx: Any, mark: Callable[[str], None]) -> None:
        self.ctx = ctx
        self.mark = mark

    async def walk(self, tree: Tree) -> Any:
        return await getattr(self, tree[0])(*tree[1:])

    async def task(self, name: str) -> Any:
        return await self.ctx.task(TASKS[name])

    async def keyed(self, key: str) -> Any:
        return await self.ctx.task(TASKS["good"].using(key=key))

    async def tried(self, name: str, attempts: int, backoff: int, on: str | None) -> Any:
        # Whatever chance leaves of the wait, it is one.
        retry = Retry(attempts, backoff, jitter=0.5, on=on)
        return await self.ctx.task(TASKS[name].using(retry=retry))

    async def value(self) -> Any:
        return "plain"

    async def halt(self) -> Any:
        self.ctx.halt("enough")

    async def timeout(self, child: Tree) -> Any:
        return await self.ctx.timeout(9, self.thunk(child, "function"))

    async def last(self, body: Tree, after: Tree) -> Any:
        try:
            return await self.walk(body)
        finally:
            self.mark("last")
            await self.walk(after)

    async def cleaned(self, cleanup: Tree, body: Tree) -> Any:
        async def clean() -> None:
            self.mark("cleanup")
            await self.walk(cleanup)
            self.mark("cleaned")

        self.ctx.on_cleanup(clean)
        return await self.walk(body)

    async def seq(self, children: list[Tree]) -> Any:
        return [await self.walk(child) for child in children]

    async def all(self, children: list[Tree], limit: int | None, form: str) -> Any:
        return await self.ctx.parallel.all(self.thunks(children, form), limit=limit)

    async def settled(self, children: list[Tree], limit: int | None, form: str) -> Any:
        return await self.ctx.parallel.settled(self.thunks(children, form), limit=limit)

    async def any(self, children: list[Tree], form: str) -> Any:
        return await self.ctx.parallel.any(self.thunks(children, form))

    async def race(self, children: list[Tree], form: str) -> Any:
        return await self.ctx.parallel.race(self.thunks(children, form))

    async def named(self, children: list[Tree], limit: int | None) -> Any:
        thunks = self.thunks(children, "function")
        return await self.ctx.parallel.all({f"b{at}": thunk for at, thunk in enumerate(thunks)}, limit=limit)

    async def map(self, children: list[Tree], limit: int | None, has_twins: bool) -> Any:
        # Twins are equal items: their branches differ by an occurrence number only.
        items = [at // 2 if has_twins else at for at in range(len(children))]
        return await self.ctx.parallel.map(items, lambda item: self.walk(children[item]), limit=limit)

    async def finally_(self, body: Tree, has_effect: bool) -> Any:
        try:
            return await self.walk(body)
        finally:
            self.mark("finally")
            if has_effect:
                await self.ctx.task(TASKS["cleanup"])

    async def try_(self, body: Tree, handler: Tree) -> Any:
        try:
            return await self.walk(body)
        except Exception as error:
            return ["caught", plain(error), await self.walk(handler)]

    async def stubborn(self, body: Tree, after: Tree) -> Any:
        try:
            return await self.walk(body)
        except BaseException as error:
            return ["swallowed", plain(error), await self.walk(after)]

    def thunks(self, children: list[Tree], form: str) -> list[Any]:
        return [self.thunk(child, form) for child in children]

    def thunk(self, child: Tree, form: str) -> Any:
        if child[0] == "value":
            return lambda: "plain"
        if child[0] == "raise":
            return _raise
        if form == "awaitable":
            return self.ctx.task(TASKS[child[1]]) if child[0] == "task" else self.walk(child)
        return lambda: self.walk(child)


class _NotingWalk(_Walk):
    """Notes a lot; ``record`` gives another value every time that it is really called."""

    calls = itertools.count()

    async def task(self, name: str) -> Any:
        self.ctx.log("asks", task=name)
        self.ctx.progress(1, 3)
        ctx, drawn = self.ctx, self.ctx.record("call", lambda: next(self.calls))
        given = await ctx.task(
            TASKS[name], {"uuid": ctx.uuid(), "chance": ctx.random.random(), "drawn": drawn}
        )
        self.ctx.log("asks", task=name)
        self.ctx.progress(2, 3)
        return [given, ctx.now().isoformat(), ctx.uuid(), ctx.record("again", lambda: next(self.calls))]


class _PlacedWalk(_Walk):
    async def task(self, name: str, place: str = "") -> Any:
        return await self.ctx.task(TASKS[name], {"place": place})

    async def tried(self, name: str, attempts: int, backoff: int, on: str | None, place: str = "") -> Any:
        retry = Retry(attempts, backoff, on=on)
        return await self.ctx.task(TASKS[name].using(retry=retry), {"place": place})

    async def keyed(self, key: str, place: str = "") -> Any:
        return await self.ctx.task(TASKS["good"].using(key=key), {"place": place})

    def thunk(self, child: Tree, form: str) -> Any:
        return super().thunk(child, "function")


def _raise() -> None:
    raise ValueError("at once")


async def _raise_later(_: _Walk) -> None:
    _raise()


# Words that Python keeps for itself.
setattr(_Walk, "try", _Walk.try_)
setattr(_Walk, "finally", _Walk.finally_)
setattr(_Walk, "raise", _raise_later)


def plain(value: Any) -> Any:
    """What came out, without what differs between engine and reference: the class of a cancellation."""
    if isinstance(value, BaseExceptionGroup):
        return [type(value).__name__, [plain(error) for error in value.exceptions]]
    if isinstance(value, AllFailed):
        return ["AllFailed", [plain(error) for error in value.errors]]
    if isinstance(value, BaseException):
        name = type(value).__name__
        return ["BranchCancelled"] if name == "CancelledError" else [name, *map(str, value.args)]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "ok"):
        return ["outcome", value.ok, plain(value.value), plain(value.error)]
    return value


def answer(step: str, task: str, attempt: int = 1) -> Any:
    """What an effect gives: a value that shows whose it is, or a failure."""
    if task == "bad":
        return TaskFailed(f"failed at {step}")
    if task == "odd" or (task == "flaky" and attempt == 1):
        return TaskFailed(f"failed at {step}, attempt {attempt}", name="Odd")
    return None if task == "sleep" else f"{task} at {step}"


def chance_of(seed: int) -> Random:
    """The same chance for each of two runs."""
    return Random(seed)  # noqa: S311 - nothing here is secret


def some_of(pending: list[str], chance: Random) -> list[str]:
    """Some of what is pending, in any order: the group in which results arrive."""
    return chance.sample(pending, chance.randint(1, len(pending)))


def feed_some(run: Rounds, chance: Random, *, cancelled_by_people: bool = True) -> None:
    """Let some results arrive together, and what people do to effects and the run; write the round."""
    often, once = (CANCELLED, GIVEN_UP) if cancelled_by_people else (0, 0)
    pending = {effect.step: effect for effect in run.state.pending.values()}
    told: list[Draft] = []
    for step in some_of(run.pending, chance):
        effect = pending[step]
        if chance.random() < often:
            told.append(cancelled(effect.id, BY_PERSON))
        else:
            told.append(resolved(effect.id, answer(step, effect.task_id, effect.attempt)))
    if not run.state.is_cancelled and chance.random() < once:
        told.insert(chance.randint(0, len(told)), given_up("no more use"))
    run.append(told)
    run.write_round()


def feed_all(run: Rounds, chance: Random, *, cancelled_by_people: bool = True) -> Rounds:
    """Go on, group by group, to the end of the process."""
    while run.end is None:
        feed_some(run, chance, cancelled_by_people=cancelled_by_people)
    return run


def outcome(run: Rounds) -> Any:
    """How it ended, to be compared; None while it waits."""
    if run.end is None:
        return None
    value = run.end.value.as_json() if run.end.status == HALTED else run.end.value
    return run.end.status, value, str(run.end.error)
