"""Whatever a hook is called with, it ends by itself, with 0, and does no damage."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.host import fake_host, lab
from tests.host.fake_host import OURS, RECORDED, SCRIPTS, SESSION, Hook, call, payload, raw
from tests.host.host_program import ROOT
from tests.host.lab import events, journal, status

if TYPE_CHECKING:
    from pathlib import Path

MEGABYTE = b"x" * (1 << 20)
GARBAGE = {
    "nothing": b"",
    "an empty line": b"\n",
    "no JSON": b"{'session_id': 3\n",
    "no text": bytes(range(256)),
    "no object": b"[1, 2]\n",
    "wrong types": raw(dict.fromkeys(payload("PreToolUse.Bash"), 3)),
    "deep": b"[" * 100_000,
    "two objects": b"{}{}\n",
}
ANSWERING = ("EFFECT_RESOLVED", "EFFECT_CANCELLED", "PERMITTED", "RUN_COMPLETED", "RUN_FAILED", "RUN_HALTED")


@pytest.fixture
def bound(project: Path) -> None:
    """A session that is bound to a run, which waits for an agent, a command and a person."""
    fake_host.make_bound_run("r", "gated.py")


def assert_undamaged() -> None:
    """All of the run verifies, and nothing in it was answered, permitted or ended."""
    assert status("r")["status"] == "waiting"
    assert [event["type"] for event in journal("r") if event["type"] in ANSWERING] == []


@pytest.mark.parametrize("name", OURS)
@pytest.mark.usefixtures("bound")
def test_every_recorded_payload_of_a_bound_session_is_taken(name: str) -> None:
    ended = call(SCRIPTS[name.split(".", maxsplit=1)[0]], raw(payload(name)))
    assert (ended.code, ended.stderr) == (0, "")
    assert "lets this session go" not in str(ended.told)
    assert_undamaged()


@pytest.mark.parametrize("script", sorted(SCRIPTS.values()))
def test_a_session_without_a_run_is_left_alone(script: str, project: Path, home: Path) -> None:
    for name in RECORDED:
        ended = call(script, raw(payload(name)))
        assert ended.told is None or "nothing was recorded" in str(ended.told), name
        assert (ended.code, ended.stderr) == (0, ""), name
    assert {path.name for path in home.glob("sessions/*/*")} <= {"host"}
    assert list(project.iterdir()) == []


@pytest.mark.parametrize("script", sorted(SCRIPTS.values()))
@pytest.mark.usefixtures("bound")
def test_garbage_does_no_damage(script: str) -> None:
    for name, content in GARBAGE.items():
        ended = call(script, content)
        assert (ended.code, ended.stderr) == (0, ""), name
    assert_undamaged()


@pytest.mark.parametrize("script", sorted(SCRIPTS.values()))
@pytest.mark.usefixtures("bound")
def test_a_hundred_megabytes_do_no_damage(script: str) -> None:
    head, _, tail = raw(payload("Stop", prompt="HERE")).partition(b"HERE")
    ended = call(script, head, *[MEGABYTE] * 100, tail)
    assert (ended.code, ended.stderr) == (0, "")
    assert_undamaged()


@pytest.mark.usefixtures("bound")
def test_no_hook_waits_for_ever_for_its_payload() -> None:
    hooks = [Hook(script) for script in SCRIPTS.values()]
    ended = [hook.end(is_closed=False) for hook in hooks]
    assert [(each.code, each.stderr) for each in ended] == [(0, "")] * len(SCRIPTS)
    assert_undamaged()


@pytest.mark.usefixtures("bound")
def test_a_payload_counts_although_the_pipe_stays_open() -> None:
    hook = Hook("stop")
    hook.write(raw(payload("Stop")))
    told = hook.end(is_closed=False).told
    assert told is not None
    assert "run r is not finished" in told["hookSpecificOutput"]["additionalContext"]


@pytest.mark.usefixtures("bound")
def test_a_session_is_let_go_in_one_line_where_the_environment_is_missing(tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    for name in ("hooks", "scripts", ".claude-plugin", "babysitter"):
        shutil.copytree(ROOT / name, plugin / name)
    shutil.copy(ROOT / "pyproject.toml", plugin)
    for event, script in SCRIPTS.items():
        hook = Hook(script, plugin / "hooks")
        hook.write(raw(payload("Stop", hook_event_name=event)))
        code, told, stderr = hook.end()
        assert (code, stderr, told and sorted(told)) == (0, "", ["systemMessage"]), script
        assert told is not None
        assert "babysitter doctor" in told["systemMessage"]
    assert_undamaged()


@pytest.mark.usefixtures("project")
def test_what_a_process_writes_to_standard_output_does_not_get_into_the_answer() -> None:
    fake_host.make_bound_run("r", "loud.py")
    assert lab.call("post", "r", lab.effect("r", "build"), "--value", "null").code == 0
    code, told, stderr = call("stop", raw(payload("Stop")))
    assert (code, sorted(told or {})) == (0, ["hookSpecificOutput", "systemMessage"])
    assert "run r has completed" in str(told)
    assert [word in stderr for word in ("printed", "written", "echoed")] == [True] * 3


@pytest.mark.usefixtures("bound")
def test_a_session_that_has_ended_leaves_its_run_as_it_is() -> None:
    before = Counter(event["type"] for event in journal("r"))
    assert call("session-end", raw(payload("SessionEnd"))) == (0, None, "")
    assert Counter(event["type"] for event in journal("r")) - before == Counter(["SESSION_RELEASED"])
    assert events("r", "SESSION_RELEASED")[0]["sessionId"] == SESSION
