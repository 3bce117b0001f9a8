"""What an edit means for a run of a thousand effects, and another run that begins with them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from children import side_by_side
from comparing import figure, timed
from figures import Figure, Target
from growth_cases import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scene import Scene

SIZE = 1000
AT_MOST = Target(value=1)
ROUNDS = 7
# The step that waits when so many have their results.
WAITING = {"sequence": str(SIZE + 1), "fan": "2"}


def changing(scene: Scene) -> Iterator[Figure]:
    """``check`` of a run with so many results, and ``fork`` at the step that waits."""
    for shape in SHAPES:
        run = scene.make_run(shape, SIZE)
        works = {
            "check": timed(scene, scene.ours("check", run, "--json")),
            "fork": forking(scene, run, WAITING[shape]),
            "bare": timed(scene, scene.bare),
        }
        told = side_by_side(works, scene.few(ROUNDS))
        for name in ("check", "fork"):
            times = {"ours": told[name], "bare": told["bare"]}
            yield figure(f"{name} at {SIZE}, {shape}", times, unit="s", target=AT_MOST)


def forking(scene: Scene, run: str, step: str) -> Callable[[], float]:
    """Each time a run of another id."""
    numbers = itertools.count()

    def fork() -> float:
        new = f"{run}-fork-{next(numbers)}"
        return timed(scene, scene.ours("fork", run, "--at", step, "--run-id", new, "--json"))()

    return fork
