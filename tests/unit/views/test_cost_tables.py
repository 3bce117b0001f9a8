"""What runs have cost, for people."""

from __future__ import annotations

from typing import Any

import pytest
from stories import Shown

from babysitter.views.costs import cost_lines, money_text, tokens_text, usage_text
from babysitter.views.marks import UNICODE, text_of
from babysitter.views.summary import Outcome, summary_lines
from babysitter.views.tables import effect_lines, status_lines

EVIL = "\x1b[2J\u202e\n"
KNOWN = {"inputTokens": 12_345, "outputTokens": 20, "cacheReadTokens": 0, "tokens": 12_365}


def a_sum(effects: int = 1, unknown: int = 0, **more: Any) -> dict[str, Any]:
    return {"effects": effects, "unknown": unknown, **more}


def of_run(*tasks: dict[str, Any], total: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"run": "r", "process": "p", "tasks": tasks, "total": total or a_sum(), **more}


def test_a_table_has_a_row_for_each_sum_and_the_total_last() -> None:
    told = of_run(
        {"task": "review", **a_sum(3, 1, **KNOWN, money={"USD": 4.31})},
        {"task": "fix", **a_sum(1, 1)},
        total=a_sum(4, 2, **KNOWN, money={"USD": 4.31}),
    )
    assert cost_lines(told, ["task"])[:4] == [
        "task    effects  unknown   input  output  cache read  cache write     money",
        "review        3        1  12,345      20           0            ?  4.31 USD",
        "fix           1        1       ?       ?           ?            ?         ?",
        "total         4        2  12,345      20           0            ?  4.31 USD",
    ]


@pytest.mark.parametrize(
    ("total", "note"),
    [
        (a_sum(2, 2), "unknown: of 2 effects nobody has said what was used"),
        (a_sum(partial=1), "incomplete: of 1 effect only a part is known"),
        (a_sum(unpriced=1), "no money: 1 effect without a price in your config.yaml"),
        (a_sum(isEstimated=True), "~ by the prices in your config.yaml now, where none was recorded"),
    ],
)
def test_what_the_numbers_do_not_say_stands_below(
    total: dict[str, Any], note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "linux")
    assert cost_lines(of_run(total=total), ["task"])[-2:] == ["", note]


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ({"missing": ["c-1"]}, "not counted: the child run c-1 is not there any more"),
        ({"unreadable": [{"run": "c-1", "error": "damaged"}]}, "not counted: c-1: damaged"),
        ({"continuedAs": "r-2"}, "goes on as r-2, which is not counted here"),
    ],
)
def test_what_is_not_counted_is_named(more: dict[str, Any], note: str) -> None:
    assert cost_lines(of_run(**more), ["task"])[-1] == note


def test_where_nothing_was_performed_there_is_no_table() -> None:
    assert cost_lines(of_run(total=a_sum(0)), ["task"]) == [
        "nothing that an agent performs has come to its end here"
    ]


@pytest.mark.parametrize(
    ("by", "head", "rows", "names"),
    [
        (
            "branch",
            "branch",
            "branches",
            {
                "(in no branch)": {"path": "", "branch": ""},
                "3.0": {"path": "3", "branch": "0"},
                "3.a1 a.txt": {"path": "3", "branch": "a1", "label": "a.txt"},
            },
        ),
        ("child", "run", "children", {"r": {"run": "r"}, "c-1 (child of r)": {"run": "c-1", "parent": "r"}}),
        ("day", "day (UTC)", "days", {"2026-11-24": {"day": "2026-11-24"}}),
        ("process", "process", "processes", {"p": {"process": "p"}}),
    ],
)
def test_rows_are_named_for_what_they_sum_up(
    by: str, head: str, rows: str, names: dict[str, dict[str, Any]]
) -> None:
    told = {rows: [{**told, **a_sum()} for told in names.values()], "total": a_sum()}
    lines = cost_lines(told, [by])
    assert [line.partition("  ")[0] for line in lines] == [head, *names, "total"]


def test_nothing_of_a_journal_reaches_a_terminal_as_it_is() -> None:
    evil = {"task": EVIL, **a_sum(money={EVIL: 1.0})}
    lines = cost_lines(of_run(evil, total=a_sum(), missing=[EVIL]), ["task"])
    assert [line for line in lines[:-1] if EVIL[0] in line or "\u202e" in line] == []


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (12_345, "12.3k"),
        (999_949, "999.9k"),
        (999_950, "1.0M"),
        (1_234_567, "1.2M"),
        (5_000_000_000, "5.0G"),
        (5_000_000_000_000, "5000.0G"),
    ],
)
def test_tokens_are_told_in_few_digits(count: int, text: str) -> None:
    assert tokens_text(count) == text


@pytest.mark.parametrize(
    ("money", "text"),
    [
        ({}, ""),
        ({"USD": 0}, "0.00 USD"),
        ({"USD": 0.0042}, "0.0042 USD"),
        ({"USD": 0.00001}, "<0.0001 USD"),
        ({"USD": 0.99999}, "1.00 USD"),
        ({"USD": 1234.5}, "1,234.50 USD"),
        ({"USD": 1.5, "EUR": 0.25}, "1.50 USD + 0.2500 EUR"),
    ],
)
def test_money_is_told_in_its_currency(money: dict[str, float], text: str) -> None:
    assert money_text({"money": money}) == text


def test_money_that_is_estimated_is_marked() -> None:
    assert money_text({"money": {"USD": 4.31}, "isEstimated": True}, "≈") == "≈4.31 USD"


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (a_sum(tokens=1_234_567, money={"USD": 4.31}), "1.2M tokens, 4.31 USD"),
        (
            a_sum(5, 2, tokens=1_234_567, money={"USD": 4.31}),
            "1.2M tokens, 4.31 USD, unknown for 2 effects",
        ),
        (a_sum(2, 1, tokens=5), "5 tokens, unknown for 1 effect"),
        (a_sum(2, tokens=5, unpriced=2), "5 tokens"),
        (a_sum(2, tokens=5, unpriced=1, money={"USD": 1}), "5 tokens, 1.00 USD, no price for 1 effect"),
        (a_sum(money={"USD": 1}), "1.00 USD"),
        (a_sum(tokens=5, partial=1), "5 tokens, incomplete for 1 effect"),
        (a_sum(tokens=5, missing=1), "5 tokens, without 1 child run"),
    ],
)
def test_a_usage_is_told_in_a_line(told: dict[str, Any], text: str) -> None:
    assert usage_text(told) == text


STATUS = {
    "run": "r",
    "process": "p",
    "status": "waiting",
    "createdAt": "2026-11-24T01:48:21.123Z",
    "lastEventAt": "2026-11-24T01:49:24.123Z",
    "events": 7,
    "effects": {},
    "pending": {},
}


def test_the_status_of_a_run_tells_what_it_has_used() -> None:
    lines = status_lines({**STATUS, "usage": a_sum(2, 1, tokens=5)})
    assert [line for line in lines if line.startswith("usage")] == [
        "usage       5 tokens, unknown for 1 effect"
    ]
    assert "usage" not in "".join(status_lines(STATUS))


def test_an_effect_tells_what_it_has_used() -> None:
    effect = {
        "id": "e",
        "run": "r",
        "step": "1",
        "task": "t",
        "kind": "agent",
        "title": "T",
        "status": "ok",
        "requestedAt": STATUS["createdAt"],
        "definition": {},
        "usage": {"inputTokens": 5, "model": EVIL},
    }
    lines = effect_lines(effect)
    at = lines.index("usage")
    assert (lines[at + 1], any("\x1b" in line for line in lines)) == ("  inputTokens: 5", False)


@pytest.mark.parametrize(("is_unicode", "mark"), [(True, "≈"), (False, "~")])
def test_the_summary_of_a_run_ends_with_what_it_has_used(is_unicode: bool, mark: str) -> None:
    used = a_sum(3, 2, tokens=1_234_567, money={"USD": 4.31}, isEstimated=True)
    outcome = Outcome("completed", None, None, [], "", usage=used)
    marks = [UNICODE] if is_unicode else []
    lines = [text_of(line) for line in summary_lines(Shown().view.tree, outcome, *marks)]
    assert lines[-1] == f"usage     1.2M tokens, {mark}4.31 USD, unknown for 2 effects"


def test_the_summary_of_a_run_that_asked_no_agent_says_nothing_of_it() -> None:
    lines = summary_lines(Shown().view.tree, Outcome("completed", None, None, [], ""))
    assert [text_of(line) for line in lines if text_of(line).startswith("usage")] == []
