from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from projects import ASK_ONCE, Project

from babysitter.engine.ending import End
from babysitter.errors import UnsafePath
from babysitter.jsontext import compact
from babysitter.limits import Limits
from babysitter.runs import drafts

if TYPE_CHECKING:
    from babysitter.runs.run import Run

DESCRIBED = """
def build(args, effect):
    asked = {"prompt": effect.step_id, "of": effect.run_id}
    return {"kind": "agent", "title": args.get("title"), "agent": asked}

work = define_task("work", build)

async def process(inputs, ctx):
    await ctx.parallel.map(inputs["titles"], lambda title: ctx.task(work, title=title))
"""


@pytest.fixture
def run(project: Project) -> Run:
    project.begin(ASK_ONCE)
    return project.open()


def requests(project: Project, *titles: object) -> list[dict[str, object]]:
    project.begin(DESCRIBED, {"titles": list(titles)})
    return project.data_of("EFFECT_REQUESTED")


def test_a_builder_is_told_its_step_and_run(project: Project) -> None:
    (data,) = requests(project, "one")
    assert data["definition"]["agent"] == {"prompt": data["stepId"], "of": "r"}


@pytest.mark.parametrize(
    ("title", "label"), [("Do it", "Do it"), (None, "work"), ("", "work"), (5, "5"), ("x" * 300, "x" * 200)]
)
def test_a_label_is_the_title_as_text_or_the_task(project: Project, title: object, label: str) -> None:
    assert requests(project, title)[0]["label"] == label


def test_a_request_says_where_in_its_group_it_stands(project: Project) -> None:
    (data,) = requests(project, "one")
    group = data["group"]
    assert (group["path"], group["mode"], group["label"]) == ("1", "map", "one")


def test_the_same_request_has_the_same_id(project: Project) -> None:
    project.begin(ASK_ONCE)
    first = project.data_of("EFFECT_REQUESTED")[0]["effectId"]
    project.create(ASK_ONCE, run_id="other")
    project.iterate("other")
    second = project.data_of("EFFECT_REQUESTED", "other")[0]["effectId"]
    os.rename(project.runs_dir / "r", project.runs_dir / "gone")
    project.begin(ASK_ONCE)
    again = project.data_of("EFFECT_REQUESTED")[0]["effectId"]
    assert (again == first, second == first) == (True, False)


@pytest.mark.parametrize(("size", "has_file"), [(998, False), (999, True)])
def test_a_value_above_the_limit_has_its_own_file(run: Run, size: int, has_file: bool) -> None:
    run.limits = Limits(inline_bytes=1000)
    stored = drafts.stored(run, "e1", "value", "x" * size, compact("x" * size))
    assert ("resultRef" in stored, "value" in stored) == (has_file, not has_file)


def test_the_limit_counts_bytes_and_not_characters(run: Run) -> None:
    run.limits = Limits(inline_bytes=100)
    assert "resultRef" in drafts.stored(run, "e1", "value", "é" * 60, compact("é" * 60))


def test_a_file_that_is_there_already_is_not_written_again(run: Run) -> None:
    name = drafts.keep_file(run, "tasks/e1", "value-1.json", b"1")
    before = os.stat(os.path.join(run.folder, name))
    drafts.keep_file(run, "tasks/e1", "value-1.json", b"1")
    after = os.stat(os.path.join(run.folder, name))
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("torn", [b"", b'"ab', b"0", b"0" * 100])
def test_a_file_that_a_crash_has_torn_is_written_again(run: Run, torn: bytes) -> None:
    name = drafts.keep_file(run, "tasks/e1", "value-1.json", b'"abc"')
    with open(os.path.join(run.folder, name), "wb") as file:
        file.write(torn)
    drafts.keep_file(run, "tasks/e1", "value-1.json", b'"abc"')
    assert run.read_file(name) == b'"abc"'


def test_a_link_in_the_place_of_a_file_is_not_followed(run: Run) -> None:
    os.makedirs(os.path.join(run.folder, "tasks", "e1"))
    os.symlink("/etc/hostname", os.path.join(run.folder, "tasks", "e1", "value-1.json"))
    with pytest.raises(UnsafePath):
        drafts.keep_file(run, "tasks/e1", "value-1.json", b"1")


def test_a_file_in_the_place_of_a_folder_is_unsafe(run: Run) -> None:
    with open(os.path.join(run.folder, "tasks"), "w", encoding="utf-8"):
        pass
    with pytest.raises(UnsafePath, match="a folder is expected"):
        drafts.keep_file(run, "tasks/e1", "value-1.json", b"1")


def test_a_sleep_always_stands_in_its_event(project: Project) -> None:
    project.limits = Limits(inline_bytes=1)
    project.begin("async def process(inputs, ctx):\n    await ctx.sleep(3600)\n")
    assert project.data_of("EFFECT_REQUESTED")[0]["definition"]["sleep"] == {"seconds": 3600}


def test_a_problem_is_text_that_can_be_written(run: Run) -> None:
    problem = drafts.problem(run, End.stuck(ValueError("a\udcffb"), ("f.py", 3)), {})
    assert (problem["message"], problem["line"]) == ("a\\udcffb", 3)


def test_a_long_problem_keeps_its_beginning_and_its_end(run: Run) -> None:
    message = drafts.problem(run, End.stuck(ValueError("a" * 50_000 + "z"), None), {})["message"]
    assert (len(message) < 40_000, message[0], message[-1]) == (True, "a", "z")


def test_a_secret_in_the_name_of_a_score_is_redacted_and_its_numbers_stay(run: Run) -> None:
    score = {"name": "with ghp_" + "a1B2" * 9, "value": 61, "round": 1, "best": 61, "reached": False}
    kind, told = drafts.said(run, {"scope": "", "key": "k", "score": {**score, "stalled": False}})
    assert (kind, told["key"]) == ("PROCESS_LOG", "k")
    assert told["score"] == {**score, "name": told["score"]["name"], "stalled": False}
    assert told["score"]["name"].startswith("with [redacted] ")
