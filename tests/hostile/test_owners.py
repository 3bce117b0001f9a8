"""Whose files they are, and who may read them."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ground import is_root

from tests.support.commands import BABYSITTER, call

if TYPE_CHECKING:
    from ground import Ground

UNSAFE = 6
NOBODY = 65534
RUN = ["run", "p.py", "--run-id", "new", "--agent-command", "echo 1"]


def modes(folder: Path) -> dict[str, str]:
    """What is neither a folder for the user alone nor a file that the user alone may read and write."""
    found = {}
    for path in [folder, *folder.rglob("*")]:
        mode = path.lstat().st_mode
        expected = 0o700 if stat.S_ISDIR(mode) else 0o600
        if stat.S_IMODE(mode) != expected:
            found[str(path.relative_to(folder))] = oct(mode)
    return found


@pytest.mark.parametrize("umask", [0, 0o777])
def test_everything_in_a_run_is_for_its_user_alone_whatever_the_umask(ground: Ground, umask: int) -> None:
    done = subprocess.run([BABYSITTER, *RUN], umask=umask, capture_output=True, text=True, check=False)
    assert (done.returncode, modes(ground.run.parent / "new")) == (0, {}), done.stderr


def test_a_command_gets_the_umask_of_the_user(ground: Ground) -> None:
    Path("p.py").write_text(Path("p.py").read_text().replace('"echo", "hello"', '"sh", "-c", "umask > told"'))
    subprocess.run([BABYSITTER, *RUN], umask=0o027, capture_output=True, check=True)
    assert int(Path("told").read_text(), 8) == 0o027


@pytest.mark.skipif(not is_root(), reason="only root can give files away")
@pytest.mark.parametrize(
    ("place", "words"),
    [
        (".", ["status", "r"]),
        ("run.json", ["status", "r"]),
        ("journal", ["status", "r"]),
        ("inputs.json", ["iterate", "r"]),
        ("tasks", ["work", "r"]),
        ("tasks/{1}", ["iterate", "r"]),
        ("tasks/{1}/value-*.json", ["iterate", "r"]),
        ("tasks/{2.1.1}", ["work", "r"]),
        ("tasks/{2.0.1}", ["post", "r", "2.0.1", "--value", "1"]),
    ],
)
def test_what_is_somebody_elses_is_not_used(ground: Ground, place: str, words: list[str]) -> None:
    path = ground.path(place)
    os.chown(path, NOBODY, -1)
    ended = call(*words)
    assert (ended.code, f"belongs to user {NOBODY}" in ended.stderr) == (UNSAFE, True), ended


def test_nothing_of_the_working_directory_takes_the_place_of_a_module(ground: Ground) -> None:
    for name in ("json", "babysitter", "os", "click", "sitecustomize", "encodings"):
        Path(f"{name}.py").write_text(f"open('made', 'w')\nraise SystemExit('{name} of this folder')\n")
    environment = {**os.environ, "PYTHONPATH": str(ground.project), "PYTHONSTARTUP": "json.py"}
    for words in (["work", "r"], RUN):
        done = subprocess.run(
            [BABYSITTER, *words], env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, os.path.exists("made")) == (0, False), done.stderr
