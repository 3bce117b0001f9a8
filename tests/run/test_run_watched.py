"""``watch`` looks on: another command goes on with the run, and nothing is written by who looks."""

from __future__ import annotations

from tests.support.driving import Command, Terminal, events, run_folder, told, write
from tests.support.folders import digest_of

STEPS = """
@shell
def step(name):
    return f"until [ -e go-{name} ]; do sleep 0.02; done"

async def child(inputs, ctx):
    return await ctx.task(step.using(title="below"), name="child")

async def process(inputs, ctx):
    await ctx.task(step.using(title="above"), name="own")
    ctx.score(61, target=90)
    await ctx.subprocess(child, {})
    return "done"
"""


def test_it_shows_what_others_do_until_the_run_has_ended() -> None:
    write("p.py", STEPS)
    told(0, "create", "p.py", "--run-id", "r")
    watching = Terminal("watch", "r")
    watching.sees("above")
    write("go-own", "")
    write("go-child", "")
    assert Command("resume", "r", "--json").end().code == 0
    assert watching.end() == 0
    assert ("below" in watching.screen, "61 of 90" in watching.screen, "completed" in watching.screen) == (
        True,
        True,
        True,
    )


def test_with_json_it_says_at_the_end_how_it_ended() -> None:
    write("p.py", STEPS)
    write("go-own", "")
    write("go-child", "")
    told(0, "create", "p.py", "--run-id", "r")
    watching = Command("watch", "r", "--json")
    told(0, "resume", "r")
    ended = watching.end()
    assert (ended.code, ended.told["status"], ended.told["output"]) == (0, "completed", "done")


def test_it_follows_a_run_into_the_one_that_goes_on() -> None:
    write(
        "p.py",
        "async def process(inputs, ctx):\n"
        "    await ctx.sleep(0)\n    if inputs.get('again'):\n        return 'there'\n"
        "    ctx.continue_as_new({'again': True})\n",
    )
    told(0, "create", "p.py", "--run-id", "r")
    watching = Command("watch", "r", "--json")
    told(0, "resume", "r")
    assert watching.end().told["output"] == "there"


def test_of_a_run_that_has_ended_it_says_how_and_writes_nothing() -> None:
    write("p.py", "async def process(inputs, ctx):\n    raise Failed('no')\n")
    told(1, "run", "p.py", "--run-id", "r")
    before = digest_of(run_folder("r"))
    assert (told(1, "watch", "r")["status"], digest_of(run_folder("r"))) == ("failed", before)


def test_ctrl_c_leaves_the_run_as_it_is() -> None:
    write("p.py", STEPS)
    told(0, "create", "p.py", "--run-id", "r")
    watching = Terminal("watch", "r")
    watching.sees("above")
    count = len(events("r"))
    watching.types("\x03")
    assert (watching.end(), len(events("r"))) == (130, count)
