"""What a power cut after a command's operations leaves, made real and looked at."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, NamedTuple

from fault_project import adopt_cache_of

from tests.support.operations import CHANGES
from tests.support.power import Disk, Files, put

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from fault_project import Project
    from points import Point
    from trials import Trial

    from tests.support.operations import Operation

JOURNAL = ".a5c/runs/r/journal"
MOST_AT_ONE_CUT = 64
MOST_TOLD = 3
# What changes a name.
NAMING = frozenset(["create", "link", "rename", "mkdir", "unlink", "rmdir"])


class Left(NamedTuple):
    """A disk, and when the power was cut.

    Attributes:
        after: the operation that was done last.
        is_told: the command had ended by then.
        journal: device and inode of the journal, which the cache names.
    """

    after: str
    is_told: bool
    journal: list[int]
    disk: Disk


def journal_of(files: Files) -> list[int]:
    return [int(number) for number in files.inode_of(JOURNAL).split(":") if number]


def disks_of(
    files: Files, operations: Sequence[Operation], cuts: Collection[int], chance: random.Random
) -> list[Left]:
    """What the cuts after so many of the operations may leave, each disk once."""
    found: dict[int, Left] = {}
    for at in range(len(operations) + 1):
        if at:
            files.do(operations[at - 1])
        if at not in cuts:
            continue
        after = f"{at} {operations[at - 1].kind} {operations[at - 1].path}" if at else "nothing"
        for disk in files.disks(chance, MOST_AT_ONE_CUT):
            left = Left(after, at == len(operations), journal_of(files), disk)
            found.setdefault(hash((left.is_told, frozenset(disk.items()))), left)
    return list(found.values())


def sampled(lefts: list[Left], most: int, chance: random.Random) -> list[Left]:
    """So many of the disks; half of them from after the command has told what it did."""
    chance.shuffle(lefts)
    is_told = [left for left in lefts if left.is_told][: most // 2]
    return is_told + [left for left in lefts if not left.is_told][: most - len(is_told)]


def check(trial: Trial, project: Project, left: Left) -> None:
    put(left.disk, project.folder)
    if left.journal:
        adopt_cache_of(project.run_folder, left.journal)
    found = trial.sees(project)
    trial.check_found(found)
    if left.is_told:
        assert found == trial.after
    trial.check_again(project)
    trial.check_the_end(project)


def check_all(trial: Trial, lefts: Iterable[Left]) -> None:
    failures = []
    for left in lefts:
        project = trial.empty()
        try:
            check(trial, project, left)
        except Exception as error:
            what = "".join(traceback.format_exception(error)[-2:])
            failures.append(f"{trial.scenario.name}, cut after {left.after}, {sorted(left.disk)}:\n{what}")
        trial.forget(project)
    told = "\n".join(failures[:MOST_TOLD])
    assert not failures, f"{len(failures)} disks are not as they should be\n{told}"


def recorded(trial: Trial) -> tuple[Files, list[Operation]]:
    """The files before the command, and what the command does to them."""
    project = trial.fresh()
    files = Files(project.folder)
    operations = trial.call(project, trial.plan(project)).operations
    trial.forget(project)
    return files, [each for each in operations if each.kind in CHANGES]


def killed_at(trial: Trial, point: Point) -> tuple[Project, Files]:
    """The project when the command is killed after this operation, and what of it is on the disk."""
    project = trial.fresh()
    files = Files(project.folder)
    killed = trial.call(project, trial.plan(project, at=point.at, does="kill-after"))
    for operation in killed.operations:
        files.do(operation)
    files.leave(killed.operations[-1])
    return project, files


def after_a_kill(trial: Trial, point: Point, chance: random.Random) -> tuple[list[Left], list[Left]]:
    """The command is killed and called again: what a cut during the second call leaves, and one after it."""
    project, files = killed_at(trial, point)
    again = trial.call_again(project, plan=trial.plan(project))
    assert again.code in (trial.ended.code, trial.scenario.already)
    trial.forget(project)
    operations = [each for each in again.operations if each.kind in CHANGES]
    cuts = {chance.randrange(len(operations) + 1), len(operations)}
    lefts = disks_of(files, operations, cuts, chance)
    lefts = [
        left._replace(after=f"a kill after {point} and, in another call, {left.after}") for left in lefts
    ]
    return [left for left in lefts if not left.is_told], [left for left in lefts if left.is_told]


def without_what_a_kill_left(trial: Trial, point: Point) -> list[Left]:
    """The command is killed and called again: cuts that take back the first call and not the second."""
    project, files = killed_at(trial, point)
    again = trial.call_again(project, plan=trial.plan(project))
    assert again.code in (trial.ended.code, trial.scenario.already)
    trial.forget(project)
    return list(without_what_is_left(files, again.operations, f"a kill after {point}"))


def without_what_is_left(files: Files, done: Iterable[Operation], left: str) -> Iterator[Left]:
    """What cuts leave that take back what was left unflushed, and nothing of what is done then."""
    operations = [each for each in done if each.kind in CHANGES]
    for at, operation in enumerate(operations, 1):
        files.do(operation)
        is_told = at == len(operations)
        disk = files.without_left() if is_told or operation.kind in NAMING else None
        if disk is not None:
            after = f"{left} and, in another call, {at} {operation.kind} {operation.path}"
            yield Left(after, is_told, journal_of(files), disk)


def emptiest(lefts: Iterable[Left]) -> Left:
    """The disk that has lost most."""
    return min(lefts, key=lambda left: len(left.disk))
