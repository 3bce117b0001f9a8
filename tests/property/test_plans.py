"""Plans: what an edited process keeps of its run's results, and what a run keeps that goes back to a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import assume, event, given
from hypothesis import strategies as st

from babysitter.engine.context import Context
from babysitter.engine.history import History, number_of, scope_of
from babysitter.engine.loop_replay import LoopReplay
from babysitter.engine.matching import Keep, Redo
from babysitter.engine.replan import PlannedNotes, Replan
from babysitter.engine.replay import Replay
from tests.property import asyncio_trees
from tests.property.strategies import (
    chance_of,
    chances,
    examples,
    feed_all,
    feed_some,
    noting_process_of,
    placed_process_of,
    process_of,
    seeds,
    trees,
)
from tests.property.test_engine_mutations import mutated
from tests.support.rounds import RUN_ID, Rounds, start

if TYPE_CHECKING:
    from random import Random

    from babysitter.engine.matching import Matching
    from tests.property.strategies import Tree

processes = st.sampled_from([process_of, placed_process_of])
rules = st.sampled_from([Redo, Keep])


class Planned:
    """A plan, made without a disk."""

    def __init__(self, run: Rounds, process: Any, matching: Matching, replay: type[Replay] = Replay) -> None:
        self.replay = replay(RUN_ID, run.state.created_ms)
        self.replan = Replan(run.state, matching, lambda effect: effect.value, lambda *_: False)
        self.notes = PlannedNotes(run.state, matching, self.replan.lines)
        context = Context(self.replay, self.notes, "/artifacts")
        self.replay.start(lambda: process(None, context))
        self.replan.follow(self.replay)

    @property
    def is_stuck(self) -> bool:
        return self.replay.end is not None and self.replay.end.status == "stuck"

    @property
    def asked(self) -> list[tuple[str, str]]:
        """What is to be asked for: step and task."""
        return [(step, call.task.id) for step, call in self.replan.undecided.items()]

    def put_into_force(self, run: Rounds, process: Any) -> Rounds:
        """The run, gone on with by this process."""
        told = {"sourceDigests": {"process.py": "1"}, "plan": self.replan.lines}
        recorded = [("RECORDED", data) for data in self.notes.new_records.values()]
        again = Rounds(run.process, events=run.events, replay=type(self.replay))
        again.process = process
        first, ms = len(again.events) + 1, again.state.last_ms + 1
        drafts = [("PROCESS_CHANGED", told), *recorded]
        again._keep([_event(first + at, kind, ms, data) for at, (kind, data) in enumerate(drafts)])
        again.replay_journal()
        return again


def _event(seq: int, kind: str, ms: int, data: dict[str, Any]) -> Any:
    from tests.support.rounds import Event

    return Event(seq, kind, ms, data)


def some_rounds(process: Any, chance: Random, replay: type[Replay] = Replay) -> Rounds:
    """A run that has come some way, and was not given up as a whole: there a person goes back first."""
    run = start(process, replay=replay)
    for _ in range(chance.randrange(8)):
        if run.end is None:
            feed_some(run, chance)
    assume(not run.state.is_cancelled)
    return run


@examples(60)
@given(trees, processes, rules, chances)
def test_a_process_that_was_not_edited_keeps_all_it_has(
    tree: Tree, make: Any, rule: Any, chance: Random
) -> None:
    run = some_rounds(make(tree), chance)
    assume(not (run.end and run.end.status == "stuck"))
    planned = Planned(run, make(tree), rule(History(run.state.script)))
    kept = {line[1]: line[2] for line in planned.replan.lines if line[0] == "asked"}
    if rule is Redo:
        assert kept == {effect.id: effect.step for effect in run.state.effects.values()}
    assert (set(kept), planned.asked) == (set(run.state.effects), [])


@examples(80)
@given(trees, processes, rules, seeds)
def test_an_edited_process_follows_the_plan_that_was_made_for_it(
    tree: Tree, make: Any, rule: Any, seed: int
) -> None:
    chance = chance_of(seed)
    other = mutated(tree, chance)
    assume(other != tree)
    run = some_rounds(make(tree), chance)
    assume(run.end is None)
    planned = Planned(run, make(other), rule(History(run.state.script)))
    assume(not planned.is_stuck)
    again = planned.put_into_force(run, make(other))
    asked = [(data["stepId"], data["taskId"]) for kind, data in again.draft() if kind == "EFFECT_REQUESTED"]
    event(f"{rule.__name__}: {len(planned.replan.reused)} of {len(run.state.effects)} kept")
    assert asked == planned.asked
    again.write_round()
    feed_all(again, chance)


@examples(60)
@given(trees, chances)
def test_recorded_values_are_taken_along(tree: Tree, chance: Random) -> None:
    run = some_rounds(noting_process_of(tree), chance)
    assume(run.end is None)
    planned = Planned(run, noting_process_of(tree), Redo(History(run.state.script)))
    again = planned.put_into_force(run, noting_process_of(tree))
    assert (again.state.records, again.state.pending.keys()) == (run.state.records, run.state.pending.keys())


@examples(60)
@given(trees, processes, seeds)
def test_by_redo_no_result_is_older_than_that_of_the_step_before_it(tree: Tree, make: Any, seed: int) -> None:
    chance = chance_of(seed)
    other = mutated(tree, chance)
    run = some_rounds(make(tree), chance)
    planned = Planned(run, make(other), Redo(History(run.state.script)))
    last: dict[str, int] = {}
    for step, attempt in sorted(planned.replan.reused, key=place_in_scope):
        scope, seq = scope_of(step), planned.replan.reused[step, attempt].resolved_seq
        if number_of(step) and seq:
            assert seq > last.get(scope, 0)
            last[scope] = seq


def place_in_scope(reused: tuple[str, int]) -> tuple[str, int, int]:
    """Attempts and the waits between them are one after the other."""
    step, attempt = reused
    _, _, wait = step.partition("~retry")
    return scope_of(step), number_of(step), 2 * int(wait) + 1 if wait else 2 * attempt


@examples(60)
@given(trees, processes, seeds)
def test_back_at_a_step_it_and_all_after_it_are_asked_again_and_nothing_else(
    tree: Tree, make: Any, seed: int
) -> None:
    chance = chance_of(seed)
    run = some_rounds(make(tree), chance)
    assume(not (run.end and run.end.status == "stuck"))
    numbered = [effect.step for effect in run.state.effects.values() if number_of(effect.step)]
    assume(numbered)
    step = chance.choice(numbered)
    planned = Planned(run, make(tree), Redo(History(run.state.script), again_from=step, is_keyed_kept=False))
    before = [place for place in numbered if is_before(place, step)]
    kept = {place for place, _ in planned.replan.reused}
    assert (step in kept, [place for place in before if place not in kept]) == (False, [])
    assert [place for place in kept if is_after(place, step)] == []
    feed_all(_written(planned.put_into_force(unended(run), make(tree))), chance)


@examples(60)
@given(asyncio_trees.trees, chances)
def test_what_a_process_with_tasks_of_its_own_keeps_stands_where_it_stood(tree: Tree, chance: Random) -> None:
    # Not all of it: where a task is given up beside another, a difference may be seen where there is none.
    process = asyncio_trees.process_of(tree)
    run = some_rounds(process, chance, LoopReplay)
    assume(not (run.end and run.end.status == "stuck"))
    planned = Planned(run, process, Redo(History(run.state.script)), LoopReplay)
    kept = {line[1]: line[2] for line in planned.replan.lines if line[0] == "asked"}
    stood = {effect.id: effect.step for effect in run.state.effects.values()}
    event(f"all kept: {kept == stood}")
    assert kept.items() <= stood.items()
    assert {step for step, _ in planned.asked} <= {step for key, step in stood.items() if key not in kept}


@examples(60)
@given(asyncio_trees.trees, seeds)
def test_a_process_with_tasks_of_its_own_follows_the_plan_of_going_back(tree: Tree, seed: int) -> None:
    chance, process = chance_of(seed), asyncio_trees.process_of(tree)
    run = some_rounds(process, chance, LoopReplay)
    assume(run.state.effects)
    step = chance.choice([effect.step for effect in run.state.effects.values()])
    matching = Redo(History(run.state.script), again_from=step, is_keyed_kept=False)
    planned = Planned(run, process, matching, LoopReplay)
    assume(not planned.is_stuck)
    again = planned.put_into_force(unended(run, LoopReplay), process)
    asked = [(data["stepId"], data["taskId"]) for kind, data in again.draft() if kind == "EFFECT_REQUESTED"]
    assert sorted(asked) == sorted(planned.asked)
    feed_all(_written(again), chance)


def unended(run: Rounds, replay: type[Replay] = Replay) -> Rounds:
    """The run without the event that ended it."""
    events = [event for event in run.events if not event.type.startswith("RUN_") or event.seq == 1]
    return Rounds(run.process, events=events, replay=replay)


def _written(run: Rounds) -> Rounds:
    run.write_round()
    return run


def is_before(place: str, step: str) -> bool:
    """In the same line of control, and earlier."""
    scope = scope_of(place)
    if not step.startswith(scope):
        return False
    head = step[len(scope) :].split(".", maxsplit=1)[0].partition("~")[0]
    return head.isdigit() and number_of(place) < int(head)


def is_after(place: str, step: str) -> bool:
    """In the same line of control, and later; or in a group that comes later in it."""
    scope = scope_of(step)
    while not step.startswith("cleanup"):
        if place.startswith(scope):
            head = place[len(scope) :].split(".", maxsplit=1)[0].partition("~")[0]
            return head.isdigit() and int(head) > number_of(step)
        if not scope:
            return False
        step = scope[:-1].rpartition(".")[0]
        scope = scope_of(step)
    return False
