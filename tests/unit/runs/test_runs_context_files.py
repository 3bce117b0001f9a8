"""The files that a breakpoint shows: of the project or of the run, never through a link, and by digest."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from babysitter.errors import InvalidInput, StorageError, UnsafePath
from babysitter.ids import sha256_hex
from babysitter.runs import context_files
from babysitter.runs.context_files import changed, look_at, present, read

if TYPE_CHECKING:
    from babysitter.runs.run import Run
    from tests.support.asking import Question


@pytest.fixture
def run(question: Question) -> Run:
    question.ask()
    question.write("plan.md", "one")
    question.write("docs/deep/plan.md", "deep")
    run = question.open()
    Path(run.artifacts).mkdir(exist_ok=True)
    (Path(run.artifacts) / "report.md").write_text("made")
    os.symlink("plan.md", question.project / "link.md")
    os.symlink("docs", question.project / "linked")
    os.symlink("/etc", question.project / "etc")
    os.mkfifo(question.project / "fifo")
    return run


def path_in(run: Run, path: str) -> str:
    return path.format(project=run.project, run=run.folder, artifacts=run.artifacts)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("plan.md", b"one"),
        ("docs/deep/plan.md", b"deep"),
        ("docs/../plan.md", b"one"),
        ("./docs//deep/./plan.md", b"deep"),
        ("{project}/plan.md", b"one"),
        ("{artifacts}/report.md", b"made"),
        (".a5c/runs/r/artifacts/report.md", b"made"),
    ],
)
def test_a_file_of_the_project_or_the_run_is_found(run: Run, path: str, content: bytes) -> None:
    path = path_in(run, path)
    assert (read(run, path), look_at(run, [{"path": path, "note": "n"}])) == (
        content,
        [{"path": path, "note": "n", "sha256": sha256_hex(content), "bytes": len(content)}],
    )


@pytest.mark.parametrize(
    "path", ["..", "../x", "/etc/passwd", "docs/../../x", ".", "{project}", "{project}x", "{run}", "{run}/.."]
)
def test_a_path_that_leads_outside_is_refused(run: Run, path: str) -> None:
    path = path_in(run, path)
    with pytest.raises(UnsafePath):
        look_at(run, [{"path": path}])
    assert [each["sha256"] for each in present(run, [{"path": path}])] == [None]


def test_that_says_where_a_file_has_to_be(run: Run) -> None:
    with pytest.raises(UnsafePath) as caught:
        look_at(run, [{"path": "../x"}])
    assert caught.value.message == (
        f"the breakpoint shows '../x', which is neither in the project {run.project!r} nor in the run"
    )


@pytest.mark.parametrize(
    "path", ["link.md", "linked/deep/plan.md", "etc/passwd", "fifo", "docs", "plan.md/x"]
)
def test_what_is_no_file_or_is_behind_a_link_is_refused(run: Run, path: str) -> None:
    with pytest.raises(UnsafePath):
        look_at(run, [{"path": path}])
    assert present(run, [{"path": path}]) == [{"path": path, "sha256": None, "bytes": 0}]


@pytest.mark.parametrize("path", ["missing.md", "docs/missing/plan.md"])
def test_a_file_that_is_not_there_is_missed_when_it_is_asked(run: Run, path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        look_at(run, [{"path": "plan.md"}, {"path": path}])
    assert caught.value.message == (
        f"the breakpoint shows {path!r}, and there is no such file in the project or the run"
    )
    assert "begins with ctx.artifacts" in caught.value.hint
    assert (read(run, path), present(run, [{"path": path}])[0]["sha256"]) == (None, None)


def test_a_file_that_is_too_large_to_be_read_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context_files, "MOST_BYTES", 3)
    assert look_at(run, [{"path": "plan.md"}])
    with pytest.raises(InvalidInput, match="has more than 3 bytes"):
        look_at(run, [{"path": "docs/deep/plan.md"}])
    assert present(run, [{"path": "docs/deep/plan.md"}])[0]["sha256"] is None


def test_what_the_disk_refuses_to_read_is_said(run: Run) -> None:
    name = "n" * 300
    for look in (look_at, present):
        with pytest.raises(StorageError, match="File name too long"):
            look(run, [{"path": name}])


def test_what_has_changed_is_what_has_another_digest_or_none() -> None:
    before = [{"path": name, "sha256": name} for name in "abc"]
    now = [{"path": "a", "sha256": "a"}, {"path": "b", "sha256": "x"}, {"path": "c", "sha256": None}]
    assert (changed(before, now), changed(before, before)) == (["b", "c"], [])


def test_what_was_gone_before_has_changed_too() -> None:
    gone = [{"path": "a", "sha256": None}]
    assert changed(gone, gone) == ["a"]


# As the process meets it.


def test_a_process_that_shows_what_is_not_there_is_stuck_until_it_is(question: Question) -> None:
    done = question.ask(files=["plan.md"])
    assert done.run.state.problem is not None
    assert (done.status, re.findall("shows 'plan.md'", done.run.state.problem["message"])) == (
        "stuck",
        ["shows 'plan.md'"],
    )
    question.write("plan.md", "one")
    assert question.iterate().status == "waiting"
    assert (question.yes(), question.output()[0]) == ("recorded", True)


def test_a_process_shows_what_it_has_written_to_its_artifacts(question: Question) -> None:
    question.ask(
        "from pathlib import Path\n"
        "async def process(inputs, ctx):\n"
        "    plan = Path(ctx.artifacts, 'plan.md')\n"
        "    plan.write_text('made')\n"
        "    return (await ctx.breakpoint('Go?', files=[str(plan)])).approved\n"
    )
    (asked,) = question.data_of("EFFECT_REQUESTED")
    assert [(each["sha256"], each["bytes"]) for each in asked["files"]] == [(sha256_hex(b"made"), 4)]
    assert question.yes() == "recorded"
    assert question.output() is True
