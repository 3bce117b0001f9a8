"""What it costs that nothing is lost: durable events, one by one and many at once, quiet and disturbed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from comparing import figure
from figures import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from figures import Figure
    from scene import Scene

BATCH = 1000
ONE = Target(ratio=3)
MANY = Target(value=300)
# Megabytes that the other program rewrites and flushes.
WRITTEN = "256"
DISTURBED = Target(ratio=2)


def appending(scene: Scene) -> Iterator[Figure]:
    """Appends in a process that is up, each beside its own floor."""
    yield figure(
        "one durable event",
        append(scene, 1, scene.rounds * 20),
        target=ONE,
        note="floor: the same bytes appended to one file, and flushed",
    )
    yield figure(
        f"a batch of {BATCH}",
        append(scene, BATCH, scene.few(15)),
        target=MANY,
        note="floor: the same bytes appended to one file, and flushed once",
    )
    yield figure(
        f"a batch of {BATCH} beside a heavy writer",
        append(scene, BATCH, scene.few(15), WRITTEN),
        target=DISTURBED,
        note="floor: the batch before it, without the writer",
    )


def append(scene: Scene, count: int, times: int, *how: str) -> dict[str, list[float]]:
    folder = scene.new_id("appended")
    printed = scene.children.output(scene.program("append_events.py", folder, str(count), str(times), *how))
    told: dict[str, list[float]] = json.loads(printed)
    return told
