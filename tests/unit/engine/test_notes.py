"""Notes: known ones from the journal, and new ones that wait to be written."""

from __future__ import annotations

from typing import Any

import pytest

from babysitter.engine.branches import Branch
from babysitter.engine.notes import Notes
from babysitter.engine.scores import Aim, keep
from babysitter.errors import NondeterminismError


def branch(scope: str = "") -> Branch:
    return Branch(lambda: None, scope, None, 0)


def fails() -> Any:
    raise AssertionError("called although the value is known")


def test_a_new_record_waits_to_be_written() -> None:
    notes = Notes()
    notes.record(branch("1.0."), "files", lambda: ["a"])
    assert list(notes.new_records.values()) == [
        {"scope": "1.0.", "index": 1, "name": "files", "value": ["a"]}
    ]


def test_a_known_record_is_given_without_calling_its_function() -> None:
    notes = Notes()
    notes.records[("", 1)] = ("files", ["a"])
    assert (notes.record(branch(), "files", fails), notes.new_records) == (["a"], {})


def test_records_are_counted_in_their_own_scope() -> None:
    notes = Notes()
    for own in (branch("1.0."), branch("1.1.")):
        notes.record(own, "files", list)
        notes.record(own, "files", list)
    assert list(notes.new_records) == [("1.0.", 1), ("1.0.", 2), ("1.1.", 1), ("1.1.", 2)]


def test_a_record_by_another_name_than_the_journal_has_is_a_divergence() -> None:
    notes = Notes()
    notes.records[("2.a.", 1)] = ("files", [])
    with pytest.raises(NondeterminismError) as caught:
        notes.record(branch("2.a."), "dirs", fails)
    assert (str(caught.value), caught.value.step) == (
        "the process records 'dirs' where its journal has 'files'",
        "2.a.record 1",
    )


def test_a_record_that_the_journal_has_now_is_no_longer_new() -> None:
    notes = Notes()
    notes.record(branch(), "files", list)
    notes.see_record({"scope": "", "index": 1, "name": "files", "value": []})
    assert notes.new_records == {}


def test_equal_lines_of_a_scope_are_told_apart() -> None:
    notes = Notes()
    own = branch()
    notes.log(own, "again", {})
    notes.log(own, "again", {})
    assert len(notes.to_log()) == 2


def test_a_line_that_the_journal_has_is_not_noted_again() -> None:
    before, notes = Notes(), Notes()
    before.log(branch(), "once", {"a": 1})
    notes.logged = {data["key"] for data in before.to_log()}
    notes.log(branch(), "once", {"a": 1})
    assert notes.to_log() == []


def test_a_line_put_in_front_is_the_only_new_one() -> None:
    before, notes = Notes(), Notes()
    before.log(branch(), "old", {})
    notes.logged = {data["key"] for data in before.to_log()}
    notes.log(branch(), "new", {})
    notes.log(branch(), "old", {})
    assert [data["message"] for data in notes.to_log()] == ["new"]


def test_a_line_that_the_journal_has_now_is_no_longer_new() -> None:
    notes = Notes()
    notes.log(branch(), "once", {})
    notes.see_log(notes.to_log()[0])
    assert notes.to_log() == []


def test_of_several_marks_in_one_round_only_the_last_is_written() -> None:
    notes, own = Notes(), branch()
    for done in (1, 2, 3):
        notes.progress(own, done, 3, "")
    assert [(data["index"], data["progress"]["done"]) for data in notes.to_log()] == [(3, 3)]


def test_marks_that_the_journal_is_past_are_not_written_again() -> None:
    notes, own = Notes(), branch()
    notes.marks = {"": 2}
    notes.progress(own, 1, 3, "")
    notes.progress(own, 2, 3, "")
    assert notes.to_log() == []


def test_a_mark_that_the_journal_has_now_is_no_longer_new() -> None:
    notes, own = Notes(), branch()
    notes.progress(own, 1, 3, "")
    notes.see_log(notes.to_log()[0])
    assert notes.to_log() == []


def test_a_newer_mark_stays_new_when_the_journal_has_an_older_one() -> None:
    notes, own = Notes(), branch()
    notes.progress(own, 1, 3, "")
    (older,) = notes.to_log()
    notes.progress(own, 2, 3, "")
    notes.see_log(older)
    assert [data["index"] for data in notes.to_log()] == [2]


AIM = Aim(90, patience=None, min_change=0, lower=False)


def test_a_score_that_the_journal_has_is_not_noted_again() -> None:
    before, notes = Notes(), Notes()
    before.score(branch(), "score", 61, AIM)
    for data in before.to_log():
        keep(notes.scores, data)
    notes.score(branch(), "score", 61, AIM)
    assert (len(before.to_log()), notes.to_log()) == (1, [])


def test_a_score_is_new_until_it_is_among_those_that_count() -> None:
    notes = Notes()
    notes.score(branch(), "score", 61, AIM)
    (data,) = notes.to_log()
    notes.see_log(data)
    noted = len(notes.to_log())
    keep(notes.scores, data)
    assert (noted, notes.to_log()) == (1, [])


def test_a_score_that_counts_no_more_is_new_when_it_is_told_again() -> None:
    notes = Notes()
    notes.score(branch(), "score", 61, AIM)
    keep(notes.scores, notes.to_log()[0])
    notes.scores.clear()
    assert [data["score"]["value"] for data in notes.to_log()] == [61]


def test_a_known_score_gives_what_it_gave_when_it_was_new() -> None:
    given = []
    for known in ({}, {("", "score"): [{"key": "another", "value": 1}]}):
        notes = Notes()
        notes.scores = known
        given.append([notes.score(branch(), "score", value, AIM) for value in (61, 95)])
    assert given[0] == given[1]
