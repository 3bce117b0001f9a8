"""Many results at once: each line is judged alone, and a line that is none lets nothing be recorded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.commands import call, told, write

if TYPE_CHECKING:
    from scenes import Scene

MANY = """
async def process(inputs, ctx):
    return sum(await ctx.parallel.map(range(inputs["n"]), lambda n: ctx.task(ask, question=str(n))))
"""


def lines(*answers: dict[str, Any]) -> str:
    return "".join(json.dumps(answer) + "\n" for answer in answers)


def effects(scene: Scene) -> list[str]:
    return [effect.id for effect in scene.effects("many").values()]


def test_a_thousand_results_are_recorded_by_one_command(scene: Scene) -> None:
    write("sum.py", MANY)
    asked = told("create", "sum.py", "-i", "n=1000", "--run-id", "sum")["new"]["agent"]
    answers = lines(*({"effect": effect, "value": 2} for effect in asked))
    counts = told("post", "sum", "--lines", "-", stdin=answers)
    assert counts == {"run": "sum", "recorded": 1000, "already": 0, "refused": 0}
    assert told("iterate", "sum")["output"] == 2000


def test_each_line_is_judged_alone_and_the_worst_code_is_the_exit_code(scene: Scene) -> None:
    first, second, third = effects(scene)
    told("post", "many", second, "--value", '"old"')
    answers = lines(
        {"effect": first, "value": 1},
        {"effect": first, "value": 1},
        {"effect": second, "value": "new"},
        {"effect": "nobody", "value": 1},
        {"effectId": third, "status": "error", "error": "it broke"},
    )
    counts = told("post", "many", "--lines", "-", code=4, stdin=answers)
    errors = [(error["effect"], error["name"], error["exitCode"]) for error in counts.pop("errors")]
    assert counts == {"run": "many", "recorded": 2, "already": 1, "refused": 2}
    assert errors == [(second, "AlreadyResolved", 3), ("nobody", "NoSuchEffect", 4)]


def test_people_read_the_counts_and_each_refusal(scene: Scene) -> None:
    first, *_ = effects(scene)
    answers = lines({"effect": first, "value": 1}, {"effect": "nobody", "value": 1})
    ended = call("post", "many", "--lines", "-", stdin=answers)
    assert (ended.code, ended.stdout) == (4, "1 recorded, 0 already, 1 refused\n")
    assert ended.stderr.startswith("error: run 'many' has no effect 'nobody'\n")


def test_lines_may_come_from_a_file(scene: Scene) -> None:
    (scene.folder / "answers").write_text(
        lines(*({"effect": effect, "value": 1} for effect in effects(scene)))
    )
    assert told("post", "many", "--lines", "answers")["recorded"] == 3


@pytest.mark.parametrize("text", ["", "\n", "\r\n  \n"])
def test_no_lines_are_no_results(scene: Scene, text: str) -> None:
    counts = told("post", "many", "--lines", "-", stdin=text)
    assert counts == {"run": "many", "recorded": 0, "already": 0, "refused": 0}


def test_windows_line_ends_are_line_ends(scene: Scene) -> None:
    answers = lines({"effect": effects(scene)[0], "value": 1}).replace("\n", "\r\n")
    assert told("post", "many", "--lines", "-", stdin=answers)["recorded"] == 1


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{", "the JSON is not valid"),
        ("3", "an answer is an object with 'effect'"),
        ('{"value": 1}', "an answer is an object with 'effect'"),
        ('{"effect": 3, "value": 1}', "an answer is an object with 'effect'"),
        ('{"effect": "x"}', "either 'value' or 'error'"),
        ('{"effect": "x", "value": 1, "error": "y"}', "either 'value' or 'error'"),
        ('{"effect": "x", "vaule": 1}', "an answer has no 'vaule'"),
        ('{"effect": "x", "value": 1, "status": "error"}', "has the status 'error' and a ok result"),
        ('{"effect": "x", "error": null}', "is a text, or an object"),
        ('{"effect": "x", "value": NaN}', "'NaN', which is not JSON"),
        ('{"effect": "x", "value": 1, "value": 2}', "'value' twice"),
        ('{"effect": "x", "value": 1, "usage": null}', "the answer for 'x': a usage is an object"),
        (
            '{"effect": "x", "value": 1, "usage": {"tokens": 1}}',
            "a usage has no 'tokens'; it has inputTokens",
        ),
        ('{"effect": "x", "error": "y", "usage": {"outputTokens": -1}}', "'outputTokens' of a usage is -1"),
    ],
)
def test_a_line_that_is_none_lets_nothing_be_recorded(scene: Scene, bad: str, said: str) -> None:
    before = scene.digest()
    good = lines({"effect": effects(scene)[0], "value": 1})
    ended = call("post", "many", "--lines", "-", "--json", stdin=f"{good}{bad}\n{good}")
    error = ended.told["error"]
    assert (ended.code, error["message"].startswith("line 2 of '-': "), said in error["message"]) == (
        2,
        True,
        True,
    )
    assert (error["hint"], scene.digest()) == ("nothing was recorded", before)
