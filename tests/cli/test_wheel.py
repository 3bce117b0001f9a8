"""`pip install` gives the same command, with the plugin inside the package."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("wheel")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built by what is installed here, so that no network is needed."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", folder]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, ROOT], check=True)
    (path,) = folder.glob("babysitter-*.whl")
    return path


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    options = ["--no-deps", "--no-index", "--quiet", "--target", folder]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, wheel], check=True)
    return folder


def run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the installed command from elsewhere, so that the checkout cannot help."""
    return subprocess.run(
        [installed / "bin" / "babysitter", *arguments],
        env={**os.environ, "PYTHONPATH": str(installed)},
        cwd=installed.parent,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("folder", [".claude-plugin", "hooks", "processes", "skills"])
def test_the_wheel_holds_every_file_of_the_plugin(wheel: Path, folder: str) -> None:
    files = [path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc"]
    expected = {f"babysitter/_plugin/{path.relative_to(ROOT)}" for path in files}
    assert expected - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_wheel_holds_every_template(wheel: Path) -> None:
    files = [str(path.relative_to(ROOT)) for path in (ROOT / "babysitter" / "templates").rglob("*.txt")]
    assert len(files) > 0
    assert set(files) - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_wheel_holds_nothing_but_the_package(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert sorted(top.partition("-")[0] for top in tops) == ["babysitter", "babysitter"]


def test_the_installed_command_runs(installed: Path) -> None:
    answer = run(installed, "--version")
    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_installed_command_finds_the_shipped_processes(installed: Path) -> None:
    assert "quality-checks" in run(installed, "process", "list").stdout


SESSION = "11111111-2222"
ASKS = """
from babysitter import agent

@agent
def ask():
    return "why?"

async def process(inputs, ctx):
    return await ctx.task(ask)
"""


@pytest.mark.parametrize("is_on_the_path", [True, False])
def test_a_hook_of_the_installed_plugin_finds_the_installed_command(
    installed: Path, project: Path, home: Path, is_on_the_path: bool
) -> None:
    session = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": SESSION, "PYTHONPATH": str(installed)}
    (project / "asks.py").write_text(ASKS)
    create = [installed / "bin" / "babysitter", "create", "asks.py", "--run-id", "r1"]
    subprocess.run(create, env={**os.environ, **session}, check=True, capture_output=True)
    path = f"{installed / 'bin'}:{os.environ['PATH']}" if is_on_the_path else "/usr/bin:/bin"
    hook = subprocess.run(
        ["sh", installed / "babysitter" / "_plugin" / "hooks" / "stop"],
        env={**os.environ, **session, "PATH": path},
        input=f'{{"session_id": "{SESSION}"}}\n',
        capture_output=True,
        text=True,
        check=True,
    )
    expected = "run r1 is not finished" if is_on_the_path else "its command is not on the PATH"
    assert (expected in hook.stdout, hook.stderr) == (True, "")
