"""The original's command line, driven to do the same as ours."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from children import Children

PROCESS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "processes", "steps.mjs")
RUNS_DIR = "original-runs"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
AT = "2026-01-01T00:00:00.000Z"


class Original:
    """Commands of the original, and runs made with them, in the working directory."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self._made = 0

    def version(self) -> list[str]:
        return [*self.command, "version"]

    def status(self, run: str) -> list[str]:
        return [*self.command, "run:status", run, "--json"]

    def iterate(self, run: str) -> list[str]:
        return [*self.command, "run:iterate", run, "--json"]

    def post(self, run: str, effect: str) -> list[str]:
        words = ["--status", "ok", "--value-inline", '{"verdict":"good"}', "--json"]
        return [*self.command, "task:post", run, effect, *words]

    def create(self, shape: str, inputs: dict[str, Any]) -> tuple[str, list[str]]:
        """A new run's folder, and the command that makes it."""
        self._made += 1
        run_id = f"original-{self._made}"
        file = run_id + ".json"
        with open(file, "w", encoding="utf-8") as opened:
            json.dump(inputs, opened)
        words = ["--process-id", "bench", "--entry", f"{PROCESS}#{shape}", "--inputs", file]
        words += ["--run-id", run_id, "--runs-dir", RUNS_DIR, "--json"]
        return os.path.join(RUNS_DIR, run_id), [*self.command, "run:create", *words]

    def make_run(self, children: Children, effects: int, *, pending: int = 1) -> tuple[str, list[str]]:
        """A run with so many resolved effects of a map; its folder, and the effects that wait.

        Its results are written as the original leaves them on disk, because to post a
        thousand takes it a quarter of an hour.
        """
        resolves_all = pending == 1
        inputs = {"n": effects if resolves_all else effects + pending, "after": 1}
        run, create = self.create("fan", inputs)
        children.seconds(create)
        asked = read_pending(children.output(self.iterate(run)))
        resolve(run, asked[:effects])
        if resolves_all:
            asked += read_pending(children.output(self.iterate(run)))
        return run, asked[effects:]


def read_pending(printed: bytes) -> list[str]:
    """The effects that an iteration of the original names."""
    return [action["effectId"] for action in json.loads(printed).get("nextActions") or []]


def resolve(run: str, effects: list[str]) -> None:
    """Write results for effects, in the original's files."""
    journal = os.path.join(run, "journal")
    last = max(os.listdir(journal))
    later = next_millisecond(last[7:17])
    for at, effect in enumerate(effects, int(last[:6]) + 1):
        folder = os.path.join("tasks", effect)
        times = {"startedAt": AT, "finishedAt": AT}
        with open(os.path.join(run, folder, "task.json"), encoding="utf-8") as file:
            asked = json.load(file)
        result = {
            "schemaVersion": "2026.01.results-v1",
            "effectId": effect,
            "taskId": asked["taskId"],
            "invocationKey": asked["invocationKey"],
            "status": "ok",
            "result": {"verdict": "good"},
            "value": {"verdict": "good"},
            **times,
        }
        _write(os.path.join(run, folder, "result.json"), result)
        data = {"effectId": effect, "status": "ok", "resultRef": os.path.join(folder, "result.json"), **times}
        event = {"type": "EFFECT_RESOLVED", "recordedAt": AT, "data": data}
        _write(os.path.join(journal, f"{at:06d}.{later}{at:016d}.json"), event)


def next_millisecond(time: str) -> str:
    """The time of a ULID, one later: the original wants its events in that order."""
    number = 0
    for digit in time:
        number = number * 32 + CROCKFORD.index(digit)
    number += 1
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(45, -1, -5))


def _write(path: str, value: Any) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2)
