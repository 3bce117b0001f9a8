"""Every order of arrival: all the ways in which results can come in, or a sample of them."""

from __future__ import annotations

from functools import partial
from itertools import islice
from math import prod
from random import Random
from typing import TYPE_CHECKING, Any

from babysitter.jsontext import canonical
from babysitter.testing.crashes import points
from babysitter.testing.elsewhere import check_other_hash_seeds
from babysitter.testing.hints import hinted
from babysitter.testing.playing import begin
from babysitter.testing.processes import given

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Unpack

    from babysitter.testing.play import Play
    from babysitter.testing.playing import Options
    from babysitter.testing.processes import Process

    Choose = Callable[[int], int]

__tracebackhide__ = True  # pytest shows the lines of the test, not ours
MOST_ORDERS = 300
# Beyond so many times what is allowed, it is not tried to play all of them.
HOPELESS = 20
# Of a large play it is tried at so many places only to start again.
MOST_POINTS = 6


class Order:
    """One play, and the order in which its results came.

    Attributes:
        steps: where the results came in, in order; ``play(…, order=steps)`` repeats it.
        came: the same requests, to be read.
        sizes: among how many each was chosen, and ``taken`` which one it was.
        lengths: how many events there were before each.
    """

    def __init__(self, played: Play) -> None:
        self.played = played
        self.steps: list[str] = []
        self.came: list[str] = []
        self.sizes: list[int] = []
        self.taken: list[int] = []
        self.lengths: list[int] = []

    def walk(self, choose: Choose) -> Order:
        """Let one result come after the other, as ``choose(how many)`` says."""
        while choices := self.played.choices():
            index = choose(len(choices))
            self.sizes.append(len(choices))
            self.taken.append(index)
            self.lengths.append(len(self.played.events))
            self.steps.append(choices[index].asked.step)
            self.came.append(str(choices[index].asked))
            self.played.give([choices[index]])
        return self

    def check(self, points: Sequence[int]) -> Order:
        """Start again after each of so many events.

        Raises:
            NondeterminismError
        """
        for at in points:
            self.played.check_that_it_repeats(at)
        return self


class Orders:
    """What came of playing a process in many orders.

    Attributes:
        count: how many orders were played.
        is_complete: these were all there are.
        seed: of the sample, when they were not.
        outcomes: of each outcome one example: its ``played`` and its ``steps``; the most frequent first.
    """

    def __init__(self, orders: Iterable[Order], *, is_complete: bool, seed: int) -> None:
        self.is_complete = is_complete
        self.seed = seed
        self.count = 0
        self._found: dict[str, tuple[Order, int]] = {}
        for order in orders:
            self.count += 1
            outcome = canonical(order.played.outcome)
            first, known = self._found.get(outcome, (order, 0))
            self._found[outcome] = (first, known + 1)

    @property
    def outcomes(self) -> list[Order]:
        return [order for order, _ in sorted(self._found.values(), key=lambda found: -found[1])]

    @property
    def played(self) -> Play:
        """An example of the one outcome.

        Raises:
            AssertionError: there are several; shows for each how it came to it.
        """
        if len(self._found) > 1:
            raise AssertionError(self.difference)
        return self.outcomes[0].played

    @property
    def told(self) -> str:
        """How much was tried, in words."""
        if self.is_complete:
            return f"all {self.count} orders"
        return f"{self.count} orders by chance, seed {self.seed}"

    @property
    def difference(self) -> str:
        """The outcomes side by side."""
        lines = [f"the outcome depends on the order in which results come ({self.told}):"]
        ends = [order.played.told for order, _ in self._found.values()]
        if len(set(ends)) < len(ends):
            # They differ behind where they are cut off.
            ends = list(self._found)
        for told, (order, count) in zip(ends, self._found.values(), strict=True):
            lines += [f"{count} times {told}", f"  after {', '.join(order.came)}", f"  order={order.steps}"]
        return "\n  ".join([*lines, "play(…, order=…) repeats one of them"])

    def __repr__(self) -> str:
        return f"<{self.told}: {len(self._found)} outcomes>"


@hinted
def every_order(
    process: Process,
    inputs: Any = None,
    *,
    most: int = MOST_ORDERS,
    seed: int = 0,
    same: bool = True,
    hash_seeds: int = 2,
    **options: Unpack[Options],
) -> Orders:
    """Play a process in every order in which its results can come in.

    All of them, when there are at most ``most``, else as many by chance, the
    same for the same ``seed``. Results come one at a time: what the process
    does depends on their order only, not on how many come between two
    iterations. Sleeps, and what ``takes`` its time, keep their order among
    themselves, and may come before or after anything else. The other arguments
    are those of ``play``.

    Each play is also started again from its journal, after every event (of a
    sample, after some), as if it had been killed there; and from the journals of
    all outcomes in ``hash_seeds`` interpreters that order sets otherwise, if the process can
    be loaded there: a function of a module, not one within another function. Each of them
    finds the order of two in half of the cases, and takes as long as Python takes to start.

    Raises:
        AssertionError: the outcome is not the same for all; with ``same=False`` see ``outcomes``.
        NondeterminismError: started again, the process asks for something else.
        NoAnswer, ResultRejected, InvalidInput: as in ``play``.
    """
    source = given(process)
    start = partial(begin, source, inputs, **options)
    first = Order(start()).walk(lambda size: 0)
    is_hopeless = prod(first.sizes) > most * HOPELESS
    orders = [] if is_hopeless else list(islice(_all(start), most + 1))
    is_complete = 0 < len(orders) <= most
    chosen = orders if is_complete else _sample(start, most, Random(seed))  # noqa: S311 - nothing is secret
    found = Orders(chosen, is_complete=is_complete, seed=seed)
    check_other_hash_seeds(source, [order.played for order in found.outcomes], hash_seeds)
    if same and len(found.outcomes) > 1:
        raise AssertionError(found.difference)
    return found


def _all(start: Callable[[], Play]) -> Iterator[Order]:
    """Each order once; of what two have in common it is tried once to start again."""
    path: list[int] | None = []
    while path is not None:
        rest = iter(path)
        order = Order(start()).walk(lambda size, rest=rest: next(rest, 0))  # type: ignore[misc]
        known = order.lengths[len(path) - 1] if path else 0
        yield order.check([at for at in points(order.played.events) if at > known])
        path = _next_path(order)


def _next_path(order: Order) -> list[int] | None:
    """The choices that lead to the next order; None after the last."""
    for depth in reversed(range(len(order.taken))):
        if order.taken[depth] + 1 < order.sizes[depth]:
            return [*order.taken[:depth], order.taken[depth] + 1]
    return None


def _sample(start: Callable[[], Play], count: int, chance: Random) -> Iterator[Order]:
    for _ in range(count):
        order = Order(start()).walk(chance.randrange)
        possible = points(order.played.events)
        some = chance.sample(possible, min(MOST_POINTS, len(possible)))
        yield order.check([*some, len(order.played.events)])
