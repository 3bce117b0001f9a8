"""``archive``, ``restore`` and ``cleanup``, and how packed runs are looked at."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from scenes import Scene, break_run

from babysitter.journal.lock import run_lock
from tests.support.commands import call, told
from tests.support.driving import Terminal

if TYPE_CHECKING:
    from pathlib import Path

LOOKING = (["status"], ["show"], ["tasks"], ["events"])
OLD = 1_000_000_000


def names(told_: list[dict[str, Any]]) -> list[str]:
    return sorted(each["run"] for each in told_)


def folders(scene: Scene) -> list[str]:
    return sorted(path.name for path in scene.runs.iterdir() if path.name not in {".gitignore", ".archive"})


def archives(scene: Scene) -> list[str]:
    return sorted(path.name for path in (scene.runs / ".archive").glob("*"))


ALL = ["done", "failed", "gate", "many", "own", "raced", "review", "stuck"]


# archive


def test_archive_says_what_it_packed_and_where(scene: Scene) -> None:
    told_ = told("archive", "done")
    (packed,) = told_["archived"]
    assert (sorted(told_), sorted(packed)) == (
        ["archived"],
        ["archive", "bytes", "endedAt", "packedBytes", "run", "status"],
    )
    path = scene.runs / ".archive" / "done.zip"
    assert (packed["run"], packed["status"], packed["archive"], packed["packedBytes"]) == (
        "done",
        "completed",
        str(path),
        path.stat().st_size,
    )


def test_archive_tells_people_in_a_line(scene: Scene) -> None:
    ended = call("archive", "done")
    shown = rf"packed  done  completed  [\d.]+ kB -> [\d.]+ kB  {scene.runs}/\.archive/done\.zip\n"
    assert (ended.code, ended.stderr, bool(re.fullmatch(shown, ended.stdout))) == (0, "", True), ended


def test_archive_of_what_is_packed_says_so(scene: Scene) -> None:
    told("archive", "done")
    assert told("archive", "done") == {"archived": [], "already": ["done"]}


@pytest.mark.parametrize(
    ("options", "packed"),
    [
        (["--all"], ["done", "failed"]),
        (["--older-than", "0"], ["done", "failed"]),
        (["--older-than", "1d"], []),
        (["--status", "failed"], ["failed"]),
        (["--status", "failed,completed"], ["done", "failed"]),
        (["--status", "halted", "--all"], []),
    ],
)
def test_archive_selects_runs_that_have_ended(scene: Scene, options: list[str], packed: list[str]) -> None:
    assert names(told("archive", *options)["archived"]) == packed
    assert (folders(scene), archives(scene)) == (
        [name for name in ALL if name not in packed],
        [f"{name}.zip" for name in packed],
    )


def test_archive_can_only_say_what_it_would_do(scene: Scene) -> None:
    before = scene.digest()
    told_ = told("archive", "--all", "--dry-run")
    assert (names(told_["archived"]), told_["dryRun"], scene.digest()) == (["done", "failed"], True, before)
    assert sorted(told_["archived"][0]) == ["bytes", "endedAt", "run", "status"]


@pytest.mark.parametrize("run", ["many", "stuck", "gate", "own"])
def test_archive_refuses_a_run_that_can_still_go_on(scene: Scene, run: str) -> None:
    before = scene.digest()
    error = told("archive", run, code=3)["error"]
    assert (error["name"], error["hint"], scene.digest()) == ("Conflict", f"babysitter status {run}", before)


def test_archive_refuses_a_run_that_somebody_works_on(scene: Scene) -> None:
    with run_lock(str(scene.runs / "done"), 0):
        assert told("archive", "done", code=75)["error"]["name"] == "RunBusy"
    assert "done" in folders(scene)


def test_archive_refuses_a_damaged_run(scene: Scene) -> None:
    break_run(scene, "done")
    error = told("archive", "done", code=5)["error"]
    assert (error["name"], error["hint"]) == ("CorruptEvent", "babysitter doctor done")


def test_archive_judges_each_run_that_is_named_alone(scene: Scene) -> None:
    told_ = told("archive", "done", "many", "nobody", "failed", code=4)
    assert (names(told_["archived"]), names(told_["skipped"])) == (["done", "failed"], ["many", "nobody"])


def test_archive_passes_over_what_it_selected_and_cannot_pack(scene: Scene) -> None:
    break_run(scene, "done")
    ended = call("archive", "--all")
    assert (ended.code, archives(scene)) == (0, ["failed.zip"])
    assert "WARN: done is left as it is: " in ended.stderr
    assert "try: babysitter doctor done" in ended.stderr


def test_archive_says_when_there_is_nothing_to_do(scene: Scene) -> None:
    assert call("archive", "--older-than", "30d").stdout == "nothing to pack\n"


# restore


def test_restore_gives_the_run_its_folder_back(scene: Scene) -> None:
    before = scene.digest()
    told("archive", "done")
    told_ = told("restore", "done")
    assert (told_.pop("bytes") > 0, told_) == (
        True,
        {"run": "done", "status": "completed", "folder": str(scene.runs / "done")},
    )
    after = scene.digest()
    assert {
        name: after[name] for name in after if name not in {".a5c/runs/.archive", ".a5c/runs/done/run.lock"}
    } == before


def test_restore_keeps_the_archive_when_it_is_told_to(scene: Scene) -> None:
    told("archive", "done")
    told_ = told("restore", "do", "--keep")
    assert (told_["archive"], archives(scene)) == (str(scene.runs / ".archive" / "done.zip"), ["done.zip"])


def test_restore_tells_people_in_a_line(scene: Scene) -> None:
    told("archive", "done")
    assert call("restore", "done").stdout.startswith("restored  done  completed  ")


def test_restore_of_a_run_that_has_a_folder_is_a_conflict(scene: Scene) -> None:
    told("archive", "done")
    told("restore", "done", "--keep")
    assert told("restore", "done", code=3)["error"]["name"] == "RunExists"


@pytest.mark.parametrize("run", ["done", "nobody"])
def test_restore_of_what_is_not_packed_is_no_such_run(scene: Scene, run: str) -> None:
    assert told("restore", run, code=4)["error"]["name"] == "NoSuchRun"


def test_restore_of_an_archive_that_is_none_is_not_trusted(scene: Scene) -> None:
    told("archive", "done")
    (scene.runs / ".archive" / "done.zip").write_bytes(b"x")
    assert told("restore", "done", code=5)["error"]["name"] == "CorruptArchive"


# Looking at packed runs


@pytest.mark.parametrize("words", [*LOOKING, ["show", "1"], ["events", "--reverse"]])
def test_a_packed_run_shows_the_same(scene: Scene, words: list[str]) -> None:
    command, *more = words
    before = told(command, "done", *more)
    told("archive", "done")
    after = told(command, "done", *more)
    if "folder" in before:
        where = {"packed": True, "archive": str(scene.runs / ".archive" / "done.zip")}
        before = {**{name: before[name] for name in before if name != "folder"}, **where}
    assert after == before


@pytest.mark.parametrize("words", [*LOOKING, ["show", "1"]])
def test_looking_at_a_packed_run_leaves_no_trace(
    scene: Scene, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told("archive", "done")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    before = scene.digest()
    assert call(words[0], "done", *words[1:]).code == 0
    assert (scene.digest(), list((tmp_path / "temporary").iterdir())) == (before, [])


def test_an_error_while_looking_at_a_packed_run_leaves_no_trace(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told("archive", "done")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    assert told("show", "done", "nothing", code=4)["error"]["name"] == "NoSuchEffect"
    assert list((tmp_path / "temporary").iterdir()) == []


def test_people_see_that_a_run_is_packed(scene: Scene) -> None:
    told("archive", "done")
    shown = call("status", "done").stdout
    assert ("packed in" in shown, "unpack with  babysitter restore done" in shown) == (True, True)
    assert "completed, packed" in call("list").stdout


def test_list_has_packed_runs_too(scene: Scene) -> None:
    before = {run["run"]: run for run in told("list")["runs"]}
    told("archive", "done")
    after = told("list")["runs"]
    assert {run["run"]: run for run in after} == {**before, "done": {**before["done"], "packed": True}}
    assert [run["createdAt"] for run in after] == sorted((run["createdAt"] for run in after), reverse=True)


def test_list_has_a_run_once_that_a_kill_has_left_in_both_forms(scene: Scene) -> None:
    told("archive", "done")
    told("restore", "done", "--keep")
    (run,) = told("list", "--status", "completed")["runs"]
    assert (run["run"], "packed" in run) == ("done", False)


def test_list_has_archives_that_cannot_be_read_too(scene: Scene) -> None:
    told("archive", "done")
    (scene.runs / ".archive" / "done.zip").write_bytes(b"x")
    (run,) = told("list", "--status", "unreadable")["runs"]
    assert (run["run"], run["packed"], "cannot be trusted" in run["error"]) == ("done", True, True)


@pytest.mark.parametrize(
    "words",
    [
        ["iterate", "done"],
        ["resume", "done"],
        ["work", "done"],
        ["post", "done", "1", "--value", "1"],
        ["approve", "done"],
        ["reject", "done"],
    ],
)
def test_a_packed_run_takes_nothing_more(scene: Scene, words: list[str]) -> None:
    told("archive", "done")
    before = scene.digest()
    error = told(*words, code=4)["error"]
    assert (error["name"], error["hint"], scene.digest()) == (
        "RunPacked",
        "babysitter restore done",
        before,
    )


# cleanup


def age(path: Path) -> Path:
    """Something that a command has left long ago."""
    os.utime(path, (OLD, OLD))
    return path


def littered(scene: Scene) -> list[Path]:
    """What kills leave, of every kind."""
    told("archive", "failed")
    shutil.copytree(scene.runs / "done", scene.runs / ".removed-abc")
    left = [
        scene.runs / ".new-abc",
        scene.runs / ".removed-abc",
        scene.runs / ".archive" / ".packing-abc.zip",
        scene.runs / ".archive" / ".removed-abc",
        scene.runs / "many" / "state" / "staging.abc",
    ]
    for path in left:
        if path.suffix == ".zip" or path.parent.name == ".archive":
            path.write_text("half")
        else:
            path.mkdir(parents=True, exist_ok=True)
    return [age(path) for path in left]


def test_cleanup_says_what_it_removed(scene: Scene) -> None:
    told_ = told("cleanup", "--older-than", "0", "--yes")
    assert (sorted(told_), sorted(told_["removed"][0])) == (
        ["bytes", "removed"],
        ["bytes", "endedAt", "run", "status"],
    )
    assert (names(told_["removed"]), folders(scene)) == (
        ["done", "failed"],
        [name for name in ALL if name not in {"done", "failed"}],
    )
    assert told_["bytes"] == sum(run["bytes"] for run in told_["removed"])


def test_cleanup_spares_what_ended_within_thirty_days(scene: Scene) -> None:
    assert told("cleanup", "--yes") == {"removed": [], "bytes": 0}
    assert folders(scene) == ALL


def test_cleanup_goes_by_the_journal_and_not_by_the_times_of_files(scene: Scene) -> None:
    for path in [scene.runs / "done", *(scene.runs / "done").rglob("*")]:
        age(path)
    assert told("cleanup", "--yes", "--older-than", "1d")["removed"] == []


@pytest.mark.parametrize(
    ("options", "removed"),
    [
        (["--status", "failed"], ["failed"]),
        (["--status", "halted"], []),
        (["--archived"], ["done", "failed"]),
    ],
)
def test_cleanup_can_be_narrowed(scene: Scene, options: list[str], removed: list[str]) -> None:
    assert names(told("cleanup", "--older-than", "0", "--yes", *options)["removed"]) == removed


def test_cleanup_leaves_packed_runs_unless_it_is_told_otherwise(scene: Scene) -> None:
    told("archive", "done")
    told("cleanup", "--older-than", "0", "--yes")
    assert archives(scene) == ["done.zip"]
    (removed,) = told("cleanup", "--older-than", "0", "--yes", "--archived")["removed"]
    assert (removed["run"], removed["packed"], archives(scene)) == ("done", True, [])


def test_cleanup_can_only_say_what_it_would_do(scene: Scene) -> None:
    littered(scene)
    before = scene.digest()
    told_ = told("cleanup", "--older-than", "0", "--dry-run")
    assert (names(told_["removed"]), len(told_["litter"]), told_["dryRun"]) == (["done"], 5, True)
    assert scene.digest() == before
    shown = call("cleanup", "--older-than", "0", "--dry-run").stdout
    assert shown.startswith("would remove: 1 run, 5 left by killed commands, ")
    assert scene.digest() == before


def test_cleanup_removes_what_kills_have_left(scene: Scene) -> None:
    left = littered(scene)
    told_ = told("cleanup", "--yes")
    assert sorted(each["path"] for each in told_["litter"]) == sorted(str(path) for path in left)
    assert [path for path in left if path.exists()] == []
    assert "done" in folders(scene)


def test_cleanup_leaves_what_may_still_be_at_work(scene: Scene) -> None:
    left = littered(scene)
    for path in left[1:]:
        os.utime(path)
    with run_lock(str(left[0]), 0):
        age(left[0])
        assert "litter" not in told("cleanup", "--yes")
    assert [path for path in left if not path.exists()] == []


@pytest.mark.parametrize("run", ["many", "stuck"])
def test_cleanup_never_deletes_a_run_that_can_still_go_on(scene: Scene, run: str) -> None:
    error = told("cleanup", run, "--yes", code=3)["error"]
    assert (error["name"], run in folders(scene)) == ("Conflict", True)


def test_cleanup_never_deletes_a_run_that_somebody_works_on(scene: Scene) -> None:
    with run_lock(str(scene.runs / "done"), 0):
        assert told("cleanup", "done", "--yes", code=75)["error"]["name"] == "RunBusy"
    assert "done" in folders(scene)


def test_cleanup_leaves_damaged_runs_to_the_doctor(scene: Scene) -> None:
    break_run(scene, "done")
    ended = call("cleanup", "--older-than", "0", "--yes")
    assert (ended.code, "done" in folders(scene), "failed" in folders(scene)) == (0, True, False)
    assert "WARN: done is left as it is: " in ended.stderr
    assert "try: babysitter doctor done" in ended.stderr


def test_cleanup_of_runs_by_name_removes_these_and_nothing_else(scene: Scene) -> None:
    left = littered(scene)
    told_ = told("cleanup", "done", "--yes")
    assert (names(told_["removed"]), [path for path in left if not path.exists()]) == (["done"], [])


def test_cleanup_of_a_packed_run_by_name_needs_a_word_more(scene: Scene) -> None:
    told("archive", "done")
    error = told("cleanup", "done", "--yes", code=4)["error"]
    assert (error["hint"], archives(scene)) == ("babysitter cleanup done --archived", ["done.zip"])
    told("cleanup", "done", "--yes", "--archived")
    assert archives(scene) == []


def test_cleanup_removes_nothing_unless_somebody_agrees(scene: Scene) -> None:
    before = scene.digest()
    for words in (["cleanup", "--older-than", "0"], ["cleanup", "done"]):
        ended = call(*words)
        assert (ended.code, "there is nobody to ask" in ended.stderr) == (2, True)
        assert told(*words, code=2)["error"]["name"] == "UsageError"
    assert scene.digest() == before


@pytest.mark.parametrize(("answer", "is_left"), [("y", False), ("n", True), ("", True), ("\x03", True)])
def test_cleanup_asks_on_a_terminal(scene: Scene, answer: str, is_left: bool) -> None:
    with Terminal("cleanup", "--older-than", "0", "--status", "completed") as terminal:
        terminal.sees("to be removed: 1 run, ")
        terminal.sees("done  completed, ended ")
        terminal.sees("remove them? [y/N]: ")
        terminal.types(answer if answer == "\x03" else answer + "\n")
        assert terminal.end() == (130 if answer == "\x03" else 0)
    assert ("done" in folders(scene)) == is_left


def test_a_folder_that_protects_itself_is_removed_too(scene: Scene) -> None:
    inner = scene.runs / "done" / "artifacts" / "cache"
    inner.mkdir()
    (inner / "file").write_text("x")
    inner.chmod(0o500)
    told("cleanup", "done", "--yes")
    assert ("done" in folders(scene), [path.name for path in scene.runs.glob(".removed*")]) == (False, [])
