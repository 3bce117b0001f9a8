"""Calls of lifecycle hooks: one after the other, whatever they do, and a line for each."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from workshop import PATIENCE, appears, vanishes

from babysitter.executors.hook_calls import Calls
from babysitter.executors.hook_record import note, read_calls
from babysitter.executors.pool import Pool
from babysitter.library import resolve
from babysitter.runs.creation import create
from babysitter.trust import suggested, trust

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from babysitter.runs.run import Run

EMPTY = "async def process(inputs, ctx):\n    pass\n"


@pytest.fixture
def run(project: Path) -> Run:
    (project / "process.py").write_text(EMPTY)
    entry = resolve(str(project / "process.py"))
    return create(str(project / "runs"), entry, {}, project=str(project), version="0", run_id="r").load()


@pytest.fixture
def put(home: Path) -> Callable[..., Path]:
    """Puts an executable for the hook ``on-log`` into the user's folder, or into that of a project."""

    def put(name: str, text: str, mode: int = 0o755, folder: Path = home) -> Path:
        path = folder / "hooks" / "on-log" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(mode)
        return path

    return put


class Told(list[str]):
    """What the person was told."""


def called(run: Run, *payloads: dict[str, Any], told: list[str] | None = None) -> list[dict[str, Any]]:
    """The lines that are noted when a hook is called for these."""
    calls = Calls((told if told is not None else []).append)
    for payload in payloads or ({},):
        calls.add(run, "on-log", lambda payload=payload: payload)
    calls.finish()
    return read_calls(run)


def test_what_it_is_told_comes_on_standard_input(run: Run, put: Callable[..., Path], project: Path) -> None:
    put("a", "cat > got; pwd > where")
    called(run, {"runId": "r", "message": "\u2028 é"})
    assert json.loads((project / "got").read_text()) == {
        "hook": "on-log",
        "runId": "r",
        "message": "\u2028 é",
    }
    assert (project / "where").read_text().strip() == str(project)


def test_a_call_is_noted_with_its_end(run: Run, put: Callable[..., Path]) -> None:
    path = put("a", "echo said; echo sorry >&2; exit 3")
    (line,) = called(run, {"seq": 7})
    assert {**line, "at": "", "durationMs": 0} == {
        "hook": "on-log",
        "file": str(path),
        "at": "",
        "durationMs": 0,
        "seq": 7,
        "exitCode": 3,
        "stdout": "said",
        "stderr": "sorry",
    }


def test_calls_are_made_one_after_the_other_in_their_order(
    run: Run, put: Callable[..., Path], project: Path
) -> None:
    for name in ("b", "a"):
        put(name, f"read line; sleep 0.05; echo {name} $line >> order")
    called(run, {"n": 1}, {"n": 2})
    order = (project / "order").read_text().splitlines()
    assert [line[0] + line[-2] for line in order] == ["a1", "b1", "a2", "b2"]


def test_one_that_is_not_executable_is_noted_with_the_reason(run: Run, put: Callable[..., Path]) -> None:
    path = put("a", "exit 0", 0o644)
    (line,) = called(run)
    assert line["why"] == (
        f"cannot start '{path}': it is not an executable file; make it one with chmod +x, or name the program"
        " that runs it"
    )


def test_one_without_its_interpreter_is_noted_with_the_reason(run: Run, put: Callable[..., Path]) -> None:
    put("a", "").write_text("#!/no/such/interpreter\n")
    (line,) = called(run)
    assert line["why"].endswith(
        "the program that its first line names does not exist; install that, or change the line"
    )


def test_one_that_hangs_is_ended_with_all_that_it_has_started(
    run: Run, put: Callable[..., Path], project: Path
) -> None:
    put("a", "trap '' TERM; sleep 600 & echo $! > pid; wait; while :; do sleep 1; done")
    run.limits.hook_seconds = 0.3
    (line,) = called(run)
    assert line["why"] == "it did not end within 0.3 s and was ended"
    assert vanishes(int((project / "pid").read_text()))


def test_one_that_never_stops_talking_is_ended(run: Run, put: Callable[..., Path]) -> None:
    put("a", "while :; do echo talking; done")
    run.limits.hook_seconds = 20
    (line,) = called(run)
    assert (line["why"], len(line["stdout"])) == ("it wrote more than 1048576 bytes and was ended", 2000)


def test_what_it_says_is_redacted(run: Run, put: Callable[..., Path], project: Path) -> None:
    put("a", "echo DEPLOY_TOKEN=abcd1234efgh >&2")
    (line,) = called(run)
    assert line["stderr"] == "DEPLOY_TOKEN=[redacted]"


def test_it_is_not_given_what_its_name_calls_a_secret(
    run: Run, put: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", "secret")
    monkeypatch.setenv("PLAIN", "plain")
    put("a", 'echo "$DEPLOY_TOKEN|$PLAIN|$BABYSITTER_HOOK|$BABYSITTER_RUN_ID"')
    assert called(run)[0]["stdout"] == "|plain|on-log|r"


def test_the_file_of_calls_is_private(run: Run, put: Callable[..., Path], project: Path) -> None:
    put("a", "true")
    called(run)
    assert (project / "runs" / "r" / "hooks.jsonl").stat().st_mode & 0o777 == 0o600


def test_what_goes_wrong_is_told_once_for_each_file(run: Run, put: Callable[..., Path]) -> None:
    path, told = put("a", "echo first; echo oops >&2; exit 3"), Told()
    assert len(called(run, {}, {}, told=told)) == 2
    assert told == [f"hook {path}: exit code 3: oops (babysitter hooks r)"]


def test_one_of_the_projects_that_nobody_trusts_is_not_executed_and_that_is_noted_once(
    run: Run, put: Callable[..., Path], project: Path
) -> None:
    put("a", "touch executed", folder=project / ".a5c")
    told = Told()
    for _ in range(2):
        lines = called(run, {}, {}, told=told)
    assert [(line["file"], line["why"]) for line in lines] == [
        (".a5c/hooks/on-log/a", "not called: it is not trusted")
    ]
    assert told == [
        "hook .a5c/hooks/on-log/a is not called: it is not trusted; look at it, then: babysitter trust add"
    ]
    assert not (project / "executed").exists()


def test_one_of_the_projects_that_is_trusted_comes_before_the_users(
    run: Run, put: Callable[..., Path], project: Path
) -> None:
    put("z", "true", folder=project / ".a5c")
    put("a", "true")
    trust(str(project), suggested(str(project)))
    assert [os.path.basename(line["file"]) for line in called(run)] == ["z", "a"]


def test_a_change_is_told_of_anew(run: Run, put: Callable[..., Path], project: Path) -> None:
    put("a", "true", folder=project / ".a5c")
    called(run)
    trust(str(project), suggested(str(project)))
    put("a", "false", folder=project / ".a5c")
    assert [line["why"] for line in called(run)] == [
        "not called: it is not trusted",
        "not called: it is not as it was when it was trusted",
    ]


def test_a_line_that_was_cut_off_spoils_no_other(run: Run) -> None:
    line = {"hook": "on-log", "file": "a", "at": "now"}
    note(run.folder, line)
    with open(os.path.join(run.folder, "hooks.jsonl"), "a", encoding="utf-8") as file:
        file.write('{"hook": "on-')
    note(run.folder, line)
    assert read_calls(run) == [line, line]


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\n", b"[]\n", b"{}\n", b"[" * 100_000, b'{"hook": 1, "file": "a", "at": "b"}\n']
)
def test_what_is_no_call_is_passed_over(run: Run, content: bytes) -> None:
    with open(os.path.join(run.folder, "hooks.jsonl"), "wb") as file:
        file.write(content)
    assert read_calls(run) == []


def test_where_nothing_can_be_noted_the_hook_is_called_and_nothing_is_raised(
    run: Run, put: Callable[..., Path], project: Path
) -> None:
    put("a", "touch called")
    os.mkdir(os.path.join(run.folder, "hooks.jsonl"))
    told = Told()
    calls = Calls(told.append)
    calls.add(run, "on-log", dict)
    calls.finish()
    assert ((project / "called").exists(), len(told), told[0].startswith("a call of ")) == (True, 1, True)


def test_when_there_is_no_time_left_none_is_called(run: Run, put: Callable[..., Path], project: Path) -> None:
    put("a", "touch called")
    calls = Calls(Told().append)
    calls.until = time.monotonic()
    calls.add(run, "on-log", dict)
    calls.finish()
    assert [line["why"] for line in read_calls(run)] == ["not called: there was no time left"]
    assert not (project / "called").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_hook_that_runs_and_no_other_is_called(
    run: Run, put: Callable[..., Path], project: Path, number: signal.Signals
) -> None:
    put("a", "echo $$ > pid; sleep 600")
    put("b", "touch called")

    def interrupt() -> None:
        appears(project / "pid")
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=interrupt)
    thread.start()
    before = signal.getsignal(number)
    calls = Calls(Told().append)
    for _ in range(2):
        calls.add(run, "on-log", dict)
    with pytest.raises(KeyboardInterrupt):
        calls.finish()
    thread.join()
    calls.finish()
    assert vanishes(int((project / "pid").read_text()))
    assert [line["why"] for line in read_calls(run)] == ["ended: the command was interrupted"]
    assert (signal.getsignal(number), (project / "called").exists()) == (before, False)


def test_a_pool_makes_the_calls_while_it_waits(run: Run, put: Callable[..., Path]) -> None:
    put("a", "sleep 0.05; echo said")
    put("b", "true")
    pool, calls = Pool(1), Calls(Told().append)
    calls.attend(pool)
    calls.add(run, "on-log", dict)
    until = time.monotonic() + PATIENCE
    while calls.is_busy and time.monotonic() < until:
        pool.wait(1)
    pool.close(0)
    assert [line["exitCode"] for line in read_calls(run)] == [0, 0]


def test_what_a_pool_has_begun_is_finished_after_it(
    run: Run, put: Callable[..., Path], project: Path
) -> None:
    put("a", "echo > begun; until [ -e go ]; do sleep 0.01; done")
    pool, calls = Pool(1), Calls(Told().append)
    calls.attend(pool)
    calls.add(run, "on-log", dict)
    appears(project / "begun", pool)
    pool.close(0)
    (project / "go").touch()
    calls.finish()
    assert [line["exitCode"] for line in read_calls(run)] == [0]


def test_a_hook_without_a_file_costs_nothing(run: Run) -> None:
    asked: list[int] = []
    calls = Calls(Told().append)
    calls.add(run, "on-log", lambda: asked.append(1) or {})
    calls.finish()
    assert (asked, os.path.exists(os.path.join(run.folder, "hooks.jsonl"))) == ([], False)
