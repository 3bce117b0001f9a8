"""What a run may spend: given, kept, shown, raised and carried on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.cli import budgeting
from babysitter.errors import PersonNeeded
from babysitter.runs.folder import open_run
from tests.support.commands import call, told, write

if TYPE_CHECKING:
    from collections.abc import Sequence

# Says what it takes, 1000 tokens each time, unless it is told to be silent.
AGENT = """#!/bin/sh
case "$(cat)" in
  *silent*) echo '"done"' ;;
  *) echo '{"type": "result", "result": "\\"done\\"", "usage": {"inputTokens": 1000, "outputTokens": 0}}' ;;
esac
"""
FAN = """
@agent
def review(question):
    return question

@shell
def clean():
    return "echo cleaned >> log"

async def child(inputs, ctx):
    return await ctx.parallel.map(inputs["asks"], lambda each: ctx.task(review, question=each))

async def process(inputs, ctx):
    ctx.on_cleanup(lambda: ctx.task(clean))
    if inputs.get("children"):
        return await ctx.parallel.map(inputs["children"], lambda asks: ctx.subprocess(child, {"asks": asks}))
    return await child(inputs, ctx)
"""
UNSEEN = "and what it makes while it runs is not seen here"
ASKS = [f"{number}" for number in range(10)]


@pytest.fixture(autouse=True)
def prepared(project: Path) -> None:
    Path("agent.sh").write_text(AGENT)
    Path("agent.sh").chmod(0o755)
    write("p.py", FAN)


def run(*budgets: str, code: int, asks: Sequence[str] = ASKS, **inputs: Any) -> Any:
    Path("inputs.json").write_text(json.dumps({"asks": asks, **inputs}))
    given = [word for budget in budgets for word in ("--budget", budget)]
    words = ["--inputs", "inputs.json", "--run-id", "r", "--agent-command", "./agent.sh"]
    return told("run", "p.py", *words, *given, code=code)


def resume(code: int) -> Any:
    return told("resume", "r", "--agent-command", "./agent.sh", code=code)


def amounts(name: str = "r") -> dict[str, tuple[float, float]]:
    """Spent and limit of each dimension."""
    listed = told("budget", name)["amounts"]
    return {each["what"]: (each["spent"], each["limit"]) for each in listed}


def ending(name: str = "r") -> tuple[str, str, str]:
    status = told("status", name)
    return status["status"], status.get("reason", ""), status.get("by", "")


def test_a_budget_stops_a_fan_out_and_a_person_is_asked_for_more() -> None:
    ended = run("tokens=4k", code=8)
    (question,) = [each for each in told("tasks", "r", "--pending")["tasks"] if each["kind"] == "breakpoint"]
    assert (ended["status"], question["task"], amounts()) == ("waiting", "budget", {"tokens": (4000, 4000)})


def test_with_a_yes_there_is_as_much_again() -> None:
    run("tokens=6k", code=8)
    told("approve", "r")
    assert (resume(0)["status"], amounts()) == ("completed", {"tokens": (10000, 12000)})


def test_how_much_more_can_be_said() -> None:
    run("tokens=6k", code=8)
    told("approve", "r", "--response", "tokens=1k")
    assert (resume(8)["status"], amounts()) == ("waiting", {"tokens": (7000, 7000)})


@pytest.mark.parametrize("response", ["much", "money=2", "-5", "tokens=0"])
def test_an_answer_that_is_no_amount_is_refused(response: str) -> None:
    run("tokens=4k", code=8)
    refused = told("approve", "r", "--response", response, code=2)
    assert "does not say how much more" in refused["error"]["message"]


def test_a_no_ends_the_run_after_its_cleanup() -> None:
    run("tokens=4k", code=8)
    told("reject", "r")
    resume(1)
    reason = "the budget of 4,000 tokens is used up: 4,000 tokens"
    assert (ending(), Path("log").read_text()) == (("halted", reason, "budget"), "cleaned\n")


def test_where_it_is_configured_a_run_halts_and_nobody_is_asked() -> None:
    run("tokens=4k", "reached=halt", code=1)
    assert (ending()[0], Path("log").read_text(), amounts()) == (
        "halted",
        "cleaned\n",
        {"tokens": (4000, 4000)},
    )


def test_children_count_for_the_budget_of_the_run_above_them() -> None:
    run("tokens=5k", "reached=halt", code=1, children=[ASKS[:4], ASKS[4:8]])
    assert (ending()[0], amounts()) == ("halted", {"tokens": (5000, 5000)})


def test_for_more_for_its_children_a_run_asks_itself_and_once() -> None:
    run("tokens=5k", code=8, children=[ASKS[:4], ASKS[4:8]])
    (question,) = told("inbox", "--list")["waiting"]
    assert (question["run"], question["title"]) == ("r", "The budget is used up")
    told("approve", "r")
    assert (resume(0)["status"], amounts()) == ("completed", {"tokens": (8000, 10000)})


def test_each_child_has_what_is_there_for_each_child() -> None:
    run("child:tokens=2k", "reached=halt", code=1, children=[ASKS[:4]])
    (child,) = [each.name for each in Path(".a5c/runs").iterdir() if each.name.startswith("p-child")]
    assert (ending(child)[0], amounts(child)) == ("halted", {"tokens": (2000, 2000)})


def test_one_child_can_be_asked_for_with_a_budget_of_its_own() -> None:
    write(
        "p.py",
        FAN.replace('{"asks": asks})', '{"asks": asks}, budget={"effects": 3, "wall": "1h"})'),
    )
    run(code=8, children=[ASKS[:4]])
    (child,) = [each.name for each in Path(".a5c/runs").iterdir() if each.name.startswith("p-child")]
    assert amounts(child)["effects"] == (3, 3)


def test_a_task_has_a_budget_of_its_own() -> None:
    run("task:review:effects=3", "task:clean:effects=1", "reached=halt", code=1)
    assert ending()[1] == "the budget of task 'review' of 3 effects is used up: 3 effects"


def test_effects_and_iterations_are_counted_before_anything_is_asked_for() -> None:
    ended = told("create", "p.py", "-i", f"asks={json.dumps(ASKS)}", "--budget", "effects=4", "--run-id", "r")
    assert (len(ended["new"]["agent"]), ended["held"]) == (4, 6)


def test_of_a_task_of_which_nothing_is_known_one_goes_first() -> None:
    budget = ("--budget", "tokens=5k")
    ended = told("create", "p.py", "-i", f"asks={json.dumps(ASKS)}", *budget, "--run-id", "r")
    assert (len(ended["new"]["agent"]), ended["held"]) == (1, 9)
    (effect,) = ended["new"]["agent"]
    told("post", "r", effect, "--value", '"done"', "--usage", '{"inputTokens": 1200}')
    ended = told("iterate", "r")
    assert (len(ended["new"]["agent"]), ended["held"]) == (3, 6)


def test_with_an_estimate_as_many_go_as_it_allows_for() -> None:
    budget = ("--budget", "tokens=5k", "--budget", "estimate:tokens=1k")
    ended = told("create", "p.py", "-i", f"asks={json.dumps(ASKS)}", *budget, "--run-id", "r")
    assert (len(ended["new"]["agent"]), ended["held"]) == (5, 5)


def test_iterations_are_those_that_ask_for_something() -> None:
    write(
        "p.py",
        "async def process(inputs, ctx):\n    for n in range(5):\n        await ctx.task(ask, question='x')",
    )
    run("iterations=3", "reached=halt", code=1)
    assert amounts() == {"iterations": (3, 3)}


def test_time_that_is_over_lets_nothing_begin() -> None:
    run("wall=1ms", "reached=halt", code=1)
    assert ending()[1].startswith("the budget of 0.001 s of time is used up")


def test_money_is_counted_by_the_prices_of_the_user(home: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "config.yaml").write_text("prices: {default: {input: 1000, output: 5000}}")
    run("money=2.50", "reached=halt", code=1)
    assert amounts() == {"money": (2.0, 2.5)}


def test_what_is_not_known_is_not_nothing() -> None:
    run("tokens=100k", code=8, asks=["silent", *ASKS])
    (asked,) = [each for each in told("tasks", "r", "--pending")["tasks"] if each["kind"] == "breakpoint"]
    question = told("show", "r", asked["id"])["definition"]["breakpoint"]["question"]
    assert "Results do not say how many tokens they took" in question
    assert asked["title"] == "What results took is not known"


def test_what_is_not_known_can_be_estimated() -> None:
    ended = run("tokens=100k", "estimate:tokens=20k", code=0, asks=["silent", *ASKS])
    assert (ended["status"], amounts()) == ("completed", {"tokens": (30_000, 100_000)})


def test_with_a_yes_what_is_not_known_counts_as_the_dearest() -> None:
    run("tokens=6k", code=8, asks=["first", "silent", *ASKS])
    assert amounts() == {"tokens": (5000, 6000)}
    told("approve", "r")
    # The silent one counts as the others do, and so no more are within the budget.
    assert (resume(8)["status"], amounts()) == ("waiting", {"tokens": (6000, 6000)})


def test_a_result_that_does_not_say_what_it_took_is_not_taken_from_outside() -> None:
    told("create", "p.py", "-i", f"asks={json.dumps(ASKS)}", "--budget", "tokens=5k", "--run-id", "r")
    effect = told("tasks", "r")["tasks"][0]["id"]
    refused = told("post", "r", effect, "--value", '"done"', code=2)
    assert "does not say what it took" in refused["error"]["message"]
    taken = told("post", "r", effect, "--value", '"done"', "--usage", '{"inputTokens": 700}')
    assert (taken["status"], amounts()) == ("recorded", {"tokens": (700, 5000)})


def test_a_fork_has_what_is_left_and_not_all_of_it_again() -> None:
    run("tokens=4k", code=8)
    told("fork", "r", "--at", "1", "--run-id", "f")
    assert amounts("f") == {"tokens": (4000, 4000)}


def test_a_run_that_is_continued_as_new_goes_on_with_what_is_left() -> None:
    source = """
async def process(inputs, ctx):
    await ctx.task(ask, question="x")
    ctx.continue_as_new({})
"""
    write("p.py", source)
    ended = run("tokens=3k", "reached=halt", code=1)
    assert (ended["status"], amounts(ended["run"])) == ("halted", {"tokens": (3000, 3000)})


def test_what_was_asked_for_again_after_going_back_is_spent_twice() -> None:
    run("tokens=20k", code=0, asks=ASKS[:3])
    told("rewind", "r", "--to", "1")
    resume(0)
    assert amounts() == {"tokens": (6000, 20000)}


def test_a_budget_can_be_raised_while_a_person_is_asked() -> None:
    run("tokens=4k", code=8)
    told("budget", "r", "--raise", "tokens=6k")
    assert told("tasks", "r", "--pending")["tasks"] == []
    assert (resume(0)["status"], amounts()) == ("completed", {"tokens": (10000, 10000)})


def test_a_run_can_get_a_budget_when_it_has_begun() -> None:
    told("create", "p.py", "-i", f"asks={json.dumps(ASKS)}", "--run-id", "r")
    told("budget", "r", "--set", "effects=10", "--set", "reached=halt")
    resume(0)
    assert amounts() == {"effects": (11, 10)}


def test_the_user_has_a_budget_for_each_run_and_a_project_can_make_it_smaller_only(home: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "config.yaml").write_text("budget: {run: {tokens: 5k, effects: 100}, reached: halt}")
    Path(".a5c").mkdir(exist_ok=True)
    Path(".a5c/config.yaml").write_text("budget: {run: {tokens: 9k, effects: 50}, reached: ask}")
    run("tokens=7k", code=1)
    assert amounts() == {"tokens": (5000, 5000), "effects": (6, 50)}


def test_the_budget_of_the_user_holds_for_a_run_that_is_made_by_the_old_name_too(home: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "config.yaml").write_text("budget: {run: {tokens: 5k}}")
    Path("empty.py").write_text("async def process(inputs, ctx):\n    return None\n")
    told("run:create", "--process-id", "x", "--entry", "empty.py", "--run-id", "old")
    assert [amount["limit"] for amount in told("budget", "old")["amounts"]] == [5000]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tokens", "there is no amount"),
        ("tokens=many", "'many' is not an amount of tokens"),
        ("tokens=1.5", "is not an amount of tokens"),
        ("money=nan", "is not an amount of money"),
        ("wall=soon", "is not a length of time"),
        ("wall=0", "more than 0"),
        ("steps=5", "there is no budget of 'steps'"),
        ("task:review:wall=5", "there is no budget of 'wall' here"),
        ("parent:tokens=5", "the scope is 'child'"),
        ("reached=stop", "it is 'ask' or 'halt'"),
    ],
)
def test_what_is_no_budget_is_refused_and_leaves_no_run(text: str, why: str) -> None:
    refused = told("create", "p.py", "--budget", text, code=2)
    assert (why in refused["error"]["message"], told("list")["runs"]) == (True, [])


def test_people_read_what_is_spent_and_left() -> None:
    run("tokens=4k", "wall=1h", code=8)
    lines = call("budget", "r").stdout.splitlines()
    assert lines[1].split()[:7] == ["4,000", "tokens", "the", "run", "4,000", "tokens", "0"]
    assert "a person is asked for more: babysitter approve r" in lines[-1]
    assert "budget      4,000 of 4,000 tokens" in call("status", "r").stdout


# Who may change it


def begun(*budgets: str) -> None:
    """A run whose budget is used up, and a person is asked."""
    run(*budgets, code=8)


@pytest.mark.parametrize("name", ["CLAUDECODE", "BABYSITTER_EFFECT_ID"])
def test_neither_an_agent_nor_an_effect_can_allow_more(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    begun("tokens=4k")
    monkeypatch.setenv(name, "1")
    for words in (["--raise", "tokens=1M"], ["--set", "tokens=1M"], ["--set", "estimate:tokens=1"]):
        refused = told("budget", "r", *words, code=3)
        assert (refused["error"]["name"], amounts()) == ("PersonNeeded", {"tokens": (4000, 4000)})


@pytest.mark.parametrize("name", ["CLAUDECODE", "BABYSITTER_EFFECT_ID"])
def test_neither_an_agent_nor_an_effect_answers_the_question_for_more(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    begun("tokens=4k")
    monkeypatch.setenv(name, "1")
    assert told("approve", "r", code=3)["error"]["name"] == "PersonNeeded"


def test_an_agent_may_allow_less(monkeypatch: pytest.MonkeyPatch) -> None:
    begun("tokens=4k")
    monkeypatch.setenv("CLAUDECODE", "1")
    assert told("budget", "r", "--set", "tokens=3k")["amounts"][0]["limit"] == 3000


def guard() -> None:
    found = open_run("r", ".a5c/runs").load()
    found.append([("SESSION_BOUND", {"host": "claude-code", "sessionId": "s-1"})])


def test_what_would_give_a_guarded_run_up_is_for_a_person() -> None:
    told("create", "p.py", "-i", f"asks={json.dumps(ASKS)}", "--run-id", "r")
    guard()
    refused = told("budget", "r", "--set", "effects=1", "--set", "reached=halt", code=3)
    assert refused["error"]["hint"] == "in a terminal of your own: babysitter budget r …"
    assert told("budget", "r", "--set", "effects=1")["amounts"][0]["limit"] == 1


def test_a_change_is_made_to_the_budget_as_it_is_by_now() -> None:
    begun("tokens=4k")
    stale = open_run("r", ".a5c/runs").load()
    told("approve", "r")
    budgeting._change(stale, {}, {"run": {"tokens": 500}})
    assert (amounts(), told("verify", "r")["run"]) == ({"tokens": (4000, 8500)}, "r")


def test_a_change_that_is_more_by_now_needs_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    begun("tokens=4k")
    stale = open_run("r", ".a5c/runs").load()
    told("budget", "r", "--set", "tokens=1k")
    monkeypatch.setenv("CLAUDECODE", "1")
    with pytest.raises(PersonNeeded):
        budgeting._change(stale, {"run": {"tokens": 4000}}, {})


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--raise", "reached=halt"], "no amount to be raised"),
        (["--raise", "money=5"], "has no budget of money that could be raised"),
        (["--raise", "task:review:tokens=5"], "has no budget of task:review:tokens"),
        (["--raise", "child:tokens=5"], "has no budget of child:tokens"),
    ],
)
def test_what_cannot_be_raised_is_refused(words: list[str], why: str) -> None:
    begun("tokens=4k")
    assert why in told("budget", "r", *words, code=2)["error"]["message"]


@pytest.mark.parametrize("response", ["500k, money=2", "tokens=1k, tokens=2k", "tokens=1k, 5"])
def test_an_answer_of_which_a_part_is_no_amount_is_refused(response: str) -> None:
    begun("tokens=4k")
    refused = told("approve", "r", "--response", response, code=2)
    assert "does not say how much more" in refused["error"]["message"]


# What it is in, and how it is told


def euros(home: Path, more: str = "") -> None:
    home.mkdir(exist_ok=True)
    prices = "prices: {currency: EUR, default: {input: 1000, output: 5000}}\n"
    (home / "config.yaml").write_text(prices + more)


def test_money_is_in_the_currency_of_the_users_prices(home: Path) -> None:
    euros(home)
    run("money=2.50", "reached=halt", code=1)
    (amount,) = told("budget", "r")["amounts"]
    assert (amount["currency"], ending()[1]) == ("EUR", "the budget of 2.50 EUR is used up: 2.00 EUR")
    assert "budget      2.00 of 2.50 EUR" in call("status", "r").stdout


def test_money_that_a_run_gets_later_is_in_that_currency_too(home: Path) -> None:
    euros(home)
    told("create", "p.py", "-i", f"asks={json.dumps(ASKS)}", "--run-id", "r")
    assert told("budget", "r", "--set", "money=3")["amounts"][0]["currency"] == "EUR"


def test_a_result_that_says_its_money_in_another_currency_is_not_taken(home: Path) -> None:
    euros(home, "budget: {run: {money: 10}}")
    told("create", "p.py", "-i", f"asks={json.dumps(ASKS)}", "--run-id", "r")
    effect = told("tasks", "r")["tasks"][0]["id"]
    usage = ["--usage", '{"money": 1, "currency": "USD"}']
    refused = told("post", "r", effect, "--value", '"done"', *usage, code=2)
    assert "has a budget of money in EUR" in refused["error"]["message"]


def test_what_is_there_for_each_child_is_shown_without_more() -> None:
    told("create", "p.py", "-i", f"asks={json.dumps(ASKS)}", "--run-id", "r", "--budget", "child:tokens=2k")
    assert call("budget", "r").stdout.splitlines() == [
        "each child run may spend 2,000 tokens",
        "when one is reached a person is asked for more",
    ]


def test_a_run_without_a_budget_says_how_it_gets_one() -> None:
    told("create", "p.py", "-i", "asks=[]", "--run-id", "r")
    assert call("budget", "r").stdout.startswith("run r has no budget; babysitter budget r --set tokens=1M")


def test_a_test_made_of_a_run_with_a_budget_passes() -> None:
    begun("tokens=4k")
    told("process", "test", "--from", "r", "--write", "test_p_asked.py")
    told("reject", "r")
    resume(1)
    told("process", "test", "--from", "r", "--write", "test_p_halted.py")
    assert told("process", "test", "p.py")["status"] == "passed"


def test_who_is_given_up_by_a_pool_has_cost_something() -> None:
    Path("agent.sh").write_text(AGENT.replace("*silent*)", "*slow*) sleep 60 ;;\n  *silent*)"))
    write(
        "p.py",
        """
async def process(inputs, ctx):
    asks = inputs["asks"]
    await ctx.task(ask, question="first")
    return await ctx.parallel.race([lambda each=each: ctx.task(ask, question=each) for each in asks])
""",
    )
    run("tokens=10k", "estimate:tokens=1k", code=0, asks=["fast", "slow"])
    assert amounts() == {"tokens": (3000, 10000)}


def test_hooks_are_told_of_a_question_that_a_child_alone_leads_to(home: Path) -> None:
    hook = home / "hooks" / "on-breakpoint" / "note"
    hook.parent.mkdir(parents=True)
    hook.write_text(f"#!/bin/sh\ncat >> {Path.cwd()}/told\n")
    hook.chmod(0o755)
    inputs = ["-i", f"children={json.dumps([ASKS[:2]])}"]
    told("create", "p.py", *inputs, "--budget", "tokens=1k", "--run-id", "r")
    (child,) = [each.name for each in Path(".a5c/runs").iterdir() if each.name.startswith("p-child")]
    (effect,) = told("tasks", child)["tasks"]
    told("post", child, effect["id"], "--value", '"x"', "--usage", '{"inputTokens": 1000}')
    told("iterate", child)
    assert json.loads(Path("told").read_text())["runId"] == "r"


def test_the_inbox_says_what_a_question_for_more_holds_up() -> None:
    begun("tokens=4k")
    assert "blocks whatever the budget does not allow for" in call("inbox", "--list").stdout


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("review", ""),
        ("reviw", "warning: p names no task 'reviw'; did you mean 'review'?"),
        ("deploy", f"warning: p names no task 'deploy'; it names ask, clean, review, {UNSEEN}"),
    ],
)
def test_a_task_of_a_budget_that_the_process_does_not_name_is_warned_of(task: str, said: str) -> None:
    Path("inputs.json").write_text(json.dumps({"asks": ASKS}))
    done = call("create", "p.py", "--inputs", "inputs.json", "--budget", f"task:{task}:effects=3")
    assert (done.code, done.stderr.strip()) == (0, said)


def test_a_process_that_names_no_tasks_may_make_any() -> None:
    Path("bare.py").write_text("async def process(inputs, ctx):\n    return 1\n")
    done = call("create", "bare.py", "--budget", "task:review:effects=3")
    assert (done.code, done.stderr) == (0, "")


def test_a_budget_that_is_set_is_compared_with_what_was_asked_for() -> None:
    Path("inputs.json").write_text(json.dumps({"asks": ASKS}))
    call("create", "p.py", "--inputs", "inputs.json", "--run-id", "r")
    said = [
        call("budget", "r", "--set", f"task:{task}:effects=3").stderr for task in ("reviw", "later", "review")
    ]
    assert said == ["warning: no task 'reviw' was asked for so far; did you mean 'review'?\n", "", ""]
