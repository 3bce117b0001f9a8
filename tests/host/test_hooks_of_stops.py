"""Lifecycle hooks of what hooks of the host write: called when the host has its answer, never in its way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.host import fake_host
from tests.host.fake_host import Hook, call, payload, raw
from tests.support.commands import told


def put(home: Path, hook: str, text: str) -> None:
    path = home / "hooks" / hook / "a"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def effect(project: Path) -> str:
    """A run that waits for an agent, bound to the session; its effect is answered, so a stop goes on."""
    fake_host.make_bound_run("r", "chain.py")
    (effect,) = [task for task in told("tasks", "r", "--pending")["tasks"] if task["kind"] == "agent"]
    told("post", "r", effect["id"], "--value", "1")
    return str(effect["id"])


@pytest.mark.usefixtures("effect")
def test_a_stop_calls_the_hooks_of_its_iteration(home: Path) -> None:
    for name in ("on-iteration-start", "on-task-start", "on-iteration-end"):
        put(home, name, "cat >> told; echo >> told")
    ended = call("stop", raw(payload("Stop")))
    found = [json.loads(line) for line in Path("told").read_text().splitlines()]
    assert [each["hook"] for each in found] == ["on-iteration-start", "on-task-start", "on-iteration-end"]
    assert (ended.code, ended.stderr, "[effect:" in str(ended.told)) == (0, "", True)


@pytest.mark.usefixtures("effect")
def test_the_host_has_its_answer_before_hooks_take_their_time(home: Path) -> None:
    put(home, "on-task-start", "until [ -e go ]; do sleep 0.01; done")
    hook = Hook("stop")
    hook.write(raw(payload("Stop")))
    assert hook.process.stdout is not None
    line = hook.process.stdout.readline()
    Path("go").touch()
    assert (hook.end().code, "[effect:" in json.loads(line)["hookSpecificOutput"]["additionalContext"]) == (
        0,
        True,
    )


@pytest.mark.usefixtures("effect")
def test_a_failing_hook_changes_nothing_of_the_answer(home: Path) -> None:
    put(home, "on-iteration-start", "echo loud; echo louder >&2; exit 3")
    ended = call("stop", raw(payload("Stop")))
    assert (ended.code, ended.stderr, "[effect:" in str(ended.told)) == (0, "", True)
    assert [each["exitCode"] for each in told("hooks", "r")["hooks"]] == [3]
