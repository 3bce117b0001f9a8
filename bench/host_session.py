"""One headless session of the real Claude Code with a scripted model: wall time, and the hooks' share of it.

    CLAUDE_BIN=… python bench/host_session.py [ROUNDS]

A process of ten effects (two rounds of four agents and a shell command). The model answers at once, so
the share is the largest that there can be. What each hook took is what the host says in its debug file.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.host.host_program import found  # noqa: E402 - the checkout that this file is in
from tests.host.models import Obeying  # noqa: E402
from tests.host.real_session import going  # noqa: E402

PROCESS = """
from babysitter import agent, shell

N = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}

@agent(returns=N)
def ask(n):
    return f"Give the number {n}."

@shell
def count(n):
    return ["echo", str(n)]

async def process(inputs, ctx):
    for start in (0, 5):
        calls = [lambda n=n: ctx.task(ask, n=n) for n in range(start, start + 4)]
        await ctx.parallel.all([*calls, lambda: ctx.task(count, n=start + 4)])
"""
TOOK = re.compile(r"Hooks: (\w+)\S* \[.*finished with status 0 \((\d+)ms\)")


def main() -> None:
    if found() is None:
        sys.exit("error: no Claude Code on this machine\n  scripts/host installs it, or CLAUDE_BIN names one")
    rounds = int(sys.argv[1]) if sys.argv[1:] else 3
    told = [measure() for _ in range(rounds)]
    for each in told:
        sys.stdout.write(f"{each}\n")


def measure() -> str:
    """One session; what it took, and that every effect was done once."""
    with tempfile.TemporaryDirectory(prefix="bench-host-") as folder:
        os.environ["BABYSITTER_HOME"] = os.path.join(folder, "own")
        project = Path(folder) / "project"
        project.mkdir()
        (project / "ten.py").write_text(PROCESS)
        os.chdir(project)
        wall, debug = _session(Path(folder))
        events = [json.loads(file.read_bytes()) for file in sorted(Path(".a5c/runs/r/journal").iterdir())]
        os.chdir(ROOT)
    took = [(event, int(ms)) for event, ms in TOOK.findall(debug)]
    answered = [event["data"]["effectId"] for event in events if event["type"] == "EFFECT_RESOLVED"]
    is_done = events[-1]["type"] == "RUN_COMPLETED" and len(answered) == len(set(answered)) == 10
    total = sum(ms for _, ms in took)
    # Those that ran side by side are added up, so the share of the wall time is at most this.
    return (
        f"{wall * 1000:.0f} ms, {len(took)} hooks took {total} ms together ({total / wall / 10:.0f} %);"
        f" {len(answered)} effects, {'each once' if is_done else 'NOT as it should be'}"
    )


def _session(folder: Path) -> tuple[float, str]:
    debug = folder / "debug"
    model = Obeying(
        "babysitter create ten.py --run-id r", answers={f"number {n}": f'{{"n": {n}}}' for n in range(10)}
    )
    began = time.perf_counter()
    options = ["--debug-file", str(debug)]
    with going("go", model, home=folder / "home", out=folder / "out", arguments=options) as session:
        session.end()
    return time.perf_counter() - began, debug.read_text(errors="replace")


if __name__ == "__main__":
    main()
