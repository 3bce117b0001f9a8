"""Hook effects: which executables are called, in which order, and what they give."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.limits import Limits
from babysitter.trust import suggested, trust

if TYPE_CHECKING:
    from pathlib import Path

    from workshop import Workshop

    from babysitter.executors.pool import Finished


def put(folder: Path, name: str, text: str, mode: int = 0o755) -> Path:
    """An executable for the hook ``deploy`` in a folder of hooks."""
    path = folder / "deploy" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return path


def of_project(workshop: Workshop) -> Path:
    return workshop.project / ".a5c" / "hooks"


def trust_all(workshop: Workshop) -> None:
    trust(str(workshop.project), suggested(str(workshop.project)))


def perform(workshop: Workshop, payload: Any = None, **options: Any) -> Finished:
    work = workshop.work("hook", {"name": "deploy", "payload": payload})
    return workshop.perform(work, workshop.pool(**options))


def quick(seconds: float) -> Limits:
    limits = Limits()
    limits.hook_seconds = seconds
    return limits


def test_without_a_folder_the_result_is_empty_and_nothing_was_started(workshop: Workshop) -> None:
    end = perform(workshop)
    assert (end.status, end.value, end.evidence) == ("ok", [], {"hooks": []})


def test_those_of_the_project_come_first_and_each_folder_goes_by_name(workshop: Workshop, home: Path) -> None:
    for folder in (of_project(workshop), home / "hooks"):
        for name in ("2", "1"):
            put(folder, name, f"echo {folder.parent.name == '.a5c'}{name} >> order")
    trust_all(workshop)
    given = perform(workshop).value
    assert [each["hook"] for each in given] == ["1", "2", "1", "2"]
    assert (workshop.project / "order").read_text().split() == ["True1", "True2", "False1", "False2"]


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ('{"a": [1]}', {"a": [1]}),
        ("some text", "some text"),
        ("null", None),
        ("", ""),
        ("{broken", "{broken"),
    ],
)
def test_what_it_prints_is_json_or_else_text(
    workshop: Workshop, home: Path, printed: str, value: Any
) -> None:
    put(home / "hooks", "h", f"printf %s '{printed}'")
    assert perform(workshop).value == [{"hook": "h", "exitCode": 0, "output": value}]


def test_it_is_told_what_it_is_about(workshop: Workshop, home: Path) -> None:
    put(home / "hooks", "h", 'cat; echo "$BABYSITTER_HOOK $BABYSITTER_RUN_ID" >&2')
    (given,) = perform(workshop, {"version": 3}).value
    assert given["output"] == {
        "hook": "deploy",
        "runId": "run-1",
        "runFolder": str(workshop.run),
        "project": str(workshop.project),
        "effectId": "e1",
        "payload": {"version": 3},
    }
    assert (workshop.folder("e1") / "stderr.log").read_text() == "deploy run-1\n"


def test_one_that_fails_stands_in_the_list_and_the_next_is_called(workshop: Workshop, home: Path) -> None:
    put(home / "hooks", "1", "echo no; exit 3")
    put(home / "hooks", "2", "kill -9 $$")
    put(home / "hooks", "3", "echo 7")
    end = perform(workshop)
    assert (end.status, [(each["exitCode"], each["output"]) for each in end.value]) == (
        "ok",
        [(3, "no"), (137, ""), (0, 7)],
    )


def test_what_cannot_be_started_stands_in_the_list_with_the_reason(workshop: Workshop, home: Path) -> None:
    put(home / "hooks", "1", "", mode=0o644)
    put(home / "hooks", "2", "echo said").write_text("#!/no/such/interpreter\n")
    put(home / "hooks", "3", "echo 7")
    (home / "hooks" / "deploy" / "4").mkdir()
    first, second, third, fourth = perform(workshop).value
    assert [each["exitCode"] for each in (first, second, third, fourth)] == [126, 126, 0, 126]
    assert "chmod +x" in first["error"]
    assert "the program that its first line names does not exist" in second["error"]
    assert (third["output"], (workshop.folder("e1") / "stdout.log").read_text()) == (7, "7\n")


def test_when_none_can_be_started_the_effect_ends_all_the_same(workshop: Workshop, home: Path) -> None:
    put(home / "hooks", "1", "", mode=0o644)
    end = perform(workshop)
    assert (end.status, [each["exitCode"] for each in end.value], end.evidence) == (
        "ok",
        [126],
        {"hooks": []},
    )


def test_each_has_its_own_time(workshop: Workshop, home: Path) -> None:
    put(home / "hooks", "1", "sleep 600")
    put(home / "hooks", "2", "sleep 0.3; echo 7")
    first, second = perform(workshop, limits=quick(2)).value
    assert (first["error"], second["output"]) == ("it did not end within 2 s and was ended", 7)


def test_those_that_nobody_has_trusted_are_not_executed(workshop: Workshop, home: Path) -> None:
    put(of_project(workshop), "bad", "touch executed")
    put(home / "hooks", "good", "echo 7")
    end = perform(workshop)
    assert [each["hook"] for each in end.value] == ["good"]
    assert end.evidence is not None
    assert end.evidence["untrusted"] == [".a5c/hooks/deploy/bad"]
    assert not (workshop.project / "executed").exists()


def test_a_change_of_one_byte_takes_the_trust_away_from_that_one(workshop: Workshop) -> None:
    put(of_project(workshop), "1", "echo 1")
    changed = put(of_project(workshop), "2", "echo 2")
    trust_all(workshop)
    changed.write_text(changed.read_text() + " ")
    assert [each["hook"] for each in perform(workshop).value] == ["1"]


@pytest.mark.parametrize("what", ["changed", "new", "gone"])
def test_what_stands_beside_hooks_is_trusted_with_them(workshop: Workshop, what: str) -> None:
    put(of_project(workshop), "1", ". .a5c/hooks/functions.sh")
    beside = of_project(workshop) / "functions.sh"
    beside.write_text("echo 1\n")
    trust_all(workshop)
    assert perform(workshop).value[0]["output"] == 1
    if what == "gone":
        beside.unlink()
    elif what == "new":
        (of_project(workshop) / "more.sh").write_text("")
    else:
        beside.write_text("echo 2\n")
    work = workshop.work("hook", {"name": "deploy", "payload": None}, "e2")
    assert workshop.perform(work, workshop.pool()).value == []


def test_one_that_another_changes_on_the_way_is_not_executed(workshop: Workshop) -> None:
    put(of_project(workshop), "1", "echo touch executed >> .a5c/hooks/deploy/2")
    put(of_project(workshop), "2", "echo 2")
    trust_all(workshop)
    assert [each["hook"] for each in perform(workshop).value] == ["1"]
    assert not (workshop.project / "executed").exists()


def test_in_the_home_folder_the_users_own_are_called_once(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BABYSITTER_HOME", str(workshop.project / ".a5c"))
    put(of_project(workshop), "1", "echo 1")
    trust_all(workshop)
    assert len(perform(workshop).value) == 1


def test_what_its_name_calls_a_secret_is_not_passed(workshop: Workshop, home: Path) -> None:
    put(home / "hooks", "1", 'echo "[$DEPLOY_TOKEN$My_Password$PIN|$PLAIN]"')
    limits = Limits()
    limits.secret_names = ("pin",)
    environment = {
        "DEPLOY_TOKEN": "a",
        "My_Password": "b",
        "PIN": "c",
        "PLAIN": "d",
        "PATH": os.environ["PATH"],
    }
    (given,) = perform(workshop, limits=limits, environment=environment).value
    assert given["output"] == "[|d]"


def test_the_evidence_names_each_program_with_its_exit_code(workshop: Workshop, home: Path) -> None:
    paths = [put(home / "hooks", "1", "exit 3"), put(home / "hooks", "2", "true")]
    evidence = perform(workshop).evidence
    assert evidence is not None
    assert [(each["argv"], each["exitCode"], len(each["programSha256"])) for each in evidence["hooks"]] == [
        ([str(paths[0])], 3, 64),
        ([str(paths[1])], 0, 64),
    ]
    assert sorted(evidence) == ["hooks", "stderrSha256", "stdoutSha256"]


def test_output_that_is_too_large_or_too_deep_for_a_value_is_given_as_text(
    workshop: Workshop, home: Path
) -> None:
    put(home / "hooks", "1", f"{sys.executable} -c \"print('[' * 99 + ']' * 99)\"")
    put(home / "hooks", "2", f'{sys.executable} -c "print(list(range(400000)))"')
    deep, large = perform(workshop).value
    assert (deep["output"], large["output"][:12], len(large["output"])) == (
        "[" * 99 + "]" * 99,
        "[0, 1, 2, 3,",
        8192,
    )


def test_hidden_files_are_for_others(workshop: Workshop, home: Path) -> None:
    put(home / "hooks", ".gitkeep", "echo 1")
    assert perform(workshop).value == []


@pytest.mark.parametrize("name", ["../..", "", "a/b", None])
def test_a_name_that_is_none_fails_the_effect(workshop: Workshop, name: Any) -> None:
    end = workshop.perform(workshop.work("hook", {"name": name}))
    assert end.error is not None
    assert (end.error["name"], "names the hook" in end.error["message"]) == ("StartFailed", True)


def test_the_value_can_be_written(workshop: Workshop, home: Path) -> None:
    put(home / "hooks", "1", "printf '\\377\\n'")
    assert json.dumps(perform(workshop).value)
