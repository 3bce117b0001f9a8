"""Runs of a hundred thousand: they take minutes to make, so they are measured only when they are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from children import side_by_side
from comparing import figure, timed
from figures import Figure, Target
from growth_cases import SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scene import Scene

SIZE = 100_000
VERIFIED, ITERATED = Target(value=30), Target(value=6)
PEAK = Target(value=400)
ROUNDS = 5


def verifying(scene: Scene) -> Iterator[Figure]:
    """All event files read and checked; two events are one effect."""
    run = scene.make_run("fan", SIZE // 2)
    verify = scene.ours("verify", run, "--json")
    works = {
        "ours": timed(scene, verify),
        "bare": timed(scene, scene.program("read_files.py", scene.in_runs(run, "journal"))),
    }
    told = side_by_side(works, scene.few(ROUNDS))
    note = "floor: reading those files"
    yield figure(f"verify of {SIZE} events", told, unit="s", target=VERIFIED, note=note)
    yield peak(scene, f"peak memory of verify of {SIZE} events", verify)


def iterating(scene: Scene) -> Iterator[Figure]:
    """An iteration that finds nothing new, with a warm cache."""
    for shape in SHAPES:
        run = scene.make_run(shape, SIZE)
        iterate = scene.ours("iterate", run, "--json")
        lines = scene.in_runs(run, "state", "events.jsonl")
        works = {
            "ours": timed(scene, iterate),
            "bare": timed(scene, scene.program("parse_lines.py", lines)),
        }
        told = side_by_side(works, scene.few(ROUNDS))
        note = "floor: json.loads of those lines"
        yield figure(f"iterate at {SIZE}, {shape}", told, unit="s", target=ITERATED, note=note)
        yield peak(scene, f"peak memory at {SIZE}, {shape}", iterate)


def peak(scene: Scene, what: str, command: list[str]) -> Figure:
    """The most memory that a command holds."""
    floors = [float(scene.children.peak_bytes(scene.bare))]
    peaks = [float(scene.children.peak_bytes(command))]
    return Figure(what, peaks, unit="MB", target=PEAK, floors=floors)


def measured(scene: Scene) -> Iterator[Figure]:
    yield from verifying(scene)
    yield from iterating(scene)
