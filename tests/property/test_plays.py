"""Plays of random processes: what they promise of groups of results, and of starting again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given

from babysitter.errors import TaskFailed
from babysitter.runs.results import Answer
from babysitter.testing import Play, begin
from babysitter.testing.agenda import Coming
from babysitter.testing.crashes import points
from tests.property.strategies import answer, chance_of, examples, noting_process_of, process_of, seeds, trees

if TYPE_CHECKING:
    from random import Random

    from babysitter.testing import Asked
    from babysitter.testing.memory import MemoryRun
    from tests.property.strategies import Tree


class Raw(Coming):
    """The answer of the random processes, whose tasks nobody can perform."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked, None, None)

    def answer(self, run: MemoryRun) -> Answer:
        result = answer(self.asked.step, self.asked.task)
        if isinstance(result, TaskFailed):
            error = {"name": result.name, "message": result.message}
            return Answer(self.asked.effect_id, "error", None, error, executor="local")
        return Answer(self.asked.effect_id, "ok", result, executor="local")


def in_groups(process: Any, chance: Random) -> tuple[Play, list[list[str]]]:
    """A play in which results come in any groups; and which steps each group was for."""
    play, groups = begin(process), list[list[str]]()
    while not play.is_over and play.pending:
        group = chance.sample(play.pending, chance.randint(1, len(play.pending)))
        groups.append([asked.step for asked in group])
        play.give([Raw(asked) for asked in group])
    return play, groups


def one_by_one(process: Any, groups: list[list[str]]) -> Play:
    """The same results in the same order; what nobody waits for any more is too late."""
    play = begin(process)
    for step in [step for group in groups for step in group]:
        for asked in play.pending:
            if asked.step == step and not play.is_over:
                play.give([Raw(asked)])
    return play


@examples(80)
@given(trees, seeds)
def test_it_makes_no_difference_how_many_results_come_between_two_iterations(tree: Tree, seed: int) -> None:
    played, groups = in_groups(process_of(tree), chance_of(seed))
    assert one_by_one(process_of(tree), groups).told == played.told


@examples(30)
@given(trees, seeds)
def test_whatever_was_played_is_asked_for_again_from_any_event_on(tree: Tree, seed: int) -> None:
    played, _ = in_groups(noting_process_of(tree), chance_of(seed))
    for at in points(played.events):
        played.check_that_it_repeats(at)
