"""Where faults are put: every operation in the long form, a sample of each kind of them in the short one."""

from __future__ import annotations

import random
import traceback
from typing import TYPE_CHECKING, NamedTuple

from tests.support.forks import KILLED
from tests.support.operations import CHANGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from fault_project import Project
    from trials import Trial

    from tests.support.forks import Ended
    from tests.support.operations import Operation

STRIDE = 9
FEW = 6
MOST_TOLD = 5
HALVES = frozenset(["write"])


class Point(NamedTuple):
    """The number of an operation, as plans count, and what it is."""

    at: int
    kind: str
    path: str


class Fault(NamedTuple):
    """An operation, and what happens to it, in the words of a plan."""

    point: Point
    does: str
    number: int = 0
    for_good: bool = False


def points_of(operations: Sequence[Operation], kinds: frozenset[str] = CHANGES) -> list[Point]:
    """The operations of these kinds, numbered."""
    counted = [each for each in operations if each.kind in kinds]
    return [Point(at, each.kind, each.path) for at, each in enumerate(counted, 1)]


def sampled(trial: Trial, faults: Sequence[Fault], torture: bool, stride: int = STRIDE) -> list[Fault]:
    """All faults, or every so-manieth on each kind of operation from a random one on, but at least one."""
    if torture:
        return list(faults)
    if trial.scenario.is_long:
        return random.sample(list(faults), FEW)
    by_kind: dict[str, list[Fault]] = {}
    for fault in faults:
        by_kind.setdefault(fault.point.kind, []).append(fault)
    return [fault for group in by_kind.values() for fault in group[_start(min(stride, len(group))) :: stride]]


def _start(length: int) -> int:
    return random.randrange(length)  # noqa: S311 - any will do; a failure tells all that it takes to repeat it


def was_injected(fault: Fault, ended: Ended) -> bool:
    """A fault that did not happen proves nothing."""
    if fault.does == "fail":
        return any(each.failed == fault.number for each in ended.operations)
    return fault.does == "short" or ended.code == KILLED


def inject(
    trial: Trial, faults: Iterable[Fault], check: Callable[[Project, Ended], None], *, looks: bool = False
) -> None:
    """Inject faults one by one; tell of those after which something does not hold, to be repeated."""
    failures = []
    for fault in faults:
        project = trial.fresh()
        told = {"at": fault.point.at, "does": fault.does, "number": fault.number, "for_good": fault.for_good}
        try:
            ended = trial.call(project, trial.plan(project, looks=looks, **told))
            assert was_injected(fault, ended), ended
            check(project, ended)
        except Exception as error:
            told = "".join(traceback.format_exception(error)[-2:])
            failures.append(f"{trial.scenario.name}, {fault}:\n{told}")
        trial.forget(project)
    assert not failures, f"{len(failures)} faults did harm\n" + "\n".join(failures[:MOST_TOLD])
