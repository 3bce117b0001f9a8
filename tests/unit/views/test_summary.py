"""What is told at the end of a command."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stories import START, Shown, Story

from babysitter.clock import iso
from babysitter.runs.worked import covered
from babysitter.views.marks import text_of
from babysitter.views.summary import Outcome, summary_lines
from babysitter.views.times import Times

ASKED = {"stepId": "1", "taskId": "count", "kind": "shell", "argsHash": "", "attempt": 1}


def told(shown: Shown, status: str = "completed", **more: Any) -> list[str]:
    """The summary, without its first line, which is empty."""
    values = {"output": None, "error": None, "waiting_for": [], "hint": "", **more}
    lines = summary_lines(shown.view.tree, Outcome(status, **values))
    return [text_of(line).rstrip() for line in lines[1:]]


def in_parallel(shown: Shown, *seconds: float) -> None:
    """Shell effects that start together and take so long each."""
    for number in range(len(seconds)):
        shown.request(f"1.{number}.1", f"Task {number}")
        shown.execute(f"1.{number}.1")
    before = 0.0
    for length, number in sorted((length, number) for number, length in enumerate(seconds)):
        shown.wait(length - before)
        before = length
        shown.resolve(f"1.{number}.1", {"exitCode": 0})


def test_a_table_has_what_ran_with_verdicts_and_times() -> None:
    shown = Shown()
    shown.run("1", "Tests", 4.2)
    shown.request("2", "Lint")
    shown.execute("2")
    shown.wait(1)
    shown.resolve("2", {"exitCode": 3})
    shown.request("3", "日本", "agent")
    shown.cancel("3")
    assert told(shown)[:4] == [
        "  + Tests  ok             4.2 s",
        "  ! Lint   exit 3         1.0 s",
        "  - 日本   abandoned       0 ms",
        "",
    ]


def test_what_loops_have_reached_is_told() -> None:
    shown = Shown()
    shown.request("1.a.1", "Review", mode="map", item="a.py")
    shown.score(1, 61, target=90)
    shown.score(2, 74, target=90)
    shown.score(1, 5, scope="1.a.")
    assert told(shown)[2:5] == ["score  61 -> 74 of 90, best 74", "score  a.py: 5, best 5", ""]


def test_the_last_line_tells_the_time_saved_against_one_after_the_other() -> None:
    shown = Shown()
    shown.event("RUN_CREATED", {})
    in_parallel(shown, 5, 4, 1)
    shown.event("RUN_COMPLETED", {})
    assert told(shown)[-1] == (
        "completed in 5.0 s: 3 tasks, 10.0 s one after the other, 5.0 s saved by working in parallel"
    )


def test_nothing_is_said_about_saving_where_nothing_overlapped() -> None:
    shown = Shown()
    shown.event("RUN_CREATED", {})
    shown.run("1", seconds=2)
    assert told(shown)[-1] == "completed in 2.0 s: 1 task, 2.0 s one after the other"


def test_neither_a_night_between_nor_a_person_counts_as_saved() -> None:
    shown = Shown()
    in_parallel(shown, 2, 2)
    shown.request("2", "Merge", "breakpoint")
    shown.wait(40_000)
    shown.resolve("2", {"approved": True})
    times = Times(shown.view.tree)
    assert (times.tasks, times.work_ms, times.saved_ms) == (2, 4000, 2000)


def test_the_summary_says_what_was_decided() -> None:
    shown = Shown()
    for step, value in (("1", {"approved": True, "option": "eu\x1b[2J"}), ("2", {"approved": False})):
        shown.request(step, "Merge", "breakpoint")
        shown.resolve(step, value)
    assert [line.split("  ")[1:3] for line in told(shown)[:2]] == [
        ["+ Merge", "approved: eu\\x1b[2J"],
        ["! Merge", "rejected"],
    ]


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)).map(sorted).map(tuple)))
def test_the_time_covered_by_spans_is_that_of_their_union(spans: list[tuple[int, int]]) -> None:
    assert covered(spans) == len({moment for start, end in spans for moment in range(start, end)})


def test_a_failed_run_shows_the_end_of_what_the_failing_command_printed() -> None:
    shown = Shown()
    shown.request("1", "Tests")
    shown.fail(
        "1", "pytest: exit code 1", data={"stdout": "1 failed\n", "stderr": "\x1b[31mwarning\x1b[0m\n"}
    )
    shown.ends_by("1")
    error = {"name": "Failed", "message": "the checks failed"}
    assert told(shown, "failed", error=error)[2:7] == [
        "Tests: pytest: exit code 1",
        "  1 failed",
        "  warning",
        "",
        "error: Failed: the checks failed",
    ]


def test_an_error_that_is_the_commands_own_is_told_once() -> None:
    shown = Shown()
    shown.request("1", "Tests")
    error = {"name": "ShellFailed", "message": "exit code 1", "data": {"stdout": "1 failed\n"}}
    shown.fail("1", **{name: error[name] for name in ("message", "data")})
    shown.event("RUN_FAILED", {"error": {**error, "effectId": "effect-1"}})
    text = "\n".join(told(shown, "failed", error=error))
    assert (text.count("exit code 1"), text.count("1 failed")) == (1, 1)


def test_a_long_output_is_cut_at_its_beginning() -> None:
    shown = Shown()
    shown.request("1")
    shown.fail("1", data={"stdout": "".join(f"line {number}\n" for number in range(100))})
    shown.ends_by("1")
    lines = told(shown, "failed")
    assert ("  line 84" in lines, "  line 85" in lines, "  line 99" in lines) == (False, True, True)


def test_the_outputs_of_the_last_failures_are_shown_and_the_others_counted() -> None:
    shown = Shown()
    for number in range(5):
        shown.request(str(number), f"Task {number}")
        shown.fail(str(number), data={"traceback": f"Traceback {number}"})
    shown.ends_by(*"01234")
    lines = told(shown, "failed")
    assert [line for line in lines if "Traceback" in line] == [
        f"  Traceback {number}" for number in (2, 3, 4)
    ]
    assert "and 2 more; babysitter show RUN EFFECT has each" in lines


def test_a_failure_that_the_process_has_caught_is_not_shown_as_the_cause() -> None:
    shown = Shown()
    shown.request("1.0.1", "Check", item="x.md")
    shown.fail("1.0.1", "it is not UTF-8", data={"traceback": "Traceback\n  ValueError"})
    shown.ends_by(message="5 links are broken")
    assert told(shown, "failed", error={"name": "Failed", "message": "5 links are broken"})[2:5] == [
        "error: Failed: 5 links are broken",
        "",
        "the process went on after this failure: x.md: Check: it is not UTF-8",
    ]


def test_many_caught_failures_are_told_in_one_line_without_the_cause() -> None:
    shown = Shown()
    for number in range(6):
        shown.request(str(number), f"Task {number}")
        shown.fail(str(number), data={"traceback": f"Traceback {number}"})
    shown.ends_by("3")
    lines = told(shown, "failed")
    assert [line for line in lines if "Traceback" in line] == ["  Traceback 3"]
    assert lines[-3] == (
        "the process went on after 5 failures: Task 0, Task 1, Task 2 and 2 more;"
        " babysitter show RUN EFFECT has each"
    )


def test_a_bad_exit_code_that_is_a_result_is_said_to_be_one() -> None:
    shown = Shown()
    shown.request("1", "Tests")
    shown.resolve("1", {"exitCode": 3, "stdout": "1 failed\n"})
    shown.ends_by()
    assert told(shown, "failed")[2:4] == ["Tests: exit code 3, with which the process went on", "  1 failed"]


def test_what_a_failure_on_purpose_hands_on_of_a_command_is_shown_once() -> None:
    data = {"stdout": "1 failed\n"}
    error = {"name": "Failed", "message": "no", "data": data}
    assert told(Shown(), "failed", error=error)[:2] == ["error: Failed: no", "  1 failed"]
    shown = Shown()
    shown.request("1")
    shown.fail("1", data=data)
    shown.ends_by("1")
    assert told(shown, "failed", error=error).count("  1 failed") == 1


def test_a_parent_that_ends_by_a_child_shows_what_failed_in_the_child() -> None:
    shown, child = Shown(), Story(lambda event: None)
    shown.request("1", "Tidy", "subprocess")
    child.tell = lambda event: shown.view.event_below(event, "1.child.", "child-1")
    child.event("EFFECT_REQUESTED", {**ASKED, "effectId": "inner"})
    error = {"name": "ShellFailed", "message": "exit code 1", "data": {"stdout": "no space\n"}}
    child.event("EFFECT_RESOLVED", {"effectId": "inner", "status": "error", "error": error})
    child.event("RUN_FAILED", {"error": {**error, "effectId": "inner"}})
    shown.fail("1", "exit code 1", data={"runId": "child-1"})
    shown.ends_by("1")
    assert "  no space" in told(shown, "failed")


@pytest.mark.parametrize("causes", [5, "effect-1", [None, ["effect-1"], "effect-2"]])
def test_causes_that_are_none_are_passed_over(causes: object) -> None:
    shown = Shown()
    shown.event("RUN_FAILED", {"error": {"name": "Failed", "message": "no", "causes": causes}})
    assert shown.view.tree.causes() == []


def test_a_completed_run_shows_no_outputs_of_failures() -> None:
    shown = Shown()
    shown.request("1")
    shown.fail("1", data={"stdout": "caught by the process"})
    assert "caught by the process" not in "\n".join(told(shown))


def test_the_data_of_a_failure_on_purpose_is_told() -> None:
    error = {"name": "Failed", "message": "no", "data": {"checks": [{"name": "lint", "ok": False}]}}
    assert told(Shown(), "failed", error=error)[:4] == [
        "error: Failed: no",
        "  checks:",
        "    name  ok",
        "    lint  false",
    ]


def test_an_error_of_the_author_has_place_traceback_and_cure() -> None:
    error = {
        "name": "ForeignAwait",
        "message": "not a step",
        "file": "p.py",
        "line": 3,
        "traceback": "Traceback:\n  line 3\n",
        "hint": "await steps",
    }
    assert told(Shown(), "stuck", error=error)[:4] == [
        "error: ForeignAwait: not a step (p.py:3)",
        "  Traceback:",
        "    line 3",
        "  await steps",
    ]


def test_the_output_of_a_completed_run_is_told() -> None:
    assert told(Shown(), output={"merged": True})[0] == "merged: true"


def test_a_waiting_run_tells_for_what_and_how_to_go_on() -> None:
    lines = told(Shown(), "waiting", waiting_for=["agent abc: Review"], hint="babysitter resume r")
    assert lines == [
        "waiting for",
        "  agent abc: Review",
        "",
        "waiting after 0 ms",
        "next: babysitter resume r",
    ]


def test_a_long_list_of_what_is_waited_for_is_counted() -> None:
    lines = told(Shown(), "waiting", waiting_for=[f"agent {number}" for number in range(100)])
    assert lines[40:42] == ["  agent 39", "  and 60 more"]


def test_a_large_run_is_summed_up_by_title_with_its_failures() -> None:
    shown = Shown()
    for number in range(100):
        shown.request(f"1.{number}.1", "Count", mode="map", item=f"file {number}")
        shown.execute(f"1.{number}.1")
        shown.wait(1)
        if number == 70:
            shown.fail(f"1.{number}.1")
        else:
            shown.resolve(f"1.{number}.1")
    assert told(shown)[:3] == [
        "  x Count (100 times)  1 failed, 99 ok   1 m 40 s",
        "  x file 70: Count     failed               1.0 s",
        "",
    ]


@pytest.mark.parametrize("field", ["hint", "waiting_for", "error", "output"])
def test_nothing_that_is_told_can_act_on_the_terminal(field: str) -> None:
    evil = "\x1b[2J\u202e"
    values: dict[str, Any] = {
        "hint": evil,
        "waiting_for": [evil],
        "error": {"name": evil, "message": evil, "traceback": evil, "hint": evil, "data": {evil: [evil]}},
        "output": {evil: [evil, {"a": evil}]},
    }
    shown = Shown()
    shown.request("1", evil)
    shown.fail("1", evil, data={"stdout": evil})
    status = {"error": "failed", "output": "completed"}.get(field, "waiting")
    assert all(line.isprintable() for line in told(shown, status, **{field: values[field]}))


def test_what_a_budget_did_not_allow_for_has_one_line_and_is_no_task() -> None:
    shown = Shown()
    shown.run("1", "Tests")
    for step in ("2", "3", "4"):
        shown.request(step, "Review", "agent")
        error = {"name": "BudgetReached", "message": "used up"}
        shown.event(
            "EFFECT_RESOLVED",
            {"effectId": f"effect-{step}", "status": "error", "error": error, "executor": "budget"},
        )
    lines = told(shown)
    assert [line.split() for line in lines[:2]] == [
        ["+", "Tests", "ok", "1.0", "s"],
        ["x", "Review", "and", "2", "more", "failed", "0", "ms"],
    ]
    assert Times(shown.view.tree).tasks == 1


def test_what_a_fork_has_taken_over_took_no_time_of_it() -> None:
    shown = Shown()
    shown.event("RUN_CREATED", {"createdAt": iso(START + 60_000), "forkedFrom": {"runId": "r", "step": "2"}})
    shown.request("1", "Tests")
    shown.wait(5)
    shown.resolve("1", {"exitCode": 0}, evidence={"copiedFrom": {"runId": "r", "effectId": "e"}})
    times = Times(shown.view.tree)
    assert (times.wall_ms, times.tasks) == (0, 0)
    shown.wait(57)
    shown.run("2", "Lint", seconds=3)
    times = Times(shown.view.tree)
    assert (times.wall_ms, times.tasks, times.work_ms) == (5000, 1, 3000)
