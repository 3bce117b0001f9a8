"""Plain lines as things happen."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from typing import Any

import pytest
from stories import START, Shown

from babysitter.executors.rates import Wait
from babysitter.rate import KIND, Rate
from babysitter.views.plain import PlainView
from babysitter.views.summary import Outcome
from babysitter.views.tree import RunInfo

DONE = Outcome("completed", None, None, [], "")


class Plain(Shown):
    """A story with the lines that were written for it; the first names the run."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        super().__init__(PlainView(self.stream))

    @property
    def lines(self) -> list[str]:
        return [" ".join(line.split()) for line in self.stream.getvalue().splitlines()]


def test_the_run_is_named_first() -> None:
    assert Plain().lines == ["run checks-1 /runs/checks-1"]


def test_an_effect_is_told_when_it_starts_and_when_it_ends() -> None:
    plain = Plain()
    plain.run("1", "Lint", 4.2)
    assert plain.lines[1:] == ["start Lint", "ok Lint 4.2 s"]


def test_a_failure_is_told_with_its_reason() -> None:
    plain = Plain()
    plain.request("1", "Lint")
    plain.execute("1")
    plain.wait(1)
    plain.fail("1", "three\nerrors")
    assert plain.lines[2:] == ["failed Lint 1.0 s three\\nerrors"]


def test_an_exit_code_that_is_allowed_is_told() -> None:
    plain = Plain()
    plain.request("1", "Lint")
    plain.execute("1")
    plain.resolve("1", {"exitCode": 5})
    assert plain.lines[2:] == ["exit 5 Lint 0 ms"]


def test_a_cancelled_effect_is_told() -> None:
    plain = Plain()
    plain.request("1", "Lint")
    plain.cancel("1")
    assert plain.lines[1:] == ["abandoned Lint"]


def refuse(shown: Shown, steps: list[str], why: str = "used up") -> None:
    """What a budget does not allow for is asked for, and has failed at once."""
    for step in steps:
        shown.request(step, "Review", "agent", item=step)
    for step in steps:
        told = {"status": "error", "error": {"name": "BudgetReached", "message": why}, "executor": "budget"}
        shown.event("EFFECT_RESOLVED", {"effectId": f"effect-{step}", **told})


def test_what_a_budget_does_not_allow_for_is_told_in_one_line() -> None:
    plain = Plain()
    refuse(plain, ["1.a.1", "1.b.1", "1.c.1"])
    plain.log("done")
    refuse(plain, ["2"], "no more")
    plain.view.tick()
    assert plain.lines[1:] == [
        "failed 1.a.1: Review and 2 more 0 ms used up",
        "log done",
        "failed Review 0 ms no more",
    ]


def test_a_branch_is_named_before_its_effect() -> None:
    plain = Plain()
    plain.request("1.h.1", "Count", mode="map", item="a.py")
    plain.execute("1.h.1")
    assert plain.lines[1:] == ["start a.py: Count"]


def test_a_breakpoint_and_a_sleep_are_told_when_they_are_asked_for() -> None:
    plain = Plain()
    plain.request("1.0.1", "Merge", "breakpoint", question="Really?")
    plain.request("1.1.1", "Settle", "sleep", seconds=90)
    assert plain.lines[1:] == ["person Merge: Really?", "clock Settle, 1 m 30 s left"]


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"approved": True}, "approved Merge 0 ms"),
        ({"approved": True, "option": "tonight"}, "approved Merge 0 ms tonight"),
        ({"approved": False, "feedback": "too early\nfor us"}, "rejected Merge 0 ms too early"),
        (None, "answered Merge 0 ms"),
    ],
)
def test_a_breakpoint_that_is_decided_is_told_with_its_decision(value: Any, line: str) -> None:
    plain = Plain()
    plain.request("1", "Merge", "breakpoint")
    plain.resolve("1", value)
    assert plain.lines[-1] == line


def test_log_lines_come_with_their_fields() -> None:
    plain = Plain()
    plain.log("found", files=3, tool="ruff", words="two words")
    assert plain.lines[1:] == ['log found files=3 tool=ruff words="two words"']


def test_a_score_is_told_with_those_before_it() -> None:
    plain = Plain()
    plain.score(1, 61, target=90)
    plain.score(2, 74, target=90)
    assert plain.lines[1:] == ["score 61 of 90, best 61", "score 61 -> 74 of 90, best 74"]


def test_the_score_of_a_branch_is_told_with_its_item() -> None:
    plain = Plain()
    plain.request("1.a.1", "Review", mode="map", item="a.py")
    plain.score(1, 3, scope="1.a.", name="defects")
    plain.score(1, 4, scope="1.1.")
    assert plain.lines[1:] == ["score a.py: defects: 3, best 3", "score branch 1: 4, best 4"]


def test_the_name_of_a_score_cannot_pass_for_a_line() -> None:
    plain = Plain()
    plain.score(1, 3, name="x\nrun \x1b[2J")
    assert plain.lines[1:] == ["score x\\nrun \\x1b[2J: 3, best 3"]


def test_a_score_from_before_is_not_told_again_but_counts() -> None:
    plain = Plain()
    plain.now = START - 60_000
    plain.score(1, 61)
    plain.now = START
    plain.score(2, 74)
    assert plain.lines[1:] == ["score 61 -> 74, best 74"]


def test_a_stream_that_has_the_arrow_gets_it() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
    shown = Shown(PlainView(stream))
    shown.score(1, 1)
    shown.score(2, 2)
    stream.seek(0)
    assert stream.read().splitlines()[-1] == "score     1 → 2, best 2"


def test_an_error_of_the_author_is_told_with_its_place() -> None:
    plain = Plain()
    plain.event("PROCESS_ERROR", {"name": "KeyError", "message": "'x'", "file": "p.py", "line": 3})
    assert plain.lines[1:] == ["stuck KeyError: 'x' (p.py:3)"]


def test_an_edit_that_asks_anew_was_accepted_by_nobody() -> None:
    plain = Plain()
    plain.event("PROCESS_CHANGED", {"sourceDigests": {}, "gates": [], "plan": []})
    assert plain.lines[1:] == [
        "changed the process was edited since; what reads otherwise now is asked for anew"
    ]


def test_an_edited_process_is_told() -> None:
    plain = Plain()
    plain.event("PROCESS_CHANGED", {"sourceDigests": {}})
    assert plain.lines[1:] == ["changed the process was edited since; the run goes on with it"]


def test_progress_is_told_once_a_second() -> None:
    plain = Plain()
    for done in range(5):
        plain.progress(done, 4, "files")
        plain.wait(0.25)
    assert plain.lines[1:] == ["progress 0/4 files", "progress 4/4 files"]


def test_progress_of_one_scope_does_not_hold_back_that_of_another() -> None:
    plain = Plain()
    plain.request("1.a.1", "Copy", mode="map", item="a")
    plain.progress(1, 4, "files")
    plain.progress(2, None, scope="1.a.")
    assert plain.lines[1:] == ["progress 1/4 files", "progress a: Copy: 2"]


def test_progress_that_was_held_back_is_told_at_a_tick() -> None:
    plain = Plain()
    plain.progress(1, 4)
    plain.progress(2, 4)
    plain.wait(1)
    plain.view.tick()
    plain.view.tick()
    assert plain.lines[1:] == ["progress 1/4", "progress 2/4"]


def test_progress_that_was_held_back_is_told_at_the_end() -> None:
    plain = Plain()
    plain.progress(1, 4)
    plain.progress(4, 4)
    plain.view.finished(DONE)
    assert plain.lines[1:3] == ["progress 1/4", "progress 4/4"]


def test_what_was_there_before_resuming_is_one_line() -> None:
    plain = Plain()
    plain.now = START - 60_000
    plain.log("long ago")
    plain.request("1")
    plain.resolve("1")
    plain.now = START
    plain.log("news")
    plain.log("more news")
    assert plain.lines[1:] == ["before 1 effect done", "log news", "log more news"]


def test_lines_wait_while_a_question_stands_on_the_terminal() -> None:
    plain = Plain()
    plain.view.pause()
    plain.log("meanwhile")
    before = plain.lines[1:]
    plain.view.resume()
    assert (before, plain.lines[1:]) == ([], ["log meanwhile"])


def test_a_command_that_ends_during_a_question_still_tells_everything() -> None:
    plain = Plain()
    plain.view.pause()
    plain.log("meanwhile")
    plain.view.finished(DONE)
    assert plain.lines[1:3] == ["", "log meanwhile"]


def test_a_message_is_one_line() -> None:
    plain = Plain()
    plain.view.message("two\nlines")
    assert plain.lines[1:] == ["two\\nlines"]


def test_a_stream_without_the_characters_gets_them_spelled_out() -> None:
    raw = io.BytesIO()
    view = PlainView(io.TextIOWrapper(raw, "ascii"))
    view.message("café ✓")
    assert raw.getvalue() == b"caf\\xe9 \\u2713\n"


def test_the_work_goes_on_when_nobody_reads_any_more() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    view = PlainView(Closed())
    view.started(RunInfo("r", "p", "p", "/r"))
    view.finished(DONE)
    assert view.run.run_id == "r"


@pytest.mark.parametrize("module", ["plain", "quiet", "tables", "live"])
def test_a_view_is_imported_without_what_is_heavy(module: str) -> None:
    heavy = ("rich", "typing", "dataclasses", "re", "enum", "json", "datetime", "shutil")
    program = f"import sys, babysitter.views.{module}; print(*set({heavy!r}) & set(sys.modules))"
    told = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []


def held(name: str, seconds: float) -> Wait:
    return Wait(Rate("", KIND, name, "1/minute"), START + round(seconds * 1000))


def test_what_waits_for_a_rate_limit_is_told_once_a_minute_with_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "localtime", time.gmtime)
    plain = Plain()
    for seconds in (0, 1, 61):
        plain.view.held(
            {"effect-1": held("agent", seconds + 20.5), "effect-2": held("agent", seconds + 20.5)}
        )
        plain.wait(1 if seconds == 0 else 60)
    plain.view.held({"effect-3": held("review", 90)})
    assert plain.lines[1:] == [
        "limit 2 effects wait for the rate limit of agent, next at 08:00:21",
        "limit 2 effects wait for the rate limit of agent, next at 08:01:22",
        "limit 1 effect waits for the rate limit of review, next at 08:01:30",
    ]
