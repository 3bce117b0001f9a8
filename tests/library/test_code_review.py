"""Code review: played, and once for real with a scripted agent on a small repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scripted_agent import agent_command, does
from small_projects import ROOT, Babysitter, write

from babysitter.testing import begin, every_order, fails, in_turn, load, play, takes
from tests.support.repositories import changed, commit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def review() -> ModuleType:
    return load(ROOT / "processes" / "code-review" / "process.py")


def finding(file: str, line: int, severity: str = "high") -> dict[str, Any]:
    return {"file": file, "line": line, "severity": severity, "claim": f"line {line} is wrong"}


def results(votes: Callable[..., Any], **found: list[dict[str, Any]]) -> dict[str, Any]:
    """What reviewers find, by concern, and how those vote who look at it."""
    return {
        "changed_files": ["a.py", "b.py"],
        "review": lambda concern, base, files: {"findings": found.get(concern, [])},
        "verify": lambda angle, finding, base: votes(angle, finding),
    }


def real(angle: str, finding: dict[str, Any]) -> dict[str, Any]:
    return {"real": True, "why": "seen"}


def places(found: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(each["file"], each["line"]) for each in found]


def test_all_reviewers_begin_at_once_and_three_vote_on_each_finding(review: ModuleType) -> None:
    given = results(real, correctness=[finding("a.py", 1)], security=[finding("b.py", 2)])
    played = play(review, results=given)
    assert [(batch[0], len(batch)) for batch in played.tasks] == [
        ("changed_files", 1),
        ("review", 3),
        ("verify", 6),
    ]
    angles = [asked.args["angle"] for asked in played.asked("verify")[:3]]
    assert angles == ["reads", "refutes", "tries"]


def test_votes_do_not_wait_for_other_reviewers(review: ModuleType) -> None:
    given = results(real, security=[finding("b.py", 2)])
    begun = begin(review, results={**given, "review": _slow_unless("security", given["review"])}).advance(0)
    assert sorted({asked.task for asked in begun.pending}) == ["review"]
    assert len(begun.asked("verify")) == 3


def _slow_unless(quick: str, answer: Callable[..., Any]) -> Callable[..., Any]:
    def answered(**args: Any) -> Any:
        return answer(**args) if args["concern"] == quick else takes("5m", answer(**args))

    return answered


@pytest.mark.parametrize(
    ("votes", "is_confirmed"),
    [
        ([True, True, True], True),
        ([True, False, True], True),
        ([True, False, False], False),
        ([True, True, None], True),
        ([True, None, None], False),
        ([True, False, None], False),
    ],
)
def test_the_majority_decides(votes: list[bool | None], is_confirmed: bool, review: ModuleType) -> None:
    by_angle = dict(zip(("reads", "refutes", "tries"), votes, strict=True))

    def cast(angle: str, finding: dict[str, Any]) -> Any:
        vote = by_angle[angle]
        return fails("AgentFailed", "no answer") if vote is None else {"real": vote, "why": ""}

    output = play(review, results=results(cast, tests=[finding("a.py", 1)])).output
    (judged,) = output["findings" if is_confirmed else "rejected"]
    assert [each["real"] for each in judged["votes"]] == votes


def test_the_report_has_the_worst_first_in_whatever_order_they_come(review: ModuleType) -> None:
    found = {
        "correctness": [finding("b.py", 9, "low")],
        "security": [finding("b.py", 3, "high")],
    }
    inputs = {"concerns": "correctness, security"}
    orders = every_order(review, inputs, results=results(real, **found), most=60, hash_seeds=0)
    assert places(orders.played.output["findings"]) == [("b.py", 3), ("b.py", 9)]


def test_what_is_not_of_the_change_is_not_looked_at(review: ModuleType) -> None:
    played = play(review, results=results(real, tests=[finding("other.py", 1)]))
    assert (played.asked("verify"), played.output["findings"]) == ([], [])


def test_a_reviewer_who_fails_is_told_and_the_others_are_heard(review: ModuleType) -> None:
    given = results(real, security=[finding("a.py", 1)])

    def answered(**args: Any) -> Any:
        return fails("AgentFailed", "I cannot") if args["concern"] == "tests" else given["review"](**args)

    output = play(review, results={**given, "review": answered}).output
    assert (places(output["findings"]), output["failed"]) == (
        [("a.py", 1)],
        [{"concern": "tests", "error": "I cannot"}],
    )


def test_a_reviewer_is_asked_twice_and_with_none_left_the_run_fails(review: ModuleType) -> None:
    given = {**results(real), "review": in_turn(fails("AgentFailed", "no"), fails("AgentFailed", "I cannot"))}
    played = play(review, {"concerns": ["speed"]}, results=given)
    assert played.error is not None
    assert played.error.message == "no reviewer came to an end: I cannot"


def test_without_a_change_nobody_is_asked(review: ModuleType) -> None:
    played = play(review, results={"changed_files": []})
    assert (played.tasks, played.output["findings"]) == ([["changed_files"]], [])


def test_a_real_change_is_reviewed(project: Path, tmp_path: Path, babysitter: Babysitter) -> None:
    commit(project, {"a.py": "def half(n):\n    return n / 2\n", "gone.py": "", "same.py": ""})
    (project / "gone.py").unlink()
    write(project, {"a.py": "def half(n):\n    return n / 3\n", "new file.py": ""})
    wrong = {"file": "a.py", "line": 2, "severity": "high", "claim": "a third"}
    taste = {"file": "new file.py", "line": 1, "severity": "low", "claim": "empty"}
    agent = agent_command(
        tmp_path / "agent",
        {
            "one thing alone: correctness": [does({"findings": [taste, wrong]})],
            "one thing alone": [does({"findings": []})],
            '"a third"': [does({"real": True, "why": "half of 2 is 1"})],
            '"empty"': [does({"real": False, "why": "a matter of taste"})],
        },
    )
    ended = babysitter("run", "code-review", "--json", *agent)
    assert (ended.code, ended.data["files"]) == (0, ["a.py", "new file.py"])
    assert (places(ended.data["findings"]), places(ended.data["rejected"])) == (
        [("a.py", 2)],
        [("new file.py", 1)],
    )
    assert changed(project) == ["a.py", "gone.py", '"new file.py"']


def test_a_base_that_there_is_not_is_told(project: Path, babysitter: Babysitter) -> None:
    commit(project, {"a.py": ""})
    ended = babysitter("run", "code-review", "-i", "base=nowhere", "--json")
    assert (ended.code, "git diff failed: fatal: bad revision 'nowhere'" in ended.text) == (1, True)
