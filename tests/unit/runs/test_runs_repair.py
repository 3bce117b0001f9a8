"""A damaged run is mended as far as anything whole is left of it, and goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from projects import ASK_ONCE

from babysitter.errors import CorruptEvent, InvalidInput, UnknownLayout
from babysitter.runs.repair import Plan, about_from, carry_out, plan
from babysitter.runs.run import Run
from babysitter.runs.verification import Reference, fault_of, verify

if TYPE_CHECKING:
    from projects import Project

BIG = "x" * 40_000
PROCESS = """
async def process(inputs, ctx):
    first = await ctx.task(ask, question="one")
    second = await ctx.task(ask, question="two")
    third = await ctx.task(ask, question="three")
    return [first, second, third]
"""


@pytest.fixture
def folder(project: Project) -> Path:
    """A run of six events: two large results, and a third question that waits."""
    project.begin(PROCESS)
    project.answer("1", BIG)
    project.answer("2", BIG + "y")
    return project.runs_dir / "r"


def event_files(folder: Path) -> list[Path]:
    return sorted((folder / "journal").iterdir())


def damage(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[:50] + bytes([raw[50] ^ 4]) + raw[51:])


def repaired(folder: Path, before: int | None = None) -> Plan:
    made = plan(str(folder), before)
    carry_out(made)
    return made


def events_of(folder: Path) -> int:
    return verify(Run(str(folder))).head.seq


def test_of_a_whole_run_there_is_nothing_to_do(folder: Path, project: Project) -> None:
    before = project.digest()
    made = repaired(folder)
    assert (made.is_empty, made.unmendable, project.digest()) == (True, [], before)


def test_a_plan_changes_nothing(folder: Path, project: Project) -> None:
    damage(event_files(folder)[3])
    before = project.digest()
    plan(str(folder))
    assert project.digest() == before


def test_a_damaged_event_is_restored_from_the_cache(folder: Path) -> None:
    damage(event_files(folder)[3])
    made = repaired(folder)
    assert made.salvaged is not None
    assert ([kept.event.seq for kept in made.salvaged.restored], events_of(folder)) == ([4], 6)


def test_without_a_copy_the_journal_is_cut_and_the_run_goes_on(folder: Path, project: Project) -> None:
    shutil.rmtree(folder / "state")
    damage(event_files(folder)[3])
    assert (len(repaired(folder).cut), events_of(folder)) == (3, 3)
    project.iterate()
    project.answer("2", "again")
    assert project.answer("3", "last").run.output() == [BIG, "again", "last"]


def test_what_was_answered_behind_the_cut_is_asked_for_again(folder: Path, project: Project) -> None:
    second = project.effect("2").id
    made = repaired(folder, before=5)
    assert (made.asked_again, project.effect("2").status) == ([second], "requested")


def test_the_plan_says_why(folder: Path) -> None:
    shutil.rmtree(folder / "state")
    event_files(folder)[3].unlink()
    assert plan(str(folder)).reason == "event 4 is missing, and event 5 was written after it"


def test_events_that_cannot_follow_one_another_are_cut(folder: Path) -> None:
    """The chain is whole, but an effect is resolved twice."""
    from babysitter.journal.store import Journal

    journal = Journal(str(folder), "r")
    seen: list[dict[str, object]] = []
    journal.load(lambda event: seen.append(event.data))
    again = {name: item for name, item in seen[2].items() if name not in ("prev", "batch")}
    journal.append([("EFFECT_RESOLVED", again)], 0)
    assert (len(repaired(folder).cut), events_of(folder)) == (1, 6)


def test_run_json_is_written_again_letter_for_letter(folder: Path) -> None:
    before = (folder / "run.json").read_bytes()
    (folder / "run.json").write_text("{")
    repaired(folder)
    assert (folder / "run.json").read_bytes() == before


def test_a_run_json_that_was_edited_is_put_right(folder: Path) -> None:
    before = (folder / "run.json").read_bytes()
    (folder / "run.json").write_bytes(before.replace(b'"processId":"', b'"processId":"other-'))
    repaired(folder)
    assert (folder / "run.json").read_bytes() == before


def test_a_run_json_that_is_gone_is_written_again(folder: Path) -> None:
    before = (folder / "run.json").read_bytes()
    (folder / "run.json").unlink()
    repaired(folder)
    assert (folder / "run.json").read_bytes() == before


def test_the_damaged_run_json_is_kept(folder: Path) -> None:
    (folder / "run.json").write_text("{")
    repaired(folder)
    (kept,) = (folder / "quarantine").iterdir()
    assert kept.read_text() == "{"


def test_run_json_and_an_event_are_mended_together(folder: Path) -> None:
    (folder / "run.json").unlink()
    damage(event_files(folder)[4])
    repaired(folder)
    assert events_of(folder) == 6


def test_an_event_of_an_earlier_version_says_where_the_run_lay(folder: Path, project: Project) -> None:
    created = json.loads(event_files(folder)[0].read_bytes())["data"]
    for name in ("runDigest", "project", "place", "createdAt"):
        del created[name]
    about = about_from(created, str(folder))
    assert (about["project"], about["place"], about["runId"]) == (str(project.folder), ".a5c/runs", "r")


def test_a_result_that_is_lost_is_named_with_its_event(folder: Path) -> None:
    next(folder.glob("tasks/*/value-*")).unlink()
    made = plan(str(folder))
    ((reference, fault),) = made.unmendable
    assert (made.is_empty, reference.seq in (3, 5), "it is absent" in fault.message) == (True, True, True)


def test_going_back_to_before_a_lost_result_asks_for_it_again(folder: Path, project: Project) -> None:
    lost = project.effect("2")
    assert lost.result_ref is not None
    (folder / lost.result_ref[0]).unlink()
    ((reference, _),) = plan(str(folder)).unmendable
    made = repaired(folder, before=reference.seq)
    assert (made.unmendable, project.effect("2").status, events_of(folder)) == ([], "requested", 4)


def test_lost_inputs_cannot_be_mended(folder: Path) -> None:
    (folder / "inputs.json").unlink()
    ((reference, _),) = plan(str(folder)).unmendable
    assert (reference.file, "put the file back" in reference.way_out("r")) == ("inputs.json", True)


def test_a_journal_of_which_nothing_is_left_cannot_be_mended(folder: Path) -> None:
    shutil.rmtree(folder / "state")
    damage(event_files(folder)[0])
    with pytest.raises(CorruptEvent, match="nothing of the journal of run 'r' can be saved"):
        plan(str(folder))


def test_the_whole_journal_comes_back_from_the_cache(folder: Path) -> None:
    shutil.rmtree(folder / "journal")
    repaired(folder)
    assert events_of(folder) == 6


@pytest.mark.parametrize("before", [1, 7, 100])
def test_there_is_no_going_back_to_what_never_was(folder: Path, before: int) -> None:
    with pytest.raises(
        InvalidInput, match=f"no going back to before event {before}: events 1 to 6 are whole"
    ):
        plan(str(folder), before)


def test_what_a_later_version_wrote_is_not_touched(folder: Path) -> None:
    about = json.loads((folder / "run.json").read_bytes())
    (folder / "run.json").write_text(json.dumps({**about, "layout": 2}))
    with pytest.raises(UnknownLayout):
        plan(str(folder))


def test_the_report_of_a_cut_says_what_and_why(folder: Path) -> None:
    shutil.rmtree(folder / "state")
    damage(event_files(folder)[3])
    made = repaired(folder)
    told = json.loads((folder / "quarantine" / "journal-1.json").read_bytes())
    assert (told["run"], told["events"], told["cut"], told["reason"]) == ("r", 3, made.cut, made.reason)


def test_a_run_json_of_another_run_is_put_right(folder: Path, project: Project) -> None:
    before = (folder / "run.json").read_bytes()
    other = project.create(ASK_ONCE, run_id="other")
    shutil.copy(Path(other.folder) / "run.json", folder / "run.json")
    repaired(folder)
    assert ((folder / "run.json").read_bytes(), events_of(folder)) == (before, 6)


def test_without_a_run_json_a_damaged_first_event_does_not_name_the_run(folder: Path) -> None:
    (folder / "run.json").unlink()
    first = event_files(folder)[0]
    first.write_bytes(first.read_bytes().replace(b'"runId":"r"', b'"runId":"q"'))
    repaired(folder)
    assert events_of(folder) == 6


def test_an_event_that_names_a_file_that_cannot_be_is_a_fault_and_no_crash(folder: Path) -> None:
    run = Run(str(folder)).load()
    wrong = Reference("the result", "tasks/a\0b", "0", 3)
    assert "names the file" in str(fault_of(run, wrong))


def test_what_a_finished_run_has_lost_is_not_worth_a_cut(folder: Path, project: Project) -> None:
    project.iterate()
    project.answer("3", "last")
    next(folder.glob("tasks/*/value-*")).unlink()
    ((reference, _),) = plan(str(folder)).unmendable
    assert "--before" not in reference.way_out("r")


def test_the_answers_that_a_cut_takes_are_counted(folder: Path) -> None:
    assert len(plan(str(folder), 3).answers_cut) == 2
