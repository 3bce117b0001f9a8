"""What a person is shown of a breakpoint beside its words: who is asked, until when, and the files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.clock import iso
from babysitter.paths import user_name
from babysitter.runs.answering import Shown
from babysitter.views.questions import about_json, about_lines
from tests.support.asking import START_MS, Clock, Question

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def question(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Question]:
    clock, finders = Clock(), list(sys.meta_path)
    monkeypatch.setattr("babysitter.runs.run.now_ms", clock)
    yield Question(project, clock)
    sys.meta_path[:] = finders


def lines(question: Question, **told: Any) -> list[str]:
    run = question.open()
    return about_lines(run, Shown(run, question.effect(run)), **told)


def test_of_a_plain_question_there_is_nothing_to_say(question: Question) -> None:
    question.ask()
    assert lines(question) == []


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ({"expert": "alice"}, "asked of   alice"),
        ({"expert": ["alice", "bob"]}, "asked of   alice, bob; the first of them decides"),
        (
            {"expert": ["alice", "bob"], "strategy": "collect-all"},
            "asked of   alice, bob; all of them answer",
        ),
        ({"quorum": 3}, "asked of   anybody; 3 have to agree"),
        ({"quorum": 1}, "asked of   anybody; 1 has to agree"),
        ({"expert": "owner"}, f"asked of   owner ({user_name()})"),
        ({"tags": ["db", "eu"]}, "tags       db, eu"),
        ({"expert": "a\nstatus ok"}, "asked of   a\\nstatus ok"),
        (
            {"deadline": "1h"},
            f"decided    at {iso(START_MS + 3_600_000)} by itself, if nobody does before: no",
        ),
        (
            {"deadline": 60, "default": "us", "options": ["us"]},
            f"decided    at {iso(START_MS + 60_000)} by itself, if nobody does before: us",
        ),
        ({"expires": "1h30m"}, "a yes      counts for 1 h 30 m, if it is not made use of before"),
    ],
    ids=str,
)
def test_who_is_asked_and_until_when_is_a_line_each(
    question: Question, told: dict[str, Any], line: str
) -> None:
    question.ask(**told)
    assert lines(question) == [line]


def test_who_has_answered_is_told(question: Question) -> None:
    question.ask(quorum=3)
    question.yes("ann\n")
    question.no("ben")
    assert lines(question)[1] == "so far     ann\\n yes, ben no"


def test_no_line_of_a_feedback_passes_for_one_of_ours(question: Question) -> None:
    question.ask(attempt=2, previous_feedback="shorter\rok\nattempt    1")
    assert lines(question) == ["attempt    2", "feedback on the one before: shorter\\rok", "  attempt    1"]


def test_a_file_is_told_with_its_beginning(question: Question) -> None:
    question.write("plan.md", "".join(f"line {number}\n" for number in range(43)))
    question.write("short.md", "one\n\nthree")
    question.write("wide.md", "x" * 203 + "\n")
    question.write("empty.md", "")
    (question.project / "binary").write_bytes(b"\xff\xfe\n")
    question.ask(files=["plan.md", "short.md", "wide.md", "empty.md", "binary"])
    told = lines(question)
    starts = [number for number, line in enumerate(told) if line.startswith("file ")]
    plan, short, wide, empty, binary = (
        told[start:end] for start, end in zip(starts, [*starts[1:], len(told)], strict=True)
    )
    assert plan[1:] == [*(f"  | line {number}" for number in range(40)), "  … 3 more lines"]
    assert short[1:] == ["  | one", "  | ", "  | three"]
    assert wide[1:] == [f"  | {'x' * 200}… 3 more characters"]
    assert [len(empty), len(binary)] == [1, 1]
    assert binary[0].startswith("file       binary, 3 bytes, ")
    assert lines(question, with_content=False) == [part[0] for part in (plan, short, wide, empty, binary)]


def test_nothing_that_is_in_a_file_is_hidden_by_it(question: Question) -> None:
    question.write("plan.md", "delete everything\rkeep everything\n\x1b[2J\nfile       other.md, 3 bytes\n")
    question.ask(files=["plan.md"])
    assert lines(question)[1:] == [
        "  | delete everything\\rkeep everything",
        "  | \\x1b[2J",
        "  | file       other.md, 3 bytes",
    ]


def test_what_the_author_says_of_a_file_is_told(question: Question) -> None:
    question.write("plan.md", "one")
    question.ask(files=[{"path": "plan.md", "note": "all of it", "language": "de\n"}])
    (head, _) = lines(question)
    assert head.startswith("file       plan.md, 3 bytes, ")
    assert head.endswith("; language: de\\n; note: all of it")


def test_of_a_file_it_is_told_that_it_has_changed_or_is_gone(question: Question) -> None:
    question.write("plan.md", "one")
    question.ask(files=["plan.md"])
    question.write("plan.md", "two")
    assert lines(question)[0].endswith(", changed since it was asked")
    (question.project / "plan.md").unlink()
    assert lines(question) == ["file       plan.md is not there any more"]


def test_the_same_is_there_for_programs(question: Question) -> None:
    question.write("plan.md", "one")
    question.ask(files=["plan.md"], quorum=2, deadline="1h", expert=["alice", "bob"])
    question.yes("bob")
    run = question.open()
    shown = Shown(run, question.effect(run))
    assert about_json(run, shown) == {
        "shown": shown.digest,
        "files": [{**shown.files[0], "changed": False}],
        "strategy": "quorum",
        "approvals": 1,
        "rejections": 0,
        "needed": 2,
        "waitingFor": ["alice"],
        "deadlineAt": iso(START_MS + 3_600_000),
    }
