"""Triage for ever: played over several runs, and once for real with a scripted agent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from scripted_agent import agent_command, does
from small_projects import ROOT, Babysitter

from babysitter.testing import every_order, fails, in_turn, load, play
from tests.support.repositories import commit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def forever() -> ModuleType:
    return load(ROOT / "processes" / "triage-forever" / "process.py")


@pytest.fixture
def tasks(load: Callable[[str, str], ModuleType]) -> ModuleType:
    """The tasks of the process, to be called as plain functions."""
    load("triage-forever", "process")
    return load("triage-forever", "tasks")


def items(*ids: int) -> list[dict[str, Any]]:
    return [{"id": number, "text": f"item {number}"} for number in ids]


def label(**args: Any) -> dict[str, Any]:
    return {"label": "bug" if args["key"] % 2 else "noise", "why": "so it is"}


def results(*listings: Any, **given: Any) -> dict[str, Any]:
    return {"list_items": in_turn(*listings), "triage": label, "note": None, **given}


def inputs(**given: Any) -> dict[str, Any]:
    return {"command": "list", "every": "1h", "rounds": 1, **given}


def test_new_items_are_triaged_side_by_side_up_to_the_limit(forever: ModuleType) -> None:
    played = play(forever, inputs(limit=2), results=results(items(1, 2, 3)))
    assert played.tasks[:2] == [["list_items"], ["triage", "triage"]]
    assert played.output == {"rounds": 1, "seen": [1, 2, 3], "counts": {"bug": 2, "noise": 1}}


def test_what_was_seen_is_not_looked_at_again(forever: ModuleType) -> None:
    played = play(forever, inputs(rounds=3), results=results(items(1), items(1, 2), items(1, 2)))
    assert [asked.args["key"] for asked in played.asked("triage")] == [1, 2]
    assert played.elapsed == 2 * 3600


def test_it_goes_on_in_a_new_run_with_what_was_seen(forever: ModuleType) -> None:
    given = results(items(1), items(1, 2))
    played = play(forever, inputs(rounds=0, each=2), results=given)
    assert (played.status, played.next_inputs["seen"], played.next_inputs["round"]) == (
        "continued",
        [1, 2],
        2,
    )
    again = play(forever, {**played.next_inputs, "rounds": 3}, results=results(items(1, 2, 3)))
    assert [asked.args["key"] for asked in again.asked("triage")] == [3]
    assert again.output["rounds"] == 3


def test_what_is_not_listed_any_more_is_forgotten(forever: ModuleType) -> None:
    assert play(forever, inputs(seen=[1, 2]), results=results(items(2, 3))).output["seen"] == [2, 3]


@pytest.mark.parametrize("listing", [fails("ShellFailed", "no network"), fails("TaskTimeout", "too slow")])
def test_a_look_that_fails_is_noted_and_nothing_is_forgotten(listing: Any, forever: ModuleType) -> None:
    played = play(forever, inputs(rounds=2, seen=[1]), results=results(listing, items(1, 2)))
    assert [asked.args["key"] for asked in played.asked("triage")] == [2]
    assert "the items could not be listed" in str(played.logs[0])


@pytest.mark.parametrize("listing", [{"id": 1}, [1], [{"name": "x"}], [{"id": None}]])
def test_what_are_no_items_is_noted(listing: Any, forever: ModuleType) -> None:
    played = play(forever, inputs(), results=results(listing))
    assert (played.asked("triage"), "a JSON list of objects" in str(played.logs[0])) == ([], True)


def test_an_item_that_could_not_be_triaged_is_tried_at_the_next_look(forever: ModuleType) -> None:
    broken = fails("AgentFailed", "no answer")
    answers = in_turn(broken, broken, {"label": "bug", "why": ""})
    played = play(forever, inputs(rounds=2), results=results(items(1), items(1), triage=answers))
    assert (played.output["counts"], len(played.asked("note"))) == ({"bug": 1}, 1)


@pytest.mark.parametrize(
    ("given", "decided", "share"),
    [(["bug", "noise", "bug"], "bug", 0.67), (["bug", "noise", "feature"], "unsure", 0.33)],
)
def test_of_several_votes_the_majority_decides(
    given: list[str], decided: str, share: float, forever: ModuleType
) -> None:
    votes = in_turn(*[{"label": each, "why": f"a {each}"} for each in given])
    played = play(forever, inputs(votes=3), results=results(items(1), triage=votes))
    (noted,) = played.asked("note")
    assert noted.args["line"] == {"id": 1, "label": decided, "why": "a bug", "share": share}


def test_an_answer_has_one_of_the_labels(forever: ModuleType) -> None:
    played = play(forever, inputs(labels="red, bug, noise"), results=results(items(1)))
    schema = played.asked("triage")[0].definition["agent"]["outputSchema"]
    assert schema["properties"]["label"] == {"enum": ["red", "bug", "noise"]}


def test_the_order_of_arrival_changes_nothing(forever: ModuleType) -> None:
    given = {"list_items": lambda command: items(1, 2), "triage": label, "note": None}
    orders = every_order(forever, inputs(), results=given, hash_seeds=0)
    assert (orders.is_complete, orders.played.output["seen"]) == (True, [1, 2])


def test_a_line_is_added_once_and_never_to_half_a_line(project: Path, tasks: ModuleType) -> None:
    (project / "notes").write_text('{"id": 1}\n{"id": 2, "la')
    for key in (1, 2, 2, "2"):
        tasks.note("notes", {"id": key})
    assert (project / "notes").read_text() == '{"id": 1}\n{"id": 2, "la\n{"id": 2}\n{"id": "2"}\n'


def test_real_items_are_triaged_in_two_runs(project: Path, tmp_path: Path, babysitter: Babysitter) -> None:
    first = [{"number": 7, "title": "it crashes"}, {"number": 8, "title": "thank you"}]
    commit(project, {"items.json": json.dumps(first)})
    more = json.dumps([*first, {"number": 9, "title": "crashes again"}])
    agent = agent_command(
        tmp_path / "agent",
        {
            # A new item comes up while the first ones are looked at.
            "thank you": [does({"label": "noise", "why": "no request"}, **{"items.json": more})],
            "crashes": [does({"label": "bug", "why": "a crash"})],
        },
    )
    words = ("-i", "command=cat items.json", "-i", "id=number", "-i", "every=10ms", "-i", "rounds=2")
    ended = babysitter("run", "triage-forever", "--run-id", "t", "--json", "-i", "each=1", *words, *agent)
    assert (ended.code, ended.json["run"]) == (0, "t-c2")
    assert ended.data == {"rounds": 2, "seen": [7, 8, 9], "counts": {"bug": 1}}
    lines = [json.loads(line) for line in (project / "triage.jsonl").read_text().splitlines()]
    assert sorted((line["id"], line["label"]) for line in lines) == [(7, "bug"), (8, "noise"), (9, "bug")]
