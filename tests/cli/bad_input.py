"""A table of bad input: a command line, how it has to end, and what has to be there before."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, NamedTuple

from scenes import Scene, break_run

from tests.support.commands import HEAD

if TYPE_CHECKING:
    from collections.abc import Callable


class Case(NamedTuple):
    """A command line, how it ends, and what has to be there before."""

    words: list[str]
    code: int
    name: str
    said: str
    prepare: Callable[[Scene], object] | None = None
    stdin: bytes | None = None


def file(name: str, content: str | bytes) -> Callable[[Scene], object]:
    """There is a file with this content."""
    raw = content.encode() if isinstance(content, str) else content
    return lambda scene: (scene.folder / name).write_bytes(raw)


def process(source: str) -> Callable[[Scene], object]:
    """There is a process file ``p.py``."""
    return file("p.py", HEAD + source)


def config(text: str) -> Callable[[Scene], object]:
    def write(scene: Scene) -> None:
        path = os.path.join(os.environ["BABYSITTER_HOME"], "config.yaml")
        with open(path, "w", encoding="utf-8") as opened:
            opened.write(text)

    return write


def broken(scene: Scene) -> None:
    break_run(scene, "many")


def without_inputs(scene: Scene) -> None:
    (scene.runs / "many" / "inputs.json").unlink()


def without_an_event(scene: Scene) -> None:
    next((scene.runs / "done" / "journal").glob("000002.*")).unlink()
    shutil.rmtree(scene.runs / "done" / "state")


def linked(scene: Scene) -> None:
    (scene.runs / "many").rename(scene.folder / "away")
    (scene.runs / "many").symlink_to(scene.folder / "away")


def later_layout(scene: Scene) -> None:
    path = scene.runs / "many" / "run.json"
    path.write_text(path.read_text().replace('"layout":1', '"layout":9'))


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


PLAIN = "async def process(inputs, ctx):\n    return None\n"
POST = ["post", "review", "1"]
CASES = {
    # Names
    "no run": Case(["status", "nobody"], 4, "NoSuchRun", "there is no run 'nobody'"),
    "two runs": Case(["status", ""], 6, "UnsafePath", "'' is not a run id"),
    "no run by path": Case(["status", "../../etc"], 4, "NoSuchRun", "is not a run folder"),
    "no effect": Case(["show", "done", "nobody"], 4, "NoSuchEffect", "has no effect 'nobody'"),
    "no effect by path": Case(["show", "done", "../1"], 4, "NoSuchEffect", "has no effect '../1'"),
    "no effect to post": Case(["post", "done", "nobody", "--value", "1"], 4, "NoSuchEffect", "has no effect"),
    "no process": Case(["create", "quality-cheks"], 4, "NoSuchProcess", "no process 'quality-cheks'"),
    "no process by path": Case(["run", "../../x"], 4, "NoSuchProcess", "there is no process file"),
    "no breakpoint": Case(["approve", "many"], 4, "NoSuchEffect", "has no open breakpoint"),
    "no command": Case(["crate"], 2, "UsageError", "did you mean 'create'?"),
    "no option": Case(["status", "--jsn"], 2, "UsageError", "No such option"),
    "no argument": Case(["post"], 2, "UsageError", "Missing argument 'RUN'"),
    "no number": Case(["run", "many.py", "--jobs", "0"], 2, "UsageError", "0 is not in the range"),
    "no state": Case(["list", "--status", "lost"], 2, "UsageError", "'lost' is not one of"),
    # Ids of new runs
    "id with a path": Case(
        ["create", "many.py", "--run-id", "../x"], 6, "UnsafePath", "'../x' is not a run id"
    ),
    "id with a newline": Case(["create", "many.py", "--run-id", "x\n"], 6, "UnsafePath", r"'x\n'"),
    "id like an option": Case(["create", "many.py", "--run-id", "-rf"], 6, "UnsafePath", "'-rf'"),
    "id that is long": Case(["create", "many.py", "--run-id", "x" * 300], 6, "UnsafePath", "is not a run id"),
    "id that is taken": Case(
        ["create", "many.py", "--run-id", "done"], 3, "RunExists", "a run 'done' exists"
    ),
    "id that is taken, run": Case(["run", "many.py", "--run-id", "done"], 3, "RunExists", "'done' exists"),
    "id of the newest": Case(
        ["create", "many.py", "--run-id", "latest"], 2, "InvalidInput", "the newest run"
    ),
    # Inputs
    "inputs that are absent": Case(
        ["create", "many.py", "--inputs", "x.json"], 2, "InvalidInput", "no file 'x.json'"
    ),
    "inputs no JSON": Case(
        ["create", "many.py", "--inputs", "x.json"], 2, "InvalidInput", "not valid", file("x.json", "{")
    ),
    "inputs in Latin-1": Case(
        ["create", "many.py", "--inputs", "x.json"], 2, "InvalidInput", "not UTF-8", file("x.json", b'"\xe9"')
    ),
    "inputs twice": Case(
        ["create", "many.py", "--inputs", "x.json"],
        2,
        "InvalidInput",
        "twice",
        file("x.json", '{"a":1,"a":2}'),
    ),
    "inputs that do not fit": Case(
        ["run", "review.py", "--inputs", "x.json"],
        2,
        "InvalidInput",
        "what: 3 is not",
        file("x.json", '{"what": 3}'),
    ),
    "inputs without a name": Case(["create", "many.py", "-i", "what"], 2, "InvalidInput", "not NAME=VALUE"),
    "inputs that are a folder": Case(
        ["create", "many.py", "--inputs", "."], 6, "UnsafePath", "not a regular file"
    ),
    "inputs half a character": Case(
        ["create", "many.py", "-i", os.fsdecode(b"x=\xff")], 2, "InvalidInput", "lone surrogate"
    ),
    "prompt half a character": Case(
        ["create", "many.py", "--prompt", os.fsdecode(b"\xff")], 2, "InvalidInput", "lone surrogate"
    ),
    # Process files
    "file that is absent": Case(["create", "p.py"], 4, "NoSuchProcess", "there is no process file"),
    "file with a syntax error": Case(["run", "p.py"], 2, "InvalidInput", "line 9", process("x = )")),
    "file without a process": Case(
        ["create", "p.py"], 4, "NoSuchProcess", "has no 'process'", process("x = 1")
    ),
    "file without that process": Case(["create", "p.py#q"], 4, "NoSuchProcess", "has no 'q'", process(PLAIN)),
    "process that is not async": Case(
        ["create", "p.py"], 2, "InvalidInput", "not an async function", process("def process(i, c): pass")
    ),
    "file that raises": Case(["create", "p.py"], 2, "InvalidInput", "ZeroDivisionError", process("1 / 0")),
    "file that exits": Case(
        ["create", "p.py"], 2, "InvalidInput", "raises SystemExit", process("import sys; sys.exit(0)")
    ),
    "file that is shown": Case(["process", "show", "p.py"], 2, "InvalidInput", "Zero", process("1 / 0")),
    # Results
    "result no JSON": Case([*POST, "--value", "good"], 2, "InvalidInput", "--value is not JSON"),
    "result not a number": Case([*POST, "--value", "NaN"], 2, "InvalidInput", "'NaN', which is not JSON"),
    "result too large a number": Case([*POST, "--value", "1e999"], 2, "InvalidInput", "'1e999'"),
    "result half a character": Case([*POST, "--value", '"\\ud800"'], 2, "InvalidInput", "lone surrogate"),
    "result not UTF-8": Case([*POST, "--value", os.fsdecode(b'"\xff"')], 2, "InvalidInput", "not UTF-8"),
    "result with a key twice": Case([*POST, "--value", '{"a":1,"a":1}'], 2, "InvalidInput", "'a' twice"),
    "result too deep": Case([*POST, "--value", nested(101)], 2, "InvalidInput", "more than 100 levels"),
    "result far too deep": Case(
        [*POST, "--value", nested(50_000)], 2, "InvalidInput", "more than 100 levels"
    ),
    "result of two values": Case([*POST, "--value", "1 2"], 2, "InvalidInput", "not valid"),
    "result of nothing": Case([*POST, "--file", "-"], 2, "InvalidInput", "the JSON is empty"),
    "result too large": Case(
        [*POST, "--file", "-"],
        2,
        "InvalidInput",
        "more than 1000 bytes",
        config("limits: {resultBytes: 1000}"),
        b"1" * 1001,
    ),
    "result off the schema": Case([*POST, "--value", '{"verdict": 1}'], 2, "ResultRejected", "not one of"),
    "result in no file": Case([*POST, "--file", "x"], 2, "InvalidInput", "there is no file 'x'"),
    "result in a link": Case(
        [*POST, "--file", "x"],
        6,
        "UnsafePath",
        "regular file",
        lambda s: os.symlink("many.py", s.folder / "x"),
    ),
    "result in a pipe": Case(
        [*POST, "--file", "x"], 6, "UnsafePath", "regular file", lambda s: os.mkfifo(s.folder / "x")
    ),
    "result in a device": Case([*POST, "--file", "/dev/zero"], 6, "UnsafePath", "not a regular file"),
    "result given twice": Case(
        [*POST, "--value", "1", "--error", "x"], 2, "UsageError", "with one of --value"
    ),
    "result not given": Case(POST, 2, "UsageError", "with one of --value"),
    "result of a shell effect": Case(
        ["post", "own", "1.0.1", "--value", '{"exitCode": 0}'], 2, "ResultRejected", "is a shell effect"
    ),
    "result of a python effect": Case(
        ["post", "own", "1.1.1", "--error", "x"], 2, "ResultRejected", "is a python"
    ),
    "usage no JSON": Case(
        [*POST, "--value", "1", "--usage", "5 tokens"], 2, "InvalidInput", "--usage is not JSON"
    ),
    "usage of another shape": Case(
        [*POST, "--value", "1", "--usage", '{"tokens": 5}'],
        2,
        "InvalidInput",
        "it has inputTokens, outputTok",
    ),
    "usage below zero": Case(
        [*POST, "--error", "x", "--usage", '{"inputTokens": -5}'], 2, "InvalidInput", "is -5; a whole number"
    ),
    "usage of nothing": Case(
        [*POST, "--value", "1", "--usage", "{}"], 2, "InvalidInput", "a usage has at least one of"
    ),
    "usage of many": Case(
        ["post", "review", "--lines", "-", "--usage", '{"inputTokens": 5}'],
        2,
        "UsageError",
        "--usage is that of one EFFECT",
        stdin=b"",
    ),
    "usage without a result": Case(
        [*POST, "--usage", '{"inputTokens": 5}'], 2, "UsageError", "with one of --value"
    ),
    "cost of all and of one": Case(["cost", "done", "--all"], 2, "UsageError", "cost takes RUN or --all"),
    "cost of one by process": Case(
        ["cost", "--by", "process"],
        2,
        "UsageError",
        "--by process is no sum of one run; there are task, branch",
    ),
    "cost of all by task": Case(
        ["cost", "--all", "--by", "task"], 2, "UsageError", "no sum of all runs; there are process, day"
    ),
    "cost by something else": Case(["cost", "--by", "model"], 2, "UsageError", "'model' is not one of"),
    "cost of nobody": Case(["cost", "nobody"], 4, "NoSuchRun", "there is no run 'nobody'"),
    "cost of a damaged run": Case(["cost", "many"], 5, "CorruptEvent", "checksum", broken),
    "prices that are none": Case(
        ["cost"], 2, "InvalidInput", "'prices.default.output'", config("prices: {default: {input: 1}}\n")
    ),
    "result of a sleep": Case(["post", "own", "1.2.1", "--value", "null"], 2, "ResultRejected", "is a sleep"),
    "result of a breakpoint": Case(
        ["post", "gate", "1", "--value", "true"], 2, "ResultRejected", "is a breakpoint"
    ),
    "result that is another": Case(
        ["post", "done", "1", "--value", '"no"'], 3, "AlreadyResolved", "first one stands"
    ),
    "result that is too late": Case(
        ["post", "raced", "1.1.1", "--value", "1"], 3, "EffectCancelled", "was cancelled"
    ),
    "answer of no breakpoint": Case(["approve", "many", "1"], 4, "NoSuchEffect", "has no effect '1'"),
    "answer that is no option": Case(
        ["approve", "gate", "--option", "moon"], 2, "ResultRejected", "no option 'moon'"
    ),
    "prompt of no agent": Case(
        ["show", "own", "1.0.1", "--prompt"], 2, "UsageError", "nobody is asked for it"
    ),
    # Putting away
    "nothing to pack": Case(["archive"], 2, "UsageError", "archive needs runs by name, or a selection"),
    "both to pack": Case(["archive", "done", "--all"], 2, "UsageError", "by name, or a selection"),
    "no state to pack": Case(["archive", "--status", "waiting"], 2, "UsageError", "'waiting' is no way"),
    "no age to pack": Case(["archive", "--older-than", "old"], 2, "InvalidInput", "--older-than: 'old'"),
    "no age below zero": Case(["archive", "--older-than", "-1d"], 2, "InvalidInput", "--older-than: '-1d'"),
    "nothing by path": Case(["archive", "../x"], 4, "NoSuchRun", "is not a run folder"),
    "nothing packed": Case(["restore", "done"], 4, "NoSuchRun", "no run 'done' is packed"),
    "nothing packed by path": Case(["restore", "../x"], 4, "NoSuchRun", "is not a run folder"),
    "both to remove": Case(
        ["cleanup", "done", "--older-than", "1d"], 2, "UsageError", "by name, or a selection, not both"
    ),
    "no age to remove": Case(
        ["cleanup", "--yes", "--older-than", "x"], 2, "InvalidInput", "'x' is not a length"
    ),
    "run that is a link, to pack": Case(["archive", "many"], 6, "UnsafePath", "but a link", linked),
    "run that is a link, to remove": Case(
        ["cleanup", "many", "--yes"], 6, "UnsafePath", "but a link", linked
    ),
    # Configuration
    "config with a typo": Case(
        ["iterate", "many"], 2, "InvalidInput", "unknown key 'jbos'", config("jbos: 3")
    ),
    "config that is not YAML": Case(
        ["create", "many.py"], 2, "InvalidInput", "is not YAML", config("jobs: [")
    ),
    "config without that agent": Case(
        ["run", "many.py", "--agent-command", "'"], 2, "InvalidInput", "--agent-command"
    ),
    # Runs
    "run with a changed event": Case(["iterate", "many"], 5, "CorruptEvent", "checksum", broken),
    "run with a changed event, post": Case(
        ["post", "many", "1", "--value", "1"], 5, "CorruptEvent", "checksum", broken
    ),
    "run with an event too few": Case(
        ["status", "done"], 5, "MissingEvent", "event 2 is missing", without_an_event
    ),
    "run without its inputs": Case(["iterate", "many"], 5, "CorruptEvent", "inputs.json", without_inputs),
    "run that is a link": Case(["status", "many"], 6, "UnsafePath", "not a folder but a link", linked),
    "run of a later version": Case(["status", "many"], 5, "UnknownLayout", "has layout 9", later_layout),
}
