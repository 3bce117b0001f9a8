"""The host takes the plugin: it finds nothing to complain about, and installs it from a checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.host.host_program import ROOT, environment, needs_host, program
from tests.host.lab import each_once, status
from tests.host.models import Obeying

if TYPE_CHECKING:
    from pathlib import Path

    from tests.host.lab import Lab

pytestmark = needs_host
PARTS = (".claude-plugin", "babysitter", "bin", "hooks", "processes", "scripts", "skills")
NOWHERE = "http://127.0.0.1:9"


def plugin(lab: Lab, folder: Path, *arguments: str) -> str:
    """What a command of the host about plugins says, called in a folder."""
    done = subprocess.run(
        [program(), "plugin", *arguments],
        cwd=folder,
        env=environment(lab.home, NOWHERE),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


def checkout(folder: Path) -> Path:
    """A checkout as somebody gets it who only uses it, but for its environment, which is ours."""
    folder.mkdir()
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / file, folder)
    os.symlink(os.readlink(ROOT / "plugin.json"), folder / "plugin.json")
    os.symlink(sys.prefix, folder / ".venv")
    return folder


def test_the_strict_check_of_the_host_passes(lab: Lab) -> None:
    assert "Validation passed" in plugin(lab, ROOT, "validate", "--strict", ".")


def test_the_plugin_is_installed_from_a_checkout_and_holds_a_session(lab: Lab, tmp_path: Path) -> None:
    folder = checkout(tmp_path / "checkout")
    plugin(lab, folder, "marketplace", "add", "./")
    plugin(lab, folder, "install", "babysitter@babysitter")
    lab.use("mixed.py")
    model = Obeying("babysitter create mixed.py --run-id r", answers={"": '{"verdict": "good"}'})
    session = lab.session("go", model, plugin=())
    assert status("r")["status"] == "completed"
    assert each_once("r")
    assert "proof" in session.messages[-1]
