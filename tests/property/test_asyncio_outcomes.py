"""Whatever of asyncio is nested in whatever of ctx.parallel: the engine does what asyncio itself would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given

from babysitter.engine.loop_replay import LoopReplay
from babysitter.errors import TaskFailed
from tests.property import strategies
from tests.property.asyncio_reference import AsyncioReference
from tests.property.asyncio_trees import process_of, trees
from tests.property.reference import Trace
from tests.property.strategies import answer, chances, examples, plain, some_of
from tests.property.test_engine_outcomes import Engine

if TYPE_CHECKING:
    from random import Random

    from tests.property.strategies import Tree


class Asked(dict[str, Any]):
    """Notes every step that is asked for, and how long a timer is."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def __setitem__(self, step: str, entry: Any) -> None:
        call = entry[1]
        length = f" sleep {call.args_text[11:-1]}" if call.task.id == "sleep" else ""
        self.trace.append(("asked", step + length))
        super().__setitem__(step, entry)


@examples(300)
@given(trees, chances)
def test_the_engine_does_what_asyncio_does_in_the_same_order(tree: Tree, chance: Random) -> None:
    done, expected = Trace(), Trace()
    engine = Engine(process_of(tree, lambda name: done.append(("mark", name))), done, LoopReplay, Asked)
    reference = AsyncioReference(process_of(tree, lambda name: expected.append(("mark", name))), expected)
    try:
        while engine.replay.waiting and engine.outcome is None:
            assert done == expected
            for step in some_of(list(engine.replay.waiting), chance):
                feed(engine, reference, step)
        assert (done, plain(told(engine.outcome))) == (reference.trace_to_end, plain(reference.outcome))
    finally:
        reference.close()


def feed(engine: Engine, reference: AsyncioReference, step: str) -> None:
    """Give both the same result; a sleep takes a second, and so does a task."""
    entry = engine.replay.waiting.get(step)
    task = entry[1].task.id if entry else "good"
    result = None if task == "sleep" else answer(step, task)
    value, error = (None, result) if isinstance(result, TaskFailed) else (result, None)
    engine.seconds += 1
    reference.loop.seconds = engine.seconds
    engine.replay.resolve(step, value, error, engine.seconds * 1000)
    reference.resolve(step, value, error)


def told(outcome: Any) -> Any:
    """A deadlock ends the run of the engine, and asyncio waits."""
    if outcome is not None and "never comes" in str(outcome.error):
        return None
    return outcome


@examples(100)
@given(strategies.trees, chances)
def test_without_asyncio_in_it_a_process_does_the_same_as_without_a_loop(tree: Tree, chance: Random) -> None:
    done, expected = Trace(), Trace()
    process = strategies.process_of
    looped = Engine(process(tree, lambda name: done.append(("mark", name))), done, LoopReplay)
    plain_one = Engine(process(tree, lambda name: expected.append(("mark", name))), expected)
    while plain_one.replay.waiting:
        for step in some_of(list(plain_one.replay.waiting), chance):
            entry = plain_one.replay.waiting.get(step)
            result = answer(step, entry[1].task.id if entry else "good")
            value, error = (None, result) if isinstance(result, TaskFailed) else (result, None)
            for engine in (looped, plain_one):
                engine.replay.resolve(step, value, error, 0)
        assert done == expected
    assert plain(looped.outcome) == plain(plain_one.outcome)
