"""The journal of a process with asyncio in it: the same in memory as by replays, from any prefix."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from hypothesis import given

from babysitter.engine.loop_replay import LoopReplay
from tests.property.asyncio_trees import noting_process_of, process_of, trees
from tests.property.strategies import chance_of, chances, examples, feed_all, feed_some, outcome, seeds
from tests.property.test_engine_journal import cuts, kept, rest_of_round
from tests.support.rounds import Rounds, start

if TYPE_CHECKING:
    from random import Random

    from tests.property.strategies import Tree


@examples(40)
@given(trees, seeds)
def test_in_memory_and_by_replays_the_same_journal_is_written(tree: Tree, seed: int) -> None:
    in_memory = start(process_of(tree), replay=LoopReplay)
    by_replays = start(process_of(tree), by_replay=True, replay=LoopReplay)
    feed_all(in_memory, chance_of(seed))
    feed_all(by_replays, chance_of(seed))
    assert in_memory.events == by_replays.events
    assert in_memory.reports == by_replays.reports


@examples(40)
@given(trees, chances)
def test_a_replay_of_any_prefix_asks_for_exactly_what_the_journal_has_next(
    tree: Tree, chance: Random
) -> None:
    process = process_of(tree)
    run = feed_all(start(process, replay=LoopReplay), chance)
    for length in cuts(run.events):
        replayed = Rounds(process, events=run.events[:length], replay=LoopReplay)
        assert kept(replayed.draft()) == rest_of_round(run.events, length)


@examples(40)
@given(trees, chances)
def test_notes_time_and_chance_are_the_same_on_every_replay(tree: Tree, chance: Random) -> None:
    process = noting_process_of(tree)
    run = start(process, replay=LoopReplay)
    while run.end is None:
        feed_some(run, chance)
        again = Rounds(process, events=run.events, replay=LoopReplay)
        assert (again.draft(), outcome(again)) == ([], outcome(run))


@examples(40)
@given(trees, chances)
def test_what_was_decided_once_is_decided_the_same_with_more_results(tree: Tree, chance: Random) -> None:
    decided = list[str]()
    run = start(process_of(tree, decided.append), replay=LoopReplay)
    while run.end is None:
        before = (list(decided), set(run.replay.dropped), set(run.state.effects))
        feed_some(run, chance)
        decided_again = list[str]()
        again = Rounds(process_of(tree, decided_again.append), events=run.events, replay=LoopReplay)
        assert decided_again == decided
        assert decided[: len(before[0])] == before[0]
        assert before[1] <= again.replay.dropped == run.replay.dropped
        assert before[2] <= set(again.state.effects)


@examples(40)
@given(trees, chances)
def test_a_process_that_waits_runs_no_finally_when_it_is_forgotten(tree: Tree, chance: Random) -> None:
    gc.freeze()
    marks = list[str]()
    run = start(process_of(tree, marks.append), replay=LoopReplay)
    for _ in range(chance.randint(0, 3)):
        if run.end is None:
            feed_some(run, chance)
    before = list(marks)
    del run
    gc.collect()
    gc.unfreeze()
    assert marks == before
