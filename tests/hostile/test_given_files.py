"""Files that a command is given and that are none: links, pipes, devices, folders, endless ones."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ground import limit_memory

from tests.support.commands import BABYSITTER, call, end, start
from tests.support.folders import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ground import Ground

INVALID, NOT_FOUND, UNSAFE, IO = 2, 4, 6, 74
TAKES_A_FILE = {
    "file": ["post", "r", "2.0.1", "--file"],
    "lines": ["post", "r", "--lines"],
    "inputs": ["create", "p.py", "--run-id", "new", "--inputs"],
}


def make_socket(path: Path) -> None:
    # Its path has to be short, and it stays when nobody listens any more.
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path.name)


def link_to_a_file(path: Path) -> None:
    Path("real").write_text("1")
    path.symlink_to("real")


STRANGE: dict[str, Callable[[Path], object]] = {
    "a pipe that nobody writes to": os.mkfifo,
    "a folder": os.mkdir,
    "a socket": make_socket,
    "a link to a file": link_to_a_file,
    "a link to nothing": lambda path: path.symlink_to("nothing"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("what", STRANGE)
@pytest.mark.parametrize("way", TAKES_A_FILE)
def test_only_a_regular_file_is_read(ground: Ground, way: str, what: str) -> None:
    STRANGE[what](Path("given"))
    before = digest_of(ground.run)
    ended = call(*TAKES_A_FILE[way], "given")
    assert (ended.code, ended.stderr.count("error: "), digest_of(ground.run)) == (UNSAFE, 1, before), ended


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/null", "/dev/fd/../../../dev/zero"])
def test_a_device_is_not_read(ground: Ground, name: str) -> None:
    assert call(*TAKES_A_FILE["file"], name).code == UNSAFE


@pytest.mark.parametrize(
    ("name", "code"),
    [("nothing", INVALID), ("p.py/x", INVALID), ("", INVALID), ("x" * 300, IO), ("/dev/fd/99", INVALID)],
)
def test_a_name_that_names_nothing_is_told(ground: Ground, name: str, code: int) -> None:
    ended = call(*TAKES_A_FILE["file"], name)
    assert (ended.code, ended.stderr.count("error: ")) == (code, 1), ended


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_without_the_right_to_read_it_is_told(ground: Ground) -> None:
    Path("given").write_text("1")
    Path("given").chmod(0)
    assert call(*TAKES_A_FILE["file"], "given").code == IO


@pytest.mark.parametrize("way", TAKES_A_FILE)
def test_an_endless_standard_input_is_read_to_the_limit_only(ground: Ground, way: str) -> None:
    # Without line breaks, so that it is the line that has no end.
    with subprocess.Popen(["cat", "/dev/zero"], stdout=subprocess.PIPE) as endless:
        ended = end(start(*TAKES_A_FILE[way], "-", stdin=endless.stdout))
        endless.kill()
    assert (ended.code, "at most" in ended.stderr or "more than" in ended.stderr) == (INVALID, True), ended


def test_endless_lines_are_read_to_the_limit_only(ground: Ground) -> None:
    limit_memory(1_000_000)
    with subprocess.Popen(["yes", '{"effect":"x","value":[[],[],[],[]]}'], stdout=subprocess.PIPE) as endless:
        ended = end(start(*TAKES_A_FILE["lines"], "/dev/stdin", stdin=endless.stdout))
        endless.kill()
    assert (ended.code, "at most" in ended.stderr) == (INVALID, True), ended


def test_a_file_that_grows_without_end_is_read_to_the_limit_only(ground: Ground) -> None:
    with Path("given").open("wb") as growing, subprocess.Popen(["cat", "/dev/zero"], stdout=growing) as cat:
        while Path("given").stat().st_size <= 1 << 24:
            os.sched_yield()
        ended = call(*TAKES_A_FILE["file"], "given")
        cat.kill()
    assert (ended.code, "more than" in ended.stderr) == (INVALID, True), ended


def test_what_the_shell_hands_over_is_read(ground: Ground) -> None:
    script = f"{BABYSITTER} post r 2.0.1 --file <(echo 1)"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("what", "code"), [("pipe", UNSAFE), ("folder", NOT_FOUND), ("device", UNSAFE)])
@pytest.mark.parametrize("command", ["create", "run"])
def test_a_process_is_a_regular_file(ground: Ground, command: str, what: str, code: int) -> None:
    path = Path("other.py")
    if what == "pipe":
        os.mkfifo(path)
    elif what == "device":
        path.symlink_to("/dev/zero")
    else:
        (path / "process.py").mkdir(parents=True)
    ended = call(command, "other.py")
    assert (ended.code, ended.stderr.count("error: ")) == (code, 1), ended


def test_a_process_may_be_reached_through_a_link(ground: Ground) -> None:
    Path("other.py").symlink_to("p.py")
    assert call("create", "other.py").code == 0


def test_a_module_beside_the_process_that_is_a_pipe_is_not_waited_for(ground: Ground) -> None:
    os.mkfifo("beside.py")
    Path("other.py").write_text("import beside\nasync def process(inputs, ctx): pass\n")
    ended = call("create", "other.py")
    assert (ended.code, "No module named 'beside'" in ended.stderr) == (INVALID, True), ended
