"""Whatever is nested in whatever, fails and arrives: the engine does what plain asyncio would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given

from babysitter.engine.context import Context
from babysitter.engine.ending import GivingUp
from babysitter.engine.notes import Notes
from babysitter.engine.replay import Replay
from babysitter.engine.state import HALTED
from babysitter.errors import TaskCancelled, TaskFailed
from tests.property.reference import Reference, Trace
from tests.property.strategies import (
    CANCELLED,
    GIVEN_UP,
    answer,
    chances,
    examples,
    plain,
    process_of,
    some_of,
    trees,
)

if TYPE_CHECKING:
    from random import Random

    from tests.property.strategies import Tree


class Asked(dict[str, Any]):
    """Notes every step that is asked for."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def __setitem__(self, step: str, entry: Any) -> None:
        self.trace.append(("asked", step))
        super().__setitem__(step, entry)


class Dropped(set[str]):
    """Notes every step that is given up."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def add(self, step: str) -> None:
        self.trace.append(("dropped", step))
        super().add(step)


class Engine:
    """The real engine, with a trace like the reference's."""

    def __init__(
        self,
        process: Any,
        trace: Trace,
        replay: type[Replay] = Replay,
        asked: type[dict[str, Any]] | None = None,
    ) -> None:
        self.seconds = 0
        self.replay = replay("run-1", 0)
        self.replay.asked = (asked or Asked)(trace)
        self.replay.dropped = Dropped(trace)
        context = Context(self.replay, Notes(), "/artifacts")
        self.replay.start(lambda: process(None, context))

    @property
    def outcome(self) -> Any:
        end = self.replay.end
        if end is None:
            return None
        return end.status, end.value.reason if end.status == HALTED else end.value, end.error


@examples(250)
@given(trees, chances)
def test_the_engine_does_what_asyncio_does_in_the_same_order(tree: Tree, chance: Random) -> None:
    done, expected = Trace(), Trace()
    engine = Engine(process_of(tree, lambda name: done.append(("mark", name))), done)
    reference = Reference(process_of(tree, lambda name: expected.append(("mark", name))), expected)
    try:
        while engine.replay.waiting:
            assert done == expected
            for step in some_of(list(engine.replay.waiting), chance):
                feed(engine, reference, step, is_cancelled=chance.random() < CANCELLED)
            if chance.random() < GIVEN_UP:
                engine.replay.give_up_now(GivingUp(HALTED, None, reason="by a person"))
                reference.give_up_now("by a person")
        assert (done, plain(engine.outcome)) == (expected, plain(reference.outcome))
    finally:
        reference.close()


def feed(engine: Engine, reference: Reference, step: str, *, is_cancelled: bool) -> None:
    """Give both the same result, also when an earlier one of its group made it worthless."""
    value, error = result_of(engine, step, is_cancelled=is_cancelled)
    engine.replay.resolve(step, value, error, 0)
    reference.resolve(step, value, error)


def result_of(engine: Engine, step: str, *, is_cancelled: bool) -> tuple[Any, TaskFailed | None]:
    """What comes of a step: a value, or an error."""
    entry = engine.replay.waiting.get(step)
    if is_cancelled:
        result: Any = TaskCancelled(f"cancelled at {step}", name="TaskCancelled")
    elif entry:
        result = answer(step, entry[1].task.id, entry[1].attempt)
    else:
        result = answer(step, "good")
    return (None, result) if isinstance(result, TaskFailed) else (result, None)
