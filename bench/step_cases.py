"""One command: what it costs to start, to look, to iterate and to post, and what it prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from comparing import VALUE, compare, each_once, figure, timed
from figures import Figure, Target
from original import read_pending

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scene import Scene

LOOK = Target(ratio=5, original=0.3)
STEP = Target(ratio=6, original=0.3)
PRINTED = {100: Target(value=10), 1000: Target(value=60)}


def start_up(scene: Scene) -> Iterator[Figure]:
    """Commands that change nothing, where ten effects are."""
    run, original = scene.make_run("fan", 10), scene.original
    version = status = None
    if original is not None:
        version = timed(scene, original.version())
        status = timed(scene, original.status(original.make_run(scene.children, 10)[0]))
    yield figure("--version", compare(scene, timed(scene, scene.ours("--version")), version))
    text = compare(scene, timed(scene, scene.ours("status", run)), status)
    yield figure("status", text, target=LOOK)
    value = compare(scene, timed(scene, scene.ours("status", run, "--json")), status)
    yield figure("status --json", value, target=LOOK)
    direct = compare(scene, timed(scene, scene.direct("status", run, "--json")))
    yield figure("status --json, without launcher", direct, note="the same Python, started directly")


def one_step(scene: Scene) -> Iterator[Figure]:
    """Iterate and post, where ten effects are."""
    times, original = scene.rounds + 1, scene.original
    iterate = post = None
    if original is not None:
        run, effects = original.make_run(scene.children, 10, pending=times)
        iterate = timed(scene, original.iterate(run))
        post = each_once(scene, [original.post(run, effect) for effect in effects])
    waits = timed(scene, scene.ours("iterate", scene.make_run("fan", 10), "--json"))
    yield figure("iterate, nothing new", compare(scene, waits, iterate), target=STEP)
    runs = scene.make_runs(times, "sequence", {"n": 11}, resolved=10, asks=False)
    asks = each_once(scene, [scene.ours("iterate", run, "--json") for run in runs])
    yield figure("iterate, one new", compare(scene, asks, iterate), target=STEP, note="flushed to the disk")
    runs = scene.make_runs(times, "fan", {"n": 10, "after": 0}, resolved=9)
    posts = each_once(scene, [post_last(scene, run) for run in runs])
    yield figure("post", compare(scene, posts, post), target=STEP, note="flushed to the disk")


def post_last(scene: Scene, run: str) -> list[str]:
    """The command that answers the one effect of a run that is pending."""
    (effect,) = scene.json(scene.ours("iterate", run, "--json"))["pending"]
    return scene.ours("post", run, effect, "--value", VALUE, "--json")


def printed(scene: Scene) -> Iterator[Figure]:
    """What an agent has to read: the bytes of one iteration's answer."""
    for size, target in PRINTED.items():
        originals = printed_by_original(scene, size)
        run = scene.make_runs(1, "fan", {"n": size, "after": 0}, resolved=0, asks=False)[0]
        for what in ("new", "pending"):
            answer = scene.children.output(scene.ours("iterate", run, "--json"))
            assert len(read_named(answer, what)) == size
            sizes = [float(len(answer))]
            yield Figure(f"printed, {size} {what}", sizes, unit="kB", target=target, originals=originals)


def read_named(answer: bytes, what: str) -> list[str]:
    """The effects that an iteration names as new, or as pending."""
    told = json.loads(answer)
    return list(told["new"]["agent"] if what == "new" else told["pending"])


def printed_by_original(scene: Scene, size: int) -> list[float]:
    if scene.original is None:
        return []
    run, create = scene.original.create("fan", {"n": size, "after": 0})
    scene.children.seconds(create)
    answer = scene.children.output(scene.original.iterate(run))
    assert len(read_pending(answer)) == size
    return [float(len(answer))]
