"""The hooks of an agent's session: with no run to finish, and with one that has nothing new."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from children import side_by_side
from comparing import compare, timed
from figures import Figure, Target
from scene import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scene import Scene

SESSION = "11111111-2222-3333-4444-555555555555"
IDLE = (
    "session-start",
    "prompt",
    "before-tool",
    "after-tool",
    "subagent-stop",
    "stop",
    "compact",
    "session-end",
)
EFFECTS = 100
# What a host is told of a batch, beside its bytes in JSON.
PRINTED = {10: Target(value=2.5), 100: Target(value=9)}
MOST_ABOVE_TRUE = Target(value=5)
ACTIVE = Target(ratio=4)


def idle(scene: Scene) -> Iterator[Figure]:
    """Every hook, in a session that has nothing to do with babysitter, above `true`."""
    os.environ.update(CLAUDE_CODE_SESSION_ID=SESSION, CLAUDECODE="1", CLAUDE_PID=str(os.getpid()))
    true = timed(scene, ["/bin/sh", "-c", "true"])
    for name in IDLE:
        told = side_by_side({"ours": timed(scene, [hook(name)]), "true": true}, scene.rounds)
        above = [ours - bare for ours, bare in zip(told["ours"], told["true"], strict=True)]
        yield Figure(f"hook {name}, unbound, above true", above, unit="ms", target=MOST_ABOVE_TRUE)


def hook(name: str) -> str:
    return os.path.join(ROOT, "hooks", name)


def active(scene: Scene) -> Iterator[Figure]:
    """The Stop hook where a run of many effects waits for one, and what it says."""
    _bind(scene, scene.make_run("fan", EFFECTS))
    payload = os.path.join(scene.folder, "payload")
    with open(payload, "w", encoding="utf-8") as file:
        json.dump({"session_id": SESSION, "hook_event_name": "Stop", "background_tasks": []}, file)
    scene.children.stdin = payload
    try:
        told = compare(scene, timed(scene, [hook("stop")]))
        yield Figure(
            f"hook stop, {EFFECTS} effects, nothing new",
            told["ours"],
            unit="ms",
            target=ACTIVE,
            floors=told["bare"],
        )
        yield from _printed(scene)
    finally:
        scene.children.stdin = os.devnull


def _printed(scene: Scene) -> Iterator[Figure]:
    for size, target in PRINTED.items():
        _bind(scene, scene.make_runs(1, "fan", {"n": size, "after": 0}, resolved=0)[0])
        answer = json.loads(scene.children.output([hook("stop")]))
        text = answer["hookSpecificOutput"]["additionalContext"].encode()
        yield Figure(f"told at a stop, {size} effects", [float(len(text))], unit="kB", target=target)


def _bind(scene: Scene, run: str) -> None:
    """Bind the session to a run, as a person would move it there."""
    os.environ.pop("CLAUDE_CODE_SESSION_ID", None)
    folder = os.path.join(os.environ["BABYSITTER_HOME"], "sessions", SESSION)
    for name in ("binding.json", "progress.json"):
        if os.path.exists(os.path.join(folder, name)):
            os.unlink(os.path.join(folder, name))
    os.environ.update(CLAUDE_CODE_SESSION_ID=SESSION, CLAUDECODE="1")
    scene.children.output(scene.ours("session", "bind", run))
