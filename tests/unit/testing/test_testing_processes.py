"""The process under test: a function, a module, a file, a name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.errors import InvalidInput, NoSuchProcess
from babysitter.testing import load, play

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
SOURCE = """
from babysitter import python
import rules

Inputs = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {"default": 2}}}

@python
def add(a, b):
    return a + b

async def process(inputs, ctx):
    return await ctx.task(add, a=inputs["a"], b=inputs["b"]) * rules.FACTOR

async def other(inputs, ctx):
    return "other"
"""


@pytest.fixture
def file(project: Path) -> Path:
    """A process in a file, with a module beside it."""
    path = project / ".a5c" / "processes" / "sums" / "process.py"
    path.parent.mkdir(parents=True)
    path.write_text(dedent(SOURCE))
    path.with_name("rules.py").write_text("FACTOR = 10")
    return path


@pytest.fixture(autouse=True)
def _forget_the_process() -> Iterator[None]:
    finders, modules = list(sys.meta_path), set(sys.modules)
    yield
    for finder in sys.meta_path[:]:
        for name in getattr(finder, "loaded", []) if finder not in finders else []:
            if name not in modules:
                sys.modules.pop(name, None)
    sys.meta_path[:] = finders


def test_a_process_is_loaded_from_its_file_as_a_run_loads_it(file: Path) -> None:
    sums = load(file)
    assert play(sums, {"a": 1}, results={sums.add: sums.add}).output == 30


def test_a_process_is_found_by_its_name(file: Path) -> None:
    assert play("sums", {"a": 1}, results={"add": 3}).output == 30


def test_another_function_of_the_file_can_be_named(file: Path) -> None:
    assert play(f"{file}#other", {"a": 1}).output == "other"


def test_each_process_finds_its_own_modules_however_many_are_loaded(file: Path, project: Path) -> None:
    file.write_text(
        dedent(SOURCE).replace("    return await", "    import later\n    return later.ONE * await")
    )
    file.with_name("later.py").write_text("ONE = 1")
    sums = load(file)
    other = project / "other.py"
    other.write_text("import rules\nasync def process(inputs, ctx):\n    return rules.FACTOR")
    (project / "rules.py").write_text("FACTOR = 7")
    others = load(other)
    assert play(sums, {"a": 1}, results={"add": 3}).output == 30
    assert play(others).output == 7
    assert play(sums.process, {"a": 1}, results={"add": 3}).output == 30


def test_inputs_that_are_not_json_are_refused() -> None:
    with pytest.raises(InvalidInput, match="the inputs cannot be written as JSON"):
        play(nothing, {"a": {1, 2}})


async def nothing(inputs: Any, ctx: Any) -> None:
    pass


def test_inputs_that_do_not_fit_are_refused(file: Path) -> None:
    with pytest.raises(InvalidInput, match="a is needed"):
        play(file, {})


def test_the_inputs_of_a_function_are_those_of_its_module(file: Path) -> None:
    sums = load(file)
    assert play(sums.process, {"a": 2}, results={"add": lambda a, b: a + b}).output == 40


def test_a_process_that_a_run_would_refuse_is_refused(file: Path) -> None:
    file.write_text("async def process(inputs, ctx):\n    return [lambda: ctx.task(n) for n in inputs]\n")
    with pytest.raises(InvalidInput, match="would see the last 'n'"):
        load(file)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(NoSuchProcess, match="no process 'sumz'"):
        play("sumz")


@pytest.mark.parametrize("given", [3, len, lambda inputs, ctx: None])
def test_what_is_no_process_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInput, match="is not a process"):
        play(given)


def test_a_module_without_a_process_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'subprocess' has no 'process'"):
        play(subprocess)


def test_only_tests_and_the_commands_for_authors_import_the_package() -> None:
    importing = [
        str(path.relative_to(ROOT / "babysitter"))
        for path in (ROOT / "babysitter").rglob("*.py")
        if "babysitter.testing" in path.read_text("utf-8") and path.parent.name not in ("testing", "graphs")
    ]
    assert sorted(importing) == ["cli/graphing.py", "cli/process_tests.py"]
