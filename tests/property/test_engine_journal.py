"""The journal of a process: the same in memory as by replays, and a script that any prefix leads along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given

from babysitter.engine.state import BY_PERSON
from tests.property.strategies import (
    chance_of,
    chances,
    examples,
    feed_all,
    feed_some,
    noting_process_of,
    outcome,
    process_of,
    seeds,
    trees,
)
from tests.support.rounds import Event, Rounds, start

if TYPE_CHECKING:
    from random import Random

    from tests.property.strategies import Tree


@examples(150)
@given(trees, seeds)
def test_in_memory_and_by_replays_the_same_journal_is_written(tree: Tree, seed: int) -> None:
    in_memory = start(process_of(tree))
    by_replays = start(process_of(tree), by_replay=True)
    feed_all(in_memory, chance_of(seed))
    feed_all(by_replays, chance_of(seed))
    assert in_memory.events == by_replays.events


@examples(80)
@given(trees, chances)
def test_a_replay_of_any_prefix_asks_for_exactly_what_the_journal_has_next(
    tree: Tree, chance: Random
) -> None:
    process = process_of(tree)
    run = feed_all(start(process), chance)
    for length in cuts(run.events):
        replayed = Rounds(process, events=run.events[:length])
        assert kept(replayed.draft()) == rest_of_round(run.events, length)


@examples(80)
@given(trees, chances)
def test_notes_time_and_chance_are_the_same_on_every_replay(tree: Tree, chance: Random) -> None:
    process = noting_process_of(tree)
    run = start(process)
    while run.end is None:
        feed_some(run, chance)
        again = Rounds(process, events=run.events)
        assert (again.draft(), outcome(again)) == ([], outcome(run))


@examples(100)
@given(trees, chances)
def test_what_was_decided_once_is_decided_the_same_with_more_results(tree: Tree, chance: Random) -> None:
    decided = list[str]()
    run = start(process_of(tree, decided.append))
    while run.end is None:
        before = (list(decided), set(run.replay.dropped), set(run.state.effects))
        feed_some(run, chance)
        decided_again = list[str]()
        again = Rounds(process_of(tree, decided_again.append), events=run.events)
        assert decided_again == decided
        assert decided[: len(before[0])] == before[0]
        assert before[1] <= again.replay.dropped == run.replay.dropped
        assert before[2] <= set(again.state.effects)


def cuts(events: list[Event]) -> list[int]:
    """Lengths of prefixes that do not end among results that arrived together."""
    return [at for at in range(1, len(events)) if not is_inside_results(events, at)]


def is_inside_results(events: list[Event], at: int) -> bool:
    together = events[at].ms == events[at - 1].ms
    return together and is_from_outside(events[at]) and is_from_outside(events[at - 1])


def is_from_outside(event: Event) -> bool:
    """No iteration wrote it: a result, or what a person did."""
    return event.type in {"EFFECT_RESOLVED", "RUN_CANCELLED"} or event.data.get("reason") == BY_PERSON


def rest_of_round(events: list[Event], length: int) -> list[tuple[str, Any]]:
    """What the journal has from here to the next that came from outside."""
    rest = list[tuple[str, Any]]()
    for event in events[length:]:
        if is_from_outside(event):
            break
        rest.append((event.type, event.data))
    return rest


def kept(drafts: list[Any]) -> list[tuple[str, Any]]:
    return [(kind, data) for kind, data in drafts]
