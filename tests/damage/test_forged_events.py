"""Events whose bytes and chain are right and which still cannot be: out of order, too many, misshapen."""

from __future__ import annotations

import contextlib
import copy
import io
from typing import TYPE_CHECKING, Any

import pytest
from asking import COMMANDS, UNTRUSTED, ask
from small_runs import EVENTS

from babysitter.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from small_runs import SmallRun

    Draft = tuple[str, dict[str, Any]]
    Count = Callable[[str, int], None]

pytestmark = pytest.mark.torture
REQUESTED, RESOLVED, CANCELLED = "EFFECT_REQUESTED", "EFFECT_RESOLVED", "EFFECT_CANCELLED"
COMPLETED: Draft = ("RUN_COMPLETED", {"output": 1, "sha256": "0" * 64})


def events_of(run: SmallRun) -> list[Draft]:
    """The events as drafts, to be written again."""
    return [(run.type_of(number), run.data_of(number)) for number in range(1, EVENTS + 1)]


def answered(run: SmallRun, **changes: Any) -> Draft:
    return RESOLVED, {**run.data_of(8), **changes}


# After how many events of its own, what is forged, and what the message says.
FORGERIES: dict[str, tuple[int, Callable[[SmallRun], list[Draft]], str]] = {
    "answered before it is asked": (1, lambda run: [answered(run)], "event 2 (EFFECT_RESOLVED) is about"),
    "cancelled before it is asked": (
        1,
        lambda run: [(CANCELLED, {"effectId": "e", "reason": "abandoned"})],
        "event 2 (EFFECT_CANCELLED) is about effect 'e', which is not pending",
    ),
    "answered twice alike": (8, lambda run: [answered(run)], "event 9 (EFFECT_RESOLVED) is about effect"),
    "answered twice otherwise": (
        8,
        lambda run: [answered(run, value="another")],
        "event 9 (EFFECT_RESOLVED) is about effect",
    ),
    "cancelled after its answer": (
        8,
        lambda run: [(CANCELLED, {"effectId": run.data_of(8)["effectId"]})],
        "event 9 (EFFECT_CANCELLED) is about effect",
    ),
    "asked twice": (8, lambda run: [(REQUESTED, run.data_of(7))], "event 9 requests effect"),
    "created twice": (
        8,
        lambda run: [("RUN_CREATED", run.data_of(1))],
        "event 9 (RUN_CREATED) cannot stand at this place",
    ),
    "never created": (0, lambda run: events_of(run)[1:], "event 1 (EFFECT_REQUESTED) cannot stand at"),
    "answered after the end": (
        7,
        lambda run: [COMPLETED, answered(run)],
        "event 9 (EFFECT_RESOLVED) cannot stand at this place",
    ),
    "ended twice": (8, lambda run: [COMPLETED, COMPLETED], "event 10 (RUN_COMPLETED) cannot stand at this"),
    "failed after it has completed": (
        8,
        lambda run: [COMPLETED, ("RUN_FAILED", {"error": {"name": "No", "message": "no"}})],
        "event 10 (RUN_FAILED) cannot stand at this place",
    ),
    "a word after the end": (
        8,
        lambda run: [COMPLETED, ("PROCESS_LOG", run.data_of(6))],
        "event 10 (PROCESS_LOG) cannot stand at this place",
    ),
    "of an unknown type": (8, lambda run: [("RUN_TELEPORTED", {})], "event 9 has the unknown type"),
    "neither ok nor error": (7, lambda run: [answered(run, status="fine")], "event 8 (EFFECT_RESOLVED) has"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_history_that_cannot_be_is_refused_and_left_as_it_is(
    run: SmallRun, name: str, capsys: pytest.CaptureFixture[str], count: Count
) -> None:
    after, make, message = FORGERIES[name]
    run.forge(after, *make(run))
    before = run.digest()
    told = [ask(capsys, command) for command in COMMANDS]
    count("corruptions", 1)
    assert [(each.code, message in each.message) for each in told] == [(UNTRUSTED, True)] * len(told), told
    assert run.digest() == before


def test_a_run_without_a_single_event_is_refused(run: SmallRun, capsys: pytest.CaptureFixture[str]) -> None:
    run.forge(0)
    told = [ask(capsys, command) for command in COMMANDS]
    assert {(each.code, each.message) for each in told} == {
        (UNTRUSTED, "the journal of run 'small' is empty, not even its creation is there")
    }


# Shapes

VALUES: list[Any] = [KeyError, None, 0, -1, 1.5, "", "x", [], [1], {}, {"a": 1}, True, 10**30, "../../x"]
LOOKS = [
    *COMMANDS.values(),
    ("show", "small"),
    ("show", "small", "1.0.1"),
    ("show", "small", "1.1.1"),
    ("tasks", "small"),
    ("events", "small"),
    ("list",),
    ("work", "small"),
    ("run:status", "small"),
    ("task:list", "small"),
]


def places(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The way to everything in a value that has a name."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*above, name)
            yield from places(inner, (*above, name))


def with_another(data: dict[str, Any], place: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The data with something else at a place; KeyError: with nothing there."""
    changed = copy.deepcopy(data)
    inner = changed
    for name in place[:-1]:
        inner = inner[name]
    if value is KeyError:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return changed


def codes_of_all_looks() -> dict[int, str]:
    """The exit codes of commands that look at the run, each with what one of them printed."""
    found = {}
    for words in LOOKS:
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
            code = main._run(list(words))
        found[code] = f"{words}: {out.getvalue()}"
    return found


@pytest.mark.parametrize("number", range(1, EVENTS + 1))
def test_an_event_of_another_shape_is_never_a_mistake_of_babysitters_own(
    run: SmallRun, number: int, torture: bool, count: Count
) -> None:
    drafts, tried = events_of(run), 0
    kind, data = drafts[number - 1]
    for index, place in enumerate(places(data)):
        for value in VALUES if torture else [KeyError, VALUES[1 + index % (len(VALUES) - 1)]]:
            misshapen = (kind, with_another(data, place, value))
            run.forge(0, *drafts[: number - 1], misshapen, *drafts[number:])
            codes = codes_of_all_looks()
            tried += 1
            # 0 done, 1 failed, 3 conflict, 4 no such effect, 5 not to be trusted, 6 unsafe path, 7 stuck.
            assert set(codes) <= {0, 1, 3, 4, 5, 6, 7}, (place, value, codes)
    count("corruptions", tried)
