"""Hands off the journal, and off what only a person may do."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.runs.run import Run
from babysitter.sessions.binding import bind
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
        f"{home}/rules.json",
        f"{home}/places/0123",
    ]
    assert [kind(session, "Write", file_path=path) for path in paths] == ["deny"] * 5


@pytest.mark.parametrize(
    "command",
    [
        "echo '{}' > {home}/rules.json",
        "rm {home}/rules.json",
        "sed -i s/never/always/ ~/.a5c/rules.json",
        "cp mine {home}/trusted.json",
        "rm -r {home}/places",
    ],
)
def test_what_a_person_has_decided_is_not_written_by_a_shell(
    bound: Callable[..., Session], home: Path, command: str
) -> None:
    assert kind(bound(ONE), "Bash", command=command.replace("{home}", str(home))) == "deny"


def test_what_a_person_has_decided_can_be_read(bound: Callable[..., Session], home: Path) -> None:
    commands = [f"cat {home}/rules.json", "ls ~/.a5c/places", "babysitter rule list"]
    session = bound(ONE)
    assert [kind(session, "Bash", command=command) for command in commands] == ["let go"] * 3


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
        "mv x .a5c/runs/job/run.json 2>&1",
        "ls .a5c/runs/job && sudo rm -r .a5c/runs/job/journal",
        "ls -d .a5c/runs/job/journal/* | xargs -n 1 rm",
        "find .a5c/runs/job -name '*.json' -exec rm {} +",
        "find .a5c/runs/job -delete",
        "cd .a5c/runs/job && rm journal/000009.json",
        "cd .a5c/runs/job; echo x > run.json",
        "r=.a5c/runs/job; rm -r $r/journal",
        "for f in .a5c/runs/job/journal/*; do rm $f; done",
        "cat x >>.a5c/runs/job/journal/000009.json",
        "echo x >| .a5c/runs/job/run.json",
        "echo x &>.a5c/runs/job/run.json",
        "ls>& .a5c/runs/job/run.json",
        "echo x | tee '.a5c/runs/job/run.json'",
        'bash -c "touch .a5c/runs/job/x"',
        "perl -pi -e s/a/b/ .a5c/runs/job/run.json",
        "rm -r .a5c/runs/job/artifacts/../journal",
        "babysitter process graph a --output .a5c/runs/job/run.json",
        "curl -o .a5c/runs/job/run.json http://localhost",
        "babysitter process graph a --output=.a5c/rules.json",
        "echo '{}' | /opt/plugin/hooks/command",
        "sh hooks/after-tool < forged",
        'CLAUDE_PID=7 "$PLUGIN"/hooks/permission',
        "env X=1 babysitter-hook prompt",
        "./hooks/session-end",
        "npx claude-code -p '/babysitter:approve yes'",
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
        "ls -la .a5c/runs 2>/dev/null",
        "ls -la .a5c/runs &> /dev/null",
        "cat .a5c/runs/n1/run.json 2>&1",
        "git add .a5c/runs/x",
        "babysitter work n1 > /tmp/out; ls .a5c/runs",
        "cat .a5c/runs/n1/run.json > /tmp/out",
        "rm /tmp/x; ls .a5c/runs",
        "grep -o .a5c/runs/job README.md",
        "babysitter process graph --run .a5c/runs/job --format svg --output job.svg",
        "cp .a5c/runs/job/run.json /tmp/x",
        "cd .a5c/runs/job && ls && rm /tmp/x",
        "grep 'add form ' .a5c/runs/job/run.json | sed s/i/j/",
        "rm -r .a5c/runs/job/artifacts/old",
        'grep -r "/babysitter:approve" docs',
        "cat hooks/command babysitter/hooks/commands.py",
        "command -v babysitter-hook",
        "git add hooks/permission",
        "babysitter status job",
        "babysitter post job abc --value 1",
        "echo x > src/a.py",
        "echo x > .a5c/runs/job/artifacts/a.md",
        "git commit -m 'approve the babysitter'",
    ],
)
def test_reading_and_working_are_free(bound: Callable[..., Session], command: str) -> None:
    assert kind(bound(ONE), "Bash", command=command) == "let go"


@pytest.fixture
def elsewhere(bound: Callable[..., Session], tmp_path: Path) -> Session:
    """A session whose run and another lie in a folder of runs that is not the project's, with a file."""
    session = bound(ONE)
    bound(ONE, "kid-1")
    moved = shutil.copytree(os.path.dirname(session.folder), tmp_path / "all")
    (moved / "notes").mkdir()
    bind(Run(str(moved / "job")).load(), "claude-code", SESSION)
    return session


@pytest.mark.parametrize(
    "command",
    [
        "rm ALL/job/journal/000009.json",
        "rm ALL/kid-1/journal/000009.json",
        "rm -rf 'ALL/kid-1'",
        "rm ALL/kid*/journal/*",
        "rm -rf ALL/*",
        "cd ALL/kid-1 && rm journal/000009.json",
    ],
)
def test_the_runs_beside_the_sessions_own_are_not_written_either(
    elsewhere: Session, tmp_path: Path, command: str
) -> None:
    assert kind(elsewhere, "Bash", command=command.replace("ALL", str(tmp_path / "all"))) == "deny"


@pytest.mark.parametrize(
    "command",
    [
        "rm ALL/notes/x",
        "echo x > ALL/report.md",
        "rm ALL/*.log",
        "cat ALL/kid-1/run.json > /tmp/out",
        "ls ALL/kid-1/journal; rm /tmp/x",
        "rm ALL/kid-1/artifacts/old",
        "rm -r ALLOWED/kid-1",
    ],
)
def test_what_else_is_there_is_free(elsewhere: Session, tmp_path: Path, command: str) -> None:
    assert kind(elsewhere, "Bash", command=command.replace("ALL", str(tmp_path / "all"))) == "let go"


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
