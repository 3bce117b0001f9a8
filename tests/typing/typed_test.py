"""What a type checker makes of a test of a process; checked, never run."""

from __future__ import annotations

from types import ModuleType
from typing import Any, assert_type

from babysitter import Context, python
from babysitter.testing import (
    Asked,
    Failure,
    Orders,
    Play,
    approves,
    begin,
    every_order,
    fails,
    in_turn,
    load,
    never,
    play,
    recorded,
    rejects,
    takes,
)


@python
def count(path: str) -> int:
    return len(path)


async def process(inputs: dict[str, Any], ctx: Context) -> int:
    return await ctx.task(count, path=inputs["path"])


def by_name() -> None:
    played = play(process, {"path": "a"}, results={"count": 1}, people=approves(), records={"a": [1]})
    assert_type(played, Play)
    assert_type(played.status, str)
    assert_type(played.batches, list[list[Asked]])
    assert_type(played.calls, list[list[str]])
    assert_type(played.error, Failure | None)
    assert_type(played.elapsed, float)
    assert_type(played.scores, dict[str, list[float]])


def by_task_or_function() -> None:
    play(process, results={count: in_turn(fails("TaskTimeout"), takes("5m", 1), never)})
    play(process, results=lambda asked: asked.args, people={"Go?": rejects("no")})
    play(
        process, people=lambda question: approves(f"yes: {question}"), hooks={"a": []}, subprocesses={"b": 1}
    )
    play("release", order=["1"], at="2026-01-01T00:00:00Z", most_effects=3)


def step_by_step() -> None:
    assert_type(load("release.py"), ModuleType)
    assert_type(begin(load("release.py")).advance("1h").answer("count", 1).finish(), Play)
    assert_type(every_order(process, results={"count": 1}, most=5, seed=1), Orders)
    assert_type(recorded("a.json").play("release"), Play)


def mistakes() -> None:
    play(process, result={"count": 1})  # type: ignore[call-arg]
    play(process, people=True)  # type: ignore[arg-type]
    play(3)  # type: ignore[arg-type]
    begin(process).advance(None)  # type: ignore[arg-type]
