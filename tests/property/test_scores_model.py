"""Scores of random loops: the same, and written once, whatever comes in together and whatever is killed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from babysitter.engine.scores import keep
from tests.property.strategies import TASKS, chance_of, examples, seeds
from tests.support.rounds import Rounds, resolved, start

if TYPE_CHECKING:
    from random import Random

    Loops = list[list["Loop"]]

numbers = st.integers(-3, 3) | st.sampled_from([0.5, 1.5, 1e300, -1e300])
aims = st.fixed_dictionaries(
    {"name": st.sampled_from(["score", "other"])},
    optional={
        "target": numbers,
        "patience": st.integers(1, 3),
        "min_change": st.sampled_from([0, 0.5, 2]),
        "lower": st.booleans(),
    },
)
# A loop: what its rounds reach, by which aim, and whether it goes on when it is done.
Loop = tuple[list[float], dict[str, Any], bool]
loops = st.tuples(st.lists(numbers, max_size=6), aims, st.booleans())
# Loops one after the other in each of several branches; those of the first are the process's own.
branches = st.lists(st.lists(loops, max_size=3), min_size=1, max_size=4)


def process_of(told: Loops, heard: dict[str, list[Any]]) -> Any:
    """The process with these loops; ``heard`` gets what each branch is told."""

    async def walk(ctx: Any, branch: str, own: list[Loop]) -> None:
        for values, aim, goes_on in own:
            for value in values:
                score = ctx.score(await ctx.task(TASKS["good"], {"value": value}), **aim)
                heard[branch].append(score)
                if score.is_done and not goes_on:
                    break

    async def process(_: Any, ctx: Any) -> Any:
        first, *others = told
        await walk(ctx, "own", first)
        await ctx.parallel.map(
            list(enumerate(others)), lambda item: walk(ctx, str(item[0]), item[1]), key=lambda item: item[0]
        )
        return {branch: len(scores) for branch, scores in heard.items()}

    return process


def expected(own: list[Loop]) -> list[Any]:
    """What a branch must be told, worked out from the definition: value, best, reached, stalled, round."""
    seen: dict[str, list[float]] = defaultdict(list)
    found = []
    for values, aim, goes_on in own:
        for value in values:
            before = seen[aim["name"]]
            before.append(value)
            facts = facts_of(before, aim)
            found.append(facts)
            if (facts[2] or facts[3]) and not goes_on:
                break
    return found


def facts_of(history: list[float], aim: dict[str, Any]) -> tuple[float, float, bool, bool, int]:
    sign = -1 if aim.get("lower") else 1
    signed = [sign * value for value in history]
    target, patience = aim.get("target"), aim.get("patience")
    reached = target is not None and signed[-1] >= sign * target
    stalled = bool(patience and len(signed) > patience) and all(
        value - max(signed[:-patience]) <= aim.get("min_change", 0) for value in signed[-(patience or 0) :]
    )
    return history[-1], sign * max(signed), reached, stalled, len(history)


def facts(score: Any) -> tuple[float, float, bool, bool, int]:
    return score.value, score.best, score.reached, score.stalled, score.round


def feed(run: Rounds, chance: Random) -> None:
    """Results of some of what is pending come in together."""
    pending = {effect.step: effect for effect in run.state.pending.values()}
    steps = chance.sample(run.pending, chance.randint(1, len(run.pending)))
    run.append([resolved(pending[step].id, asked_for(run, step)) for step in steps])


def asked_for(run: Rounds, step: str) -> Any:
    """Each task gives the number that it was asked for."""
    return next(
        asked.args["value"] for batch in reversed(run.rounds) for asked in batch if asked.step == step
    )


def finished(told: Loops, seed: int, *, is_killed: bool) -> tuple[Rounds, dict[str, list[Any]]]:
    """The run at its end. When it is killed that is before or after a batch, or in the middle of one."""
    heard: dict[str, list[Any]] = defaultdict(list)
    process, chance = process_of(told, heard), chance_of(seed)
    run = start(process)
    while run.pending:
        feed(run, chance)
        if is_killed and chance.random() < 0.5:
            run = killed(run, heard, chance)
        run.write_round()
        if is_killed and chance.random() < 0.5:
            run = killed(run, heard, chance)
            run.write_round()
    return run, heard


def killed(run: Rounds, heard: dict[str, list[Any]], chance: Random) -> Rounds:
    """Started again from its journal, from the end of which something of the last batch may be missing."""
    events = list(run.events)
    while events[-1].type in ("PROCESS_LOG", "EFFECT_REQUESTED") and chance.random() < 0.3:
        events.pop()
    heard.clear()
    again = Rounds(run.process, events=events)
    again.rounds = run.rounds
    return again


def lines(run: Rounds) -> dict[tuple[str, str], list[Any]]:
    """What the journal has of each loop, in its order."""
    found = defaultdict(list)
    for event in run.events:
        if event.type == "PROCESS_LOG":
            score = event.data["score"]
            names = ("value", "best", "reached", "stalled", "round")
            found[event.data["scope"], score["name"]].append(tuple(score[name] for name in names))
    return found


@examples(100)
@given(branches, seeds, st.booleans())
def test_each_branch_is_told_what_its_own_numbers_come_to(told: Loops, seed: int, is_killed: bool) -> None:
    run, heard = finished(told, seed, is_killed=is_killed)
    found = {branch: list(map(facts, scores)) for branch, scores in heard.items()}
    names = ["own", *map(str, range(len(told)))]
    wanted = {name: expected(own) for name, own in zip(names, told, strict=False)}
    assert found == {name: scores for name, scores in wanted.items() if scores}
    assert run.result == {name: len(scores) for name, scores in found.items()}


@examples(100)
@given(branches, seeds, seeds)
def test_the_journal_has_each_score_once_whatever_comes_together_and_whatever_is_killed(
    told: Loops, seed: int, other_seed: int
) -> None:
    whole, _ = finished(told, seed, is_killed=False)
    pieces, heard = finished(told, other_seed, is_killed=True)
    assert lines(whole) == lines(pieces)
    assert sum(map(len, lines(pieces).values())) == sum(map(len, heard.values()))
    assert {place: [score["value"] for score in series] for place, series in pieces.state.scores.items()} == {
        place: [facts[0] for facts in found] for place, found in lines(pieces).items()
    }


@examples(60)
@given(branches, seeds)
def test_a_replay_is_told_the_same_and_has_nothing_to_write(told: Loops, seed: int) -> None:
    run, heard = finished(told, seed, is_killed=False)
    first = {branch: list(scores) for branch, scores in heard.items()}
    heard.clear()
    again = Rounds(run.process, events=run.events)
    assert ({**heard}, again.draft()) == (first, [])


@examples(60)
@given(branches, seeds, seeds)
def test_whatever_else_the_journal_had_told_ends_with_what_the_process_tells(
    told: Loops, seed: int, other_seed: int
) -> None:
    # As after an edit that asks for the same and tells other numbers.
    run, _ = finished(told, seed, is_killed=False)
    chance, known = chance_of(other_seed), run.state.scores
    wanted = {place: list(series) for place, series in known.items()}
    for series in known.values():
        at = chance.randrange(len(series))
        series[at] = {**series[at], "key": "another"}
        del series[chance.randint(at + 1, len(series)) :]
    for data in run.notes.to_log():
        keep(known, data)
    assert known == wanted
