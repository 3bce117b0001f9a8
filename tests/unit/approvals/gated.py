"""A run with a breakpoint in the working directory, and keys to sign with."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.library import resolve
from babysitter.runs.creation import create
from babysitter.runs.folder import open_run
from babysitter.runs.iterate import iterate

if TYPE_CHECKING:
    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

RUNS = os.path.join(".a5c", "runs")
GATE = """
async def process(inputs, ctx):
    told = await ctx.breakpoint("Release?", title="Gate", options=["staging", "live"])
    return [told.approved, told.option, told.responded_by]
"""
SIGNED = GATE.replace("options=", 'assurance="signed", options=')
needs_ssh_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen")


def created(source: str, name: str = "r", **options: Any) -> Run:
    """A run of which nothing is done yet."""
    Path("process.py").write_text(source, "utf-8")
    here = str(Path.cwd())
    entry = resolve("process.py", here)
    told = {"project": here, "version": "0", "run_id": name, **options}
    return create(os.path.abspath(RUNS), entry, {}, **told).load()


def begin(source: str = GATE, name: str = "r", **options: Any) -> Run:
    """A run, brought to its first breakpoint."""
    run = created(source, name, **options)
    iterate(run)
    return run


def guard(run: Run) -> Run:
    """The run, as an agent's session has it."""
    run.append([("SESSION_BOUND", {"host": "claude-code", "sessionId": "s-1"})])
    return run


def opened(name: str = "r") -> Run:
    return open_run(name, os.path.abspath(RUNS)).load()


def open_breakpoint(run: Run) -> Effect:
    (effect,) = run.state.pending.values()
    return effect


def data_of(run: Run, type: str) -> list[dict[str, Any]]:
    """The data of all events of a type."""
    import json

    files = sorted(Path(run.folder, "journal").iterdir())
    events = [json.loads(file.read_bytes()) for file in files]
    return [event["data"] for event in events if event["type"] == type]


def new_key(name: str = "key") -> str:
    """A key pair without a passphrase; gives the path of the private half."""
    path = str(Path.cwd() / name)
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
    return path


def signers_of(**keys: str) -> str:
    """A file of allowed signers: name → path of the private key."""
    lines = [f"{name} {Path(f'{key}.pub').read_text()}" for name, key in keys.items()]
    path = Path.cwd() / "signers"
    path.write_text("".join(lines))
    return str(path)
