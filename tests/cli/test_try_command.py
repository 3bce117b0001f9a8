"""``process try``: what a process would ask for, batch by batch, with stub results or given ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import call, told, write

RELEASE = """
@python
def find_files(path) -> list[str]:
    "Find the files"

@agent(title="review {file}", returns={"enum": ["good", "bad"]})
def review(file):
    return {"task": f"Review {file}.", "instructions": ["Be kind.", "Be exact."]}

@shell
def tests():
    return "pytest -q"

async def process(inputs, ctx):
    files = await ctx.task(find_files, path=inputs["path"])
    verdicts = await ctx.parallel.map(files, lambda file: ctx.task(review, file=file))
    for _ in range(3):
        if (await ctx.task(tests.using(check=False))).ok:
            break
    decision = await ctx.breakpoint("Go?", title="Release", options=["eu", "us"], id="release")
    if not decision.approved:
        raise Failed("not released")
    return [verdicts, decision.option]
"""
WHOLE = """\
batch 1
  python find_files: Find the files
      {"path":"src"}
    -> ["stub"]
batch 2
  agent review: review stub
      # Task
      Review stub.
      # Instructions
      1. Be kind.
      2. Be exact.
    -> "good"
batch 3
  shell tests
      pytest -q
batch 4
  breakpoint: Release
      Go?
    -> yes eu
completed: [["good"],"eu"]
"""


@pytest.fixture(autouse=True)
def _process(project: Path) -> None:
    write("release.py", RELEASE)


def tried(*more: str, code: int = 0) -> Any:
    return told("process", "try", "release.py", "-i", "path=src", *more, code=code)


def tasks(told_: dict[str, Any]) -> list[list[str]]:
    return [[each["task"] for each in batch] for batch in told_["batches"]]


def test_batches_are_printed_with_what_each_step_becomes() -> None:
    ended = call("process", "try", "release.py", "-i", "path=src")
    assert (ended.code, ended.stdout, ended.stderr) == (0, WHOLE, "")


def test_nothing_is_made_or_performed(project: Path) -> None:
    call("process", "try", "release.py", "-i", "path=src")
    assert [path.name for path in project.iterdir() if path.name != "__pycache__"] == ["release.py"]


def test_json_has_the_definitions_and_the_results() -> None:
    told_ = tried()
    assert sorted(told_) == ["batches", "notes", "output", "process", "status"]
    ((asked,), *_) = told_["batches"]
    assert sorted(asked) == ["definition", "kind", "result", "step", "task", "text", "title"]
    assert (asked["definition"]["python"]["args"], asked["result"]) == ({"path": "src"}, ["stub"])


def test_a_step_gets_the_result_that_is_given() -> None:
    told_ = tried("--result", 'find_files=["a", "b", "c"]', "--result", "review b=bad")
    assert tasks(told_)[1] == ["review"] * 3
    assert told_["output"] == [["good", "bad", "good"], "eu"]


def test_of_requests_that_are_alike_the_first_is_printed_whole() -> None:
    ended = call("process", "try", "release.py", "-i", "path=src", "--result", 'find_files=["a", "b"]')
    assert "  agent review: review b\n      # Task Review b. # Instructions 1. Be kind." in ended.stdout


def test_several_results_for_one_step_come_in_turn() -> None:
    told_ = tried("--result", "tests=1", "--result", "tests=0")
    assert tasks(told_)[2:] == [["tests"], ["tests"], ["breakpoint"]]


@pytest.mark.parametrize("name", ["Release", "Go?", "release", "breakpoint", "4"])
def test_a_breakpoint_goes_by_its_title_question_id_task_and_step(name: str) -> None:
    told_ = tried("--result", f"{name}=no")
    assert (told_["status"], told_["error"]["message"]) == ("failed", "not released")


def test_an_option_is_chosen() -> None:
    assert tried("--result", "Release=us")["output"][1] == "us"


def test_an_answer_that_a_breakpoint_does_not_have_is_refused() -> None:
    problem = tried("--result", "Release=perhaps", code=2)["problem"]
    assert problem["message"] == "'perhaps' is no answer to breakpoint 'Release'; there are yes, no, eu, us"


def test_a_result_that_does_not_fit_is_refused() -> None:
    assert "'fair'" in tried("--result", "review=fair", code=2)["problem"]["message"]


def test_a_result_that_was_not_used_is_noted() -> None:
    assert tried("--result", "deploy=1")["notes"] == [
        "no step goes by the name 'deploy', so its result was not used"
    ]


def test_a_result_without_a_step_is_bad_usage() -> None:
    ended = call("process", "try", "release.py", "--result", "deploy")
    assert (ended.code, ended.stderr) == (2, "error: --result 'deploy' is not STEP=VALUE\n")


def test_a_mistake_of_the_process_is_told_with_its_line() -> None:
    write(
        "bad.py",
        "async def process(inputs, ctx):\n    answer = await ctx.task(ask, question='a')\n    nope\n",
    )
    ended = call("process", "try", "bad.py")
    place = f"{Path('bad.py').resolve()}, line "
    assert ended.code == 7
    assert ended.stdout.splitlines()[-1].startswith(f"stuck: NameError: name 'nope' is not defined ({place}")


def test_a_result_of_which_nothing_is_known_can_be_to_blame() -> None:
    answers = (
        "async def process(inputs, ctx):\n    return {'x': 2}[(await ctx.task(ask, question='a'))['b']]\n"
    )
    write("open.py", answers)
    (note,) = told("process", "try", "open.py", code=7)["notes"]
    assert note.startswith("nothing says what is in the result of 'ask'; if its stub is to blame, ")
    assert told("process", "try", "open.py", "--result", 'ask={"b": "x"}')["output"] == 2


def test_a_process_that_ends_itself_is_told_with_its_data() -> None:
    write("red.py", "async def process(inputs, ctx):\n    raise Failed('red', {'left': 2})\n")
    ended = call("process", "try", "red.py")
    assert (ended.code, ended.stdout) == (0, 'failed: red {"left":2}\n')


def test_a_loop_without_end_is_ended() -> None:
    write("loop.py", "async def process(inputs, ctx):\n    while True:\n        await ctx.sleep('1m')\n")
    told_ = told("process", "try", "loop.py")
    assert (len(told_["batches"]), told_["notes"]) == (100, ["it was ended after 100 steps"])


def test_what_a_terminal_could_act_on_is_escaped() -> None:
    write("red.py", 'async def process(inputs, ctx):\n    await ctx.task(ask, question="\\x1b]0;x\\x07")\n')
    assert "\x1b" not in call("process", "try", "red.py").stdout


@pytest.mark.parametrize(
    ("value", "option"), [("0", "0"), ("1", "1"), ("2", "2"), ("true", "true"), ("yes", "0")]
)
def test_an_option_that_reads_as_json_is_meant_by_its_text(value: str, option: str) -> None:
    write(
        "many.py",
        "async def process(inputs, ctx):\n"
        "    return (await ctx.breakpoint('How many?', options=['0', '1', '2', 'true'])).option\n",
    )
    assert told("process", "try", "many.py", "--result", f"How many?={value}")["output"] == option
