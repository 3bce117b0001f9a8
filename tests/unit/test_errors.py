"""The tree of errors: as it is drawn, with the exit codes that are promised, each message in one form."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest

from babysitter import errors
from babysitter.errors import AllFailed, BabysitterError, BranchCancelled, Failed, TaskFailed

COMMANDS = Path(__file__).parents[2] / "docs" / "commands.md"
CLASSES = {
    name: found
    for name, found in vars(errors).items()
    if inspect.isclass(found) and found.__module__ == errors.__name__
}
NAMED = {name: found for name, found in CLASSES.items() if issubclass(found, BabysitterError)}
CODES = {
    "BabysitterError": 1,
    "UsageError": 2,
    "InvalidInput": 2,
    "ResultRejected": 2,
    "CorruptRules": 2,
    "NoSuchRun": 4,
    "RunPacked": 4,
    "NoSuchEffect": 4,
    "NoSuchProcess": 4,
    "NoAnswer": 2,
    "UnsafePath": 6,
    "Conflict": 3,
    "RunExists": 3,
    "AlreadyResolved": 3,
    "EffectCancelled": 3,
    "EffectTaken": 3,
    "RunFinished": 3,
    "HeadMoved": 3,
    "PersonNeeded": 3,
    "RunBusy": 75,
    "JournalError": 5,
    "CorruptEvent": 5,
    "MissingEvent": 5,
    "TailRemoved": 5,
    "UnknownLayout": 5,
    "BadSignature": 5,
    "WrongProof": 5,
    "CorruptArchive": 5,
    "ReplayError": 7,
    "NondeterminismError": 7,
    "OtherPython": 7,
    "ForeignAwait": 7,
    "EditNeedsPerson": 7,
    "ProcessError": 7,
    "StorageError": 74,
}


def drawn() -> dict[str, tuple[str | None, int | None]]:
    """The tree in the docstring: class → (base that it hangs on, exit code that stands there)."""
    assert errors.__doc__ is not None
    found: dict[str, tuple[str | None, int | None]] = {}
    path: list[str] = []
    for line in errors.__doc__.splitlines()[2:]:
        name, _, rest = line.lstrip(" │├└─").partition(" ")
        if name not in CLASSES:
            continue
        depth = (len(line) - len(line.lstrip(" │├└─")) - 4) // 4
        path[depth:] = [name]
        code = rest.split()[0] if rest.split() and rest.split()[0].isdigit() else None
        found[name] = (path[depth - 1] if depth else None, int(code) if code else None)
    return found


def test_every_class_is_drawn_where_it_hangs() -> None:
    bases = {
        name: base.__name__ if (base := found.__bases__[0]).__name__ in CLASSES else None
        for name, found in CLASSES.items()
    }
    assert {name: base for name, (base, _) in drawn().items()} == bases


def test_the_drawn_codes_are_those_of_the_classes() -> None:
    told = {name: code for name, (_, code) in drawn().items() if code is not None}
    assert told == {name: CODES[name] for name in told}


def test_a_code_that_is_not_drawn_is_that_of_the_class_above() -> None:
    tree = drawn()
    for name, (base, code) in tree.items():
        if name in NAMED and code is None:
            assert NAMED[name].exit_code == NAMED[base or ""].exit_code


@pytest.mark.parametrize("name", NAMED)
def test_the_exit_code_belongs_to_the_class(name: str) -> None:
    assert NAMED[name].exit_code == CODES[name]


def test_every_exit_code_is_documented() -> None:
    text = " ".join(COMMANDS.read_text("utf-8").split())
    assert [code for code in sorted(set(CODES.values())) if f"· {code} " not in text] == []


def made(name: str) -> BabysitterError:
    """An error of the class, with what it is made of."""
    if name == "ResultRejected":
        return errors.ResultRejected("e1", "the result of effect 'e1' is bad", hint="mend it")
    if name in ("NondeterminismError", "OtherPython"):
        kind: type[errors.NondeterminismError] = getattr(errors, name)
        return kind("at step '3' there is another task", step="3", hint="mend it")
    return NAMED[name]("'thing' is bad, and good was expected", hint="mend it")


DETAILS: dict[str, dict[str, Any]] = {
    "ResultRejected": {"effectId": "e1"},
    "NondeterminismError": {"stepId": "3"},
    "OtherPython": {"stepId": "3"},
}


@pytest.mark.parametrize("name", NAMED)
def test_an_error_has_a_message_a_hint_and_its_ids(name: str) -> None:
    error = made(name)
    assert (str(error), error.hint, error.details()) == (error.message, "mend it", DETAILS.get(name, {}))


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_says_what_it_means(name: str) -> None:
    assert CLASSES[name].__doc__


@pytest.mark.parametrize("name", ["TaskFailed", "TaskTimeout", "TaskCancelled"])
def test_a_task_that_failed_carries_what_is_known(name: str) -> None:
    error: TaskFailed = CLASSES[name](
        "it failed", name="Odd", data=[1], exit_code=3, effect_id="e", step="1", task_id="t", attempts=2
    )
    told = (
        error.name,
        error.data,
        error.exit_code,
        error.effect_id,
        error.step,
        error.task_id,
        error.attempts,
    )
    assert (str(error), told, error.partial) == ("it failed", ("Odd", [1], 3, "e", "1", "t", 2), None)


def test_a_run_that_is_failed_on_purpose_carries_data() -> None:
    error = Failed("no good", {"a": 1})
    assert (str(error), error.data, error.partial) == ("no good", {"a": 1}, None)


def test_all_that_failed_is_told_in_one_line() -> None:
    error = AllFailed([TaskFailed("one"), TaskFailed("two")])
    assert (str(error), len(error.errors)) == ("every branch failed: one; two", 2)


def test_a_cancelled_branch_is_no_exception_that_authors_catch() -> None:
    assert not issubclass(BranchCancelled, Exception)


def messages(path: Path) -> list[str]:
    """The ends of the texts that a module raises errors with."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            for text in node.exc.args:
                last = text.values[-1] if isinstance(text, ast.JoinedStr) else text
                if isinstance(last, ast.Constant) and isinstance(last.value, str):
                    found.append(last.value)
    return found


def test_messages_are_one_sentence_without_a_full_stop() -> None:
    package = Path(errors.__file__).parent
    told = {path.name: messages(path) for path in package.rglob("*.py")}
    wrong = [(name, text) for name, texts in told.items() for text in texts if text.endswith((".", "\n"))]
    assert (wrong, sum(map(len, told.values())) > 50) == ([], True)
