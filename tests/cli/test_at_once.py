"""Many commands at the same moment: each result counts once, and everybody is told the truth."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import end, start, told, write

if TYPE_CHECKING:
    from scenes import Scene

pytestmark = pytest.mark.torture

WIDE = """
async def process(inputs, ctx):
    seen = ctx.record("seen", lambda: Path("/proc/self/stat").read_text().split()[0])
    return await ctx.parallel.map(range(inputs["n"]), lambda n: ctx.task(ask, question=f"{seen} {n}"))
"""


def events(scene: Scene, run: str) -> list[dict[str, object]]:
    files = sorted((scene.runs / run / "journal").iterdir())
    return [json.loads(path.read_bytes()) for path in files]


def test_of_many_results_for_one_effect_one_wins(scene: Scene) -> None:
    effect = next(iter(scene.effects("many").values())).id
    running = [start("post", "many", effect, "--value", str(n), "--json") for n in range(16)]
    ended = [end(process) for process in running]
    (winner,) = [n for n, each in enumerate(ended) if each.code == 0]
    assert sorted(each.code for each in ended) == [0] + [3] * 15
    assert {each.told["error"]["name"] for each in ended if each.code} == {"AlreadyResolved"}
    assert told("show", "many", effect)["value"] == winner


def test_of_many_equal_results_for_one_effect_one_is_recorded_and_the_others_are_there_already(
    scene: Scene,
) -> None:
    effect = next(iter(scene.effects("many").values())).id
    running = [start("post", "many", effect, "--value", "7", "--json") for _ in range(16)]
    ended = [end(process) for process in running]
    assert [each.code for each in ended] == [0] * 16
    assert sorted(each.told["status"] for each in ended) == ["already"] * 15 + ["recorded"]
    kinds = [event["type"] for event in events(scene, "many")]
    assert (kinds.count("EFFECT_RESOLVED"), told("show", "many", effect)["value"]) == (1, 7)


def test_of_many_iterations_at_once_each_effect_is_requested_once(scene: Scene) -> None:
    write("wide.py", WIDE)
    (scene.folder / "inputs.json").write_text('{"n": 20}')
    told(
        "run:create", "--process-id", "w", "--entry", "wide.py", "--run-id", "wide", "--inputs", "inputs.json"
    )
    # Each command would record another value; the first one stands for all of them.
    ended = [end(process) for process in [start("iterate", "wide", "--json") for _ in range(16)]]
    kinds = [event["type"] for event in events(scene, "wide")]
    assert [each.code for each in ended] == [0] * 16
    assert (kinds.count("RECORDED"), kinds.count("EFFECT_REQUESTED"), len(kinds)) == (1, 20, 22)
    assert sorted(len(each.told.get("new", {}).get("agent", {})) for each in ended) == [0] * 15 + [20]


def test_of_many_results_for_many_effects_all_are_recorded(scene: Scene) -> None:
    write("wide.py", WIDE)
    asked = list(told("create", "wide.py", "-i", "n=64", "--run-id", "wide")["new"]["agent"])
    running = [start("post", "wide", effect, "--value", "1", "--json") for effect in asked]
    assert [end(process).code for process in running] == [0] * 64
    names = sorted(path.name for path in (scene.runs / "wide" / "journal").iterdir())
    # RUN_CREATED, RECORDED, 64 requests, 64 results.
    assert [int(name[:6]) for name in names] == list(range(1, 131))
    assert told("iterate", "wide")["output"] == [1] * 64
