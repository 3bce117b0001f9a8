"""Shell effects: what a command gets, and what its end means."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.executors import programs
from babysitter.limits import Limits

if TYPE_CHECKING:
    from pathlib import Path

    from workshop import Workshop

    from babysitter.executors.pool import Finished


def message_of(end: Finished) -> str:
    assert end.error is not None
    return end.error["message"]


def name_of(end: Finished) -> str:
    assert end.error is not None
    return end.error["name"]


def test_a_result_tells_exit_code_and_output(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell("echo out; echo err >&2"))
    duration = end.value.pop("durationMs")
    assert (end.status, duration >= 0, end.value) == (
        "ok",
        True,
        {"exitCode": 0, "stdout": "out\n", "stderr": "err\n", "stdoutBytes": 4, "stderrBytes": 4},
    )


def test_words_are_not_read_by_a_shell(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell(["echo", "$(id)", "a;b"]))
    assert end.value["stdout"] == "$(id) a;b\n"


def test_standard_input_is_empty(workshop: Workshop) -> None:
    assert workshop.perform(workshop.shell(["cat"])).value["stdoutBytes"] == 0


def test_input_comes_in_by_standard_input_however_long_it_is(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell(["wc", "-c"], input="é" * 500_000))
    assert end.value["stdout"].strip() == "1000000"


def test_a_command_that_does_not_read_its_input_is_no_failure(workshop: Workshop) -> None:
    assert workshop.perform(workshop.shell(["true"], input="x" * 1_000_000)).status == "ok"


def test_a_command_learns_which_effect_it_is(workshop: Workshop) -> None:
    told = "echo $BABYSITTER_EFFECT_ID $BABYSITTER_RUN_ID $BABYSITTER_ATTEMPT"
    assert workshop.perform(workshop.shell(told, "abc")).value["stdout"] == "abc run-1 1\n"


def test_a_command_learns_where_the_artifacts_of_its_run_are(workshop: Workshop) -> None:
    work = workshop.shell('echo "$BABYSITTER_ARTIFACTS"')
    told = workshop.perform(work).value["stdout"]
    assert told == os.path.join(work.run_folder, "artifacts") + "\n"


def test_a_command_gets_the_environment_of_the_pool_and_its_own_variables(workshop: Workshop) -> None:
    pool = workshop.pool(environment={"PATH": os.environ["PATH"], "A": "1", "B": "1"})
    end = workshop.perform(workshop.shell("echo $A $B $C", env={"B": "2", "C": 3}), pool)
    assert end.value["stdout"] == "1 2 3\n"


def test_a_secret_is_passed_by_its_name(workshop: Workshop) -> None:
    pool = workshop.pool(environment={"PATH": os.environ["PATH"], "TOKEN": "t"})
    assert workshop.perform(workshop.shell("echo $TOKEN", secrets=["TOKEN"]), pool).value["stdout"] == "t\n"


def test_a_secret_that_is_not_set_is_named(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell(["deploy"], secrets=["NO_TOKEN"]))
    assert message_of(end) == "'deploy' needs the environment variable 'NO_TOKEN', which is not set"


def test_a_command_runs_in_the_folder_that_it_names(workshop: Workshop) -> None:
    (workshop.project / "sub").mkdir()
    end = workshop.perform(workshop.shell(["pwd"], cwd="sub"))
    assert end.value["stdout"].strip() == os.path.realpath(workshop.project / "sub")


def test_a_command_that_fails_is_an_error_with_its_last_words(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell("echo first >&2; echo broken >&2; exit 3"))
    assert end.error is not None
    assert (
        end.status,
        end.error["name"],
        end.error["exitCode"],
        end.error["data"]["stderr"],
        end.error["message"],
    ) == (
        "error",
        "ShellFailed",
        3,
        "first\nbroken\n",
        "'echo first >&2; echo broken >&2; exit 3' ended with exit code 3: broken",
    )


def test_a_command_that_is_not_checked_may_fail(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell("exit 3", check=False))
    assert (end.status, end.value["exitCode"]) == ("ok", 3)


def test_a_command_that_was_killed_tells_the_signal(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell("kill -9 $$"))
    assert end.error is not None
    assert (message_of(end), end.error["exitCode"], end.error["data"]["signal"]) == (
        "'kill -9 $$' was killed by SIGKILL (9)",
        137,
        9,
    )


def test_output_is_parsed_when_the_task_says_so(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell("""echo '{"n": [1, 2]}'""", parse="json"))
    assert end.value["output"] == {"n": [1, 2]}


@pytest.mark.parametrize("told", [5, "NO_TOKEN", [["NO_TOKEN"]], {"a": "b"}])
def test_secrets_that_are_no_list_of_names_are_a_failure(workshop: Workshop, told: object) -> None:
    end = workshop.perform(workshop.shell(["true"], secrets=told))
    assert (name_of(end), "a list of names" in message_of(end)) == ("StartFailed", True)


def test_output_is_parsed_also_of_an_unchecked_failure(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell("echo '[1]'; exit 1", parse="json", check=False))
    assert (end.value["exitCode"], end.value["output"]) == (1, [1])


def test_output_that_does_not_parse_shows_where(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell(["echo", '{"a": oops}'], parse="json"))
    assert (name_of(end), message_of(end)) == (
        "ParseFailed",
        (
            "the output of 'echo {\"a\": oops}' cannot be read: the JSON is not valid:"
            " Expecting value: line 1 column 7 (char 6); it begins with '{\"a\": oops}'"
        ),
    )


def test_of_output_that_does_not_parse_no_part_of_a_secret_is_shown(workshop: Workshop) -> None:
    command = "printf '%030d ' 0; printf 'ghp_'; printf 'a1B2%.0s' 1 2 3 4 5 6 7 8 9"
    told = message_of(workshop.perform(workshop.shell("sh", parse="json", input=command)))
    assert told.rpartition("begins with ")[2] == repr("0" * 30 + " [redacted]")


@pytest.mark.parametrize("output", ["", "NaN", "1e999", "[1][2]", '{"a":1,"a":2}', "\\377"])
def test_output_that_is_not_strict_json_does_not_parse(workshop: Workshop, output: str) -> None:
    assert name_of(workshop.perform(workshop.shell(["printf", output], parse="json"))) == "ParseFailed"


def test_output_that_is_too_large_does_not_parse(workshop: Workshop) -> None:
    pool = workshop.pool(limits=Limits(result_bytes=1000))
    end = workshop.perform(workshop.shell("head -c 100000 /dev/zero | tr '\\0' 1", parse="json"), pool)
    assert (name_of(end), "at most 1000" in message_of(end)) == ("ParseFailed", True)


def test_output_that_is_not_utf8_is_kept_as_far_as_it_is_text(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell(["printf", "a\\377b"]))
    assert (end.value["stdout"], (workshop.folder("e1") / "stdout.log").read_bytes()) == (
        "a\ufffdb",
        b"a\xffb",
    )


def test_long_output_is_whole_in_its_file_and_its_end_in_the_result(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell("seq 1 20000"))
    log = (workshop.folder("e1") / "stdout.log").read_text("utf-8")
    tail = end.value["stdout"]
    is_from_line_start = log.endswith("\n" + tail)
    assert (log.count("\n"), is_from_line_start, 8000 < len(tail) <= 8192, end.value["stdoutBytes"]) == (
        20000,
        True,
        True,
        len(log),
    )


def test_evidence_has_the_digests_of_the_files(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell(["sh", "-c", "seq 1 9999; echo err >&2; exit 4"]))
    folder = workshop.folder("e1")
    assert end.evidence is not None
    assert {name: told for name, told in end.evidence.items() if not name.startswith("program")} == {
        "argv": ["sh", "-c", "seq 1 9999; echo err >&2; exit 4"],
        "exitCode": 4,
        "stdoutSha256": hashlib.sha256((folder / "stdout.log").read_bytes()).hexdigest(),
        "stderrSha256": hashlib.sha256((folder / "stderr.log").read_bytes()).hexdigest(),
    }


def script(path: Path, text: str = "exit 0") -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def program_in(end: Finished) -> tuple[object, object]:
    assert end.evidence is not None
    return end.evidence.get("program"), end.evidence.get("programSha256")


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_evidence_says_which_program_the_path_has_given(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "fake").mkdir()
    fake = script(tmp_path / "fake" / "mytest")
    pool = workshop.pool(environment={"PATH": f"/nowhere:{tmp_path / 'fake'}:{os.environ['PATH']}"})
    assert program_in(workshop.perform(workshop.shell(["mytest"]), pool)) == (str(fake), digest_of(fake))


def test_the_path_that_an_effect_sets_itself_counts(workshop: Workshop, tmp_path: Path) -> None:
    own = script(tmp_path / "mytest")
    end = workshop.perform(workshop.shell(["mytest"], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}))
    assert program_in(end) == (str(own), digest_of(own))


def test_a_program_by_its_place_is_looked_for_in_the_folder_of_the_command(workshop: Workshop) -> None:
    own = script(workshop.project / "check")
    assert program_in(workshop.perform(workshop.shell(["./check"]))) == (
        f"{own.parent}/./check",
        digest_of(own),
    )


def test_a_program_that_changes_itself_is_in_evidence_as_it_was(workshop: Workshop) -> None:
    own = script(workshop.project / "check", 'echo "# changed" >> "$0"')
    before = digest_of(own)
    told = [program_in(workshop.perform(workshop.shell(["./check"], effect)))[1] for effect in ("e1", "e2")]
    assert (told[0], told[1] == before) == (before, False)


def test_a_program_is_read_once_as_long_as_it_is_the_same(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(workshop.project / "check")
    read: list[int] = []
    monkeypatch.setattr(programs, "sha256_hex", lambda content: read.append(len(content)) or "digest")
    told = [program_in(workshop.perform(workshop.shell(["./check"], effect)))[1] for effect in ("e1", "e2")]
    assert (told, read) == (["digest", "digest"], [17])


def test_a_long_program_has_no_digest(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    own = script(workshop.project / "check")
    monkeypatch.setattr(programs, "MOST_BYTES", own.stat().st_size - 1)
    assert program_in(workshop.perform(workshop.shell(["./check"])))[1] is None


def test_files_are_for_the_user_only(workshop: Workshop) -> None:
    workshop.perform(workshop.shell("echo out"))
    folder = workshop.folder("e1")
    modes = [path.stat().st_mode & 0o777 for path in (folder, folder / "stdout.log", folder / "child.json")]
    assert modes == [0o700, 0o600, 0o600]


def test_a_silent_command_leaves_no_log(workshop: Workshop) -> None:
    workshop.perform(workshop.shell(["true"]))
    assert os.listdir(workshop.folder("e1")) == ["child.json"]


def test_a_program_that_is_not_there_is_named_with_what_to_do(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell(["no-such-program", "-x"]))
    assert (end.status, name_of(end), message_of(end)) == (
        "error",
        "StartFailed",
        "cannot start 'no-such-program': there is no such program on PATH; install it, or check PATH",
    )


def test_a_file_that_is_not_there_is_named(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell(["./gone"]))
    assert message_of(end) == "cannot start './gone': there is no such file; install it, or check the path"


def test_a_script_that_is_not_executable_is_named(workshop: Workshop) -> None:
    (workshop.project / "script").write_text("#!/bin/sh\n")
    assert "chmod +x" in message_of(workshop.perform(workshop.shell(["./script"])))


def test_a_script_whose_interpreter_is_missing_says_so(workshop: Workshop) -> None:
    script = workshop.project / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    assert "its first line names does not exist" in message_of(workshop.perform(workshop.shell(["./script"])))


def test_a_file_that_is_no_program_says_so(workshop: Workshop) -> None:
    script = workshop.project / "script"
    script.write_text("text")
    script.chmod(0o755)
    assert "has no first line" in message_of(workshop.perform(workshop.shell(["./script"])))


def test_a_folder_that_does_not_exist_is_named(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell(["true"], cwd="gone"))
    folder = str(workshop.project / "gone")
    assert message_of(end) == (
        f"cannot start 'true': the folder {folder!r}, in which it should run,"
        " cannot be entered: No such file or directory"
    )


@pytest.mark.parametrize(
    "described",
    [
        {},
        {"argv": []},
        {"argv": "true"},
        {"argv": ["true", 1]},
        {"argv": ["a\0b"]},
        {"argv": [""]},
        {"argv": ["echo", "\ud800"]},
        {"command": "echo \0"},
        {"command": "true", "argv": ["true"]},
        {"command": ["true"]},
        {"argv": ["true"], "parse": "xml"},
        {"argv": ["true"], "cwd": 1},
        {"argv": ["true"], "env": ["A"]},
        {"argv": ["true"], "env": {"A=B": "1"}},
        {"argv": ["true"], "env": {"A": None}},
        {"argv": ["true"], "env": {"A": "\0"}},
        {"argv": ["true"], "timeout": "soon"},
        {"argv": ["true"], "timeout": -1},
        {"argv": ["true", "x" * 10_000_000]},
        None,
    ],
)
def test_what_cannot_be_started_is_a_result_that_says_why(workshop: Workshop, described: Any) -> None:
    end = workshop.perform(workshop.work("shell", described))
    assert (end.status, name_of(end), len(message_of(end)) < 400) == ("error", "StartFailed", True)
