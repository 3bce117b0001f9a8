"""``ctx.hook`` in real runs."""

from __future__ import annotations

from pathlib import Path

from tests.support.driving import babysitter, effects, told, write

PROCESS = """
async def process(inputs, ctx):
    return await ctx.hook("deploy", {"version": 3})
"""


def put(folder: Path, name: str, text: str) -> None:
    path = folder / "hooks" / "deploy" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_process_calls_hooks_and_gets_what_they_give(home: Path) -> None:
    put(home, "notify", "cat")
    put(home, "fail", "exit 4")
    write("p.py", PROCESS)
    output = told(0, "run", "p.py", "--run-id", "r")["output"]
    assert [(each["hook"], each["exitCode"]) for each in output] == [("fail", 4), ("notify", 0)]
    assert output[1]["output"]["payload"] == {"version": 3}
    assert effects("r")["hook deploy"]["result"]["executor"] == "local"


def test_work_performs_hooks_and_nobody_can_post_what_they_gave(home: Path) -> None:
    put(home, "notify", "echo 7")
    write("p.py", PROCESS)
    (effect,) = told(0, "create", "p.py", "--run-id", "r")["new"]["hook"]
    refused = told(2, "post", "r", effect, "--value", "[]")["error"]
    assert (refused["name"], refused["hint"]) == (
        "ResultRejected",
        "its result comes from calling the hooks: babysitter work r",
    )
    assert told(0, "work", "r")["output"] == [{"hook": "notify", "exitCode": 0, "output": 7}]


def test_a_hook_of_the_projects_that_nobody_trusts_is_told_of() -> None:
    put(Path(".a5c"), "notify", "touch executed")
    write("p.py", PROCESS)
    ended = babysitter("run", "p.py")
    assert ended.code == 0
    told_of = ".a5c/hooks/deploy/notify is not called, nobody has trusted it; look at it, then: babysitter"
    assert f"{told_of} trust add" in ended.stdout
    assert not Path("executed").exists()
    told(0, "trust", "add", "--yes")
    assert len(told(0, "run", "p.py")["output"]) == 1
