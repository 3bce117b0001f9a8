"""Tables for commands that look at runs."""

from __future__ import annotations

from typing import Any

import pytest

from babysitter.views.tables import (
    effect_lines,
    effects_lines,
    events_lines,
    run_lines,
    runs_lines,
    status_lines,
)

SCORE = {"name": "coverage", "value": 81, "round": 3, "best": 82, "target": 90, "stalled": False}
EVIL = "\x1b[2J\u202e\n"


def a_run(**more: Any) -> dict[str, Any]:
    return {
        "run": "checks-1",
        "process": "checks",
        "status": "waiting",
        "createdAt": "2026-11-24T01:48:21.123Z",
        "lastEventAt": "2026-11-24T01:49:24.123Z",
        "events": 7,
        "effects": {"ok": 2, "requested": 1},
        "pending": {"agent": 1},
        "folder": "/runs/checks-1",
        **more,
    }


def an_effect(**more: Any) -> dict[str, Any]:
    return {
        "id": "4f9k2m",
        "run": "checks-1",
        "step": "1.0.1",
        "task": "tests",
        "kind": "shell",
        "title": "Run the tests",
        "status": "ok",
        "requestedAt": "2026-11-24T01:48:21.123Z",
        "definition": {
            "kind": "shell",
            "shell": {"argv": ["pytest", "-k", "a b"], "timeout": 60, "env": None},
        },
        **more,
    }


def an_event(seq: int, type: str, **data: Any) -> dict[str, Any]:
    data = {"prev": "0", "batch": [1, 2], **data}
    return {"seq": seq, "type": type, "recordedAt": "2026-11-24T01:48:21.123Z", "data": data}


def test_runs_are_listed_with_what_is_done_and_what_pends() -> None:
    first = a_run(resolved=3, pending=1)
    second = {
        "run": "torn",
        "process": "",
        "status": "unreadable",
        "createdAt": "",
        "error": "event 3 is torn",
    }
    assert runs_lines([first, second]) == [
        "run       process  status      created               effects",
        "checks-1  checks   waiting     2026-11-24 01:48:21Z  3 done, 1 pending",
        "torn               unreadable                        event 3 is torn",
    ]


def test_packed_runs_are_marked_in_a_list() -> None:
    told = a_run(status="completed", resolved=3, pending=0, packed=True)
    assert "completed, packed" in runs_lines([told])[1]


def test_a_packed_run_tells_where_it_is_and_how_to_unpack_it() -> None:
    told = a_run(status="completed", packed=True, archive="/runs/.archive/checks-1.zip")
    del told["folder"]
    assert status_lines(told)[-2:] == [
        "packed in    /runs/.archive/checks-1.zip",
        "unpack with  babysitter restore checks-1",
    ]


def test_no_runs_tell_how_to_make_one() -> None:
    assert runs_lines([]) == ["no runs here; make one with: babysitter run PROCESS"]


def test_effects_are_listed() -> None:
    assert effects_lines([an_effect()]) == [
        "effect  step   kind   status  title",
        "4f9k2m  1.0.1  shell  ok      Run the tests",
    ]


def test_events_are_listed_with_their_gist() -> None:
    events = [
        an_event(1, "RUN_CREATED", processId="checks", runId="checks-1"),
        an_event(2, "EFFECT_REQUESTED", effectId="e1", stepId="1", kind="shell", label="Lint"),
        an_event(3, "EFFECT_RESOLVED", effectId="e1", status="ok"),
        an_event(4, "EFFECT_RESOLVED", effectId="e2", status="error", error={"name": "E", "message": "no"}),
        an_event(5, "EFFECT_CANCELLED", effectId="e1", reason="abandoned"),
        an_event(6, "PROCESS_LOG", message="hello"),
        an_event(7, "PROCESS_LOG", progress={"done": 1}),
        an_event(7, "PROCESS_LOG", key="k", score=SCORE),
        an_event(7, "PROCESS_LOG", key="k", score={"name": "score"}),
        an_event(8, "PROCESS_ERROR", name="KeyError", message="'x'", file="p.py", line=3),
        an_event(9, "RUN_FAILED", error={"name": "Failed", "message": "why"}),
        an_event(10, "RECORDED", scope="", name="files", value=[1]),
    ]
    assert [line.split("Z  ")[1] for line in events_lines(events)[1:]] == [
        "RUN_CREATED       checks checks-1",
        "EFFECT_REQUESTED  e1 1 shell Lint",
        "EFFECT_RESOLVED   e1 ok Lint",
        "EFFECT_RESOLVED   e2 error E: no",
        "EFFECT_CANCELLED  e1 abandoned Lint",
        "PROCESS_LOG       hello",
        'PROCESS_LOG       progress {"done":1}',
        "PROCESS_LOG       score coverage: 81 of 90, best 82, round 3",
        'PROCESS_LOG       {"key":"k","score":{"name":"score"}}',
        "PROCESS_ERROR     KeyError: 'x' (p.py:3)",
        "RUN_FAILED        Failed: why",
        'RECORDED          {"scope":"","name":"files","value":[1]}',
    ]


def test_effects_tell_their_attempt_who_works_on_them_and_whether_they_count() -> None:
    effects = [
        an_effect(status="error", attempt=1, maxAttempts=3),
        an_effect(status="requested", taken={"by": "session s-1", "attempt": 2}),
        an_effect(status="requested", taken={"by": "session s-1", "agent": "reviewer", "attempt": 2}),
        an_effect(status="ok", taken={"by": "session s-1", "attempt": 1}),
        an_effect(status="cancelled", cancelled="abandoned"),
        an_effect(status="cancelled", cancelled="cancelled"),
        an_effect(status="ok", superseded=True, attempt=2, maxAttempts=3),
    ]
    assert [" ".join(line.split()[3:]) for line in effects_lines(effects)[1:]] == [
        "error Run the tests (attempt 1 of 3)",
        "requested Run the tests (taken by session s-1)",
        "requested Run the tests (taken by reviewer)",
        "ok Run the tests",
        "abandoned Run the tests",
        "cancelled Run the tests",
        "(ok) Run the tests (attempt 2 of 3, counts no more)",
    ]


def test_events_of_what_goes_wrong_and_changes_have_a_gist_too() -> None:
    plan = [["asked", "e1", "1"], ["answered", "e1"], ["asked", "e2", "2"]]
    events = [
        an_event(1, "EFFECT_REQUESTED", effectId="e1", stepId="1", kind="agent", label="Fix", attempt=1),
        an_event(1, "EFFECT_REQUESTED", effectId="e3", stepId="2", kind="shell", label="T", maxAttempts=3),
        an_event(
            2,
            "EFFECT_REQUESTED",
            effectId="e2",
            stepId="1",
            kind="shell",
            label="T",
            attempt=2,
            maxAttempts=3,
        ),
        an_event(3, "EFFECT_TAKEN", effectId="e1", attempt=1, by="session s-1"),
        an_event(4, "EFFECT_TAKEN", effectId="e1", attempt=2, by="session s-1", agent="fixer"),
        an_event(5, "EFFECT_CANCELLED", effectId="e1", reason="cancelled", by="ada", why="not needed"),
        an_event(6, "RUN_CANCELLED", by="ada", reason="not today"),
        an_event(7, "RUN_HALTED", reason="enough"),
        an_event(8, "RUN_HALTED", reason="fire", by="ada", isAtOnce=True),
        an_event(9, "RUN_CONTINUED", runId="checks-1-c2", sha256="0"),
        an_event(10, "RUN_REWOUND", to="2", by="ada", plan=plan),
        an_event(11, "PROCESS_CHANGED", sourceDigests={"p.py": "0"}),
        an_event(12, "PROCESS_CHANGED", sourceDigests={}, accepted="keep", by="ada", plan=[]),
        an_event(13, "PATCHED", id="newer"),
        an_event(14, "WORKSPACE_SAVED", commit="0123456789abcdef"),
        an_event(15, "EFFECTS_REUSED", effects=[["e1", "3"], ["e2", "4.a.1"]]),
    ]
    assert [line.split("Z  ")[1] for line in events_lines(events)[1:]] == [
        "EFFECT_REQUESTED  e1 1 agent Fix",
        "EFFECT_REQUESTED  e3 2 shell T (attempt 1 of 3)",
        "EFFECT_REQUESTED  e2 1 shell T (attempt 2 of 3)",
        "EFFECT_TAKEN      e1 taken by session s-1, time 1 Fix",
        "EFFECT_TAKEN      e1 taken by fixer, time 2 Fix",
        "EFFECT_CANCELLED  e1 cancelled by ada (not needed) Fix",
        "RUN_CANCELLED     not today (by ada)",
        "RUN_HALTED        enough",
        "RUN_HALTED        at once: fire (by ada)",
        "RUN_CONTINUED     goes on as checks-1-c2",
        "RUN_REWOUND       to before step 2 (by ada); 1 result still counts",
        "PROCESS_CHANGED   the process was edited; what is answered still fits",
        "PROCESS_CHANGED   an edit was accepted, by the rule keep (by ada); 0 results still count",
        "PATCHED           newer: takes the new path",
        "WORKSPACE_SAVED   commit 0123456789ab",
        "EFFECTS_REUSED    kept results answer step 3, step 4.a.1",
    ]


def test_a_run_that_is_given_up_says_so_until_it_has_ended() -> None:
    told = a_run(cancelled={"by": "ada", "reason": "not today"})
    assert "given up    not today (by ada); it cleans up and ends" in status_lines(told)
    ended = status_lines({**told, "status": "halted", "reason": "not today", "by": "ada"})
    assert [line for line in ended if "not today" in line] == ["halted      not today (by ada)"]


def test_a_fork_tells_where_it_comes_from() -> None:
    told = a_run(forkedFrom={"runId": "checks-0", "step": "3"})
    assert "forked from  checks-0 at step 3" in status_lines(told)


def test_a_list_tells_which_runs_are_being_given_up() -> None:
    assert "being given up" in runs_lines([a_run(resolved=3, pending=1, cancelled=True)])[1]


def test_an_effect_tells_its_attempt_and_who_works_on_it() -> None:
    told = an_effect(attempt=2, maxAttempts=3, taken={"by": "session s-1", "attempt": 2})
    lines = [" ".join(line.split()) for line in effect_lines(told)]
    assert [line for line in lines if line.startswith(("attempt", "taken"))] == [
        "attempt attempt 2 of 3",
        "taken by session s-1, time 2",
    ]


def test_a_status_tells_what_the_tasks_took_and_what_was_saved() -> None:
    times = {"tasks": 2, "workMs": 9200, "busyMs": 5200, "savedMs": 4000}
    (took,) = [line for line in status_lines(a_run(times=times)) if line.startswith("took")]
    assert took == "took        1 m 03 s: 2 tasks, 9.2 s one after the other, 4.0 s saved"


def test_a_status_counts_what_a_process_has_given_up_in_the_word_of_the_list() -> None:
    effects = {"ok": 2, "cancelled": 3, "requested": 1}
    told = [line for given_up in (1, 3) for line in status_lines(a_run(effects=effects, abandoned=given_up))]
    assert [line for line in told if line.startswith("effects")] == [
        "effects     2 ok, 2 cancelled, 1 requested, 1 abandoned",
        "effects     2 ok, 1 requested, 3 abandoned",
    ]


@pytest.mark.parametrize(
    ("function", "expected"), [(effects_lines, "no effects"), (events_lines, "no events")]
)
def test_an_empty_list_says_so(function: Any, expected: str) -> None:
    assert function([]) == [expected]


def test_a_status_tells_where_the_run_stands_and_how_to_go_on() -> None:
    assert status_lines(a_run(until="2026-11-24T02:00:00.000Z")) == [
        "run         checks-1",
        "process     checks",
        "status      waiting",
        "created     2026-11-24 01:48:21Z",
        "last event  2026-11-24 01:49:24Z, number 7",
        "took        1 m 03 s",
        "effects     2 ok, 1 requested",
        "waits for   1 agent",
        "until       2026-11-24 02:00:00Z",
        "folder      /runs/checks-1",
        "go on with  babysitter resume checks-1",
    ]


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ({"output": {"lines": 3}, "proof": "4-ab"}, ["output", "  lines: 3", "proof       4-ab"]),
        ({"output": None, "proof": "4-ab"}, ["output      null", "proof       4-ab"]),
        ({"error": {"name": "Failed", "message": "no"}}, ["error       Failed: no"]),
        (
            {"error": {"name": "ShellFailed", "message": "no", "data": {"stdout": "words\n"}}},
            ["error       ShellFailed: no", "printed     words"],
        ),
        (
            {"problem": {"name": "KeyError", "message": "'x'", "file": "p.py", "line": 3, "hint": "mend it"}},
            ["problem     KeyError: 'x' (p.py:3)", "hint        mend it"],
        ),
    ],
)
def test_a_status_tells_how_the_run_ended(ending: dict[str, Any], expected: list[str]) -> None:
    lines = status_lines(a_run(status="completed", pending={}, **ending))
    assert lines[lines.index("folder      /runs/checks-1") + 1 :] == expected


def test_a_run_is_shown_with_inputs_and_effects() -> None:
    lines = run_lines(a_run(prompt="check it", inputs={"path": "."}, tasks=[an_effect()]))
    assert lines[-6:] == [
        "prompt      check it",
        "inputs",
        "  path: .",
        "",
        "effect  step   kind   status  title",
        "4f9k2m  1.0.1  shell  ok      Run the tests",
    ]


def test_an_effect_is_shown_with_what_it_asks_for_and_its_result() -> None:
    times = {"startedAt": "2026-11-24T01:48:21.123Z", "finishedAt": "2026-11-24T01:48:25.323Z"}
    group = {"path": "1", "mode": "map", "branch": "h", "label": "a.py"}
    assert effect_lines(an_effect(value={"exitCode": 0}, executor="local", group=group, **times)) == [
        "effect     4f9k2m",
        "run        checks-1",
        "step       1.0.1",
        "task       tests",
        "title      Run the tests",
        "kind       shell",
        "status     ok",
        "branch     a.py of parallel.map at step 1",
        "requested  2026-11-24 01:48:21Z",
        "took       4.2 s",
        "executor   local",
        "command    pytest -k 'a b'",
        "timeout    60",
        "result",
        "  exitCode: 0",
    ]


def test_a_prompt_keeps_its_lines() -> None:
    definition = {"kind": "agent", "agent": {"prompt": "Review this.\n\n+ line"}}
    lines = effect_lines(an_effect(kind="agent", definition=definition))
    assert lines[-4:] == ["prompt", "  Review this.", "  ", "  + line"]


def test_a_failed_effect_is_shown_with_all_that_is_known() -> None:
    error = {"name": "ValueError", "message": "no", "data": {"traceback": "Traceback:\n  line 3"}}
    assert effect_lines(an_effect(error=error))[-5:] == [
        "error      ValueError: no",
        "data",
        "  traceback:",
        "    Traceback:",
        "      line 3",
    ]


def test_a_definition_of_any_shape_is_shown() -> None:
    assert effect_lines(an_effect(kind="custom", definition={"kind": "custom", "custom": 3}))[-3:] == [
        "definition",
        "  kind: custom",
        "  custom: 3",
    ]


def test_nothing_in_a_table_can_act_on_the_terminal() -> None:
    effect = an_effect(title=EVIL, definition={"kind": EVIL, EVIL: EVIL}, value={EVIL: [EVIL]})
    lines = [
        *runs_lines([a_run(process=EVIL, resolved=1, pending=0)]),
        *effects_lines([effect]),
        *events_lines([an_event(1, "PROCESS_LOG", message=EVIL)]),
        *run_lines(a_run(status="failed", error={"message": EVIL}, prompt=EVIL, inputs=EVIL, tasks=[effect])),
        *effect_lines(effect),
    ]
    assert all(line.isprintable() for line in lines)


def a_series(*values: float, scope: str = "", **more: Any) -> dict[str, Any]:
    told = {"scope": scope, "name": "score", "values": list(values), "best": max(values), "stalled": False}
    return {**told, **more}


def scores_of(*series: dict[str, Any]) -> list[str]:
    """The lines of a status between those of the effects and of the folder."""
    lines = status_lines(a_run(pending={}, scores=list(series)))
    names = [line.split()[0] for line in lines]
    return [" ".join(line.split()) for line in lines[names.index("effects") + 1 : names.index("folder")]]


def test_a_score_is_a_line_of_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")  # whose console has no arrow
    assert scores_of(a_series(61, 74, 82, target=90)) == ["score 61 -> 74 -> 82 of 90, best 82"]


def test_several_scores_stand_below_each_other_those_of_branches_with_their_path() -> None:
    assert scores_of(a_series(61), a_series(3, scope="2.ab.", name="defects")) == [
        "scores",
        "61, best 61",
        "2.ab: defects: 3, best 3",
    ]


def test_of_very_many_scores_the_last_are_listed() -> None:
    lines = scores_of(*(a_series(number, scope=f"1.{number}.") for number in range(25)))
    assert (lines[:3], lines[-1], len(lines)) == (
        ["scores", "5 before these", "1.5: 5, best 5"],
        "1.24: 24, best 24",
        22,
    )


def test_a_run_without_scores_has_no_line_for_them() -> None:
    assert scores_of() == []


def test_the_name_of_a_score_is_printed_escaped() -> None:
    assert all(line.isprintable() for line in status_lines(a_run(scores=[a_series(1, name=EVIL)])))
