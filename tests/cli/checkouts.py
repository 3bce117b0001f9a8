"""A small checkout to call the launcher in.

Its command tells how it was called, and its only dependency is a wheel on disk, so that making
its environment needs no network.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SHIPPED = (
    ".claude-plugin/plugin.json",
    "bin/babysitter",
    "scripts/environment",
    "scripts/find-python",
    "scripts/make_environment.py",
)
COMMAND = """
import json, os, sys

def main():
    import tiny
    if sys.argv[1:] == ["fail"]:
        sys.exit(3)
    print(json.dumps({
        "arguments": sys.argv[1:],
        "folder": os.getcwd(),
        "isolated": sys.flags.isolated,
        "path": sys.path[0],
        "pid": os.getpid(),
        "prefix": sys.prefix,
        "stdin": sys.stdin.read(),
        "tiny": tiny.version,
    }))
"""


class Answer(NamedTuple):
    code: int
    stdout: str
    stderr: str

    @property
    def told(self) -> dict[str, object]:
        """What the command tells; only a call that succeeded tells anything."""
        assert self.code == 0, self.stderr
        told: dict[str, object] = json.loads(self.stdout)
        return told


def start(*command: str | Path, **variables: str | Path) -> subprocess.Popen[str]:
    """Start a command in a process group of its own, with pipes to it."""
    return subprocess.Popen(
        command,
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def answer_of(process: subprocess.Popen[str], stdin: str = "") -> Answer:
    stdout, stderr = process.communicate(stdin)
    return Answer(process.returncode, stdout, stderr)


class Checkout(NamedTuple):
    root: Path
    home: Path

    @property
    def launcher(self) -> Path:
        return self.root / "bin" / "babysitter"

    @property
    def environment(self) -> Path:
        """The one environment that its calls have made."""
        (found,) = [path for path in (self.home / "envs").iterdir() if path.is_dir()]
        return found

    def depend_on(self, requirement: str) -> None:
        pyproject = self.root / "pyproject.toml"
        pyproject.write_text(f"[project]\ndependencies = [{json.dumps(requirement)}]\n")

    def start(self, *arguments: str, **variables: str | Path) -> subprocess.Popen[str]:
        settings: dict[str, str | Path] = {"BABYSITTER_HOME": self.home, "BABYSITTER_PYTHON": sys.executable}
        return start(self.launcher, *arguments, **{**settings, **variables})

    def call(self, *arguments: str, **variables: str | Path) -> Answer:
        return answer_of(self.start(*arguments, **variables))


def write_checkout(root: Path, requirement: str, home: Path) -> Checkout:
    """Make a checkout of the launcher and what it needs, with a small command behind it."""
    for name in SHIPPED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    package = root / "babysitter" / "cli"
    package.mkdir(parents=True)
    (package / "main.py").write_text(COMMAND)
    checkout = Checkout(root, home)
    checkout.depend_on(requirement)
    return checkout


def write_wheel(folder: Path, version: str) -> str:
    """Make a wheel of one module named tiny; give the requirement that asks for it."""
    path = folder / f"tiny-{version}-py3-none-any.whl"
    info = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny.py", f"version = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return f"tiny @ {path.as_uri()}"
