from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from projects import ASK_ONCE, ASK_TWICE, Project

from babysitter.errors import CorruptEvent, UnsafePath

if TYPE_CHECKING:
    from pathlib import Path

LARGE = "x" * 40_000
ASK_LARGE = """
async def process(inputs, ctx):
    first = await ctx.task(ask, question="one" * 20_000)
    return [first, await ctx.task(ask, question="two")]
"""


def result_file(project: Project) -> Path:
    (found,) = (project.runs_dir / "r" / "tasks").glob("*/value-*.json")
    return found


def definition_file(project: Project) -> Path:
    (found,) = (project.runs_dir / "r" / "tasks").glob("*/definition-*.json")
    return found


@pytest.fixture
def with_large_result(project: Project) -> Project:
    """Its first effect is answered with a value that has its own file."""
    project.begin(ASK_LARGE)
    project.post("1", LARGE)
    return project


def delete(path: Path) -> None:
    path.unlink()


def edit(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-2] + b"y" + content[-1:])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def extend(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


def make_invalid(path: Path) -> None:
    path.write_bytes(b"[" * 10_000)


@pytest.mark.parametrize("damage", [delete, edit, empty, extend, make_invalid])
def test_a_result_that_was_touched_is_not_believed_and_nothing_is_written(
    with_large_result: Project, damage: Any
) -> None:
    damage(result_file(with_large_result))
    before = with_large_result.digest()
    with pytest.raises(CorruptEvent, match="absent or was changed"):
        with_large_result.iterate()
    assert with_large_result.digest() == before


def test_a_result_that_is_put_back_lets_the_run_go_on(with_large_result: Project, tmp_path: Path) -> None:
    path = result_file(with_large_result)
    shutil.move(path, tmp_path / "kept")
    with pytest.raises(CorruptEvent):
        with_large_result.iterate()
    shutil.move(tmp_path / "kept", path)
    assert [effect.step for effect in with_large_result.iterate().new] == ["2"]


def test_a_result_that_is_a_link_is_not_followed(with_large_result: Project, tmp_path: Path) -> None:
    path = result_file(with_large_result)
    path.rename(tmp_path / "kept")
    path.symlink_to(tmp_path / "kept")
    with pytest.raises(UnsafePath):
        with_large_result.iterate()


@pytest.mark.parametrize("damage", [delete, edit])
def test_a_description_that_was_touched_is_not_believed(project: Project, damage: Any) -> None:
    project.begin(ASK_LARGE)
    damage(definition_file(project))
    with pytest.raises(CorruptEvent):
        project.post("1", "yes")


@pytest.mark.parametrize("damage", [delete, edit, empty, make_invalid])
def test_inputs_that_were_touched_are_not_believed_and_nothing_is_written(
    project: Project, damage: Any
) -> None:
    project.begin(ASK_ONCE, {"name": "abc"})
    damage(project.runs_dir / "r" / "inputs.json")
    before = project.digest()
    with pytest.raises(CorruptEvent, match=r"inputs\.json"):
        project.iterate()
    assert project.digest() == before


def test_results_are_taken_although_the_inputs_were_touched(project: Project) -> None:
    project.begin(ASK_ONCE, {"name": "abc"})
    delete(project.runs_dir / "r" / "inputs.json")
    assert project.post("1", "yes").status == "recorded"


def test_an_output_that_was_touched_is_not_told(project: Project) -> None:
    project.begin(f"async def process(inputs, ctx):\n    return {LARGE!r}\n")
    (path,) = (project.runs_dir / "r").glob("output-*.json")
    edit(path)
    with pytest.raises(CorruptEvent):
        project.open().output()


def test_a_listener_hears_every_event_in_order(project: Project) -> None:
    run = project.create(ASK_TWICE, run_id="r")
    heard: list[tuple[int, str]] = []
    run.on_event = lambda event: heard.append((event.seq, event.type))
    run.load()
    project.iterate()
    run.refresh()
    assert heard == [(1, "RUN_CREATED"), (2, "EFFECT_REQUESTED")]


def test_everything_in_a_run_folder_is_private(with_large_result: Project) -> None:
    folder = with_large_result.runs_dir / "r"
    modes = {oct(path.stat().st_mode & 0o077) for path in [folder, *folder.rglob("*")]}
    assert modes == {"0o0"}


def test_the_caches_can_be_deleted(with_large_result: Project) -> None:
    shutil.rmtree(with_large_result.runs_dir / "r" / "state")
    assert [effect.step for effect in with_large_result.iterate().new] == ["2"]
