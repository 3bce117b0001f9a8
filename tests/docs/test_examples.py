"""Every example of the documents is executed: Python, and commands with what they print.

A document is gone through from top to bottom in one empty project, as a reader would. A block of
Python whose first line is a comment with a file's name is written there. ``blocks.py``, ``fragments.py``
and ``consoles.py`` say what is done with each kind of block.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from blocks import Block, blocks_of
from consoles import Command, call, can_be_called, commands_of, misfit
from fragments import Fragment

from babysitter.testing import load
from tests.support.commands import Ended

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(ROOT.glob("skills/*/*.md")),
]
# test_author_process.py follows it to the letter.
FOLLOWED = ROOT / "skills" / "author-process" / "SKILL.md"
EXECUTED = ("python", "console")
WITH_EXAMPLES = [
    document
    for document in DOCUMENTS
    if document != FOLLOWED and any(block.language in EXECUTED for block in blocks_of(document))
]
# Commands that are not called here, by how they begin, and why.
NOT_CALLED = {
    "bin/babysitter run quality-checks": "the checks of this project take a minute; tests/library runs it",
    "scripts/test": "that is what runs this",
    "claude": "the host; tests/host has it",
    "pip install": "tests/cli/test_wheel.py installs it",
    "python bench/run.py": "takes minutes",
    "npm": "nothing is fetched here",
}


@pytest.fixture(autouse=True)
def _forget_processes() -> Iterator[None]:
    finders = list(sys.meta_path)
    yield
    sys.meta_path[:] = finders


@pytest.mark.parametrize("document", WITH_EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_examples_of_a_document_work(document: Path, project: Path) -> None:
    namespace: dict[str, Any] = {"__name__": "example"}
    for block in blocks_of(document):
        if block.reason:
            continue
        if block.file is not None:
            write(block, project)
        elif block.language == "python":
            exec(block.setup, namespace)  # noqa: S102 - the document is our own
            Fragment(block.text, block.place, namespace).run()
        elif block.language == "console":
            converse(block)


def write(block: Block, project: Path) -> None:
    """The block is a file. A process in it has to be one, and a test has to pass."""
    assert block.file is not None
    path = project / block.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text)
    if path.name.startswith("test_"):
        for name, test in runpy.run_path(str(path)).items():
            if name.startswith("test_"):
                test()
    elif path.suffix == ".py" and "async def process(" in block.text:
        load(path)


def converse(block: Block) -> None:
    for command in commands_of(block.text):
        if not why_not_called(command):
            wrong = misfit(command, call(command))
            assert wrong is None, f"{block.place}: $ {command.text}\n{wrong}"


def why_not_called(command: Command) -> str | None:
    """The reason; a command that has none and cannot be called is a mistake of the document."""
    if can_be_called(command) and not command.text.startswith(tuple(NOT_CALLED)):
        return None
    return next(reason for start, reason in NOT_CALLED.items() if command.text.startswith(start))


def test_every_reason_is_needed() -> None:
    texts = [block.text for document in DOCUMENTS for block in blocks_of(document)]
    commands = [command.text for text in texts for command in commands_of(text)]
    assert [start for start in NOT_CALLED if not any(text.startswith(start) for text in commands)] == []


# The machinery itself: an example that is wrong is found.


def document_of(project: Path, text: str) -> Path:
    path = project / "doc.md"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "from babysitter import nothing_like_it"),
        ("python", "async def process(inputs, ctx):\n    return inputs['a'] + 1"),
        ("python", "value = await ctx.task(work, path='a', limit=nothing.there)"),
        (
            "python",
            "from babysitter import shell\n@shell\ndef a(): return 'ls'\nx = await ctx.task(a, path=1)",
        ),
        ("python", "async for each in ctx.parallel.every([]):\n    pass"),
        ("python", "def test_it():\n    assert 1 == 2"),
        ("console", "$ babysitter process show nothing"),
        ("console", "$ babysitter --version\nbabysitter 0.0.0"),
        ("console", "$ rm -r /"),
    ],
)
def test_an_example_that_is_wrong_is_found(language: str, text: str, project: Path) -> None:
    document = document_of(project, f"```{language}\n{text}\n```\n")
    with pytest.raises((Exception, AssertionError)):
        test_the_examples_of_a_document_work(document, project)


@pytest.mark.parametrize(
    "text",
    [
        "results = await ctx.parallel.map(files, lambda file: ctx.task(check, file=file))",
        "@agent(returns={'required': ['a']})\ndef ask(): return 'a'\n(await ctx.task(ask))['a']",
        "async def one(f):\n    return await ctx.task(check.using(timeout=9), file=f)\nprint(await one(1))",
        "@python\ndef names() -> list[str]: ...\nfirst = (await ctx.task(names))[0].upper()",
        "decision = await ctx.breakpoint('Go?', options=['a', 'b'])\nassert decision.option == 'a'",
        "try:\n    await ctx.task(check)\nexcept TaskFailed as error:\n    print(error)",
    ],
)
def test_a_piece_of_a_process_is_executed(text: str, project: Path) -> None:
    setup = "from babysitter import TaskFailed, agent, python"
    document = document_of(project, f"<!-- example: {setup} -->\n```python\n{text}\n```\n")
    test_the_examples_of_a_document_work(document, project)


def test_blocks_are_read_with_what_is_said_about_them(project: Path) -> None:
    document = document_of(
        project, "a\n<!-- not run: slow -->\n```console\n$ ls\n```\n\n```python\n# a/b.py\nx = 1\n```\n"
    )
    first, second = blocks_of(document)
    assert (first.language, first.text, first.reason, first.line) == ("console", "$ ls\n", "slow", 3)
    assert (second.file, second.setup, second.reason) == ("a/b.py", "", "")


@pytest.mark.parametrize(
    ("shown", "printed", "fits"),
    [
        (["a", "…", "d"], "a\nb\nc\nd", True),
        (["a", "…", "d"], "a\nb\nc", False),
        (["…"], "", True),
        (["a 12 ms"], "a  0.2 s", True),
        (["run-2pq2kv done"], "run-7x2mab done", True),
        (["wrote …"], "wrote a file", True),
        (["a"], "a\nb", False),
    ],
)
def test_what_is_printed_is_compared_without_what_differs(shown: list[str], printed: str, fits: bool) -> None:
    assert (misfit(Command("x", shown), Ended(0, printed, "")) is None) == fits
