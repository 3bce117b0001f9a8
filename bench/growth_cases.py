"""How the cost of an iteration grows with the run: time, files, memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from children import side_by_side
from comparing import figure, timed
from figures import Figure, Target, median

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scene import Scene

SIZES = (10, 100, 1000, 10_000)
LEAST, MOST = SIZES[0], SIZES[-1]
SHAPES = ("sequence", "fan")
ABOVE = {1000: Target(value=60), 10_000: Target(value=350)}
IN_MEMORY = {"sequence": Target(value=100), "fan": Target(value=300)}
PEAK = Target(value=80)
FILES_OF_OPENSSL = 8
# The original is tried with so many effects at most: with more it takes minutes.
MOST_OF_ORIGINAL = 1000


def iterating(scene: Scene) -> Iterator[Figure]:
    """An iteration that finds nothing new, over the number of resolved effects."""
    for shape in SHAPES:
        works = {
            str(size): timed(scene, scene.ours("iterate", scene.make_run(shape, size), "--json"))
            for size in SIZES
        }
        works["bare"] = timed(scene, scene.bare)
        lines = scene.in_runs(scene.make_run(shape, MOST), "state", "events.jsonl")
        works["parsed"] = timed(scene, scene.program("parse_lines.py", lines))
        told = side_by_side(works, scene.few(9))
        for size in SIZES:
            both = {"ours": told[str(size)], "bare": told["bare"]}
            yield figure(f"iterate at {size}, {shape}", {**both, **by_original(scene, shape, size)})
        yield from above_least(shape, told)


def by_original(scene: Scene, shape: str, size: int) -> dict[str, list[float]]:
    if scene.original is None or shape != "fan" or size > MOST_OF_ORIGINAL:
        return {}
    run, _ = scene.original.make_run(scene.children, size)
    again = timed(scene, scene.original.iterate(run))
    return side_by_side({"original": again}, scene.few(5))


def above_least(shape: str, told: dict[str, list[float]]) -> Iterator[Figure]:
    """What the further effects cost, beside parsing their lines and nothing else."""
    parsing = [parsed - bare for parsed, bare in zip(told["parsed"], told["bare"], strict=True)]
    for size, target in ABOVE.items():
        above = [much - little for much, little in zip(told[str(size)], told[str(LEAST)], strict=True)]
        floors = [seconds * size / MOST for seconds in parsing]
        what, note = f"iterate at {size} above {LEAST}, {shape}", "floor: json.loads of those lines"
        yield Figure(what, above, unit="ms", target=target, floors=floors, note=note)
    yield linearity(shape, told)


def linearity(shape: str, told: dict[str, list[float]]) -> Figure:
    """Ten times the effects take ten times as long; with the square of them, a hundred times."""
    less, more = ABOVE
    above = {size: median(told[str(size)]) - median(told[str(LEAST)]) for size in ABOVE}
    expected = above[less] * more / less
    note = f"floor: {more // less} times iterate at {less} above {LEAST}"
    target = Target(ratio=1.5)
    return Figure(
        f"linear growth, {shape}", [above[more]], unit="ms", target=target, floors=[expected], note=note
    )


def opened(scene: Scene) -> Iterator[Figure]:
    """The files that an iteration opens, in a small run and in a large one."""
    for shape in SHAPES:
        few, many = (
            scene.children.opened_files(scene.ours("iterate", scene.make_run(shape, size), "--json"))
            for size in (LEAST, MOST)
        )
        what = f"files opened at {MOST}, {shape}"
        if few is None or many is None:
            yield Figure(what, [], unit="files", note="skipped: strace is not there or not allowed")
        else:
            note = f"floor: iterate at {LEAST}; from a megabyte on OpenSSL is loaded, for its faster SHA-256"
            target = Target(value=few + FILES_OF_OPENSSL)
            yield Figure(what, [many], unit="files", target=target, floors=[few], note=note)


def memory(scene: Scene) -> Iterator[Figure]:
    """The most memory that an iteration holds."""
    floors = [float(scene.children.peak_bytes(scene.bare))]
    for shape in SHAPES:
        command = scene.ours("iterate", scene.make_run(shape, MOST), "--json")
        peaks = [float(scene.children.peak_bytes(command)) for _ in range(scene.few(3))]
        yield Figure(f"peak memory at {MOST}, {shape}", peaks, unit="MB", target=PEAK, floors=floors)


def in_memory(scene: Scene) -> Iterator[Figure]:
    """A replay alone: the journal is read already, nothing is written."""
    for shape, target in IN_MEMORY.items():
        run = scene.in_runs(scene.make_run(shape, MOST))
        printed = scene.children.output(scene.program("replay_in_memory.py", run, str(scene.few(9))))
        told = json.loads(printed)
        note = "floor: a bare coroutine resumed as often"
        yield figure(f"replay of {MOST} in memory, {shape}", told, target=target, note=note)
