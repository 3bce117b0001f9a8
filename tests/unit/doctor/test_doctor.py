"""The doctor: what it finds, in which words, and the command that cures it."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from babysitter.doctor import installation
from babysitter.doctor.checks import Check, exit_code, worst
from babysitter.doctor.progress_checks import process, waiting
from babysitter.doctor.run_checks import examine
from babysitter.journal.lock import run_lock
from babysitter.library import resolve
from babysitter.runs.answering import decide
from babysitter.runs.creation import create
from babysitter.runs.folder import open_run
from babysitter.runs.iterate import iterate
from babysitter.runs.results import Answer, accept
from tests.support.driving import wait_until
from tests.support.folders import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.runs.run import Run

PROCESS = """
from babysitter import agent, shell

@agent
def ask(question):
    return question

@shell
def check():
    return "true"

async def process(inputs, ctx):
    answer = await ctx.task(ask, question="one")
    if answer == "shell":
        await ctx.task(check)
    elif answer == "person":
        await ctx.breakpoint("sure?")
    elif answer == "people":
        await ctx.breakpoint("sure?", quorum=1)
    elif answer == "person in time":
        await ctx.breakpoint("sure?", deadline=0.001)
    elif answer == "sleep":
        await ctx.sleep(0.001)
    elif answer == "long sleep":
        await ctx.sleep(3600)
    return answer
"""


@pytest.fixture(autouse=True)
def forget_the_process() -> Iterator[None]:
    before = list(sys.meta_path)
    yield
    sys.meta_path[:] = before


@pytest.fixture
def run(project: Path) -> Run:
    Path("process.py").write_text(PROCESS)
    made = create(
        str(project / ".a5c" / "runs"),
        resolve("process.py"),
        {},
        project=str(project),
        version="0",
        run_id="r",
    )
    iterate(made.load())
    return made


def answered(run: Run, value: str) -> Run:
    loaded = open_run(run.folder, "").load()
    accept(loaded, [Answer("1", "ok", value)])
    iterate(loaded)
    return loaded


def found(run: Run) -> dict[str, Check]:
    return {check.name: check for check in examine(run.folder, "r")[0]}


def levels(run: Run) -> dict[str, str]:
    """What is not in order."""
    return {name: check.level for name, check in found(run).items() if check.level != "PASS"}


def test_a_healthy_run_passes_everything(run: Run) -> None:
    assert (levels(run), list(found(run))) == (
        {},
        ["folder", "run.json", "journal", "files", "cache", "lock", "quarantine", "size"],
    )


def test_nothing_is_changed(run: Run) -> None:
    before = digest_of(Path(run.folder))
    examine(run.folder, "r")
    assert digest_of(Path(run.folder)) == before


@pytest.mark.parametrize(
    ("damaging", "check", "cure"),
    [
        ("rm run.json", "run.json", "babysitter repair r --dry-run"),
        ("echo > run.json", "run.json", "babysitter repair r --dry-run"),
        ("rm journal/000001*", "journal", "babysitter repair r --dry-run"),
        ("echo x >> $(echo journal/000002*)", "journal", "babysitter repair r --dry-run"),
        ("rm -r journal", "journal", "babysitter repair r --dry-run"),
        ("mv journal journal.repair-whole", "journal", "babysitter repair r"),
        ("rm inputs.json", "files", "put the file back as it was"),
    ],
)
def test_damage_is_a_failure_with_its_cure(run: Run, damaging: str, check: str, cure: str) -> None:
    os.system(f"cd {run.folder} && {damaging}")  # noqa: S605
    told = found(run)[check]
    assert (told.level, told.exit_code, told.cure.startswith(cure)) == ("FAIL", 5, True)


def test_a_lost_result_says_how_to_ask_for_it_again(run: Run) -> None:
    answered(run, "x" * 40_000)
    loaded = open_run(run.folder, "").load()
    assert loaded.state.status == "completed"
    (path,) = Path(run.folder).glob("tasks/*/value-*")
    path.unlink()
    # Of a finished run nothing is replayed any more, so it is no failure.
    told = found(run)["files"]
    assert (told.level, "nothing that is still to be done needs it" in told.cure) == ("WARN", True)


def test_a_folder_that_others_can_read_is_a_warning(run: Run) -> None:
    os.chmod(os.path.join(run.folder, "inputs.json"), 0o644)
    told = found(run)["folder"]
    assert (told.level, told.cure) == ("WARN", f"chmod -R go= {run.folder}")


def test_a_folder_that_is_a_link_is_a_failure(run: Run, tmp_path: Path) -> None:
    shutil.move(run.folder, tmp_path / "moved")
    Path(run.folder).symlink_to(tmp_path / "moved")
    assert found(run)["folder"].exit_code == 6


def test_a_cache_that_does_not_fit_is_in_order_and_told_of(run: Run) -> None:
    Path(run.folder, "state", "head.json").write_text("{")
    assert (found(run)["cache"].level, "does not fit" in found(run)["cache"].message) == ("PASS", True)


def test_it_says_who_holds_the_lock(run: Run) -> None:
    with run_lock(run.folder, 0):
        assert f"(process {os.getpid()})" in found(run)["lock"].message
    assert found(run)["lock"].message == "free"


@pytest.mark.skipif(not os.path.exists("/proc/locks"), reason="this system does not tell who holds a lock")
def test_a_lock_file_that_a_dead_command_has_left_is_free(run: Run) -> None:
    with run_lock(run.folder, 0):
        told = Path(run.folder, "run.lock").read_bytes()
    Path(run.folder, "run.lock").write_bytes(told or b'{"pid": 1, "command": "x"}')
    assert found(run)["lock"].message == "free"


def test_looking_at_the_lock_does_not_take_it(run: Run) -> None:
    path = Path(run.folder, "run.lock")
    with run_lock(run.folder, 0):
        pass
    with path.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert found(run)["lock"].message.startswith("held by")


def test_what_was_moved_aside_is_counted(run: Run) -> None:
    os.mkdir(os.path.join(run.folder, "quarantine"))
    Path(run.folder, "quarantine", "journal-1.json").write_text("{}")
    assert found(run)["quarantine"].message.startswith("1 things were moved aside, 1 by repairs")


# What keeps it from going on


def told_of(run: Run) -> list[tuple[str, str, str]]:
    loaded = open_run(run.folder, "").load()
    return [(check.level, check.message.partition(",")[0], check.cure) for check in waiting(loaded, "r")]


def test_an_agent_that_has_just_been_asked_is_in_order(run: Run) -> None:
    ((level, message, cure),) = told_of(run)
    assert (level, message, "babysitter post r EFFECT" in cure) == ("PASS", "1 agent", True)


def test_work_that_nobody_does_is_a_warning(run: Run) -> None:
    answered(run, "shell")
    assert told_of(run) == [("WARN", "1 shell", "babysitter resume r")]


def test_a_person_who_has_not_answered_is_a_warning(run: Run) -> None:
    answered(run, "person")
    assert told_of(run) == [("WARN", "1 breakpoint", "babysitter approve r (or reject)")]


def test_what_people_have_decided_and_nobody_has_gone_on_with_is_a_warning(run: Run) -> None:
    loaded = answered(run, "people")
    assert told_of(run) == [("WARN", "1 breakpoint", "babysitter approve r (or reject)")]
    (effect,) = loaded.state.pending.values()
    accept(loaded, [decide(loaded, effect, True, by="me")])
    assert told_of(run) == [("WARN", "1 breakpoint", "babysitter iterate r")]


def test_a_question_whose_time_is_over_is_a_warning(run: Run) -> None:
    loaded = answered(run, "person in time")
    wait_until(lambda: loaded.now_ms() > loaded.state.last_ms + 1)
    assert told_of(run) == [("WARN", "1 breakpoint", "babysitter iterate r")]


def test_a_sleep_that_has_ended_is_a_warning(run: Run) -> None:
    loaded = answered(run, "sleep")
    wait_until(lambda: loaded.now_ms() > loaded.state.last_ms + 1)
    ((level, _, cure),) = told_of(run)
    assert (level, cure) == ("WARN", "babysitter iterate r")


def test_a_sleep_that_lasts_is_in_order(run: Run) -> None:
    answered(run, "long sleep")
    assert [level for level, _, _ in told_of(run)] == ["PASS"]


def test_a_run_that_has_ended_waits_for_nothing(run: Run) -> None:
    answered(run, "done")
    assert told_of(run) == [("PASS", "the run has completed; nothing is open", "")]


def checked(run: Run) -> Check:
    return process(open_run(run.folder, "").load(), "r")


def test_a_process_that_does_what_the_journal_says_passes(run: Run) -> None:
    assert (checked(run).level, checked(run).message) == (
        "PASS",
        "it can be loaded, and does what the journal says",
    )


def test_an_edit_that_fits_passes(run: Run) -> None:
    Path("process.py").write_text(PROCESS + "\n# a remark\n")
    assert (checked(run).level, "it was edited since" in checked(run).message) == ("PASS", True)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("async def process(inputs, ctx)", "is not valid Python"),
        ("async def process(inputs, ctx): 1 / 0", "ZeroDivisionError"),
        (PROCESS.replace('question="one"', 'question="two"'), "the same task with other arguments"),
    ],
)
def test_a_process_that_no_longer_works_is_a_failure(run: Run, source: str, said: str) -> None:
    Path("process.py").write_text(source)
    told = checked(run)
    assert (told.level, told.exit_code, said in told.message) == ("FAIL", 7, True)


def test_a_process_that_is_gone_is_a_failure(run: Run) -> None:
    os.unlink("process.py")
    assert checked(run).level == "FAIL"


def test_a_process_that_is_tried_writes_nothing(run: Run) -> None:
    Path("process.py").write_text("async def process(inputs, ctx): 1 / 0")
    before = digest_of(Path(run.folder))
    checked(run)
    assert digest_of(Path(run.folder)) == before


# The installation


def test_an_installation_in_order_passes(run: Run, project: Path) -> None:
    told = list(installation.examine(str(project), os.path.dirname(run.folder), "1.2.3"))
    assert [check.name for check in told] == [
        "environment",
        "libraries",
        "home",
        "configuration",
        "rules",
        "hooks",
        "processes",
        "runs",
        "space",
        "litter",
    ]
    assert [check for check in told if check.level == "FAIL"] == []


def test_a_configuration_that_cannot_be_read_is_a_failure(home: Path, project: Path) -> None:
    (home / "config.yaml").write_text("jobs: many")
    told = {check.name: check for check in installation.examine(str(project), str(project / "runs"), "1")}
    assert (told["configuration"].level, told["configuration"].exit_code) == ("FAIL", 2)


def test_litter_is_told_of(run: Run, project: Path) -> None:
    runs = os.path.dirname(run.folder)
    os.mkdir(os.path.join(runs, ".new-x"))
    told = {check.name: check for check in installation.examine(str(project), runs, "1")}
    assert told["litter"].cure == "babysitter cleanup --dry-run"


def test_a_doubtful_file_system_is_a_warning(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "kind_of", lambda folder: b"nfs4")
    told = {
        check.name: check for check in installation.examine(str(project), os.path.dirname(run.folder), "1")
    }
    assert (told["runs"].level, "nfs4" in told["runs"].message) == ("WARN", True)


def test_the_worst_and_the_first_failure_count() -> None:
    checks = [Check("a", "PASS", ""), Check("b", "FAIL", "", "", 5), Check("c", "FAIL", "", "", 7)]
    assert (worst(checks), exit_code(checks), worst([]), exit_code(checks[:1])) == ("FAIL", 5, "PASS", 0)


@pytest.mark.parametrize("name", ["quarantine", "run.lock"])
def test_what_is_in_the_way_of_the_next_command_is_a_failure(run: Run, name: str) -> None:
    Path(run.folder, name).symlink_to("nowhere")
    told = found(run)["lock" if name == "run.lock" else name]
    assert (told.level, told.exit_code, told.cure.startswith("move it away")) == ("FAIL", 6, True)


def test_a_pipe_in_the_place_of_run_json_has_a_cure_that_helps(run: Run) -> None:
    path = Path(run.folder, "run.json")
    path.unlink()
    os.mkfifo(path)
    told = found(run)["run.json"]
    assert (told.level, told.cure) == ("FAIL", "move it away, then: babysitter repair r --dry-run")


def test_a_run_json_that_disagrees_with_the_journal_is_a_failure(run: Run) -> None:
    path = Path(run.folder, "run.json")
    path.write_text(path.read_text().replace('"prompt":null', '"prompt":"another"'))
    assert found(run)["run.json"].cure == "babysitter repair r --dry-run"


def test_a_repair_that_had_not_put_the_old_journal_away_is_a_warning(run: Run) -> None:
    os.mkdir(os.path.join(run.folder, "journal.repair-old"))
    assert (found(run)["journal"].level, found(run)["journal"].cure) == ("WARN", "babysitter repair r")


def test_rate_limits_are_told(run: Run, project: Path, home: Path) -> None:
    (home / "config.yaml").write_text("kinds: {agent: {limit: 10/minute}}\n")
    told = {
        check.name: check for check in installation.examine(str(project), os.path.dirname(run.folder), "1")
    }
    assert told["configuration"].message.endswith("; rate limits: kind agent 10/minute")


def test_hooks_that_nobody_trusts_are_told(run: Run, project: Path) -> None:
    path = project / ".a5c" / "hooks" / "on-log" / "a"
    path.parent.mkdir(parents=True)
    path.touch()
    told = {
        check.name: check for check in installation.examine(str(project), os.path.dirname(run.folder), "1")
    }
    assert (
        told["hooks"].level,
        told["hooks"].cure,
        ".a5c/hooks/on-log/a of this" in told["hooks"].message,
    ) == (
        "WARN",
        "babysitter trust list",
        True,
    )
