"""Lifecycle hooks as real executables under real commands: which are called for what, once each."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from babysitter.clock import ms_of
from babysitter.runs.folder import open_run
from tests.support.commands import BABYSITTER, call, end, start, told, write
from tests.support.driving import wait_until

ALL = [
    "on-run-start",
    "on-run-complete",
    "on-run-fail",
    "on-run-halt",
    "on-iteration-start",
    "on-iteration-end",
    "on-task-start",
    "on-task-complete",
    "on-breakpoint",
    "on-log",
    "on-score",
]
STEPS = """
@shell
def build():
    "Build it"
    return "echo built"

async def process(inputs, ctx):
    ctx.log("about to build", target="all")
    await ctx.task(build)
    ctx.progress(1, 2)
    await ctx.sleep(0.01)
    said = await ctx.breakpoint("Ship it?", title="Ship")
    await ctx.task(ask, question="done?")
    if not said.approved:
        raise Failed("not shipped")
    return "shipped"
"""


@pytest.fixture(autouse=True)
def hooks(home: Path, project: Path) -> None:
    """Each hook keeps what it is told, line by line."""
    for name in ALL:
        put(home, name, "keep", f"cat >> {project}/calls; echo >> {project}/calls")


def put(folder: Path, hook: str, name: str, text: str) -> Path:
    path = folder / "hooks" / hook / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def calls() -> list[dict[str, Any]]:
    """What hooks were told since it was asked for last."""
    path = Path("calls")
    found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    path.unlink(missing_ok=True)
    return found


def names() -> list[str]:
    return [called["hook"].removeprefix("on-") for called in calls()]


def test_each_command_calls_the_hooks_of_what_it_has_written() -> None:
    write("p.py", STEPS)
    told("create", "p.py", "--run-id", "r")
    assert names() == ["run-start", "iteration-start", "log", "task-start", "iteration-end"]
    told("work", "r", "--wait")
    assert [name for name in names() if "iteration" not in name] == ["task-complete", "breakpoint"]
    told("approve", "r")
    assert names() == ["task-complete"]
    new = told("iterate", "r")["new"]
    assert names() == ["iteration-start", "task-start", "iteration-end"]
    told("post", "r", *new["agent"], "--value", "1")
    assert names() == ["task-complete"]
    assert told("iterate", "r")["output"] == "shipped"
    assert names() == ["iteration-start", "run-complete", "iteration-end"]


def test_what_is_only_read_calls_nothing() -> None:
    write("p.py", "async def process(inputs, ctx):\n    return await ctx.task(ask, question='1')\n")
    (effect,) = told("create", "p.py", "--run-id", "r")["new"]["agent"]
    told("post", "r", effect, "--value", "1")
    calls()
    assert told("post", "r", effect, "--value", "1")["status"] == "already"
    for command in ("status", "events", "tasks", "show", "verify"):
        told(command, "r")
    assert names() == []


def test_a_finished_run_has_no_iterations() -> None:
    write("p.py", "async def process(inputs, ctx):\n    return 1\n")
    told("create", "p.py", "--run-id", "r")
    calls()
    told("iterate", "r")
    assert names() == []


def test_a_run_that_is_driven_calls_them_all_in_the_order_of_its_events() -> None:
    write("p.py", STEPS)
    told("run", "p.py", "--run-id", "r", "--yolo", "--agent-command", "echo 7")
    found = names()
    assert [name for name in found if not name.startswith("iteration")] == [
        "run-start",
        "log",
        "task-start",
        "task-complete",
        "breakpoint",
        "task-complete",
        "task-start",
        "task-complete",
        "run-complete",
    ]
    assert found.count("iteration-start") == found.count("iteration-end")
    assert (found[:2], found[-1]) == (["run-start", "iteration-start"], "iteration-end")


def test_what_they_are_told() -> None:
    write("p.py", STEPS)
    output = told("run", "p.py", "--run-id", "r", "--yolo", "--agent-command", "echo 7", "--prompt", "Build!")
    found = {called["hook"]: called for called in calls()}
    every = {
        "runId": "r",
        "runFolder": str(Path(".a5c/runs/r").resolve()),
        "project": str(Path.cwd()),
        "process": "p",
    }
    assert output["status"] == "completed"
    assert all(every.items() <= called.items() and called["at"].endswith("Z") for called in found.values())
    assert found["on-run-start"]["prompt"] == "Build!"
    assert (found["on-log"]["message"], found["on-log"]["fields"]) == ("about to build", {"target": "all"})
    assert (found["on-breakpoint"]["question"], found["on-breakpoint"]["effect"]["title"]) == (
        "Ship it?",
        "Ship",
    )
    assert (found["on-run-complete"]["status"], found["on-run-complete"]["output"]) == (
        "completed",
        "shipped",
    )
    assert {
        "effect": found["on-task-complete"]["effect"]["kind"],
        "value": found["on-task-complete"]["value"],
        "status": found["on-task-complete"]["status"],
    } == {"effect": "agent", "value": 7, "status": "ok"}


ASKS_TWICE = """
async def process(inputs, ctx):
    about = {"id": "take", "tags": "plan", "expert": ["ann", "ben"]}
    await ctx.breakpoint("Take it?", quorum=2, files=["plan.md"], **about)
"""


def test_whom_a_breakpoint_asks_is_told_and_that_it_asks_again() -> None:
    Path("plan.md").write_text("one")
    write("p.py", ASKS_TWICE)
    told("create", "p.py", "--run-id", "r")
    told("approve", "r", "--as", "ann")
    Path("plan.md").write_text("two")
    told("iterate", "r")
    asked = [called for called in calls() if called["hook"] == "on-breakpoint"]
    about = {"question": "Take it?", "expert": ["ann", "ben"], "tags": ["plan"], "id": "take"}
    assert all(about.items() <= each.items() for each in asked)
    assert [each.get("voided") for each in asked] == [None, "changed: plan.md"]


def test_where_an_answer_is_void_and_it_is_decided_all_the_same_nobody_is_asked_again() -> None:
    write("p.py", ASKS_TWICE.replace('files=["plan.md"]', "expires=0.001, deadline=0.002"))
    told("create", "p.py", "--run-id", "r")
    run = open_run("r", str(Path(".a5c/runs").resolve())).load()
    (effect,) = run.state.pending.values()
    said = {"effectId": effect.id, "approved": True, "respondedBy": "ann", "assurance": "script"}
    more = {"shown": "", "experts": ["ann"], "untilMs": effect.requested_ms + 1, "evidence": {}}
    run.append([("BREAKPOINT_ANSWERED", said | more)])
    told("iterate", "r")
    assert names().count("breakpoint") == 1
    assert [event["type"] for event in told("events", "r")["events"]][-3:-1] == [
        "ANSWER_VOIDED",
        "EFFECT_RESOLVED",
    ]


SCORES = """
async def improve(ctx, item):
    for value in (61, 95):
        await ctx.task(ask, question=item)
        score = ctx.score(value, 90, name="quality")
    return score.value

async def process(inputs, ctx):
    ctx.log("begun")
    return await ctx.parallel.map(["a"], lambda item: improve(ctx, item))
"""


def test_a_score_calls_its_own_hook_once_and_not_that_of_log_lines() -> None:
    write("p.py", SCORES)
    told("run", "p.py", "--run-id", "r", "--agent-command", "echo 7")
    found = [called for called in calls() if called["hook"] in ("on-log", "on-score")]
    assert [called["hook"] for called in found] == ["on-log", "on-score", "on-score"]
    (_, first, last), events = found, told("events", "r", "--type", "PROCESS_LOG")["events"]
    assert (last["seq"], last["at"]) == (events[-1]["seq"], events[-1]["recordedAt"])
    assert (last["scope"], "message" in last) == (events[-1]["data"]["scope"], False)
    assert [each["score"] for each in (first, last)] == [
        {
            "name": "quality",
            "value": value,
            "round": number,
            "best": value,
            "reached": reached,
            "stalled": False,
            "target": 90,
        }
        for number, value, reached in ((1, 61, False), (2, 95, True))
    ]


def test_only_a_score_that_is_reached_anew_calls_hooks_after_going_back() -> None:
    write("p.py", SCORES)
    told("run", "p.py", "--run-id", "r", "--agent-command", "echo 7")
    (step,) = {task["step"] for task in told("tasks", "r")["tasks"] if task["step"].endswith(".2")}
    calls()
    told("rewind", "r", "--to", step)
    told("resume", "r", "--agent-command", "echo 7")
    assert [each["score"]["round"] for each in calls() if each["hook"] == "on-score"] == [2]


def test_a_task_that_fails_and_a_run_that_fails_of_it() -> None:
    write(
        "p.py",
        """
        @shell
        def bad():
            return "exit 3"

        async def process(inputs, ctx):
            await ctx.task(bad)
        """,
    )
    told("run", "p.py", "--run-id", "r", code=1)
    found = {called["hook"]: called for called in calls()}
    completed, failed = found["on-task-complete"], found["on-run-fail"]
    assert (completed["status"], completed["exitCode"], completed["error"]["name"]) == (
        "error",
        3,
        "ShellFailed",
    )
    assert (failed["status"], failed["error"]["name"], "on-run-halt" in found) == (
        "failed",
        "ShellFailed",
        False,
    )


def test_a_run_that_is_halted_has_not_failed() -> None:
    write("p.py", "async def process(inputs, ctx):\n    ctx.halt('enough', n=1)\n")
    call("run", "p.py", "--run-id", "r")
    found = {called["hook"]: called for called in calls()}
    assert (found["on-run-halt"]["reason"], found["on-run-halt"]["data"], "on-run-fail" in found) == (
        "enough",
        {"n": 1},
        False,
    )


def test_an_effect_that_is_given_up_is_completed_as_cancelled() -> None:
    write(
        "p.py",
        """
        @shell
        def slow():
            return "sleep 60"

        @shell
        def quick():
            return "true"

        async def process(inputs, ctx):
            await ctx.parallel.race([lambda: ctx.task(slow), lambda: ctx.task(quick)])
        """,
    )
    told("run", "p.py", "--jobs", "2")
    done = [
        (each["effect"]["title"], each["status"]) for each in calls() if each["hook"] == "on-task-complete"
    ]
    assert done == [("quick", "ok"), ("slow", "cancelled")]


def test_a_failing_hook_changes_no_result_and_is_shown(home: Path) -> None:
    path = put(home, "on-run-complete", "fail", "echo sorry >&2; exit 9")
    write("p.py", "async def process(inputs, ctx):\n    return 1\n")
    ended = call("run", "p.py", "--run-id", "r", "--json")
    assert (ended.code, ended.told["output"]) == (0, 1)
    assert ended.stderr == f"warning: hook {path}: exit code 9: sorry (babysitter hooks r)\n"
    (failed,) = told("hooks", "r", "--failed")["hooks"]
    assert (failed["hook"], failed["exitCode"], failed["stderr"]) == ("on-run-complete", 9, "sorry")
    table = call("hooks", "r", "--limit", "2").stdout.splitlines()
    assert [line.split()[2] for line in table[1:]] == ["on-run-complete", "on-iteration-end"]


def test_while_a_run_goes_on_a_failing_hook_is_told_of_in_its_view(home: Path) -> None:
    path = put(home, "on-log", "fail", "exit 9")
    write(
        "p.py",
        """
        @shell
        def wait():
            return "for n in $(seq 1000); do grep Code.:9 .a5c/runs/r/hooks.jsonl && break; sleep 0.02; done"

        async def process(inputs, ctx):
            ctx.log("begun")
            await ctx.task(wait)
        """,
    )
    ended = call("run", "p.py", "--run-id", "r", "--plain")
    assert f"hook {path}: exit code 9 (babysitter hooks r)\n" in ended.stdout


FAMILY = """
async def child(inputs, ctx):
    return await ctx.task(say, word=inputs["word"])

@shell
def say(word):
    return ["echo", word]

async def process(inputs, ctx):
    await ctx.parallel.map(["a", "b"], lambda word: ctx.subprocess(child, {"word": word}))
    if inputs["more"]:
        ctx.continue_as_new({"more": inputs["more"] - 1})
    return "done"
"""


@pytest.mark.parametrize("command", ["run", "create"])
def test_child_runs_and_those_that_go_on_have_their_own_calls(command: str) -> None:
    write("p.py", FAMILY)
    told(command, "p.py", "--run-id", "r", "-i", "more=1")
    for _ in range(4 if command == "create" else 0):
        run = "latest" if Path(".a5c/runs/r-c2").exists() else "r"
        told("work", run)
        told("iterate", run)
    found = calls()
    started = [each["runId"] for each in found if each["hook"] == "on-run-start"]
    completed = [each["runId"] for each in found if each["hook"] == "on-run-complete"]
    assert (len(started), len(set(started)), started[0]) == (6, 6, "r")
    assert sorted(completed) == sorted(set(started) - {"r"})
    parents = [
        each["parent"]["runId"] for each in found if each["hook"] == "on-run-start" and "parent" in each
    ]
    assert sorted(parents) == ["r", "r", "r-c2", "r-c2"]
    assert [each["continuedFrom"]["runId"] for each in found if "continuedFrom" in each] == ["r"]
    assert {each["exitCode"] for run in started for each in told("hooks", run)["hooks"]} == {0}


def test_a_fork_is_a_run_that_was_made() -> None:
    write("p.py", STEPS)
    told("create", "p.py", "--run-id", "r")
    calls()
    told("fork", "r", "--at", "1", "--run-id", "other")
    (started,) = calls()
    assert (started["hook"], started["runId"], started["forkedFrom"]["runId"]) == (
        "on-run-start",
        "other",
        "r",
    )


def test_a_round_in_which_nothing_is_written_is_no_iteration() -> None:
    write(
        "p.py",
        """
        @shell
        def wait(n):
            return f"until [ -e {n} ]; do sleep 0.01; done; touch {n + 1}"

        async def process(inputs, ctx):
            await ctx.parallel.map(range(3), lambda n: ctx.task(wait, n=n))
        """,
    )
    Path("0").touch()
    told("run", "p.py", "--jobs", "3")
    found = names()
    assert (found.count("iteration-start"), found.count("iteration-end")) == (2, 2)


def test_a_hook_that_hangs_is_ended_and_the_result_is_out_before(home: Path) -> None:
    put(home, "on-run-complete", "hang", "sleep 600")
    (home / "config.yaml").write_text("hookSeconds: 0.3\n")
    write("p.py", "async def process(inputs, ctx):\n    return 1\n")
    ended = call("run", "p.py", "--run-id", "r", "--json")
    assert (ended.code, ended.told["output"]) == (0, 1)
    assert told("hooks", "r", "--failed")["hooks"][0]["why"] == "it did not end within 0.3 s and was ended"


def test_the_answer_of_a_command_does_not_wait_for_hooks(home: Path) -> None:
    put(home, "on-run-complete", "wait", "until [ -e go ]; do sleep 0.01; done")
    write("p.py", "async def process(inputs, ctx):\n    return 1\n")
    process = start("run", "p.py", "--run-id", "r", "--json")
    assert process.stdout is not None
    first = process.stdout.readline()
    Path("go").touch()
    assert (json.loads(first)["output"], end(process).code) == (1, 0)


def test_hooks_of_what_a_hook_starts_are_not_called(home: Path) -> None:
    put(home, "on-run-complete", "again", f"{BABYSITTER} run p.py --run-id second --json")
    write("p.py", "async def process(inputs, ctx):\n    return 1\n")
    told("run", "p.py", "--run-id", "first")
    assert told("status", "second")["status"] == "completed"
    assert {called["runId"] for called in calls()} == {"first"}


def test_a_hook_cannot_answer_as_a_person_at_a_terminal(home: Path) -> None:
    script = f"import pty; pty.spawn(['{BABYSITTER}', 'approve', 'r'])"
    put(home, "on-breakpoint", "approve", f'{sys.executable} -c "{script}"')
    write(
        "p.py",
        "async def process(inputs, ctx):\n    return await ctx.breakpoint('Go?', assurance='terminal')\n",
    )
    told("run", "p.py", "--run-id", "r", code=8)
    assert [task["kind"] for task in told("tasks", "r", "--pending")["tasks"]] == ["breakpoint"]
    assert told("hooks", "r", "--failed")["hooks"] == []


def test_one_of_the_projects_is_executed_once_it_is_trusted(project: Path) -> None:
    put(project / ".a5c", "on-run-start", "mine", "touch executed")
    write("p.py", "async def process(inputs, ctx):\n    return 1\n")
    ended = call("create", "p.py", "--json")
    assert (ended.code, Path("executed").exists()) == (0, False)
    assert ended.stderr.startswith(
        "warning: hook .a5c/hooks/on-run-start/mine is not called: it is not trusted; "
    )
    checks = {check["check"]: check for check in told("doctor")["installation"]}
    assert (checks["hooks"]["level"], checks["hooks"]["cure"]) == ("WARN", "babysitter trust list")
    told("trust", "add", "--yes")
    told("create", "p.py")
    assert Path("executed").exists()


def test_calls_are_kept_with_a_run_that_is_packed() -> None:
    write("p.py", "async def process(inputs, ctx):\n    return 1\n")
    told("create", "p.py", "--run-id", "r")
    before = told("hooks", "r")["hooks"]
    told("archive", "r")
    assert (told("hooks", "r")["hooks"], len(before)) == (before, 4)


def test_a_command_that_is_interrupted_in_a_hook_ends_at_once(home: Path, project: Path) -> None:
    put(home, "on-run-complete", "a", f"echo > {project}/begun; sleep 600")
    write("p.py", "async def process(inputs, ctx):\n    return 1\n")
    process = start("run", "p.py", "--run-id", "r", "--json")
    wait_until(Path("begun").exists)
    process.send_signal(signal.SIGINT)
    ended = end(process)
    assert (ended.code, ended.told["output"]) == (0, 1)
    assert told("hooks", "r", "--failed")["hooks"][0]["why"] == "ended: the command was interrupted"


def test_after_a_kill_no_hook_is_called_again(home: Path, project: Path) -> None:
    path = put(home, "on-run-start", "a", f"echo $$ > {project}/begun; exec sleep 600")
    write("p.py", STEPS)
    process = start("create", "p.py", "--run-id", "r", "--json")
    wait_until(lambda: Path("begun").exists() and Path("begun").read_text().endswith("\n"))
    process.kill()
    end(process)
    os.kill(int(Path("begun").read_text()), signal.SIGKILL)
    path.unlink()
    told("iterate", "r")
    assert names() == ["iteration-start", "log", "task-start", "iteration-end"]


def test_a_hooks_folder_that_is_a_link_or_a_file_is_none(home: Path) -> None:
    (home / "hooks" / "on-run-halt" / "keep").unlink()
    (home / "hooks" / "on-run-halt").rmdir()
    (home / "hooks" / "on-run-halt").write_text("no folder")
    write("p.py", "async def process(inputs, ctx):\n    ctx.halt('enough')\n")
    ended = call("run", "p.py", "--run-id", "r", "--json")
    assert (ended.code, ended.stderr) == (1, "")


WHERE = ("runId", "runFolder", "project", "process")
ASKS = """
gate = define_task("gate", lambda args: {"kind": "breakpoint", "title": "Deploy", "breakpoint": {
    "question": "Deploy it?", "id": "confirm.deploy", "tags": ["prod"], "expert": ["owner"],
    "strategy": "single", "files": ["plan.md"], "deadline": 60, "attempt": 2, "previousFeedback": "too big",
    "default": "no"}})

async def process(inputs, ctx):
    await ctx.task(gate)
"""


def test_of_a_question_all_is_told_that_a_person_may_want_to_know() -> None:
    write("plan.md", "the plan")
    told("create", write("p.py", ASKS), "--run-id", "r")
    (called,) = [call for call in calls() if call["hook"] == "on-breakpoint"]
    asked = {name: called[name] for name in called if name not in ("effect", "hook", "seq", *WHERE)}
    assert (ms_of(asked.pop("deadline")) - ms_of(asked.pop("at"))) == 60_000
    assert asked == {
        "question": "Deploy it?",
        "id": "confirm.deploy",
        "tags": ["prod"],
        "expert": ["owner"],
        "strategy": "single",
        "files": [{"path": "plan.md"}],
        "attempt": 2,
        "previousFeedback": "too big",
    }


def test_of_a_question_nothing_is_told_that_it_does_not_say() -> None:
    told("create", write("p.py", "async def process(inputs, ctx):\n    await ctx.breakpoint('Go?')\n"))
    (called,) = [call for call in calls() if call["hook"] == "on-breakpoint"]
    assert sorted(called) == sorted(["at", "effect", "hook", "question", "seq", *WHERE])


def test_of_a_question_that_a_rule_has_answered_that_is_told() -> None:
    write("plan.md", "the plan")
    told("rule", "add", "--match", "confirm.*", "--always", "--yes")
    told("create", write("p.py", ASKS), "--run-id", "r")
    assert [call["answered"] for call in calls() if call["hook"] == "on-breakpoint"] == [True]
