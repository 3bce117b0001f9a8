"""What waits for a person, found in runs of several folders."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.limits import DEFAULT
from babysitter.places import known
from babysitter.runs.answering import decide
from babysitter.runs.asked import told_of
from babysitter.runs.folder import Unread
from babysitter.runs.inbox import Waiting, everything
from babysitter.runs.iterate import iterate
from babysitter.runs.results import accept
from babysitter.runs.stopping import halt_run

if TYPE_CHECKING:
    from pathlib import Path

    from projects import Project

    from babysitter.runs.run import Run

GATE = """
async def process(inputs, ctx):
    await ctx.breakpoint("Go?", title="Gate")
"""
STUCK = """
async def process(inputs, ctx):
    1 / 0
"""
BESIDE = """
async def process(inputs, ctx):
    await ctx.parallel.all([
        lambda: ctx.breakpoint("Go?"), lambda: ctx.task(ask, question="a"), lambda: ctx.sleep("1h")
    ])
"""
CHILD = """
async def child(inputs, ctx):
    await ctx.breakpoint("In the child?")

async def process(inputs, ctx):
    await ctx.subprocess(child)
"""


def begin(project: Project, source: str, name: str = "r") -> Run:
    run = project.create(source, run_id=name).load()
    iterate(run)
    return run


def waiting(project: Project) -> list[Waiting]:
    found, unreadable = everything([str(project.runs_dir)], DEFAULT)
    assert unreadable == []
    return found


def test_an_open_breakpoint_waits(project: Project) -> None:
    (effect,) = begin(project, GATE).state.pending.values()
    (found,) = waiting(project)
    assert found.effect is not None
    assert (found.run.run_id, found.effect.id, found.since_ms, found.asked["question"]) == (
        "r",
        effect.id,
        effect.requested_ms,
        "Go?",
    )


def test_one_that_was_answered_waits_no_more(project: Project) -> None:
    run = begin(project, GATE)
    (effect,) = run.state.pending.values()
    accept(run, [decide(run, effect, True, by="me")])
    assert waiting(project) == []


def test_a_run_that_has_ended_waits_for_nobody(project: Project) -> None:
    run = begin(project, GATE)
    halt_run(run, by="me", reason="enough")
    begin(project, "async def process(inputs, ctx):\n    return 1\n", "done")
    assert waiting(project) == []


def test_a_run_that_is_stuck_waits_to_be_mended_since_it_is(project: Project) -> None:
    run = begin(project, STUCK)
    (found,) = waiting(project)
    assert (found.effect, found.since_ms, found.beside) == (None, run.state.last_ms, 0)


def test_the_oldest_comes_first_whatever_run_it_is_of(project: Project) -> None:
    for name in ("b", "c", "a"):
        begin(project, GATE, name)
    times = [each.since_ms for each in waiting(project)]
    assert (sorted(times), len(times)) == (times, 3)


def test_what_else_is_pending_in_the_run_is_counted(project: Project) -> None:
    begin(project, BESIDE)
    begin(project, GATE, "alone")
    assert {each.run.run_id: each.beside for each in waiting(project)} == {"r": 2, "alone": 0}


def test_breakpoints_of_child_runs_wait_as_well(project: Project) -> None:
    begin(project, CHILD)
    (found,) = waiting(project)
    assert found.run.state.created["parent"]["runId"] == "r"


def test_a_child_that_nobody_waits_for_any_more_is_left_out(project: Project) -> None:
    run = begin(project, CHILD)
    # As a command leaves it that was killed before it had halted the child as well.
    run.append([("RUN_HALTED", {"reason": "enough", "by": "me", "isAtOnce": True})])
    assert waiting(project) == []


def test_a_run_that_cannot_be_read_is_named_and_the_others_are_listed(project: Project) -> None:
    for name in ("bad", "good"):
        begin(project, GATE, name)
    (project.runs_dir / "bad" / "run.json").write_text("{")
    found, unreadable = everything([str(project.runs_dir)], DEFAULT)
    assert ([each.run.run_id for each in found], [os.path.basename(each.folder) for each in unreadable]) == (
        ["good"],
        ["bad"],
    )


def test_a_folder_of_runs_that_cannot_be_listed_is_named(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(project, GATE)

    def refuse(place: str) -> list[str]:
        raise PermissionError(13, "Permission denied", place)

    monkeypatch.setattr("babysitter.runs.folder.run_ids", refuse)
    found, unreadable = everything([str(project.runs_dir)], DEFAULT)
    assert (found, [each.folder for each in unreadable]) == ([], [str(project.runs_dir)])


def test_a_last_event_that_is_no_event_does_not_pass_for_an_end(project: Project) -> None:
    run = begin(project, GATE)
    last = max((project.runs_dir / "r" / "journal").iterdir())
    last.write_bytes(b"[]")
    (project.runs_dir / "r" / "state" / "events.jsonl").unlink()
    found, unreadable = everything([os.path.dirname(run.folder)], DEFAULT)
    assert (found, [type(each) for each in unreadable]) == ([], [Unread])


@pytest.mark.parametrize(
    ("expert", "tags", "expected"),
    [
        (None, [], True),
        ("owner", [], True),
        ("lawyer", [], False),
        (None, ["prod"], True),
        (None, ["prod", "eu"], False),
        ("owner", ["prod"], True),
    ],
)
def test_they_are_chosen_by_expert_and_tags(
    project: Project, expert: str | None, tags: list[str], expected: bool
) -> None:
    begin(project, GATE)
    (found,) = waiting(project)
    found.asked = {"tags": ["prod"], "expert": ["owner"]}
    assert found.is_for(expert, tags) is expected


def test_the_folder_of_a_run_that_was_made_is_known_from_then_on(project: Project) -> None:
    begin(project, GATE)
    assert known() == [os.path.realpath(project.runs_dir)]


def test_a_run_is_made_where_the_users_folder_cannot_be_written(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BABYSITTER_HOME", str(tmp_path / "file" / "home"))
    assert begin(project, GATE).state.status == "waiting"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"question": "Go?"}, {"question": "Go?"}),
        ({"question": "Go?", "tags": None, "id": "a"}, {"question": "Go?", "id": "a"}),
        ({"deadline": 60}, {"deadline": "1970-01-01T00:01:01.000Z"}),
        ({"deadline": 0.5}, {"deadline": "1970-01-01T00:00:01.500Z"}),
        ({"deadline": "soon"}, {}),
        ({"deadline": True}, {}),
        ({"deadline": float("inf")}, {}),
        ({"deadline": -1}, {}),
        ({"previousFeedback": "no", "attempt": 2}, {"attempt": 2, "previousFeedback": "no"}),
    ],
)
def test_what_is_told_of_a_breakpoint_is_what_it_says(
    asked: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert told_of(asked, 1000) == expected
