"""The picture of docs/parallel.md is drawn from the journals beside it, and the page has their times."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.commands import call, told, write

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "draw_timeline.py"
PICTURES = ROOT / "docs" / "pictures"
PAGE = (ROOT / "docs" / "parallel.md").read_text("utf-8")
RUNS = ("one-by-one", "two-groups", "chains")
SVG = "{http://www.w3.org/2000/svg}"


def loaded() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("draw_timeline", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


timeline: Any = loaded()


def drawn(*files: Path | str) -> str:
    """What the script prints."""
    words = [sys.executable, str(SCRIPT), *map(str, files)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def panel(run: str) -> Any:
    return timeline.panel_of(json.loads((PICTURES / f"{run}.json").read_text("utf-8"))["events"])


def test_the_picture_is_what_the_script_draws_from_the_journals() -> None:
    assert drawn(*(PICTURES / f"{run}.json" for run in RUNS)) == (PICTURES / "parallel.svg").read_text(
        "utf-8"
    )


@pytest.mark.parametrize("run", RUNS)
def test_the_page_has_the_times_of_the_journal(run: str) -> None:
    measured = panel(run)
    row = re.search(rf"^\| {run} \| ([\d.]+) s \| ([\d.]+) s \|", PAGE, re.MULTILINE)
    assert row is not None
    assert row.groups() == (f"{measured.seconds:.2f}", f"{measured.work:.2f}")


def test_a_run_of_now_is_drawn_with_a_bar_for_each_effect(project: Path) -> None:
    write(
        "both.py",
        """
        @shell(title="do {what}")
        def work(what, code):
            return ["sh", "-c", f"exit {code}"]

        async def process(inputs, ctx):
            await ctx.task(work, what="first", code=0)
            await ctx.parallel.settled([ctx.task(work, what="<b>", code=0), ctx.task(work, what="c", code=3)])
        """,
    )
    call("run", "both.py", "--run-id", "both")
    Path("both.json").write_text(json.dumps(told("events", "both")))
    root = ET.fromstring(drawn("both.json"))  # noqa: S314 - it is our own
    bars = [(bar.get("class"), bar[0].text) for bar in root.iter(f"{SVG}rect")]
    assert [look for look, _ in bars] == ["bar k0", "bar k0", "bar k0 error"]
    assert [str(text).partition(":")[0] for _, text in bars] == ["do first", "do <b>", "do c"]


def event(effect: str, start: float, end: float) -> list[dict[str, Any]]:
    times = {
        "startedAt": f"2026-01-01T00:00:{start:06.3f}Z",
        "finishedAt": f"2026-01-01T00:00:{end:06.3f}Z",
    }
    asked = {"effectId": effect, "taskId": "work", "label": effect, "group": {"branch": "x"}}
    return [
        {"type": "EFFECT_REQUESTED", "data": asked},
        {"type": "EFFECT_RESOLVED", "data": {"effectId": effect, "status": "ok", **times}},
    ]


def test_what_overlaps_in_branches_of_one_name_gets_rows_of_its_own() -> None:
    created = {"type": "RUN_CREATED", "data": {"runId": "r"}}
    made = timeline.panel_of([created, *event("a", 1, 2), *event("b", 1.5, 3), *event("c", 2, 4)])
    assert [[bar.effect for bar in row] for row in made.rows] == [["a", "c"], ["b"]]
    assert (made.seconds, made.work) == (3.0, 4.5)


def test_an_effect_that_nobody_worked_at_has_no_bar() -> None:
    asked, ended = event("a", 1, 2)
    del ended["data"]["startedAt"]
    assert timeline.panel_of([{"type": "RUN_CREATED", "data": {"runId": "r"}}, asked, ended]).rows == []
