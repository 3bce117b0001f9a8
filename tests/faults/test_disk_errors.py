"""Every operation of every command refused by the disk: once, and from then on."""

from __future__ import annotations

import errno
import itertools
from typing import TYPE_CHECKING

import pytest
from points import Fault, inject, points_of, sampled
from scenarios import SCENARIOS
from trials import IO

from tests.support.operations import CHANGES, LOOKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from fault_project import Project
    from trials import Trial

    from tests.support.forks import Ended

pytestmark = pytest.mark.torture

HALF = 0  # as a number of bytes that a short write takes
REFUSALS = [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EMFILE, errno.EROFS, errno.EINTR]
NAMES = [scenario.name for scenario in SCENARIOS]


def refusals(trial: Trial, kinds: frozenset[str] = CHANGES) -> list[Fault]:
    points = points_of(trial.operations, kinds)
    if trial.scenario.is_long or kinds == LOOKS:
        # What is done a hundred times is refused in each way, but not each time in each way.
        ways = itertools.cycle(itertools.product(REFUSALS, (False, True)))
        return [Fault(point, "fail", *way) for point, way in zip(points, ways, strict=False)]
    return [
        Fault(point, "fail", *way) for point in points for way in itertools.product(REFUSALS, (False, True))
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_command_that_the_disk_refuses_says_so_and_can_be_called_again(
    name: str, trials: Callable[[str], Trial], torture: bool, count: Callable[[str, int], None]
) -> None:
    trial = trials(name)

    def check(project: Project, ended: Ended) -> None:
        assert flushed_again(ended) == []
        assert ended.code == IO or not has_failed_to_flush(ended)
        check_told(trial, project, ended)

    chosen = sampled(trial, refusals(trial), torture)
    count("faults injected", len(chosen))
    inject(trial, chosen, check)


def check_told(trial: Trial, project: Project, ended: Ended) -> None:
    if ended.code == IO:
        # The path and what could not be done, as our own errors have it.
        assert " cannot be " in ended.told["error"]["message"], ended
    trial.check(project, ended)


def has_failed_to_flush(ended: Ended) -> bool:
    return any(each.failed for each in ended.operations if each.kind in ("flush", "flush-all"))


def flushed_again(ended: Ended) -> list[str]:
    """What was flushed once more after that had failed: the system has lost what it could not write."""
    failed, again = set(), []
    for each in ended.operations:
        if each.kind == "flush" and each.node in failed:
            again.append(each.path)
        if each.kind == "flush" and each.failed:
            failed.add(each.node)
    return again


@pytest.mark.parametrize("name", NAMES)
def test_a_command_that_cannot_read_says_so_and_can_be_called_again(
    name: str, trials: Callable[[str], Trial], torture: bool, count: Callable[[str, int], None]
) -> None:
    trial = trials(name)
    chosen = sampled(trial, refusals(trial, LOOKS), torture)
    count("faults injected", len(chosen))
    inject(trial, chosen, lambda *found: check_told(trial, *found), looks=True)


@pytest.mark.parametrize(
    ("name", "taken"),
    [*((name, HALF) for name in NAMES), ("create", 1), ("iterate-elsewhere", 1), ("post-few", 1)],
)
def test_a_disk_that_takes_little_at_a_time_gets_all_of_it(
    name: str, taken: int, trials: Callable[[str], Trial], count: Callable[[str, int], None]
) -> None:
    trial = trials(name)
    writes = [point for point in points_of(trial.operations) if point.kind == "write"]
    count("faults injected", len(writes))

    def check(project: Project, ended: Ended) -> None:
        assert ended.code == trial.ended.code
        trial.check(project, ended)

    inject(trial, [Fault(each, "short", taken, for_good=True) for each in writes[:1]], check)


@pytest.mark.parametrize("name", ["create", "iterate-large-definition", "post-many", "resume"])
def test_signals_that_interrupt_calls_all_the_time_change_nothing(
    name: str, trials: Callable[[str], Trial]
) -> None:
    trial = trials(name)
    project = trial.fresh()
    ended = trial.call(project, trial.plan(project), storm=True)
    assert ended.code == trial.ended.code
    trial.check(project, ended)
    trial.forget(project)
