"""A shell script written for the original's command line runs unchanged, and can read what is printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.commands import call, sh, told, write

if TYPE_CHECKING:
    from scenes import Scene

PROCESS = """
build = define_task("build", lambda args: {"kind": "node", "title": f"Build {args['name']}"})

async def process(inputs, ctx):
    built = await ctx.parallel.map(inputs["names"], lambda name: ctx.task(build, {"name": name}))
    checked = await ctx.task(ask, question="All good?")
    return {"built": built, "checked": checked}
"""
# POSIX tools for what other scripts do with jq.
SCRIPT = """
set -eu
field() { grep -o "\\"$1\\":\\"[^\\"]*\\"" | cut -d'"' -f4; }

mkdir -p below && cd below
printf '{"names": ["api", "web"]}' >inputs.json
created=$(babysitter run:create --process-id demo --entry ../build.py#process --inputs inputs.json \\
    --run-id demo-1 --prompt 'Build it' --runs-dir runs --json)
run=$(echo "$created" | field runDir)
test "$(echo "$created" | field runId)" = demo-1
test "$run" = "$PWD/runs/demo-1"

iteration=0
while :; do
    iteration=$((iteration + 1))
    state=$(babysitter run:iterate "$run" --iteration $iteration --json)
    case $(echo "$state" | field status | head -1) in
        completed) break ;;
        waiting) ;;
        *) echo "$state"; exit 9 ;;
    esac
    for effect in $(babysitter task:list "$run" --pending --json | field effectId); do
        babysitter task:show "$run" "$effect" --json >task.json
        printf '{"of": "%s"}' "$(field label <task.json)" >value.json
        babysitter task:post runs/demo-1 "$effect" --status ok --value value.json --json >posted.json
        test "$(field status <posted.json)" = ok
    done
done

babysitter run:status "$run" --json >status.json
test "$(field state <status.json)" = completed
test "$(field type <status.json)" = RUN_COMPLETED
babysitter run:events "$run" --limit 2 --reverse --filter-type EFFECT_RESOLVED --json | field type
babysitter run:events "$run" | head -1
echo "$state"
"""


def test_a_script_for_the_original_runs_unchanged(scene: Scene) -> None:
    write("build.py", PROCESS)
    ended = sh(SCRIPT)
    assert (ended.code, ended.stderr) == (0, "")
    *events, first, state = ended.stdout.splitlines()
    assert (events, first.split()[:2]) == (["EFFECT_RESOLVED"] * 2, ["#000001", "RUN_CREATED"])
    assert json.loads(state)["output"] == {
        "built": [{"of": "Build api"}, {"of": "Build web"}],
        "checked": {"of": "ask"},
    }


def keys(value: dict[str, Any]) -> list[str]:
    return sorted(value)


TASK = ["effectId", "kind", "label", "status", "stepId", "taskId"]


def test_run_create_makes_a_run_without_any_iteration(scene: Scene) -> None:
    told_ = told("run:create", "--process-id", "x", "--entry", "many.py#process", "--run-id", "new")
    assert told_ == {"runId": "new", "runDir": str(scene.runs / "new"), "entry": "many.py#process"}
    assert [event["type"] for event in told("run:events", "new")["events"]] == ["RUN_CREATED"]


def test_run_create_keeps_the_process_id(scene: Scene) -> None:
    told("run:create", "--process-id", "a/b c", "--entry", "many.py", "--run-id", "new", "--prompt", "Do")
    assert (told("status", "new")["process"], told("show", "new")["prompt"]) == ("a/b c", "Do")


def test_run_iterate_says_what_to_do_next(scene: Scene) -> None:
    told_ = told("run:iterate", ".a5c/runs/many", "--iteration", "3")
    assert keys(told_) == ["action", "count", "iteration", "metadata", "nextActions", "reason", "status"]
    assert (told_["iteration"], told_["status"], told_["action"], told_["count"]) == (3, "waiting", "none", 0)
    assert ([keys(action) for action in told_["nextActions"]], told_["metadata"]) == (
        [TASK] * 3,
        {"runId": "many", "processId": "many"},
    )


@pytest.mark.parametrize(
    ("run", "code", "reason", "more"),
    [
        ("gate", 0, "breakpoint-waiting", []),
        ("done", 0, "terminal-state", ["output", "proof"]),
        ("failed", 1, "terminal-state", ["error"]),
        ("stuck", 7, "stuck", ["problem"]),
    ],
)
def test_run_iterate_says_why_there_is_nothing_new(
    scene: Scene, run: str, code: int, reason: str, more: list[str]
) -> None:
    told_ = told("run:iterate", run, code=code)
    usual = ["action", "count", "iteration", "metadata", "nextActions", "reason", "status"]
    assert (told_["reason"], keys(told_)) == (reason, sorted([*usual, *more]))


def test_run_status_names_the_last_event(scene: Scene) -> None:
    told_ = told("run:status", "own")
    assert keys(told_) == ["lastEvent", "metadata", "pendingByKind", "state"]
    assert (told_["state"], told_["lastEvent"]["type"], told_["pendingByKind"]) == (
        "waiting",
        "EFFECT_REQUESTED",
        {"shell": 1, "python": 1, "sleep": 1},
    )


def test_task_list_has_the_words_of_the_original(scene: Scene) -> None:
    tasks = told("task:list", "raced")["tasks"]
    assert ({tuple(keys(task)) for task in tasks}, [task["status"] for task in tasks]) == (
        {tuple(TASK)},
        ["resolved_ok", "cancelled", "requested"],
    )


@pytest.mark.parametrize(("options", "count"), [(["--pending"], 1), (["--kind", "shell"], 0), ([], 3)])
def test_task_list_can_be_narrowed(scene: Scene, options: list[str], count: int) -> None:
    assert len(told("task:list", "raced", *options)["tasks"]) == count


def test_task_show_has_the_task_and_its_result(scene: Scene) -> None:
    pending, answered = (
        told("task:show", "many", next(iter(scene.effects("many").values())).id),
        told("task:show", "done", "1"),
    )
    assert (keys(pending), pending["result"], pending["task"]["kind"]) == (
        ["effect", "result", "task"],
        None,
        "agent",
    )
    assert answered["result"] == {"status": "ok", "result": "yes", "value": "yes"}


def test_task_post_takes_a_value_inline(scene: Scene) -> None:
    told_ = told("task:post", "review", "1", "--status", "ok", "--value-inline", '{"verdict": "good"}')
    effect = scene.id_of("review")
    assert told_ == {"status": "ok", "committed": {"effectId": effect, "outcome": "recorded"}}


def test_task_post_of_an_error_is_recorded_and_no_failure(scene: Scene) -> None:
    (scene.folder / "error.json").write_text(json.dumps({"name": "TaskFailed", "message": "no tests"}))
    told_ = told("task:post", "review", "1", "--status", "error", "--error", "error.json")
    error = told("show", "review", "1")["error"]
    assert (told_["status"], error) == ("error", {"name": "TaskFailed", "message": "no tests"})


def test_task_post_keeps_the_times_that_it_is_told(scene: Scene) -> None:
    times = ["--started-at", "2026-01-02T03:04:05Z", "--finished-at", "2026-01-02T04:04:05.5+01:00"]
    told("task:post", "review", "1", "--status", "ok", "--value-inline", '{"verdict": "good"}', *times)
    shown = told("show", "review", "1")
    assert (shown["startedAt"], shown["finishedAt"]) == (
        "2026-01-02T03:04:05.000Z",
        "2026-01-02T03:04:05.500Z",
    )


CREATE = ["run:create", "--process-id", "x", "--entry", "many.py", "--run-id", "new"]
ANSWER = ["task:post", "review", "1", "--status", "OK", "--value-inline", '{"verdict": "good"}']


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        (CREATE, ["--plugin-root", "p", "--state-dir", "s", "--process-revision", "r", "--request", "q"]),
        (CREATE, ["--non-interactive", "--verbose"]),
        (
            ["run:iterate", "many"],
            ["--harness", "h", "--plugin-root", "p", "--session-id", "s", "--verbose"],
        ),
        (["run:status", "many"], ["--verbose", "--dry-run"]),
        (["run:events", "many"], ["--verbose", "--dry-run"]),
        (["task:list", "many"], ["--verbose", "--dry-run"]),
        (["task:show", "done", "1"], ["--verbose", "--dry-run"]),
        (ANSWER, ["--stdout-ref", "a", "--stderr-ref", "b", "--stdout-file", "c", "--stderr-file", "d"]),
        (ANSWER, ["--metadata", "m", "--invocation-key", "k", "--verbose"]),
    ],
)
def test_flags_that_do_nothing_here_are_taken_with_a_note(
    scene: Scene, words: list[str], flags: list[str]
) -> None:
    ended = call(*words, *flags, "--json")
    noted = [line.split()[1] for line in ended.stderr.splitlines() if line.startswith("note: --")]
    assert (ended.code, sorted(noted)) == (0, sorted(each for each in flags if each.startswith("--")))
    assert "error" not in ended.told


def test_a_dry_run_of_run_create_makes_nothing(scene: Scene) -> None:
    before = scene.digest()
    assert told(*CREATE, "--dry-run") == {
        "dryRun": True,
        "runsDir": str(scene.runs),
        "processId": "x",
        "entry": f"{scene.folder / 'many.py'}#process",
        "runId": "new",
        "inputsPath": None,
    }
    assert scene.digest() == before


def test_a_dry_run_of_task_post_says_what_would_become_of_it_and_records_nothing(scene: Scene) -> None:
    before = scene.digest()
    plan = {"effectId": scene.id_of("review"), "outcome": "recorded", "status": "ok"}
    assert told(*ANSWER, "--dry-run") == {"status": "skipped", "dryRun": True, "plan": plan}
    assert scene.digest() == before


def test_run_create_with_a_harness_outside_of_a_session_says_that_none_is_bound(scene: Scene) -> None:
    ended = call(*CREATE, "--harness", "claude-code", "--session-id")
    assert (ended.code, "note: no session is bound" in ended.stderr) == (0, True)


@pytest.mark.parametrize("flags", [["--harness", "claude-code"], ["--session-id", "s-1"], ["--session-id"]])
def test_run_create_binds_the_session_that_calls_it_when_it_is_asked_to(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, flags: list[str]
) -> None:
    monkeypatch.setenv("CLAUDECODE", "1")
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "s-1")
    told(*CREATE, *flags)
    assert told("session", "whoami")["run"] == "new"


def test_run_create_binds_no_other_session(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDECODE", "1")
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "s-1")
    before = scene.digest()
    error = told(*CREATE, "--session-id", "s-2", code=2)["error"]
    assert (error["hint"], scene.digest()) == ("leave --session-id out", before)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["run:iterate", "many", "--dry-run"], 2),
        ([*ANSWER[:-1], '{"verdict": 1}', "--dry-run"], 2),
        (["task:post", "own", "1.0.1", "--status", "ok", "--value-inline", "{}", "--dry-run"], 2),
        (["task:post", "done", "1", "--status", "ok", "--value-inline", '"other"', "--dry-run"], 3),
        (["run:create", "--process-id", "x", "--entry", "nothing.py", "--dry-run"], 4),
        (["run:create", "--process-id", "x", "--entry", "many.py", "--run-id", "done", "--dry-run"], 3),
        (["run:create", "--process-id", "x", "--entry", "many.py", "--run-id", "done"], 3),
        (["run:create", "--process-id", "x", "--entry", "many.py", "--run-id", "../x"], 6),
        (["run:create", "--process-id", "x", "--entry", "nothing.py"], 4),
        (["run:create", "--entry", "many.py"], 2),
        (["run:status", "runs/nobody"], 4),
        (["task:post", "done", "1", "--status", "ok", "--value-inline", '"other"'], 3),
        (["task:post", "done", "1", "--status", "ok", "--error", "x"], 2),
        (["task:post", "done", "1", "--status", "error", "--value-inline", "1"], 2),
        (["task:post", "done", "1", "--status", "ok", "--value-inline", "1", "--value", "x"], 2),
        (["task:post", "done", "1", "--status", "maybe"], 2),
        (["task:post", "review", "1", "--status", "ok", "--started-at", "yesterday"], 2),
        (["task:post", "own", "1.0.1", "--status", "ok", "--value-inline", "{}"], 2),
        (["task:post", "gate", "1", "--status", "ok", "--value-inline", "true"], 2),
    ],
)
def test_what_differs_is_told_and_changes_nothing(scene: Scene, words: list[str], code: int) -> None:
    before = scene.digest()
    ended = call(*words, "--json")
    assert (ended.code, ended.told["error"]["exitCode"], scene.digest()) == (code, code, before)


@pytest.mark.parametrize("command", ["run:status", "run:iterate", "run:events", "task:list"])
def test_people_can_read_it_too(scene: Scene, command: str) -> None:
    ended = call(command, "many")
    assert (ended.code, bool(ended.stdout), ended.stderr) == (0, True, "")
