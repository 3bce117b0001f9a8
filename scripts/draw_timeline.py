"""An SVG with the work of some runs against time, drawn from their journals.

    babysitter events RUN --json > run.json
    python3 scripts/draw_timeline.py run.json > picture.svg

One panel for each file, all on one scale. A row is a branch, a bar is an effect: from when its work began
to when it ended, as its result says. Nothing but the journal is asked.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

WIDTH, LABELS, ROW, HEADING, MARGIN = 720, 60, 24, 26, 12
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
MOST_TICKS = 10
LETTER = 6.2
STYLE = """\
.time{font:12px system-ui,sans-serif;color:#1f2328}
@media (prefers-color-scheme:dark){.time{color:#e6edf3}}
.time text{fill:currentColor}
.time .head{font-weight:600}
.time .line{stroke:currentColor;stroke-opacity:.2}
.time .bar{stroke:currentColor;stroke-opacity:.5;fill-opacity:.35}
.time .k0{fill:#2f81f7}.time .k1{fill:#db6d28}.time .k2{fill:#2da44e}.time .k3{fill:#8250df}
.time .error{stroke:#e5534b;stroke-opacity:1;stroke-width:2}"""


class Bar(NamedTuple):
    """The work for one effect, in seconds from the begin of the first."""

    effect: str
    task: str
    label: str
    branch: str
    status: str
    start: float
    end: float


class Panel(NamedTuple):
    """One run: its bars, row by row."""

    run: str
    rows: list[list[Bar]]

    @property
    def seconds(self) -> float:
        return max((bar.end for row in self.rows for bar in row), default=0.0)

    @property
    def work(self) -> float:
        return sum(bar.end - bar.start for row in self.rows for bar in row)


def panel_of(events: list[dict[str, Any]]) -> Panel:
    """What a journal says of when its effects were worked at; those without a result are left out."""
    asked = {each["data"]["effectId"]: each["data"] for each in events if each["type"] == "EFFECT_REQUESTED"}
    ended = [
        each["data"] for each in events if each["type"] == "EFFECT_RESOLVED" and each["data"].get("startedAt")
    ]
    begin = min((_moment(each["startedAt"]) for each in ended), default=0.0)
    bars = [_bar(asked[each["effectId"]], each, begin) for each in ended]
    return Panel(events[0]["data"]["runId"], _rows(sorted(bars, key=lambda bar: (bar.start, bar.end))))


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _bar(asked: dict[str, Any], ended: dict[str, Any], begin: float) -> Bar:
    group = asked.get("group") or {}
    branch = group.get("label") or group.get("branch") or ""
    start, end = (_moment(ended[key]) - begin for key in ("startedAt", "finishedAt"))
    return Bar(ended["effectId"], asked["taskId"], asked["label"], branch, ended["status"], start, end)


def _rows(bars: list[Bar]) -> list[list[Bar]]:
    """A row for each branch, and one more for what goes on beside that in a branch of the same name."""
    rows: list[list[Bar]] = []
    for bar in bars:
        for row in rows:
            if row[-1].branch == bar.branch and row[-1].end <= bar.start:
                row.append(bar)
                break
        else:
            rows.append([bar])
    return rows


def svg(panels: list[Panel]) -> str:
    """The picture; it ends with a line break."""
    longest = max(panel.seconds for panel in panels) or 1.0
    scale = (WIDTH - LABELS - 2 * MARGIN) / longest
    tasks = list(dict.fromkeys(bar.task for panel in panels for row in panel.rows for bar in row))
    height = sum(HEADING + len(panel.rows) * ROW for panel in panels) + HEADING + 2 * MARGIN
    lines = [
        _root(height),
        f"<title>{escape(', '.join(panel.run for panel in panels))}</title>",
        f"<style>\n{STYLE}\n</style>",
        *_axis(longest, scale, height),
    ]
    y = MARGIN
    for panel in panels:
        lines += _panel(panel, y, scale, tasks)
        y += HEADING + len(panel.rows) * ROW
    return "\n".join([*lines, "</svg>"]) + "\n"


def _root(height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="time" role="img" width="{WIDTH}" height="{height}"'
        f' viewBox="0 0 {WIDTH} {height}">'
    )


def _axis(longest: float, scale: float, height: int) -> list[str]:
    step = next((step for step in STEPS if longest / step <= MOST_TICKS), STEPS[-1])
    lines = []
    for count in range(int(longest / step) + 1):
        x = MARGIN + LABELS + count * step * scale
        lines.append(f'<path class="line" d="M{x:.1f} {MARGIN}V{height - HEADING}"/>')
        lines.append(
            f'<text x="{x:.1f}" y="{height - MARGIN}" text-anchor="middle">{count * step:g} s</text>'
        )
    return lines


def _panel(panel: Panel, y: int, scale: float, tasks: list[str]) -> list[str]:
    head = f"{panel.run}: {panel.seconds:.2f} s, {panel.work:.2f} s of work"
    lines = [f'<text class="head" x="{MARGIN}" y="{y + 16}">{escape(head)}</text>']
    for number, row in enumerate(panel.rows):
        top = y + HEADING + number * ROW
        lines.append(f'<text x="{MARGIN}" y="{top + 14}">{escape(row[0].branch)}</text>')
        for bar in row:
            lines += _drawn(bar, top, scale, tasks.index(bar.task) % 4)
    return lines


def _drawn(bar: Bar, top: int, scale: float, colour: int) -> list[str]:
    x, width = MARGIN + LABELS + bar.start * scale, max((bar.end - bar.start) * scale, 1)
    look = f"bar k{colour}{' error' if bar.status != 'ok' else ''}"
    where = f'x="{x:.1f}" y="{top}" width="{width:.1f}" height="{ROW - 4}" rx="3"'
    told = f"{bar.label}: {bar.start:.2f} s to {bar.end:.2f} s"
    lines = [f'<rect class="{look}" {where}><title>{escape(told)}</title></rect>']
    if len(bar.label) * LETTER < width:
        lines.append(f'<text x="{x + 5:.1f}" y="{top + 14}">{escape(bar.label)}</text>')
    return lines


if __name__ == "__main__":
    read = [json.loads(Path(name).read_text("utf-8"))["events"] for name in sys.argv[1:]]
    sys.stdout.write(svg([panel_of(events) for events in read]))
