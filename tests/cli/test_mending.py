"""``verify``, ``doctor`` and ``repair`` as commands: a person with a damaged run finds the way out."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.commands import call, told
from tests.support.folders import digest_of

if TYPE_CHECKING:
    from scenes import Scene

JOURNAL = Path(".a5c/runs/done/journal")


def event_files() -> list[Path]:
    return sorted(JOURNAL.iterdir())


def damage(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[:50] + bytes([raw[50] ^ 4]) + raw[51:])


def forget_the_cache() -> None:
    shutil.rmtree(JOURNAL.parent / "state")


def keys(value: dict[str, Any]) -> list[str]:
    return sorted(value)


def test_verify_tells_of_a_whole_run(scene: Scene) -> None:
    told_ = told("verify", "done")
    assert (keys(told_), told_["status"], told_["events"], len(told_["head"])) == (
        ["cache", "events", "files", "head", "proof", "run", "status"],
        "completed",
        4,
        64,
    )


def test_verify_says_it_to_people_in_a_line(scene: Scene) -> None:
    ended = call("verify", "done")
    assert (ended.code, ended.stdout.count("\n"), ended.stderr) == (0, 1, "")
    assert ended.stdout.startswith("done: whole; 4 events, 2 files, head ")


def test_verify_names_the_first_fault(scene: Scene) -> None:
    damage(event_files()[1])
    damage(event_files()[2])
    ended = call("verify", "done")
    assert (ended.code, event_files()[1].name in ended.stderr, ended.stderr.count("\n")) == (5, True, 2)
    assert ended.stderr.endswith("  try: babysitter doctor done\n")


def test_verify_of_all_runs_goes_on_after_a_fault(scene: Scene) -> None:
    damage(event_files()[1])
    told_ = told("verify", "--all", code=5)
    faults = [run["run"] for run in told_["runs"] if "error" in run]
    assert (faults, len(told_["runs"]) > 3) == (["done"], True)


def test_verify_takes_several_runs(scene: Scene) -> None:
    ended = call("verify", "done", "many")
    assert (ended.code, [text.partition(":")[0] for text in ended.stdout.splitlines()]) == (
        0,
        ["done", "many"],
    )


def test_verify_takes_names_or_all(scene: Scene) -> None:
    assert call("verify", "done", "--all").code == 2


def test_verify_and_doctor_write_nothing(scene: Scene) -> None:
    forget_the_cache()
    before = digest_of(Path())
    call("verify", "done")
    call("doctor", "done")
    call("doctor")
    assert digest_of(Path()) == before


def test_doctor_of_a_run(scene: Scene) -> None:
    told_ = told("doctor", "many")
    assert (keys(told_), keys(told_["checks"][0])) == (
        ["checks", "folder", "worst"],
        ["check", "level", "message"],
    )


def test_doctor_of_everything(scene: Scene) -> None:
    told_ = told("doctor")
    assert (keys(told_), keys(told_["runs"][0])) == (["installation", "runs", "worst"], ["checks", "folder"])


def test_doctor_shows_people_what_is_wrong_and_the_cure(scene: Scene) -> None:
    damage(event_files()[1])
    ended = call("doctor", "done")
    assert ended.code == 5
    assert "  FAIL  journal       the event '000002" in ended.stdout
    assert "-> babysitter repair done --dry-run\n" in ended.stdout


def test_doctor_of_everything_shows_only_runs_that_have_something(scene: Scene) -> None:
    damage(event_files()[1])
    ended = call("doctor")
    assert (ended.code, "/done\n" in ended.stdout, "/raced\n" in ended.stdout) == (5, True, False)


def test_a_run_that_has_lost_its_run_json_is_still_found(scene: Scene) -> None:
    (JOURNAL.parent / "run.json").unlink()
    assert call("status", "done").code == 5
    assert "FAIL  run.json" in call("doctor", "done").stdout
    assert call("repair", "done").code == 0
    assert told("status", "done")["status"] == "completed"


def test_a_dry_run_shows_what_a_repair_would_do_and_changes_nothing(scene: Scene) -> None:
    forget_the_cache()
    damage(event_files()[2])
    before = digest_of(Path())
    told_ = told("repair", "done", "--dry-run")
    assert (told_["dryRun"], told_["events"], len(told_["cut"]), digest_of(Path()) == before) == (
        True,
        2,
        2,
        True,
    )


def test_a_repair_says_the_same_as_its_dry_run(scene: Scene) -> None:
    forget_the_cache()
    damage(event_files()[2])
    expected = {**told("repair", "done", "--dry-run"), "dryRun": False, "quarantine": "quarantine/journal-1"}
    assert told("repair", "done") == expected


def test_a_repaired_run_is_whole_and_goes_on(scene: Scene) -> None:
    forget_the_cache()
    damage(event_files()[2])
    assert call("repair", "done").code == 0
    assert told("verify", "done")["events"] == 2
    assert told("status", "done")["pending"] == {"agent": 1}
    told("post", "done", "1", "--value", '"again"')
    assert told("iterate", "done")["output"] == {"answer": "again"}


def test_people_read_what_of_the_journal_is_restored(scene: Scene) -> None:
    told("status", "done")
    damage(event_files()[2])
    assert "  restore  event 3, which was not in its file\n" in call("repair", "done").stdout


def test_people_read_what_of_the_journal_is_cut(scene: Scene) -> None:
    forget_the_cache()
    damage(event_files()[3])
    assert "  aside    1 file, from '000004." in call("repair", "done").stdout


def test_a_second_repair_has_nothing_to_do(scene: Scene) -> None:
    damage(event_files()[2])
    call("repair", "done")
    ended = call("repair", "done")
    assert (ended.code, ended.stdout) == (0, "run done: nothing to repair\n")


def test_repair_goes_back_when_it_is_told_to(scene: Scene) -> None:
    told_ = told("repair", "done", "--before", "3")
    assert (told_["events"], len(told_["askedAgain"]), told("verify", "done")["events"]) == (2, 1, 2)


@pytest.mark.parametrize(("number", "code"), [("1", 2), ("x", 2), ("99", 2)])
def test_repair_refuses_to_go_back_to_what_is_not_there(scene: Scene, number: str, code: int) -> None:
    assert call("repair", "done", "--before", number).code == code


def test_what_cannot_be_mended_is_said_with_the_way_out(scene: Scene) -> None:
    (JOURNAL.parent / "inputs.json").write_text("[]")
    ended = call("repair", "done")
    assert (ended.code, "  cannot   the inputs" in ended.stdout) == (5, True)
    assert "put the file back as it was" in ended.stdout


def test_a_run_that_is_in_use_is_not_repaired(scene: Scene) -> None:
    from babysitter.journal.lock import run_lock

    damage(event_files()[2])
    with run_lock(str(JOURNAL.parent), 0):
        assert call("repair", "done").code == 75


def test_an_interrupted_repair_is_seen_and_finished(scene: Scene) -> None:
    """As a kill between the two steps of the exchange leaves it."""
    call("repair", "done", "--before", "3")
    JOURNAL.rename(JOURNAL.parent / "journal.repair-whole")
    assert "a repair was interrupted" in call("doctor", "done").stdout
    assert told("repair", "done", "--dry-run")["unfinished"]
    assert call("repair", "done").code == 0
    assert told("verify", "done")["events"] == 2


def test_a_run_that_is_not_there_is_said_so(scene: Scene) -> None:
    assert [call(command, "nosuch").code for command in ("verify", "doctor", "repair")] == [4, 4, 4]


def test_a_packed_run_can_be_verified(scene: Scene) -> None:
    expected = told("verify", "done")
    told("archive", "done")
    assert {**told("verify", "done"), "cache": ""} == {**expected, "cache": ""}
    assert "done" in [run["run"] for run in told("verify", "--all")["runs"]]


def test_a_packed_run_that_rots_is_found_out(scene: Scene) -> None:
    archive = Path(told("archive", "done")["archived"][0]["archive"])
    with zipfile.ZipFile(archive) as opened:
        member = opened.getinfo("journal.jsonl")
    raw, at = (
        archive.read_bytes(),
        member.header_offset + 30 + len(member.filename) + member.compress_size // 2,
    )
    archive.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
    assert call("verify", "done").code == 5


def test_the_cure_of_a_copy_names_the_copy(scene: Scene) -> None:
    copy = JOURNAL.parent.parent / "copy"
    shutil.copytree(JOURNAL.parent, copy)
    damage(max((copy / "journal").iterdir()))
    (copy / "journal" / "000001.json").write_text("")
    assert "-> babysitter repair copy --dry-run" in call("doctor", "copy").stdout


def test_the_cure_of_a_run_that_lies_elsewhere_names_its_folder(scene: Scene) -> None:
    copy = Path("else where").absolute() / "done"
    shutil.copytree(JOURNAL.parent, copy)
    (copy / "run.json").unlink()
    assert f"-> babysitter repair '{copy}' --dry-run" in call("doctor", str(copy)).stdout


def test_a_copy_of_the_journal_that_somebody_made_is_left_alone(scene: Scene) -> None:
    shutil.copytree(JOURNAL, JOURNAL.parent / "journal.old")
    assert (call("repair", "done").stdout, len(list((JOURNAL.parent / "journal.old").iterdir()))) == (
        "run done: nothing to repair\n",
        4,
    )
