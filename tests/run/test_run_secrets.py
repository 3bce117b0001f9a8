"""Secrets that a run meets are nowhere in its folder and on no screen; its values are as they were."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from tests.support.driving import babysitter, events, run_folder, told, write

if TYPE_CHECKING:
    from pathlib import Path

# In no file as they stand here: the process puts them together.
SHAPED = "ghp_" + "a1B2" * 9
GIVEN = "correct horse"
PROCESS = """
import sys

SHAPED = "ghp_" + "a1B2" * 9
PRINT = "import os, sys; print('out', {told}); print('err', {told}, file=sys.stderr); sys.exit({code})"


@shell(secrets=["GIVEN"], check=False)
def say_given():
    return [sys.executable, "-c", PRINT.format(told="os.environ['GIVEN']", code=0)]


@shell
def say_shaped():
    return [sys.executable, "-c", PRINT.format(told="'ghp_' + 'a1B2' * 9", code=0)]


@shell
def fail():
    return [sys.executable, "-c", PRINT.format(told="'ghp_' + 'a1B2' * 9", code=3)]


@python
def stumble():
    print("on", SHAPED)
    raise ValueError("about " + SHAPED)


@python
def give():
    return {"token": SHAPED}


@shell(parse="json")
def print_json():
    return [sys.executable, "-c", "import json; print(json.dumps({'token': 'ghp_' + 'a1B2' * 9}))"]


async def process(inputs, ctx):
    BODY
"""
EVERYWHERE = """
    ctx.log("with " + SHAPED, token="abcdef", text="password=abcdef1")
    ctx.progress(1, 2, "at " + SHAPED)
    await ctx.parallel.settled([lambda: ctx.task(say_given), lambda: ctx.task(say_shaped)])
    await ctx.parallel.settled([lambda: ctx.task(fail), lambda: ctx.task(stumble)])
    raise ValueError("in the end " + SHAPED)
"""
GIVES = """
    given = await ctx.task(give)
    printed = await ctx.task(print_json)
    recorded = ctx.record("it", lambda: SHAPED)
    return [given["token"], printed["token"], recorded]
"""


@pytest.fixture(autouse=True)
def given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIVEN", GIVEN)


def written(run: str) -> bytes:
    """All that is in the folder of a run."""
    return b"".join(path.read_bytes() for path in sorted(run_folder(run).rglob("*")) if path.is_file())


def begin(body: str) -> None:
    write("p.py", PROCESS.replace("BODY", body.strip()))


def screens() -> str:
    """What commands print about the newest run."""
    asked = [["show"], ["tasks"], ["events"], ["status"], ["events", "--json"], ["show", "--json"]]
    ended = [babysitter(command, "latest", *options) for command, *options in asked]
    return "".join(end.stdout + end.stderr for end in ended)


def test_a_secret_is_nowhere_in_the_run_and_on_no_screen() -> None:
    begin(EVERYWHERE)
    ended = babysitter("run", "p.py")
    told_at_last = babysitter("resume", "latest", "--json")
    text = ended.stdout + ended.stderr + told_at_last.stdout + told_at_last.stderr + screens()
    everything = text.encode() + written(told_at_last.told["run"])
    found = {word: everything.count(word.encode()) for word in (SHAPED, "a1B2a1B2", GIVEN, "abcdef")}
    assert (ended.code, set(found.values()), everything.count(b"[redacted]") > 20) == (7, {0}, True)


def test_what_is_redacted_says_where_it_stood() -> None:
    begin(EVERYWHERE)
    run = told(7, "run", "p.py")["run"]
    errors = [data["error"] for data in resolved(run) if data["status"] == "error"]
    log, progress = (event["data"] for event in events(run) if event["type"] == "PROCESS_LOG")
    assert [log["message"], log["fields"], progress["progress"]["label"]] == [
        "with [redacted]",
        {"token": "[redacted]", "text": "password=[redacted]"},
        "at [redacted]",
    ]
    assert sorted(error["message"].rpartition(": ")[2] for error in errors) == [
        "about [redacted]",
        "err [redacted]",
    ]


def test_a_traceback_of_the_process_is_redacted() -> None:
    begin(EVERYWHERE)
    problem = told(7, "run", "p.py")["problem"]
    assert (problem["message"], "ValueError: in the end [redacted]" in problem["traceback"]) == (
        "in the end [redacted]",
        True,
    )


def resolved(run: str) -> list[dict]:
    return [event["data"] for event in events(run) if event["type"] == "EFFECT_RESOLVED"]


def test_the_evidence_is_of_the_file_as_it_is() -> None:
    begin(EVERYWHERE)
    run = told(7, "run", "p.py")["run"]
    shell = [data for data in resolved(run) if "exitCode" in data.get("value", {})]
    hashed = [(data["evidence"]["stdoutSha256"], data["value"]["stdoutBytes"]) for data in shell]
    files = [run_folder(run) / "tasks" / data["effectId"] / "stdout.log" for data in shell]
    found = [(hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_size) for file in files]
    assert (len(found), hashed) == (2, found)


def test_values_are_never_redacted() -> None:
    begin(GIVES)
    assert told(0, "run", "p.py")["output"] == [SHAPED] * 3


def test_what_a_process_fails_with_is_a_value() -> None:
    begin('raise Failed("no", {"token": SHAPED})')
    assert told(1, "run", "p.py")["error"]["data"] == {"token": SHAPED}


def test_a_redacted_log_line_is_known_again() -> None:
    begin('ctx.log("with " + SHAPED)\n    await ctx.breakpoint("Go on?")\n    ctx.log("with " + SHAPED)')
    run = told(8, "run", "p.py")["run"]
    told(8, "resume", run)
    babysitter("approve", run)
    told(0, "resume", run)
    assert [event["type"] for event in events(run)].count("PROCESS_LOG") == 2


def test_a_run_whose_log_is_redacted_goes_on_when_that_is_switched_off(home: Path) -> None:
    begin('ctx.log("with " + SHAPED)\n    await ctx.breakpoint("Go on?")')
    run = told(8, "run", "p.py")["run"]
    (home / "config.yaml").write_text("redact: {enabled: false}")
    babysitter("approve", run)
    told(0, "resume", run)
    assert [event["type"] for event in events(run)].count("PROCESS_LOG") == 1


def test_without_redaction_all_is_written(home: Path) -> None:
    (home / "config.yaml").write_text("redact: {enabled: false}")
    begin(EVERYWHERE)
    found = written(told(7, "run", "p.py")["run"])
    assert (found.count(b"[redacted]"), SHAPED.encode() in found, GIVEN.encode() in found) == (0, True, True)


def test_a_project_adds_names_and_patterns() -> None:
    begin('ctx.log("ACME-" + "1234", pin="y" * 6)')
    os.mkdir(".a5c")
    write(".a5c/config.yaml", "redact: {names: [pin], patterns: ['ACME-[0-9]{4}']}")
    run = told(0, "run", "p.py")["run"]
    log = next(event["data"] for event in events(run) if event["type"] == "PROCESS_LOG")
    assert (log["message"], log["fields"]) == ("[redacted]", {"pin": "[redacted]"})


def test_a_secret_in_the_way_of_a_new_run_is_not_shown() -> None:
    write("p.py", 'SHAPED = "ghp_" + "a1B2" * 9\nraise ValueError("about " + SHAPED)\n')
    ended = babysitter("run", "p.py")
    assert (ended.code, "ValueError: about [redacted]" in ended.stderr) == (2, True)
