"""The state of a run: events folded in, and orders that cannot be refused."""

from __future__ import annotations

from typing import Any

import pytest

from babysitter.engine.state import RunState
from babysitter.errors import CorruptEvent, UnknownLayout
from tests.support.rounds import Event, created

CREATED = ("RUN_CREATED", created())
REQUESTED = (
    "EFFECT_REQUESTED",
    {
        "effectId": "e1",
        "stepId": "1",
        "taskId": "lint",
        "kind": "shell",
        "label": "Lint",
        "argsHash": "0",
        "definition": {"kind": "shell"},
        "attempt": 1,
        "group": {"path": "1", "mode": "all", "branch": "0"},
    },
)
RESOLVED = ("EFFECT_RESOLVED", {"effectId": "e1", "status": "ok", "value": 7, "executor": "pool"})
FAILED = ("EFFECT_RESOLVED", {"effectId": "e1", "status": "error", "error": {"name": "ShellFailed"}})
CANCELLED = ("EFFECT_CANCELLED", {"effectId": "e1"})
RECORDED = ("RECORDED", {"scope": "", "index": 1, "name": "files", "value": []})
LOGGED = ("PROCESS_LOG", {"scope": "", "key": "k", "message": "m", "fields": {}})
MARKED = ("PROCESS_LOG", {"scope": "1.0.", "index": 3, "progress": {"done": 1}})
SCORED = (
    "PROCESS_LOG",
    {
        "scope": "",
        "key": "k1",
        "score": {"name": "score", "value": 5, "round": 1, "best": 5, "reached": False, "stalled": False},
    },
)
PROBLEM = ("PROCESS_ERROR", {"name": "NameError", "message": "x"})
CHANGED = ("PROCESS_CHANGED", {"sourceDigests": {"process.py": "1"}})
COMPLETED = ("RUN_COMPLETED", {"output": 1, "sha256": "0"})
RUN_FAILED = ("RUN_FAILED", {"error": {"name": "Failed", "message": "x"}})


def fold(*events: tuple[str, dict[str, Any]]) -> RunState:
    state = RunState()
    for seq, (kind, data) in enumerate(events, 1):
        state.apply(Event(seq, kind, seq * 10, data))  # type: ignore[arg-type]
    return state


# What people permit.

BOUND = ("SESSION_BOUND", {"host": "claude-code", "sessionId": "s"})
RELEASED = ("SESSION_RELEASED", {"sessionId": "s", "reason": "end"})


def permitted(what: str) -> tuple[str, dict[str, Any]]:
    return ("PERMITTED", {"what": what, "by": "me", "assurance": "command", "evidence": {}})


def open_permits(*events: tuple[str, dict[str, Any]]) -> list[str]:
    return [permit["what"] for permit in fold(CREATED, BOUND, *events).permits]


def test_a_permit_stays_until_use_is_made_of_it() -> None:
    every = [permitted(what) for what in ("edit", "release", "rebind", "halt")]
    told = [open_permits(*every), open_permits(*every, RELEASED), open_permits(*every, CHANGED)]
    assert told == [["edit", "release", "rebind", "halt"], ["edit", "halt"], ["release", "rebind", "halt"]]


def test_a_policy_is_chosen_at_the_beginning_or_permitted_later() -> None:
    kind, data = CREATED
    by_options = fold((kind, {**data, "options": {"breakpoints": "policy"}}))
    told = [fold(CREATED), by_options, fold(CREATED, permitted("policy"))]
    assert [state.answers_by_policy for state in told] == [False, True, True]


def test_which_files_hold_gates_is_known_from_the_last_that_said_so() -> None:
    kind, data = CREATED
    created = (kind, {**data, "gates": ["process.py"]})
    changed = (CHANGED[0], {**CHANGED[1], "gates": []})
    told = [fold(CREATED), fold(created), fold(created, CHANGED), fold(created, changed)]
    assert [state.gates for state in told] == [None, ["process.py"], ["process.py"], []]


# Effects.


def test_a_requested_effect_is_pending() -> None:
    state = fold(CREATED, REQUESTED)
    effect = state.pending["e1"]
    assert (effect.status, effect.step, effect.requested_ms, effect.is_pending) == (
        "requested",
        "1",
        20,
        True,
    )


def test_a_result_ends_the_waiting() -> None:
    state = fold(CREATED, REQUESTED, RESOLVED)
    effect = state.effects["e1"]
    assert (effect.status, effect.value, effect.executor, effect.resolved_seq) == ("ok", 7, "pool", 3)
    assert state.pending == {}


def test_a_failed_effect_has_its_error() -> None:
    effect = fold(CREATED, REQUESTED, FAILED).effects["e1"]
    assert (effect.status, effect.error) == ("error", {"name": "ShellFailed"})


def test_a_cancelled_effect_is_no_longer_pending() -> None:
    state = fold(CREATED, REQUESTED, CANCELLED)
    assert (state.effects["e1"].status, state.pending) == ("cancelled", {})


@pytest.mark.parametrize("answer", [RESOLVED, FAILED, CANCELLED])
def test_a_definition_is_kept_no_longer_than_it_is_needed(answer: Any) -> None:
    assert fold(CREATED, REQUESTED, answer).effects["e1"].definition is None


def test_large_definitions_and_results_are_known_by_file_and_digest() -> None:
    data = {name: value for name, value in REQUESTED[1].items() if name != "definition"}
    large = ("EFFECT_REQUESTED", {**data, "definitionRef": "d.json", "definitionSha256": "1"})
    answer = ("EFFECT_RESOLVED", {"effectId": "e1", "status": "ok", "resultRef": "r.json", "sha256": "2"})
    effect = fold(CREATED, large, answer).effects["e1"]
    assert (effect.definition_ref, effect.result_ref) == (("d.json", "1"), ("r.json", "2"))


# The run.


def test_a_run_begins_by_waiting() -> None:
    state = fold(CREATED)
    assert (state.run_id, state.process_id, state.status, state.created_ms, state.is_finished) == (
        "run-1",
        "process",
        "waiting",
        10,
        False,
    )


@pytest.mark.parametrize(("end", "status"), [(COMPLETED, "completed"), (RUN_FAILED, "failed")])
def test_an_end_finishes_the_run(end: Any, status: str) -> None:
    state = fold(CREATED, end)
    assert (state.status, state.is_finished, state.ending, state.ended_ms) == (status, True, end[1], 20)


def test_an_error_of_the_author_leaves_the_run_stuck_and_not_finished() -> None:
    state = fold(CREATED, PROBLEM)
    assert (state.status, state.problem, state.is_finished) == ("stuck", PROBLEM[1], False)


@pytest.mark.parametrize("sign", [REQUESTED, CHANGED, RECORDED])
def test_a_stuck_run_that_goes_on_is_stuck_no_longer(sign: Any) -> None:
    state = fold(CREATED, PROBLEM, sign)
    assert (state.status, state.problem) == ("waiting", None)


def test_a_result_that_comes_in_does_not_unstick_a_run() -> None:
    assert fold(CREATED, REQUESTED, PROBLEM, RESOLVED).status == "stuck"


def test_a_changed_source_is_known_by_its_new_digests() -> None:
    assert fold(CREATED, CHANGED).source_digests == {"process.py": "1"}


def test_notes_are_known_by_scope() -> None:
    state = fold(CREATED, RECORDED, LOGGED, MARKED)
    assert (state.records, state.logged, state.marks) == ({("", 1): ("files", [])}, {"k"}, {"1.0.": 3})


def test_a_score_is_no_log_line_and_no_progress() -> None:
    state = fold(CREATED, SCORED)
    assert (state.scores, state.logged, state.marks) == (
        {("", "score"): [{"key": "k1", **SCORED[1]["score"]}]},
        set(),
        {},
    )


@pytest.mark.parametrize(("scores", "left"), [({}, 1), ({"scores": ["k1"]}, 1), ({"scores": []}, 0)])
@pytest.mark.parametrize(
    "change", [CHANGED, ("RUN_REWOUND", {"to": "1", "plan": [], "by": "me", "sourceDigests": {}})]
)
def test_a_change_says_which_scores_still_count(change: Any, scores: Any, left: int) -> None:
    kind, data = change
    assert len(fold(CREATED, SCORED, (kind, {**data, **scores})).scores) == left


def test_a_score_that_is_misshaped_is_refused() -> None:
    wrong = {**SCORED[1], "score": {**SCORED[1]["score"], "round": True}}
    with pytest.raises(CorruptEvent) as caught:
        fold(CREATED, ("PROCESS_LOG", wrong))
    assert str(caught.value) == "event 2 (PROCESS_LOG) lacks or misshapes 'score.round'"


def test_a_score_without_its_key_is_refused() -> None:
    wrong = {name: item for name, item in SCORED[1].items() if name != "key"}
    with pytest.raises(CorruptEvent) as caught:
        fold(CREATED, ("PROCESS_LOG", wrong))
    assert str(caught.value) == "event 2 (PROCESS_LOG) lacks or misshapes 'key'"


def test_the_script_has_what_a_replay_must_follow_in_order() -> None:
    state = fold(CREATED, RECORDED, LOGGED, REQUESTED, PROBLEM, RESOLVED, CHANGED, COMPLETED)
    assert [(kind, ms) for kind, _, ms in state.script] == [
        ("RECORDED", 20),
        ("PROCESS_LOG", 30),
        ("EFFECT_REQUESTED", 40),
        ("EFFECT_RESOLVED", 60),
        ("RUN_COMPLETED", 80),
    ]


def test_the_last_event_is_known() -> None:
    state = fold(CREATED, REQUESTED)
    assert (state.last_seq, state.last_ms) == (2, 20)


# Orders that cannot be.


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([REQUESTED], "event 1 (EFFECT_REQUESTED) cannot stand at this place of the journal"),
        ([CREATED, CREATED], "event 2 (RUN_CREATED) cannot stand at this place of the journal"),
        (
            [CREATED, COMPLETED, REQUESTED],
            "event 3 (EFFECT_REQUESTED) cannot stand at this place of the journal",
        ),
        (
            [CREATED, RUN_FAILED, COMPLETED],
            "event 3 (RUN_COMPLETED) cannot stand at this place of the journal",
        ),
        ([CREATED, REQUESTED, REQUESTED], "event 3 requests effect 'e1' a second time"),
        ([CREATED, RESOLVED], "event 2 (EFFECT_RESOLVED) is about effect 'e1', which is not pending"),
        (
            [CREATED, REQUESTED, RESOLVED, RESOLVED],
            "event 4 (EFFECT_RESOLVED) is about effect 'e1', which is not pending",
        ),
        (
            [CREATED, REQUESTED, RESOLVED, CANCELLED],
            "event 4 (EFFECT_CANCELLED) is about effect 'e1', which is not pending",
        ),
        (
            [CREATED, REQUESTED, CANCELLED, RESOLVED],
            "event 4 (EFFECT_RESOLVED) is about effect 'e1', which is not pending",
        ),
        ([CREATED, ("EFFECT_REQUESTED", {})], "event 2 (EFFECT_REQUESTED) lacks or misshapes 'effectId'"),
        ([("RUN_CREATED", {"runId": "r"})], "event 1 (RUN_CREATED) lacks or misshapes 'processId'"),
    ],
)
def test_events_in_an_impossible_order_are_refused(events: Any, message: str) -> None:
    with pytest.raises(CorruptEvent) as caught:
        fold(*events)
    assert str(caught.value) == message


def test_a_status_that_is_neither_ok_nor_error_is_refused() -> None:
    with pytest.raises(CorruptEvent) as caught:
        fold(CREATED, REQUESTED, ("EFFECT_RESOLVED", {"effectId": "e1", "status": "maybe"}))
    assert str(caught.value) == "event 3 (EFFECT_RESOLVED) has status 'maybe'; it is 'ok' or 'error'"


def test_an_event_of_a_later_version_is_left_to_that_version() -> None:
    with pytest.raises(UnknownLayout) as caught:
        fold(CREATED, ("RUN_TELEPORTED", {}))
    assert str(caught.value) == "event 2 has the unknown type 'RUN_TELEPORTED'"
