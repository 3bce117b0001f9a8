"""The bench measures what it says it measures; how fast anything is, is not tested."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The bench's main module; its parts can be imported beside it."""
    monkeypatch.syspath_prepend(str(BENCH))
    import run

    yield run
    # Their names are too plain to be left to other tests.
    for file in BENCH.glob("*.py"):
        sys.modules.pop(file.stem, None)


def start(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCH / "run.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("file", [*BENCH.rglob("*.py")], ids=lambda file: file.name)
def test_every_program_of_the_bench_is_valid(file: Path) -> None:
    compile(file.read_text("utf-8"), str(file), "exec")


def test_the_help_names_every_case(run: Any) -> None:
    told = " ".join(start("--help").stdout.split())
    assert ", ".join(run.CASES) in told


def test_a_row_stands_for_every_target(run: Any) -> None:
    rows = [row for case in run.CASES.values() for row in case.rows]
    expected = [
        *("status", "status --json", "iterate, nothing new", "iterate, one new", "post"),
        *(f"iterate at {size}, {shape}" for size in (10, 100, 1000, 10_000) for shape in ("sequence", "fan")),
        *(f"iterate at {size} above 10, fan" for size in (1000, 10_000)),
        *(
            "linear growth, fan",
            "files opened at 10000, fan",
            "peak memory at 10000, fan",
            "fan-out",
            "sequential run",
        ),
        *("replay of 10000 in memory, sequence", "replay of 10000 in memory, fan", "wall time of run"),
        *("one durable event", "a batch of 1000", "a batch of 1000 beside a heavy writer"),
        *("verify of 100000 events", "peak memory of verify of 100000 events"),
        *(
            f"{what} at 100000, {shape}"
            for what in ("iterate", "peak memory")
            for shape in ("sequence", "fan")
        ),
        *(f"printed, {size} {what}" for size in (100, 1000) for what in ("new", "pending")),
        *(
            f"hook {name}, unbound, above true"
            for name in ("stop", "session-start", "before-tool", "session-end")
        ),
        *("hook stop, 100 effects, nothing new", "told at a stop, 10 effects", "told at a stop, 100 effects"),
    ]
    assert (set(expected) - set(rows), len(rows)) == (set(), len(set(rows)))


def append(folder: Path, *words: str) -> dict[str, list[float]]:
    """What the program that appends events tells."""
    command = [sys.executable, "-I", str(BENCH / "programs" / "append_events.py"), str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told: dict[str, list[float]] = json.loads(done.stdout)
    return told


def test_each_durable_append_is_measured_beside_its_floor(tmp_path: Path) -> None:
    told = append(tmp_path / "run", "2", "3")
    lengths = [len(told["ours"]), len(told["bare"])]
    events = len(list((tmp_path / "run" / "journal").iterdir()))
    # Two events each, and five appends more before any counts.
    assert (lengths, events) == ([3, 3], 2 * (3 + 5))


def test_each_disturbed_append_is_measured_beside_one_that_is_not(tmp_path: Path) -> None:
    told = append(tmp_path / "run", "2", "1", "1")
    left = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert (len(told["ours"]), len(told["bare"]), left) == (1, 1, ["journal", "state"])


def test_a_case_gives_its_rows_as_a_table_and_as_json(run: Any, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    done = start("--quick", "--only", "printed", "--json", str(kept), "--folder", str(tmp_path))
    assert done.returncode == 0, done.stderr
    rows = tuple(figure["what"] for figure in json.loads(kept.read_text())["figures"])
    lines = [line for line in done.stdout.splitlines() if line.startswith("| printed")]
    assert (rows, len(lines)) == (run.CASES["printed"].rows, len(rows))


def test_a_command_that_fails_is_told_with_what_it_said(tmp_path: Path) -> None:
    peer = f"{sys.executable} -c 'raise SystemExit(\"no such thing\")'"
    done = start("--quick", "--only", "printed", "--peer", peer, "--folder", str(tmp_path))
    assert (done.returncode, "no such thing" in done.stderr) == (1, True)


def test_the_ratio_is_the_median_of_the_pairs(run: Any) -> None:
    import figures

    # A slow moment that hits both halves of a pair is not seen in the ratio.
    figure = figures.Figure("any", [2.0, 20.0, 6.0], unit="s", floors=[1.0, 10.0, 2.0])
    assert figure.ratio == 2.0


@pytest.mark.parametrize(("value", "verdict"), [(4.9, "ok"), (5.1, "over")])
def test_the_verdict_compares_with_the_target(run: Any, value: float, verdict: str) -> None:
    import figures

    figure = figures.Figure("any", [value], unit="s", floors=[1.0], target=figures.Target(ratio=5))
    assert figure.verdict == verdict


def test_the_ideal_schedule_gives_each_task_to_the_first_free_job(run: Any) -> None:
    import run_cases

    assert run_cases.list_schedule([3, 1, 1, 2], 2) == 4
