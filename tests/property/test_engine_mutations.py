"""A process that is not the one that wrote the journal: noticed, or none the worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import assume, event, given

from babysitter.errors import NondeterminismError
from tests.property.strategies import chance_of, examples, feed_all, outcome, process_of, seeds, trees
from tests.support.rounds import Rounds, start

if TYPE_CHECKING:
    from random import Random

    from tests.property.strategies import Tree

GROUPS = ("all", "settled", "any", "race", "named", "map", "seq")


@examples(150)
@given(trees, seeds)
def test_another_process_is_caught_or_comes_to_the_same_end(tree: Tree, seed: int) -> None:
    chance = chance_of(seed)
    other = mutated(tree, chance)
    assume(other != tree)
    run = feed_all(start(process_of(tree)), chance)
    assert run.end is not None
    assume(run.end.status != "stuck")
    verdict = judge(other, run)
    event(verdict)
    assert verdict in {"diverged", "stuck", "the same end"}


def judge(other: Tree, run: Rounds) -> str:
    """How the journal of a run ends for another process."""
    try:
        again = Rounds(process_of(other), events=run.events)
    except NondeterminismError:
        return "diverged"
    if again.end is not None and again.end.status == "stuck":
        return "stuck"
    is_same = again.draft() == [] and outcome(again) == outcome(run)
    return "the same end" if is_same else f"{outcome(again)} in place of {outcome(run)}"


def mutated(tree: Tree, chance: Random) -> Tree:
    """The tree with one difference, as a slip or an edit of the author would make it."""
    children = [at for at, part in enumerate(tree) if isinstance(part, tuple)]
    if tree[0] in GROUPS and tree[1] and chance.random() < 0.6:
        return (tree[0], mutated_list(tree[0], tree[1], chance), *tree[2:])
    if children and chance.random() < 0.6:
        at = chance.choice(children)
        return (*tree[:at], mutated(tree[at], chance), *tree[at + 1 :])
    return replaced(tree, chance)


def mutated_list(kind: str, children: list[Tree], chance: Random) -> list[Tree]:
    at = chance.randrange(len(children))
    changes = [
        [*children[:at], mutated(children[at], chance), *children[at + 1 :]],
        children[::-1],
        [*children, children[at]],
    ]
    if len(children) > 1 or kind not in {"any", "race"}:
        changes.append(children[:at] + children[at + 1 :])
    return chance.choice(changes)


def replaced(tree: Tree, chance: Random) -> Tree:
    if tree[0] in {"any", "race"}:
        return ("race" if tree[0] == "any" else "any", *tree[1:])
    if tree[0] in {"all", "settled"}:
        return ("settled" if tree[0] == "all" else "all", *tree[1:])
    if tree[0] == "map":
        return (tree[0], tree[1], (tree[2] or 0) % 3 + 1, tree[3])
    leaf = chance.choice([("task", "good"), ("task", "bad"), ("keyed", "k"), ("keyed", "other"), ("value",)])
    return chance.choice([leaf, ("seq", [tree, tree]), ("seq", [tree])])
