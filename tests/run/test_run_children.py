"""Runs with child runs, driven as one: one pool, one view, each result in its own run."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from tests.support.driving import (
    Command,
    babysitter,
    effects,
    events,
    lines,
    told,
    types,
    wait_until,
    write,
)

CHILDREN = """
@shell
def say(word):
    return f"echo begin {word} >> log; sleep 0.3; echo end {word} >> log; echo {word}"

async def child(inputs, ctx):
    first = await ctx.task(say, word=inputs["word"])
    return [first.stdout.strip(), (await ctx.task(say, word=inputs["word"] + "-again")).stdout.strip()]

async def process(inputs, ctx):
    return await ctx.parallel.map(["a", "b", "c"], lambda word: ctx.subprocess(child, {"word": word}))
"""
# The child waits for a file; so it lives for as long as a test wants.
WAITING = """
@shell
def wait():
    return "echo $BABYSITTER_ATTEMPT >> began; until test -e go; do sleep 0.05; done; echo done"

async def child(inputs, ctx):
    return (await ctx.task(wait)).stdout.strip()

@shell
def mark():
    return "echo driven >> driven"

async def process(inputs, ctx):
    # By the time that this is marked, whoever drives the parent has looked whose the child is.
    done, _ = await ctx.parallel.all([lambda: ctx.subprocess(child, {}), lambda: ctx.task(mark)])
    return done
"""
GIVEN_UP = """
@shell
def quick():
    return "until test -s began; do sleep 0.05; done; echo quick"

@shell
def slow():
    return "echo began >> began; sleep 60"

@shell
def tidy():
    return "echo tidied >> tidied"

async def child(inputs, ctx):
    ctx.on_cleanup(lambda: ctx.task(tidy))
    await ctx.task(slow)

async def process(inputs, ctx):
    first = await ctx.parallel.race([lambda: ctx.task(quick), lambda: ctx.subprocess(child, {})])
    return first.stdout.strip()
"""


def children_of(run: str) -> list[str]:
    """The ids of the child runs of a run."""
    found = []
    for path in sorted(Path(".a5c/runs").glob("*/run.json")):
        about: dict[str, Any] = json.loads(path.read_text())
        if about.get("parent", {}).get("runId") == run:
            found.append(about["runId"])
    return found


def most_at_once() -> int:
    """How many commands ran side by side at most, as they have written it down."""
    now, most = 0, 0
    for line in lines("log"):
        now += 1 if line.startswith("begin") else -1
        most = max(most, now)
    return most


def test_children_run_side_by_side_and_their_results_come_in_order() -> None:
    write("p.py", CHILDREN)
    ended = told(0, "run", "p.py", "--run-id", "r", "--jobs", "3")
    assert ended["output"] == [[word, f"{word}-again"] for word in "abc"]
    assert (most_at_once(), len(children_of("r"))) == (3, 3)


def test_all_runs_together_have_so_many_jobs() -> None:
    write("p.py", CHILDREN)
    told(0, "run", "p.py", "--run-id", "r", "--jobs", "2")
    assert most_at_once() == 2


def test_what_a_child_does_is_recorded_in_the_child_alone() -> None:
    write("p.py", CHILDREN)
    told(0, "run", "p.py", "--run-id", "r")
    assert {effect["kind"] for effect in effects("r").values()} == {"subprocess"}
    for child in children_of("r"):
        assert [each["kind"] for each in effects(child).values()] == ["shell"]
        assert types(child)[-1] == "RUN_COMPLETED"


def test_lines_of_a_child_are_shown_below_its_step() -> None:
    write("p.py", CHILDREN)
    shown = babysitter("run", "p.py", "--run-id", "r", "--plain").stdout
    (child,) = [child for child in children_of("r") if f"a / {child}: say" in shown]
    assert f"start     a / {child}: say" in shown


def test_work_of_the_parent_performs_what_its_children_ask_for() -> None:
    write("p.py", CHILDREN)
    told(0, "create", "p.py", "--run-id", "r")
    assert told(0, "work", "r")["status"] == "completed"


AT_ONCE = """
LONG_AGO = "2020-01-01T00:00:00Z"

@shell
def mark(n):
    return f"echo {n} >> ran"

async def child(inputs, ctx):
    if inputs["n"] > 3:
        return "all of it"
    await (ctx.task(mark, n=inputs["n"]) if inputs["n"] else ctx.sleep_until(LONG_AGO))
    ctx.continue_as_new({"n": inputs["n"] + 1})

async def process(inputs, ctx):
    async def clock():
        await ctx.sleep_until(LONG_AGO)
        return "clock"
    return await ctx.parallel.race([clock, lambda: ctx.subprocess(child, {"n": 0})])
"""


def test_a_child_that_continues_as_new_while_it_is_given_up_does_not_go_on() -> None:
    write("p.py", AT_ONCE)
    # Both sleeps end at once; the process is told of its own first.
    assert told(0, "run", "p.py", "--run-id", "r")["output"] == "clock"
    (child,) = children_of("r")
    assert (types(child)[-1], lines("ran")) == ("RUN_CONTINUED", [])


def test_a_killed_driver_leaves_children_that_the_next_one_goes_on_with() -> None:
    write("p.py", WAITING)
    command = Command("run", "p.py", "--run-id", "r", "--json")
    wait_until(lambda: lines("began"))
    command.send(signal.SIGKILL)
    command.end()
    write("go", "")
    assert told(0, "resume", "r")["output"] == "done"
    assert (lines("began"), len(children_of("r"))) == (["1", "2"], 1)


def test_a_child_that_somebody_else_drives_is_watched_and_not_driven_twice() -> None:
    write("p.py", WAITING)
    told(0, "create", "p.py", "--run-id", "r")
    (child,) = children_of("r")
    other = Command("resume", child, "--json")
    wait_until(lambda: lines("began"))
    command = Command("resume", "r", "--json")
    wait_until(lambda: lines("driven"))
    write("go", "")
    assert (other.end().told["output"], command.end().told["output"]) == ("done", "done")
    assert lines("began") == ["1"]


def test_a_child_whose_driver_is_killed_is_taken_over() -> None:
    write("p.py", WAITING)
    told(0, "create", "p.py", "--run-id", "r")
    (child,) = children_of("r")
    other = Command("resume", child, "--json")
    wait_until(lambda: lines("began"))
    command = Command("resume", "r", "--json")
    wait_until(lambda: lines("driven"))
    other.send(signal.SIGKILL)
    other.end()
    wait_until(lambda: len(lines("began")) == 2)
    assert babysitter("resume", child, "--json").code == 75
    write("go", "")
    assert command.end().told["output"] == "done"


def test_while_a_parent_is_driven_its_child_is_in_use() -> None:
    write("p.py", WAITING)
    command = Command("run", "p.py", "--run-id", "r", "--json")
    wait_until(lambda: lines("began"))
    (child,) = children_of("r")
    assert babysitter("resume", child, "--json").code == 75
    write("go", "")
    assert command.end().code == 0


def test_a_child_that_is_given_up_is_ended_and_cleans_up_before_its_parent_ends() -> None:
    write("p.py", GIVEN_UP)
    assert told(0, "run", "p.py", "--run-id", "r", "--jobs", "2")["output"] == "quick"
    (child,) = children_of("r")
    assert (types(child)[-1], lines("tidied")) == ("RUN_HALTED", ["tidied"])
    child_ended, parent_ended = events(child)[-1]["recordedAt"], events("r")[-1]["recordedAt"]
    assert child_ended <= parent_ended


def test_a_run_that_is_interrupted_lets_go_of_its_children_too() -> None:
    write("p.py", WAITING)
    command = Command("run", "p.py", "--run-id", "r", "--json")
    wait_until(lambda: lines("began"))
    command.send(signal.SIGINT)
    assert command.end().code == 130
    (child,) = children_of("r")
    write("go", "")
    assert told(0, "resume", child)["output"] == "done"
    assert told(0, "resume", "r")["output"] == "done"


def test_a_stuck_child_is_named_with_what_is_wrong_and_the_others_go_on() -> None:
    stuck = CHILDREN.replace(
        "    first = await", "    if inputs['word'] == 'b':\n        oops\n    first = await"
    )
    write("p.py", stuck)
    ended = told(7, "run", "p.py", "--run-id", "r")
    (child,) = [each for each in ended["children"] if each["status"] == "stuck"]
    assert (ended["status"], child["parent"], child["problem"]["name"]) == ("waiting", "r", "NameError")
    assert child["run"] in ended["hint"]
    assert sorted(line for line in lines("log") if "again" in line) == [
        "begin a-again",
        "begin c-again",
        "end a-again",
        "end c-again",
    ]
    shown = told(0, "status", "r")["children"]
    assert [(each["run"], each["status"]) for each in shown] == [(child["run"], "stuck")]
    assert told(7, "iterate", "r")["children"][0]["problem"]["name"] == "NameError"
    write("p.py", CHILDREN)
    assert told(0, "resume", "r")["status"] == "completed"


def test_the_effects_of_children_that_others_perform_are_told_of() -> None:
    write(
        "p.py",
        """
        @agent
        def ask():
            return "what?"

        async def child(inputs, ctx):
            return await ctx.task(ask)

        async def process(inputs, ctx):
            return await ctx.subprocess(child, {})
        """,
    )
    ended = told(8, "run", "p.py", "--run-id", "r")
    (child,) = ended["children"]
    (effect,) = child["pending"]["agent"]
    assert f"babysitter post {child['run']} EFFECT" in ended["hint"]
    told(0, "post", child["run"], effect, "--value", '"that"')
    assert told(0, "resume", "r")["output"] == "that"


ENDLESS = """
@shell
def count(n):
    return f"echo {n} >> counted"

async def process(inputs, ctx):
    await ctx.task(count, n=inputs["n"])
    if inputs["n"] == 4:
        return "enough"
    ctx.continue_as_new({"n": inputs["n"] + 1})
"""


def test_a_driver_follows_a_run_that_goes_on_as_new() -> None:
    write("p.py", ENDLESS)
    ended = told(0, "run", "p.py", "--run-id", "r", "-i", "n=1")
    assert (ended["run"], ended["output"], lines("counted")) == ("r-c4", "enough", ["1", "2", "3", "4"])
    assert told(0, "status", "r")["continuedAs"] == "r-c2"
    assert told(0, "resume", "r")["run"] == "r-c4"
    assert told(0, "status")["run"] == "r-c4"


def test_a_person_who_halts_a_parent_halts_its_children() -> None:
    write("p.py", WAITING)
    command = Command("run", "p.py", "--run-id", "r", "--json")
    wait_until(lambda: lines("began"))
    told(0, "halt", "r", "--reason", "enough")
    assert command.end().told["status"] == "halted"
    (child,) = children_of("r")
    assert (types("r")[-1], types(child)[-1]) == ("RUN_HALTED", "RUN_HALTED")


def test_a_person_who_cancels_a_parent_has_its_children_clean_up() -> None:
    write("p.py", GIVEN_UP.replace("until test -s began", "until test -e never"))
    command = Command("run", "p.py", "--run-id", "r", "--json", "--jobs", "2")
    wait_until(lambda: lines("began"))
    told(0, "cancel", "r", "--reason", "enough")
    assert command.end().told["status"] == "halted"
    (child,) = children_of("r")
    assert (types(child)[-1], lines("tidied")) == ("RUN_HALTED", ["tidied"])


def test_a_child_that_a_person_halts_lets_go_of_what_runs_in_it() -> None:
    going_on = """
    try:
        await ctx.subprocess(child, {})
    except TaskFailed as error:
        await ctx.task(mark)
        return error.message
"""
    write("p.py", WAITING.partition("    # By the time")[0] + going_on)
    # There is one job, and what runs in the child would keep it for ever.
    command = Command("run", "p.py", "--run-id", "r", "--json", "--jobs", "1")
    wait_until(lambda: lines("began"))
    (child,) = children_of("r")
    told(0, "halt", child, "--reason", "enough")
    assert (command.end().told["output"], lines("driven")) == ("enough", ["driven"])
