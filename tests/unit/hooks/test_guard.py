"""Hands off the journal, and off what only a person may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.hooks.conftest import SESSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.hooks.conftest import Session

ONE = "return await ctx.task(ask, n=1)"


def kind(session: Session, tool: str, **input: Any) -> str:
    kind: str = session.call("before-tool", tool_name=tool, tool_input=input, tool_use_id="t1").kind
    return kind


@pytest.mark.parametrize("tool", ["Write", "Edit", "MultiEdit"])
@pytest.mark.parametrize(
    "place", ["job/journal/000009.json", "job/run.json", "job/state/head.json", "other/run.json"]
)
def test_files_of_a_run_are_not_written(bound: Callable[..., Session], tool: str, place: str) -> None:
    session = bound(ONE)
    assert kind(session, tool, file_path=f"{session.run.project}/.a5c/runs/{place}") == "deny"


def test_neither_by_a_relative_path_nor_through_a_link(bound: Callable[..., Session], project: Path) -> None:
    session = bound(ONE)
    (project / "way").symlink_to(project / ".a5c" / "runs")
    told = [kind(session, "Write", file_path=path) for path in ("src/../.a5c/runs/job/x", "way/job/x")]
    assert told == ["deny", "deny"]


def test_what_babysitter_knows_of_sessions_is_not_written(bound: Callable[..., Session], home: Path) -> None:
    session = bound(ONE)
    paths = [
        f"{home}/sessions/{SESSION}/grants/policy.json",
        f"{home}/config.yaml",
        f"{home}/allowed_signers",
    ]
    assert [kind(session, "Write", file_path=path) for path in paths] == ["deny"] * 3


def test_files_of_the_project_and_the_runs_own_artifacts_are_free(
    bound: Callable[..., Session], home: Path
) -> None:
    session = bound(ONE)
    project = session.run.project
    paths = [
        f"{project}/src/a.py",
        f"{project}/.a5c/processes/x/process.py",
        f"{project}/.a5c/runs/job/artifacts/report.md",
        f"{home}/processes/x/process.py",
    ]
    assert [kind(session, "Write", file_path=path) for path in paths] == ["let go"] * 4


@pytest.mark.parametrize(
    "command",
    [
        "echo x > .a5c/runs/job/journal/000009.json",
        "rm -f .a5c/runs/job/run.lock",
        "sed -i s/a/b/ .a5c/runs/job/run.json",
        "cp forged .a5c/runs/job/journal/",
        "babysitter approve job",
        "/opt/plugin/bin/babysitter reject job --feedback x",
        "sh -c 'babysitter approve job'",
        'claude -p "/babysitter:approve yes" --resume $CLAUDE_CODE_SESSION_ID',
    ],
)
def test_a_command_that_writes_into_a_run_or_answers_for_a_person_is_denied(
    bound: Callable[..., Session], command: str
) -> None:
    assert kind(bound(ONE), "Bash", command=command) == "deny"


@pytest.mark.parametrize(
    "command",
    [
        "cat .a5c/runs/job/journal/*",
        "ls -l .a5c/runs",
        "babysitter status job",
        "babysitter post job abc --value 1",
        "echo x > src/a.py",
        "echo x > .a5c/runs/job/artifacts/a.md",
        "git commit -m 'approve the babysitter'",
    ],
)
def test_reading_and_working_are_free(bound: Callable[..., Session], command: str) -> None:
    assert kind(bound(ONE), "Bash", command=command) == "let go"


@pytest.mark.parametrize("tool", ["CronCreate", "ScheduleWakeup"])
def test_a_schedule_cannot_type_our_commands(bound: Callable[..., Session], tool: str) -> None:
    session = bound(ONE)
    assert [kind(session, tool, prompt=text) for text in ("/babysitter:approve yes", "go on")] == [
        "deny",
        "let go",
    ]


@pytest.mark.parametrize(
    "input", [{}, {"command": 7}, {"file_path": None}, {"prompt": []}, {"questions": "x"}]
)
@pytest.mark.parametrize("tool", ["Bash", "Write", "AskUserQuestion", "CronCreate", "Read", ""])
def test_what_a_tool_says_may_have_any_shape(
    bound: Callable[..., Session], tool: str, input: dict[str, Any]
) -> None:
    assert kind(bound(ONE), tool, **input) == "let go"
