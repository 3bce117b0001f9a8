"""Bad input: one clear line, the documented exit code, one object with ``--json``, nothing changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bad_input import CASES, Case, process

from tests.support.commands import Ended, call

if TYPE_CHECKING:
    from scenes import Scene


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, scene: Scene) -> Case:
    found = CASES[request.param]
    if found.prepare is not None:
        found.prepare(scene)
    return found


def run(case: Case, *more: str) -> Ended:
    return call(*case.words, *more, stdin=case.stdin)


def test_bad_input_is_told_in_one_line(case: Case, scene: Scene) -> None:
    before = scene.digest()
    ended = run(case)
    errors = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert (ended.code, ended.stdout, len(errors)) == (case.code, "", 1), ended
    assert case.said in errors[0]
    assert "Traceback" not in ended.stderr
    assert scene.digest() == before


def test_bad_input_is_one_object_of_json(case: Case, scene: Scene) -> None:
    before = scene.digest()
    ended = run(case, "--json")
    assert (ended.code, ended.stderr) == (case.code, ""), ended
    error = ended.told["error"]
    assert (error["name"], error["exitCode"], case.said in error["message"]) == (case.name, case.code, True)
    assert {"effectId", "exitCode", "hint", "message", "name"} >= set(error)
    assert scene.digest() == before


# Nothing is known to lead to a mistake of babysitter itself, so one is made.
BREAKS = """
import sys
sys.modules["babysitter.cli.iterating"].tell = None

async def process(inputs, ctx):
    try:
        await ctx.task(ask, question="one")
    finally:
        Path("trace").touch()
"""


def test_a_mistake_of_babysitters_own_is_told_and_ends_as_every_command_does(scene: Scene) -> None:
    process(BREAKS)(scene)
    ended = call("create", "p.py")
    assert (ended.code, ended.stdout, ended.stderr.splitlines()[-1]) == (
        70,
        "",
        "error: this is a mistake in babysitter; what it acknowledged is recorded",
    )
    assert not (scene.folder / "trace").exists()


def test_a_mistake_of_babysitters_own_is_one_object_of_json(scene: Scene) -> None:
    process(BREAKS)(scene)
    ended = call("create", "p.py", "--json")
    assert (ended.code, ended.stderr, ended.told["error"]["name"]) == (70, "", "InternalError")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("run", "quality-checks", "--folder", "src"), "-i folder=VALUE"),
        (("create", "quality-checks", "most=1"), "-i NAME=VALUE"),
        (("process", "try", "quality-checks", "--folder=src"), "-i folder=VALUE"),
        (("status", "--folder"), ""),
        (("run", "quality-checks", "--jbs", "3"), ""),
    ],
)
def test_inputs_that_are_given_as_options_are_told_how_to_be_given(words: tuple[str, ...], hint: str) -> None:
    error = call(*words, "--json").told["error"]
    assert error.get("hint", "").removeprefix("an input of the process is given so: ") == hint
