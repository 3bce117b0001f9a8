"""Ours beside bare Python and beside the original, measured in turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from children import side_by_side
from figures import NONE, Figure, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from children import Command
    from scene import Scene

    Work = Callable[[], float]

# What an agent posts again and again, and what it is worth.
VALUE = '{"verdict":"good"}'


def compare(scene: Scene, ours: Work, original: Work | None = None) -> dict[str, list[float]]:
    """Ours, bare Python and the original, in turns."""
    works = {"ours": ours, "bare": timed(scene, scene.bare)}
    if original is not None:
        works["original"] = original
    return side_by_side(works, scene.rounds)


def timed(scene: Scene, command: Command) -> Work:
    """The same command each time."""
    return lambda: scene.children.seconds(command)


def each_once(scene: Scene, commands: Sequence[Command]) -> Work:
    """For commands that change what they work on: another one each time."""
    left = iter(commands)
    return lambda: scene.children.seconds(next(left))


def figure(
    what: str, told: dict[str, list[float]], *, unit: str = "ms", target: Target = NONE, note: str = ""
) -> Figure:
    """A row of what ``compare`` gave."""
    floors, originals = told.get("bare", ()), told.get("original", ())
    return Figure(what, told["ours"], unit=unit, target=target, floors=floors, originals=originals, note=note)
