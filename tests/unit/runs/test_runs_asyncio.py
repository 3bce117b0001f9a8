"""A process that imports asyncio: it has an event loop, and the version of Python is a part of its source."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from projects import ASK_ONCE, HEAD, Project, stuck_in

from babysitter.errors import OtherPython
from babysitter.limits import Limits
from babysitter.runs.iterate import divergence_hint
from babysitter.runs.source import Source, compile_source, imports_asyncio

ROOT = str(Path(__file__).parents[3])
GATHERS = """
import asyncio

async def process(inputs, ctx):
    return await asyncio.gather(ctx.task(ask, question="one"), ctx.task(ask, question="two"))
"""
ASKS_ONE = """
import asyncio

question = "one"

async def process(inputs, ctx):
    return await asyncio.gather(ctx.task(ask, question=question))
"""


def output_of(project: Project) -> Any:
    return project.data_of("RUN_COMPLETED")[0]["output"]


def test_a_process_with_asyncio_is_gone_on_with_step_by_step(project: Project) -> None:
    project.begin(GATHERS)
    project.answer("2.0.1", "second")
    project.answer("1.0.1", "first")
    assert output_of(project) == ["first", "second"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import asyncio", True),
        ("import asyncio.timeouts", True),
        ("from asyncio import gather", True),
        ("async def process(inputs, ctx):\n    import asyncio", True),
        ("def outer():\n    def inner():\n        from asyncio import gather", True),
        ("# asyncio", False),
        ("import trio\ntext = 'asyncio'", False),
    ],
)
def test_a_file_that_imports_asyncio_is_known_by_its_code(source: str, expected: bool) -> None:
    content = source.encode()
    assert imports_asyncio(content, compile_source(content, "process.py")) == expected


def test_a_module_beside_the_process_counts_as_well(tmp_path: Path) -> None:
    (tmp_path / "gathering.py").write_text("from asyncio import gather\n")
    (tmp_path / "process.py").write_text("import gathering\nasync def process(inputs, ctx): ...\n")
    assert Source(str(tmp_path / "process.py"), "process").uses_asyncio


def test_a_process_without_asyncio_loads_none(tmp_path: Path) -> None:
    (tmp_path / "process.py").write_text("# no asyncio\nasync def process(inputs, ctx): ...\n")
    code = (
        "import sys, json; sys.path.insert(0, sys.argv[1]); from babysitter.runs.source import Source;"
        " found = Source(sys.argv[2], 'process'); print(json.dumps([found.python, 'asyncio' in sys.modules]))"
    )
    words = [sys.executable, "-I", "-c", code, ROOT, str(tmp_path / "process.py")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [None, False]


def test_tasks_that_take_turns_for_ever_are_interrupted_at_their_line(project: Project) -> None:
    project.limits = Limits(iterate_seconds=0.5)
    source = (
        "import asyncio\n\nasync def process(inputs, ctx):\n    while True:\n        await asyncio.sleep(0)\n"
    )
    project.begin(source)
    problem = stuck_in(project)
    assert ("without coming to a step" in problem["message"]) is True
    # Of the two lines of its loop.
    assert len((HEAD + source).splitlines()) - problem["line"] in {0, 1}


# The version of Python.


def version_now() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def of_another_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, the process is executed by another version."""
    monkeypatch.setattr(Source, "python", property(lambda source: "3.99" if source.uses_asyncio else None))


def test_the_journal_knows_the_version_of_a_process_with_asyncio(project: Project) -> None:
    project.begin(GATHERS)
    assert project.data_of("RUN_CREATED")[0]["sourcePython"] == version_now()


def test_the_version_is_no_part_of_another_process(project: Project) -> None:
    project.begin(ASK_ONCE)
    assert "sourcePython" not in project.data_of("RUN_CREATED")[0]


def test_a_run_whose_script_holds_goes_on_under_another_version(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.begin(GATHERS)
    of_another_python(monkeypatch)
    project.answer("1.0.1", "first")
    project.answer("2.0.1", "second")
    assert [data["sourcePython"] for data in project.data_of("PROCESS_CHANGED")] == ["3.99"]
    assert output_of(project) == ["first", "second"]


def test_a_run_whose_script_does_not_hold_under_another_version_has_diverged(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.begin(ASKS_ONE)
    of_another_python(monkeypatch)
    before = project.digest()
    monkeypatch.setattr("babysitter.runs.source.compile_source", _with_another_question)
    iteration = project.iterate()
    assert isinstance(iteration.diverged, OtherPython)
    assert str(iteration.diverged).endswith(f"(the run is of Python {version_now()}, and this is 3.99)")
    hint = divergence_hint(iteration.diverged, project.open())
    assert hint.startswith(f"go on with Python {version_now()}; ")
    assert project.digest() == before


def _with_another_question(content: bytes, file: str) -> Any:
    """As if Python did something else: the bytes are the same."""
    return compile_source(content.replace(b'question = "one"', b'question = "other"'), file)


# Where there is no loop.


def test_what_imports_asyncio_only_later_is_told_where_to_import_it(project: Project) -> None:
    project.write("import asyncio\n\nasync def wait():\n    await asyncio.sleep(1)\n", "waiting.py")
    project.begin("async def process(inputs, ctx):\n    import waiting\n    await waiting.wait()\n")
    problem = stuck_in(project)
    assert (problem["name"], problem["hint"]) == (
        "ForeignAwait",
        "write `import asyncio` at the top of the process file, and the process has an event loop",
    )
