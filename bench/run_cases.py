"""Whole runs: one step after the other, a thousand side by side, and real commands on a few jobs."""

from __future__ import annotations

import heapq
import json
from typing import TYPE_CHECKING

from comparing import VALUE, figure
from figures import Figure, Target
from original import read_pending
from scene import PROCESS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scene import Scene

STEPS = 100
BRANCHES = 1000
FAN_OUT = Target(value=2.5)
SEQUENTIAL = Target(original=0.2)
# So many posts of the original are timed; the others are taken to last as long.
POSTS_OF_ORIGINAL = 5

JOBS = 4
SECONDS = (1.0, 2.5, 1.2, 3.0, 1.7, 2.1, 1.4, 2.8, 1.1, 2.3, 1.9, 1.5)


def sequential(scene: Scene) -> Iterator[Figure]:
    """Create, and then for each step a post and an iterate."""
    steps = STEPS // 10 if scene.is_quick else STEPS
    told = {"ours": [sequential_ours(scene, steps)]}
    told["bare"] = [sum(scene.children.seconds(scene.bare) for _ in range(2 * steps + 1))]
    if scene.original is not None:
        told["original"] = [sequential_original(scene, steps)]
    note = f"{steps} steps; floor: a bare Python for each command"
    yield figure("sequential run", told, unit="s", target=SEQUENTIAL, note=note)


def sequential_ours(scene: Scene, steps: int) -> float:
    children, run = scene.children, scene.new_id("steps")
    words = ["-i", f"n={steps}", "--run-id", run, "--json"]
    took = children.seconds(scene.ours("create", f"{PROCESS}#sequence", *words))
    for _ in range(steps):
        (effect,) = json.loads(children.last_output())["new"]["agent"]
        took += children.seconds(scene.ours("post", run, effect, "--value", VALUE, "--json"))
        took += children.seconds(scene.ours("iterate", run, "--json"))
    check_completed(scene)
    return took


def sequential_original(scene: Scene, steps: int) -> float:
    assert scene.original is not None
    children, original = scene.children, scene.original
    run, create = original.create("sequence", {"n": steps})
    took = children.seconds(create) + children.seconds(original.iterate(run))
    for _ in range(steps):
        (effect,) = read_pending(children.last_output())
        took += children.seconds(original.post(run, effect)) + children.seconds(original.iterate(run))
    check_completed(scene)
    return took


def check_completed(scene: Scene) -> None:
    told = json.loads(scene.children.last_output())
    assert told["status"] == "completed", told


def fan_out(scene: Scene) -> Iterator[Figure]:
    """From the request of a thousand effects to the last result ingested."""
    times = range(scene.few(5))
    told = {"ours": [fan_out_ours(scene) for _ in times], "bare": [fan_out_floor(scene) for _ in times]}
    note = f"{BRANCHES} branches; floor: three bare Pythons, and as many files written and flushed"
    if scene.original is not None:
        told["original"] = [fan_out_original(scene)]
        note += f"; original: estimated from {POSTS_OF_ORIGINAL} posts"
    yield figure("fan-out", told, unit="s", target=FAN_OUT, note=note)


def fan_out_ours(scene: Scene) -> float:
    children, run = scene.children, scene.new_id("fan-out")
    words = ["-i", f"n={BRANCHES}", "-i", "after=0", "--run-id", run, "--json"]
    took = children.seconds(scene.ours("create", f"{PROCESS}#fan", *words))
    effects = json.loads(children.last_output())["new"]["agent"]
    assert len(effects) == BRANCHES
    lines = scene.write("lines", "".join(f'{{"effect":"{effect}","value":{VALUE}}}\n' for effect in effects))
    took += children.seconds(scene.ours("post", run, "--lines", lines, "--json"))
    took += children.seconds(scene.ours("iterate", run, "--json"))
    check_completed(scene)
    return took


def fan_out_floor(scene: Scene) -> float:
    flushes = [scene.program("flush_files.py", scene.new_id("flushed"), str(BRANCHES)) for _ in range(2)]
    return sum(scene.children.seconds(command) for command in [scene.bare, *flushes])


def fan_out_original(scene: Scene) -> float:
    assert scene.original is not None
    children, original = scene.children, scene.original
    run, create = original.create("fan", {"n": BRANCHES, "after": 0})
    took = children.seconds(create) + children.seconds(original.iterate(run))
    effects = read_pending(children.last_output())[:POSTS_OF_ORIGINAL]
    posts = [children.seconds(original.post(run, effect)) for effect in effects]
    took += sum(posts) / len(posts) * BRANCHES
    ended, _ = original.make_run(children, BRANCHES)
    return took + children.seconds(original.iterate(ended))


def schedule(scene: Scene) -> Iterator[Figure]:
    """`run` with commands that sleep, beside the list schedule of their known lengths."""
    ideal = list_schedule(SECONDS, JOBS)
    words = ["-i", f"seconds={json.dumps(SECONDS)}", "--jobs", str(JOBS), "--plain"]
    command = scene.ours("run", f"{PROCESS}#schedule", *words)
    took = [scene.children.wall_seconds(command) for _ in range(scene.few(3))]
    target = Target(value=round(ideal * 1.01 + 0.3, 2))
    note = f"{len(SECONDS)} tasks of 1-3 s, {JOBS} jobs; floor: the ideal schedule; target: + 0.3 s + 1 %"
    yield Figure("wall time of run", took, unit="s", target=target, floors=[ideal], note=note)


def list_schedule(seconds: Sequence[float], jobs: int) -> float:
    """When the last task ends, if each starts on the first free job, in order, and starting is free."""
    free_at = [0.0] * jobs
    for length in seconds:
        heapq.heapreplace(free_at, free_at[0] + length)
    return max(free_at)
