"""Whatever of asyncio is nested in whatever of ctx.parallel: the engine does what asyncio itself would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given

from babysitter.engine import loop
from babysitter.engine.ending import GivingUp
from babysitter.engine.loop_replay import LoopReplay
from babysitter.engine.state import HALTED
from tests.property import strategies
from tests.property.asyncio_reference import AsyncioReference
from tests.property.asyncio_trees import process_of, trees
from tests.property.reference import Trace
from tests.property.strategies import CANCELLED, GIVEN_UP, chances, examples, plain, some_of
from tests.property.test_engine_outcomes import Engine, result_of

if TYPE_CHECKING:
    from random import Random

    from tests.property.strategies import Tree


class Asked(dict[str, Any]):
    """Notes every step that is asked for, and how long a timer is."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def __setitem__(self, step: str, entry: Any) -> None:
        call = entry[1]
        is_timer = call.place[0] == loop.__file__
        length = f" sleep {call.args_text[11:-1]}" if is_timer else ""
        self.trace.append(("asked", step + length))
        super().__setitem__(step, entry)


@examples(150)
@given(trees, chances)
def test_the_engine_does_what_asyncio_does_in_the_same_order(tree: Tree, chance: Random) -> None:
    done, expected = Trace(), Trace()
    engine = Engine(process_of(tree, lambda name: done.append(("mark", name))), done, LoopReplay, Asked)
    reference = AsyncioReference(process_of(tree, lambda name: expected.append(("mark", name))), expected)
    try:
        while engine.replay.waiting and engine.outcome is None:
            assert done == expected
            for step in some_of(list(engine.replay.waiting), chance):
                feed(engine, reference, step, is_cancelled=chance.random() < CANCELLED)
            if chance.random() < GIVEN_UP:
                engine.replay.give_up_now(GivingUp(HALTED, None, reason="by a person"))
                reference.give_up_now("by a person")
        assert (done, plain(told(engine))) == (reference.trace_to_end, plain(reference.outcome))
    finally:
        reference.close()


def feed(engine: Engine, reference: AsyncioReference, step: str, *, is_cancelled: bool) -> None:
    """Give both the same result; everything takes a second."""
    engine.seconds += 1
    reference.loop.seconds = engine.seconds
    value, error = result_of(engine, step, is_cancelled=is_cancelled)
    engine.replay.resolve(step, value, error, engine.seconds * 1000)
    reference.resolve(step, value, error)


def told(engine: Engine) -> Any:
    """How it ended; of tasks that wait for each other asyncio never hears."""
    outcome = engine.outcome
    return None if outcome is not None and "never comes" in str(outcome[2]) else outcome


@examples(100)
@given(strategies.trees, chances)
def test_without_asyncio_in_it_a_process_does_the_same_as_without_a_loop(tree: Tree, chance: Random) -> None:
    done, expected = Trace(), Trace()
    process = strategies.process_of
    looped = Engine(process(tree, lambda name: done.append(("mark", name))), done, LoopReplay)
    hand_driven = Engine(process(tree, lambda name: expected.append(("mark", name))), expected)
    while hand_driven.replay.waiting:
        for step in some_of(list(hand_driven.replay.waiting), chance):
            value, error = result_of(hand_driven, step, is_cancelled=chance.random() < CANCELLED)
            for engine in (looped, hand_driven):
                engine.replay.resolve(step, value, error, 0)
        if chance.random() < GIVEN_UP:
            for engine in (looped, hand_driven):
                engine.replay.give_up_now(GivingUp(HALTED, None, reason="by a person"))
        assert done == expected
    assert plain(looped.outcome) == plain(hand_driven.outcome)
