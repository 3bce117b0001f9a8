"""Measure babysitter, as ratios, in one run on one machine.

    python bench/run.py [--quick] [--cpu] [--only NAME …] [--peer COMMAND] [--json FILE]

Prints a table: each value beside the floor that this machine sets, the ratio of the two, the target and the
verdict. With --peer, a command line that starts the original Babysitter, the same is done with it, in turns.
Progress goes to stderr. The exit code is 0, also when something is over its target; 1 when something failed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import sys
import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple

import change_cases
import disk_cases
import growth_cases
import hook_cases
import large_cases
import run_cases
import step_cases
from children import ChildFailed
from figures import Figure, shown, table, times
from original import Original
from scene import BENCH, PYTHON, Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Case(NamedTuple):
    """What is measured together, and the rows that it gives."""

    measure: Callable[[Scene], Iterator[Figure]]
    rows: tuple[str, ...]


def _of_shapes(*rows: str) -> tuple[str, ...]:
    return tuple(f"{row}, {shape}" for shape in growth_cases.SHAPES for row in rows)


SIZES = [f"iterate at {size}" for size in growth_cases.SIZES]
ABOVE = [f"iterate at {size} above {growth_cases.LEAST}" for size in growth_cases.ABOVE]
MOST = growth_cases.MOST
PRINTED = tuple(f"printed, {size} {what}" for size in step_cases.PRINTED for what in ("new", "pending"))
STOP = (
    f"hook stop, {hook_cases.EFFECTS} effects, nothing new",
    *(f"told at a stop, {size} effects" for size in hook_cases.PRINTED),
)
DURABLE = (
    "one durable event",
    f"a batch of {disk_cases.BATCH}",
    f"a batch of {disk_cases.BATCH} beside a heavy writer",
)
VERIFIED = f"verify of {large_cases.SIZE} events"
HELD = (f"iterate at {large_cases.SIZE}", f"peak memory at {large_cases.SIZE}")
LARGE = (VERIFIED, f"peak memory of {VERIFIED}", *_of_shapes(*HELD))
CASES = {
    "start": Case(
        step_cases.start_up, ("--version", "status", "status --json", "status --json, without launcher")
    ),
    "step": Case(step_cases.one_step, ("iterate, nothing new", "iterate, one new", "post")),
    "printed": Case(step_cases.printed, PRINTED),
    "hooks": Case(hook_cases.idle, tuple(f"hook {name}, unbound, above true" for name in hook_cases.IDLE)),
    "stop": Case(hook_cases.active, STOP),
    "iterate": Case(growth_cases.iterating, _of_shapes(*SIZES, *ABOVE, "linear growth")),
    "opened": Case(growth_cases.opened, _of_shapes(f"files opened at {MOST}")),
    "memory": Case(growth_cases.memory, _of_shapes(f"peak memory at {MOST}")),
    "replay": Case(growth_cases.in_memory, _of_shapes(f"replay of {MOST} in memory")),
    "sequential": Case(run_cases.sequential, ("sequential run",)),
    "fan-out": Case(run_cases.fan_out, ("fan-out",)),
    "schedule": Case(run_cases.schedule, ("wall time of run",)),
    "durable": Case(disk_cases.appending, DURABLE),
    "change": Case(
        change_cases.changing, _of_shapes(f"check at {change_cases.SIZE}", f"fork at {change_cases.SIZE}")
    ),
    "large": Case(large_cases.measured, LARGE),
}
# Alone it takes as long as all the others.
ONLY_WHEN_NAMED = ("large",)
ROUNDS, QUICK_ROUNDS = 21, 5


def main() -> None:
    options = read_options()
    if not os.access(PYTHON, os.X_OK):
        sys.exit(f"error: there is no {PYTHON!r}\n  scripts/check makes it")
    kept = os.path.abspath(options.json) if options.json else None
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.folder) as folder:
        scene = set_up(folder, options)
        scene.enter()
        try:
            where = machine(options, scene.python_version())
            figures = measure(scene, options.only or [name for name in CASES if name not in ONLY_WHEN_NAMED])
        except ChildFailed as error:
            sys.exit(f"error: {error}")
        finally:
            # What is the working directory cannot be removed everywhere.
            os.chdir(BENCH)
    print(f"{about(where)}\n\n{table(figures)}")
    if kept:
        keep(kept, where, figures)


def set_up(folder: str, options: argparse.Namespace) -> Scene:
    return Scene(
        folder,
        rounds=QUICK_ROUNDS if options.quick else ROUNDS,
        is_quick=options.quick,
        counts_processor=options.cpu,
        original=Original(read_command(options.peer)) if options.peer else None,
    )


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds instead of {ROUNDS}")
    names = f"{', '.join(CASES)} (by itself only: {', '.join(ONLY_WHEN_NAMED)})"
    parser.add_argument("--only", action="append", choices=CASES, metavar="NAME", help=names)
    parser.add_argument(
        "--cpu", action="store_true", help="processor time, which a busy machine disturbs less"
    )
    parser.add_argument("--peer", metavar="COMMAND", help="command line of the original Babysitter")
    parser.add_argument("--json", metavar="FILE", help="write every single measurement to FILE")
    parser.add_argument("--folder", metavar="DIR", help="where to measure (default: the temporary folder)")
    return parser.parse_args()


def read_command(text: str) -> list[str]:
    """The words of a command line; files in it are found from elsewhere too."""
    return [os.path.abspath(word) if os.path.exists(word) else word for word in shlex.split(text)]


def measure(scene: Scene, names: Sequence[str]) -> list[Figure]:
    """The rows of the named cases."""
    figures: list[Figure] = []
    for name in names:
        case = CASES[name]
        found = list(told(name, case.measure(scene)))
        assert tuple(figure.what for figure in found) == case.rows, [figure.what for figure in found]
        figures += found
    return figures


def told(name: str, figures: Iterator[Figure]) -> Iterator[Figure]:
    """The same rows; each is shown as soon as it is there, because all of them take minutes."""
    sys.stderr.write(f"{name} …\n")
    for figure in figures:
        ratio = f", {times(figure.ratio)} floor" if figure.ratio is not None else ""
        sys.stderr.write(f"  {figure.what}: {shown(figure.values, figure.unit)}{ratio} {figure.verdict}\n")
        yield figure


def machine(options: argparse.Namespace, python: str) -> dict[str, Any]:
    """Where and how it was measured, without names."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "python": python,
        "time": "processor time" if options.cpu else "wall time",
        "rounds": QUICK_ROUNDS if options.quick else ROUNDS,
    }


def about(where: dict[str, Any]) -> str:
    """The head of the table."""
    return (
        f"{where['system']}, {where['processors']} processors, Python {where['python']}; {where['time']},"
        f" medians of up to {where['rounds']}; floor, if nothing else is said: `python -I -c pass`"
    )


def keep(file: str, where: dict[str, Any], figures: Sequence[Figure]) -> None:
    everything = {"machine": where, "figures": [figure.as_json() for figure in figures]}
    with open(file, "w", encoding="utf-8") as opened:
        json.dump(everything, opened, indent=2)
        opened.write("\n")


if __name__ == "__main__":
    main()
