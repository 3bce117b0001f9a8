"""A wide fan-out under a budget, performed by real commands: what is spent, and what was in flight."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.driving import events, told, write

FAN = """
@agent
def review(number):
    return f"{number}"

async def process(inputs, ctx):
    return await ctx.parallel.map(list(range(100)), lambda number: ctx.task(review, number=number))
"""
# Each takes another number of tokens, between 100 and 900.
AGENT = """
read number
tokens=$((100 + number * 37 % 800))
echo '{"type": "result", "result": "1", "usage": {"inputTokens": '$tokens', "outputTokens": 0}}'
"""


def drive(*budgets: str, code: int) -> None:
    write("p.py", FAN)
    Path("agent.sh").write_text(AGENT)
    given = [word for budget in budgets for word in ("--budget", budget)]
    command = ["--run-id", "r", "--jobs", "4", "--agent-command", "sh agent.sh"]
    told(code, "run", "p.py", *command, *given)


class Book:
    """What the journal says was spent, and what was in flight when the limit was reached."""

    def __init__(self, limit: int) -> None:
        self.spent = 0
        self.asked_too_late = 0
        running: set[str] = set()
        in_flight: set[str] | None = None
        costs: dict[str, int] = {}
        for event in events("r"):
            data: dict[str, Any] = event["data"]
            if event["type"] == "EFFECT_REQUESTED" and data["kind"] == "agent":
                running.add(data["effectId"])
                self.asked_too_late += self.spent >= limit
            elif event["type"] == "EFFECT_RESOLVED" and data["effectId"] in running:
                running.remove(data["effectId"])
                costs[data["effectId"]] = data["usage"]["inputTokens"]
                self.spent += costs[data["effectId"]]
                if self.spent >= limit and in_flight is None:
                    in_flight = set(running)
        self.in_flight = sum(costs.get(effect, 0) for effect in in_flight or ())


@pytest.mark.parametrize("estimate", [(), ("estimate:tokens=200",)], ids=["unknown", "estimated too low"])
def test_a_fan_out_of_100_exceeds_its_budget_by_no_more_than_was_in_flight(estimate: tuple[str, ...]) -> None:
    drive("tokens=9k", "reached=halt", *estimate, code=1)
    book = Book(9000)
    largest = 900
    assert book.asked_too_late == 0
    assert 9000 - largest <= book.spent <= 9000 + book.in_flight + largest
    assert told(0, "budget", "r")["amounts"][0]["spent"] == book.spent


def test_with_more_it_goes_on_from_there() -> None:
    drive("tokens=9k", code=8)
    before = Book(9000).spent
    told(0, "approve", "r", "--response", "100k")
    command = ["--jobs", "4", "--agent-command", "sh agent.sh"]
    ended = told(0, "resume", "r", *command)
    expected = sum(100 + number * 37 % 800 for number in range(100))
    assert (len(ended["output"]), before < Book(10**9).spent == expected) == (100, True)
    assert json.dumps(ended["output"]) == json.dumps([1] * 100)
