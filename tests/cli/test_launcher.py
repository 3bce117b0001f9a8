"""bin/babysitter on a machine that has Python and nothing else.

All tests run in one worker, because making an environment is slow and for most of them one is enough.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.cli.checkouts import ROOT, Answer, Checkout, answer_of, start, write_checkout, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("launcher")


class First(NamedTuple):
    checkout: Checkout
    answers: list[Answer]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> First:
    """A checkout, with a space in every path, that has seen its first calls: two, at once."""
    place = tmp_path_factory.mktemp("a place")
    checkout = write_checkout(place / "check out", write_wheel(place, "1.0"), place / "ho me")
    processes = [checkout.start(name) for name in ("one", "two")]
    return First(checkout, [answer_of(process, "from stdin") for process in processes])


@pytest.fixture
def checkout(first: First) -> Checkout:
    """A checkout whose environment is there."""
    return first.checkout


@pytest.fixture
def fresh(tmp_path: Path) -> Checkout:
    """A checkout that nobody has called."""
    return write_checkout(tmp_path / "checkout", write_wheel(tmp_path, "1.0"), tmp_path / "home")


def other_checkout(tmp_path: Path, first: Checkout, version: str) -> Checkout:
    """Another checkout with the same home; its dependencies changed a minute after that was made."""
    checkout = write_checkout(tmp_path / "other", write_wheel(tmp_path, version), first.home)
    later = os.stat(first.environment / "complete").st_mtime + 60
    os.utime(checkout.root / "pyproject.toml", (later, later))
    return checkout


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def read_until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    pytest.fail(f"{words!r} was not said")


def test_two_first_calls_at_once_both_do_what_they_were_called_for(first: First) -> None:
    assert [answer.told["arguments"] for answer in first.answers] == [["one"], ["two"]]


def test_two_first_calls_at_once_make_one_environment(first: First) -> None:
    assert sorted(answer.stderr.count("1/2 creating") for answer in first.answers) == [0, 1]


def test_a_call_that_waits_for_another_says_so(first: First) -> None:
    assert sorted(answer.stderr.count("waiting for it") for answer in first.answers) == [0, 1]


def test_a_first_call_leaves_standard_input_to_the_command(first: First) -> None:
    assert [answer.told["stdin"] for answer in first.answers] == ["from stdin", "from stdin"]


def test_a_later_call_says_nothing_of_its_own(checkout: Checkout) -> None:
    assert checkout.call("again").stderr == ""


def test_a_later_call_needs_no_other_program(checkout: Checkout) -> None:
    assert checkout.call("again", PATH="/nowhere").told["arguments"] == ["again"]


def test_the_command_takes_the_place_of_the_shell(checkout: Checkout) -> None:
    process = checkout.start("again")
    assert answer_of(process).told["pid"] == process.pid


def test_arguments_arrive_as_they_were_given(checkout: Checkout) -> None:
    assert checkout.call("a b", "", "*", "-c", "'").told["arguments"] == ["a b", "", "*", "-c", "'"]


def test_the_exit_code_is_the_commands(checkout: Checkout) -> None:
    assert checkout.call("fail").code == 3


def test_the_package_is_the_one_beside_the_launcher(checkout: Checkout) -> None:
    assert checkout.call().told["path"] == os.path.realpath(checkout.root)


def test_variables_of_python_cannot_put_another_module_in_place(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    assert checkout.call(PYTHONPATH=tmp_path).code == 0


def test_a_link_to_a_link_to_the_launcher_is_followed(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "straight").symlink_to(checkout.launcher)
    (tmp_path / "bin" / "babysitter").symlink_to("../straight")
    process = start(tmp_path / "bin" / "babysitter", BABYSITTER_HOME=checkout.home)
    assert answer_of(process).told["path"] == os.path.realpath(checkout.root)


def test_it_can_be_called_by_its_bare_name(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout.root / "bin")
    process = start("sh", "babysitter", "named", BABYSITTER_HOME=checkout.home)
    assert answer_of(process).told["folder"] == os.path.realpath(checkout.root / "bin")


def test_bash_runs_it_as_sh_does(checkout: Checkout) -> None:
    process = start("bash", "--posix", checkout.launcher, "bash", BABYSITTER_HOME=checkout.home)
    assert answer_of(process).told["arguments"] == ["bash"]


@pytest.mark.skipif(os.geteuid() == 0, reason="everything can be written to by root")
def test_a_checkout_that_cannot_be_written_to_is_compiled_elsewhere(checkout: Checkout) -> None:
    package = checkout.root / "babysitter"
    package.chmod(0o555)
    try:
        assert checkout.call().code == 0
    finally:
        package.chmod(0o755)
    assert list((checkout.home / "pycache").rglob("main.*.pyc"))


def test_a_module_that_went_missing_is_one_line_with_the_cure(checkout: Checkout, tmp_path: Path) -> None:
    other = write_checkout(tmp_path / "other", "tiny", checkout.home)
    os.utime(other.root / "pyproject.toml", (0, 0))
    (other.root / "babysitter" / "cli" / "main.py").write_text("import gone")
    told = f"'gone' is missing from {str(checkout.environment)!r}: remove that folder and call again"
    assert other.call() == (1, "", f"babysitter: {told}\n")


def test_a_changed_list_of_dependencies_completes_the_environment(checkout: Checkout, tmp_path: Path) -> None:
    other = other_checkout(tmp_path, checkout, "2.0")
    assert other.call().told["tiny"] == "2.0"


def test_a_list_of_dependencies_from_the_future_is_looked_at_once(checkout: Checkout, tmp_path: Path) -> None:
    other = other_checkout(tmp_path, checkout, "3.0")
    assert [bool(other.call().stderr), bool(other.call().stderr)] == [True, False]


def test_settings_of_pip_that_lead_elsewhere_are_not_followed(checkout: Checkout, tmp_path: Path) -> None:
    other = other_checkout(tmp_path, checkout, "4.0")
    assert other.call(PIP_TARGET=tmp_path / "elsewhere", PIP_USER="1").told["tiny"] == "4.0"


def test_a_virtual_environment_in_the_checkout_is_preferred(checkout: Checkout, tmp_path: Path) -> None:
    other = write_checkout(tmp_path / "other", "tiny", checkout.home)
    script(other.root / ".venv/bin/python", "echo from .venv")
    for module in ("click", "filelock", "jsonschema", "pydantic", "rich", "yaml"):
        (other.root / ".venv/lib/python3.11/site-packages" / module).mkdir(parents=True)
    assert other.call().stdout == "from .venv\n"


@pytest.mark.parametrize("lib", ["python3.11", "python3.9"])
def test_a_virtual_environment_without_the_dependencies_is_passed_over(
    checkout: Checkout, tmp_path: Path, lib: str
) -> None:
    other = write_checkout(tmp_path / "other", "tiny", checkout.home)
    os.utime(other.root / "pyproject.toml", (0, 0))
    script(other.root / ".venv/bin/python", "echo from .venv")
    (other.root / ".venv/lib" / lib / "site-packages/click").mkdir(parents=True)
    assert other.call().told["prefix"] == str(checkout.environment)


def test_a_call_after_one_that_was_killed_makes_the_environment_anew(fresh: Checkout) -> None:
    process = fresh.start()
    read_until(process, "1/2 creating")
    os.killpg(process.pid, signal.SIGKILL)
    answer_of(process)
    answer = fresh.call("again")
    assert ("half-made" in answer.stderr, answer.told["arguments"]) == (True, ["again"])


def test_a_killed_maker_whose_children_live_on_is_waited_for(fresh: Checkout) -> None:
    folder = fresh.home / "envs" / "some"
    maker = [sys.executable, "-I", fresh.root / "scripts" / "make_environment.py", folder]
    with start(*maker) as process:
        while not (folder / "bin").exists():
            time.sleep(0.01)
        process.kill()
    answer = answer_of(start(*maker))
    assert ("waiting for it" in answer.stderr, answer.code, (folder / "complete").exists()) == (True, 0, True)


def test_what_does_not_install_is_one_message_with_the_command_to_try(fresh: Checkout) -> None:
    fresh.depend_on("nowhere @ file:///nowhere/nowhere-1.0-py3-none-any.whl")
    answer = fresh.call()
    words = ["the environment could not be made", "| ERROR: ", "-m pip install"]
    assert (answer.code, answer.stdout, [word in answer.stderr for word in words]) == (1, "", [True] * 3)


def test_what_did_not_install_does_not_count_as_made(fresh: Checkout, tmp_path: Path) -> None:
    fresh.depend_on("nowhere @ file:///nowhere/nowhere-1.0-py3-none-any.whl")
    fresh.call()
    fresh.depend_on(write_wheel(tmp_path, "1.0"))
    assert fresh.call().told["tiny"] == "1.0"


def test_a_machine_without_python_is_told_what_to_install(fresh: Checkout, tmp_path: Path) -> None:
    old = script(tmp_path / "bin" / "python3", "exit 3")
    (tmp_path / "bin" / "sh").symlink_to(shutil.which("sh"))
    answer = fresh.call(PATH=old.parent, BABYSITTER_PYTHON="")
    assert (answer.code, "no Python 3.11 or newer was found" in answer.stderr) == (1, True)


def test_a_python_without_venv_is_told_the_package_to_install(fresh: Checkout, tmp_path: Path) -> None:
    lacking = "import sys; sys.modules['ensurepip'] = None; exec(sys.stdin.read())"
    python = script(tmp_path / "bin" / "python3", f'exec "{sys.executable}" -c "{lacking}"')
    answer = fresh.call(BABYSITTER_PYTHON=python)
    assert (answer.code, "apt install python3-venv" in answer.stderr) == (1, True)


def test_without_a_home_there_is_one_clear_line(fresh: Checkout) -> None:
    answer = fresh.call(HOME="", BABYSITTER_HOME="")
    assert (answer.code, answer.stderr.count("neither HOME nor BABYSITTER_HOME is set")) == (1, 1)


def test_a_home_that_cannot_be_made_is_named(fresh: Checkout, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = fresh.call(BABYSITTER_HOME=tmp_path / "file")
    assert answer.code == 1
    assert answer.stderr.endswith(f"Not a directory: '{tmp_path}/file/envs'\n")


@pytest.mark.network
def test_this_project_runs_from_a_fresh_checkout(tmp_path: Path) -> None:
    probe = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", tmp_path, "click"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("the package index cannot be reached")
    ignored = shutil.ignore_patterns(".git", ".venv*", ".*_cache", "__pycache__", ".hypothesis")
    shutil.copytree(ROOT, tmp_path / "checkout", ignore=ignored, symlinks=True)
    answer = Checkout(tmp_path / "checkout", tmp_path / "home").call("--version", BABYSITTER_PYTHON="")
    version = json.loads((ROOT / ".claude-plugin" / "plugin.json").read_text())["version"]
    assert (answer.code, version in answer.stdout) == (0, True), answer.stderr
