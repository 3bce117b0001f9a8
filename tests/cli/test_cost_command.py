"""What results have used, from whoever says it to ``babysitter cost``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.commands import call, told, write

if TYPE_CHECKING:
    from pathlib import Path

    from scenes import Scene

SUM = ["effects", "unknown"]
KNOWN = [*SUM, "inputTokens", "outputTokens", "tokens"]
# Says what it is to say, once for each prompt that names it, and counts how often it was asked.
AGENT = """#!/bin/sh
prompt=$(cat)
for file in answers/*; do
  case "$prompt" in *"$(basename "$file")"*) cat "$file"; [ -e "$file" ] && exit 0 ;; esac
done
exit 1
"""
PROCESS = """
from babysitter import Retry

@agent(retry=Retry(2, 0))
def tries(question):
    return question

async def child(inputs, ctx):
    return await ctx.task(ask, question="below")

async def process(inputs, ctx):
    await ctx.parallel.map(["plain", "silent"], lambda text: ctx.task(ask, question=text))
    try:
        await ctx.task(tries, question="refused")
    except TaskFailed:
        pass
    return await ctx.subprocess(child, {})
"""
CLAUDE = {
    "type": "result",
    "is_error": False,
    "result": '"fine"',
    "total_cost_usd": 0.25,
    "usage": {
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_creation_input_tokens": 300,
        "cache_read_input_tokens": 4000,
    },
    "modelUsage": {"claude-sonnet-4-5": {}},
}
OURS = {
    "type": "result",
    "result": '"fine"',
    "usage": {"inputTokens": 1000, "outputTokens": 50, "model": "m-1"},
}
ANSWERS: dict[str, Any] = {
    "plain": CLAUDE,
    "silent": "fine",
    "refused": {**CLAUDE, "is_error": True},
    "below": OURS,
}


@pytest.fixture
def agent(project: Path) -> str:
    """An agent's command that prints an envelope."""
    (project / ".a5c").mkdir()
    (project / "answers").mkdir()
    for name, answer in ANSWERS.items():
        (project / "answers" / name).write_text(json.dumps(answer))
    script = project / "agent.sh"
    script.write_text(AGENT)
    script.chmod(0o755)
    write(project / "p.py", PROCESS)
    return "./agent.sh"


def run(agent: str, run_id: str = "r", *options: str) -> dict[str, Any]:
    return dict(told("run", "p.py", "--run-id", run_id, "--agent-command", agent, *options))


def used(run: str) -> list[Any]:
    events = told("events", run, "--type", "EFFECT_RESOLVED")["events"]
    return [event["data"].get("usage") for event in events]


def config(text: str, home: Path) -> None:
    (home / "config.yaml").write_text(text)


def test_what_an_agents_command_says_is_in_the_journal(agent: str) -> None:
    run(agent)
    claude = {
        "inputTokens": 100,
        "outputTokens": 20,
        "cacheReadTokens": 4000,
        "cacheCreationTokens": 300,
        "model": "claude-sonnet-4-5",
        "money": 0.25,
        "currency": "USD",
    }
    in_order = sorted(used("r"), key=lambda each: each is None)
    assert in_order == [claude, claude, claude, None, None]


def test_the_cost_of_a_run_has_retries_and_children(agent: str) -> None:
    run(agent)
    shown = told("cost", "r")
    assert (shown["run"], shown["process"], sorted(shown)) == (
        "r",
        "p",
        ["branches", "children", "days", "process", "run", "tasks", "total"],
    )
    assert shown["total"] == {
        "effects": 5,
        "unknown": 1,
        "inputTokens": 1300,
        "outputTokens": 110,
        "cacheReadTokens": 12_000,
        "cacheCreationTokens": 900,
        "tokens": 2310,
        "money": {"USD": 0.75},
        "unpriced": 1,
    }
    assert [(each["task"], each["effects"], each["unknown"]) for each in shown["tasks"]] == [
        ("ask", 3, 1),
        ("tries", 2, 0),
    ]


def test_people_see_a_table(agent: str) -> None:
    run(agent)
    shown = call("cost", "r").stdout
    assert shown.splitlines() == [
        "task   effects  unknown  input  output  cache read  cache write       money",
        "ask          3        1  1,100      70       4,000          300  0.2500 USD",
        "tries        2        0    200      40       8,000          600  0.5000 USD",
        "total        5        1  1,300     110      12,000          900  0.7500 USD",
        "",
        "unknown: of 1 effect nobody has said what was used",
        "no money: 1 effect without a price in your config.yaml",
    ]


@pytest.mark.parametrize(("by", "first"), [("branch", 2), ("day", 1), ("child", 2), ("task", 2)])
def test_the_sums_may_be_by_something_else(agent: str, by: str, first: int) -> None:
    run(agent)
    shown = call("cost", "r", "--by", by).stdout.split("\n\n")[0].splitlines()
    totals = [line.split()[1:] for line in shown if line.startswith("total ")]
    assert (len(shown) > first, totals) == (True, [call("cost", "r").stdout.splitlines()[3].split()[1:]])


def test_status_and_the_end_of_a_run_tell_it_in_a_line(agent: str) -> None:
    ended = call("run", "p.py", "--run-id", "r", "--agent-command", agent)
    line = "2.3k tokens, 0.7500 USD, no price for 1 effect, unknown for 1 effect"
    assert f"\nusage     {line}\n" in ended.stdout
    assert f"\nusage       {line}\n" in call("status", "r").stdout


def test_status_and_the_end_of_a_run_have_the_sum_as_json(agent: str) -> None:
    ended = run(agent)
    total = told("cost", "r")["total"]
    assert (ended["usage"], told("status", "r")["usage"], told("show", "r")["usage"]) == (total,) * 3


def test_an_effect_shows_what_it_has_used(agent: str) -> None:
    run(agent)
    assert told("show", "r", "2")["usage"]["money"] == 0.25


PRICES = "prices: {currency: EUR, models: {'m-*': {input: 1000, output: 0}}}\n"


def test_without_a_price_money_is_estimated_by_the_prices_of_today(agent: str, home: Path) -> None:
    run(agent)
    config(PRICES, home)
    total, shown = told("cost", "r")["total"], call("cost", "r").stdout
    assert (total["money"], total["isEstimated"], "unpriced" in total) == (
        {"USD": 0.75, "EUR": 1.0},
        True,
        False,
    )
    assert "≈0.7500 USD + ≈1.00 EUR" in shown
    assert "≈ by the prices in your config.yaml now, where none was recorded" in shown


def test_prices_are_applied_when_a_result_is_recorded(agent: str, home: Path) -> None:
    config(PRICES, home)
    run(agent)
    config(PRICES.replace("1000", "5"), home)
    total = told("cost", "r")["total"]
    # Dollars of Claude's own are not taken where prices are in another currency.
    assert (total["money"], "isEstimated" in total, total["unpriced"]) == ({"EUR": 1.0}, False, 3)


def test_all_runs_are_summed_up_by_process_and_day(agent: str) -> None:
    run(agent)
    run(agent, "again")
    told("archive", "again")
    shown, text = told("cost", "--all"), call("cost", "--all").stdout
    assert (sorted(shown), shown["runs"]) == (["days", "processes", "runs", "total"], 4)
    assert [(each["process"], each["effects"]) for each in shown["processes"]] == [("p", 10)]
    assert [line.split()[:2] for line in text.splitlines() if line.startswith(("p ", "total "))] == [
        ["p", "10"],
        ["total", "10"],
        ["total", "10"],
    ]


def test_a_packed_run_and_its_children_are_counted_as_before(agent: str) -> None:
    run(agent)
    before = told("cost", "r")
    told("archive", "r")
    assert told("cost", "r") == before


def test_nothing_is_written_by_looking_at_costs(scene: Scene) -> None:
    before = scene.digest()
    called = [call("cost", "done"), call("cost", "--all"), call("cost", "many", "--json")]
    assert ([ended.code for ended in called], scene.digest()) == ([0, 0, 0], before)


# post


USAGE = {"inputTokens": 1200, "outputTokens": 80, "model": "m-1"}


def test_a_result_is_posted_with_what_it_has_used(scene: Scene) -> None:
    told("post", "review", "1", "--value", '{"verdict": "good"}', "--usage", json.dumps(USAGE))
    assert used("review") == [USAGE]
    assert (sorted(told("cost", "review")["total"]), told("status", "review")["usage"]["tokens"]) == (
        sorted([*KNOWN, "unpriced"]),
        1280,
    )


def test_a_failure_is_posted_with_what_it_has_used(scene: Scene) -> None:
    told("post", "review", "1", "--error", "no", "--usage", json.dumps({"money": 0.5}))
    assert used("review") == [{"money": 0.5, "currency": "USD"}]


def test_each_of_many_results_has_its_own_usage(scene: Scene) -> None:
    first, second, third = (effect.id for effect in scene.effects("many").values())
    lines = [
        {"effect": first, "value": 1, "usage": USAGE},
        {"effect": second, "error": "no", "usage": {"outputTokens": 5}},
        {"effect": third, "value": 3},
    ]
    told("post", "many", "--lines", "-", stdin="\n".join(map(json.dumps, lines)))
    assert used("many") == [USAGE, {"outputTokens": 5}, None]
    assert told("cost", "many")["total"] == {
        "effects": 3,
        "unknown": 1,
        "inputTokens": 1200,
        "outputTokens": 85,
        "tokens": 1285,
        "unpriced": 2,
    }


@pytest.mark.parametrize("run", ["own", "stuck", "gate"])
def test_a_run_that_asks_no_agent_has_no_cost(scene: Scene, run: str) -> None:
    assert told("cost", run)["total"] == {"effects": 0, "unknown": 0}
    assert call("cost", run).stdout == "nothing that an agent performs has come to its end here\n"
    assert "usage" not in told("status", run)


# The shapes that docs/commands.md has


def test_each_sum_says_of_what_it_is(scene: Scene) -> None:
    told("post", "many", next(iter(scene.effects("many").values())).id, "--value", "1")
    shown = told("cost", "many")
    named = {
        what: sorted(set(shown[what][0]) - set(SUM)) for what in ("tasks", "branches", "days", "children")
    }
    assert named == {
        "tasks": ["task"],
        "branches": ["branch", "label", "path"],
        "days": ["day"],
        "children": ["process", "run"],
    }
