"""Every command prints with ``--json`` what docs/commands.md says, one value in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scenes import Scene, break_run

from tests.support.commands import call, told, write
from tests.support.folders import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable

ID = "0123456789abcdefghjkmnpqrstvwxyz"
TASK = ["id", "kind", "status", "step", "task", "title"]
STATUS = [
    "createdAt",
    "effects",
    "events",
    "folder",
    "lastEventAt",
    "pending",
    "process",
    "run",
    "status",
]


def keys(value: dict[str, Any]) -> list[str]:
    return sorted(value)


def is_id(text: str) -> bool:
    return len(text) == 16 and set(text) <= set(ID)


def are_ids(texts: Iterable[str]) -> bool:
    return all(map(is_id, texts))


# create, iterate, work


def test_create_names_what_it_requested(scene: Scene) -> None:
    told_ = told("create", "many.py", "--run-id", "mine")
    assert (keys(told_), told_["run"], told_["status"]) == (["new", "run", "status"], "mine", "waiting")
    assert (list(told_["new"]), list(told_["new"]["agent"].values())) == (["agent"], ["ask"] * 3)
    assert are_ids(told_["new"]["agent"])


def test_iterate_names_what_waits_by_id_only(scene: Scene) -> None:
    told_ = told("iterate", "many")
    assert (keys(told_), are_ids(told_["pending"]), len(told_["pending"])) == (
        ["pending", "run", "status"],
        True,
        3,
    )


def test_iterate_says_until_when_a_sleep_lasts(scene: Scene) -> None:
    told_ = told("iterate", "own")
    assert (keys(told_), told_["until"][-1]) == (["pending", "run", "status", "until"], "Z")


def test_iterate_of_a_completed_run_prints_its_output(scene: Scene) -> None:
    assert told("iterate", "done") == {"run": "done", "status": "completed", "output": {"answer": "yes"}}


def test_iterate_of_a_failed_run_prints_its_error(scene: Scene) -> None:
    error = {"name": "Failed", "message": "it did not work", "data": {"why": "tests"}}
    assert told("iterate", "failed", code=1) == {"run": "failed", "status": "failed", "error": error}


def test_iterate_of_a_stuck_run_prints_its_problem(scene: Scene) -> None:
    told_ = told("iterate", "stuck", code=7)
    problem = told_.pop("problem")
    assert told_ == {"run": "stuck", "status": "stuck"}
    assert keys(problem) == ["file", "hint", "line", "message", "name", "traceback"]
    assert (problem["name"], problem["message"]) == ("KeyError", "'nothing'")


def test_iterate_of_an_edit_that_does_not_fit_prints_where(scene: Scene) -> None:
    write("many.py", "async def process(inputs, ctx):\n    return 1\n")
    told_ = told("iterate", "many", code=7)
    assert (keys(told_), told_["status"]) == (["divergence", "hint", "pending", "run", "status"], "diverged")
    assert keys(told_["divergence"]) == ["message", "stepId"]


def test_iterate_of_a_process_that_does_not_repeat_itself_is_an_error(scene: Scene) -> None:
    write(
        "clock.py",
        "import time\nasync def process(inputs, ctx):\n    await ctx.task(ask, str(time.time_ns()))\n",
    )
    told("create", "clock.py", "--run-id", "clock")
    error = told("iterate", "clock", code=7)["error"]
    assert (keys(error), error["name"], error["stepId"]) == (
        ["exitCode", "hint", "message", "name", "stepId"],
        "NondeterminismError",
        "1",
    )


def test_work_performs_what_is_babysitters_own(scene: Scene) -> None:
    told_ = told("work", "own")
    assert (keys(told_), list(told_["pending"])) == (["hint", "pending", "run", "status", "until"], ["sleep"])


# run, resume


def test_run_prints_its_output(scene: Scene) -> None:
    write("quick.py", "async def process(inputs, ctx):\n    return inputs\n")
    told_ = told("run", "quick.py", "-i", "n=1", "-i", "text=a b", "-i", "list=[1]", "--run-id", "q")
    assert told_ == {"run": "q", "status": "completed", "output": {"n": 1, "text": "a b", "list": [1]}}


def test_run_that_fails_prints_its_error(scene: Scene) -> None:
    write("bad.py", "async def process(inputs, ctx):\n    raise Failed('no')\n")
    told_ = told("run", "bad.py", code=1)
    assert (keys(told_), told_["error"]) == (["error", "run", "status"], {"name": "Failed", "message": "no"})


def test_resume_names_what_it_waits_for(scene: Scene) -> None:
    told_ = told("resume", "gate", code=8)
    assert keys(told_) == ["hint", "pending", "run", "status"]
    assert list(told_["pending"]["breakpoint"].values()) == ["Release"]


# post, approve, reject


def test_post_says_what_became_of_a_result(scene: Scene) -> None:
    effect = next(iter(scene.effects("many").values())).id
    answers = [told("post", "many", effect, "--value", '"a"') for _ in range(2)]
    assert answers == [
        {"run": "many", "effect": effect, "status": "recorded"},
        {"run": "many", "effect": effect, "status": "already"},
    ]


def test_approve_and_reject_say_what_became_of_it(scene: Scene) -> None:
    effect = scene.id_of("gate")
    answers = [
        told("approve", "gate", "--option", "live", "--feedback", "eu", "--response", "yes"),
        told("approve", "gate", effect[:8], "--option", "live", "--feedback", "eu", "--response", "yes"),
    ]
    error = told("reject", "gate", effect, code=3)["error"]
    assert ([answer["status"] for answer in answers], error["name"]) == (
        ["recorded", "already"],
        "AlreadyResolved",
    )
    assert told("iterate", "gate")["output"] == [True, "live", "eu", "yes"]


# status, tasks, show, events, list


@pytest.mark.parametrize(
    ("run", "ending"), [("many", []), ("own", ["until"]), ("done", ["output"]), ("failed", ["error"])]
)
def test_status_is_one_object(scene: Scene, run: str, ending: list[str]) -> None:
    assert keys(told("status", run)) == sorted([*STATUS, *ending])


def test_status_counts_effects(scene: Scene) -> None:
    told_ = told("status", "own")
    assert (told_["effects"], told_["pending"], told_["events"], told_["folder"]) == (
        {"requested": 3},
        {"shell": 1, "python": 1, "sleep": 1},
        4,
        str(scene.runs / "own"),
    )


@pytest.mark.parametrize(("options", "count"), [([], 3), (["--pending"], 1)])
def test_tasks_lists_effects(scene: Scene, options: list[str], count: int) -> None:
    told_ = told("tasks", "raced", *options)
    assert (keys(told_), {tuple(keys(task)) for task in told_["tasks"]}, len(told_["tasks"])) == (
        ["run", "tasks"],
        {tuple(TASK)},
        count,
    )


def test_show_of_a_run_has_what_it_was_made_from(scene: Scene) -> None:
    told_ = told("show", "review")
    assert keys(told_) == sorted([*STATUS, "inputs", "prompt", "tasks"])
    assert (told_["inputs"], told_["prompt"]) == ({"what": "the diff"}, "Do it")


def test_show_of_an_effect_has_its_definition(scene: Scene) -> None:
    told_ = told("show", "review", "1")
    assert keys(told_) == sorted([*TASK, "definition", "requestedAt", "run"])
    assert told_["definition"]["agent"]["prompt"] == "Look at\n\tthe diff"


def test_show_of_an_answered_effect_has_definition_and_value(scene: Scene) -> None:
    told_ = told("show", "done", "1")
    assert keys(told_) == sorted(
        [*TASK, "definition", "executor", "finishedAt", "requestedAt", "run", "value"]
    )
    assert (told_["value"], told_["definition"]["agent"]["prompt"]) == ("yes", "one")


def test_show_of_an_effect_in_a_branch_names_the_group(scene: Scene) -> None:
    assert keys(told("show", "raced", "1.1.1")["group"]) == ["branch", "mode", "path"]


def test_show_of_a_prompt_is_the_prompt_and_nothing_else(scene: Scene) -> None:
    shown = call("show", "review", "1", "--prompt")
    assert (shown.stdout, told("show", "review", "1", "--prompt")) == (
        "Look at\n\tthe diff\n",
        {"run": "review", "prompt": "Look at\n\tthe diff"},
    )


def test_events_are_in_order_with_their_numbers(scene: Scene) -> None:
    events = told("events", "done")["events"]
    assert {tuple(keys(event)) for event in events} == {("data", "recordedAt", "seq", "type")}
    assert [(event["seq"], event["type"]) for event in events] == [
        (1, "RUN_CREATED"),
        (2, "EFFECT_REQUESTED"),
        (3, "EFFECT_RESOLVED"),
        (4, "RUN_COMPLETED"),
    ]


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["--limit", "2"], [1, 2]),
        (["--limit", "2", "--reverse"], [4, 3]),
        (["--reverse"], [4, 3, 2, 1]),
        (["--type", "EFFECT_RESOLVED"], [3]),
        (["--type", "NOTHING"], []),
    ],
)
def test_events_can_be_chosen(scene: Scene, options: list[str], numbers: list[int]) -> None:
    assert [event["seq"] for event in told("events", "done", *options)["events"]] == numbers


def test_list_has_every_run_the_newest_first(scene: Scene) -> None:
    runs = told("list")["runs"]
    assert {tuple(keys(run)) for run in runs} == {
        ("createdAt", "lastEventAt", "pending", "process", "resolved", "run", "status")
    }
    assert (len(runs), [run["createdAt"] for run in runs]) == (
        8,
        sorted((run["createdAt"] for run in runs), reverse=True),
    )


def test_list_can_be_narrowed(scene: Scene) -> None:
    told_ = [told("list", "--status", "failed")["runs"], told("list", "--limit", "2")["runs"]]
    assert ([run["run"] for run in told_[0]], len(told_[1])) == (["failed"], 2)


def test_list_has_runs_that_cannot_be_read_too(scene: Scene) -> None:
    break_run(scene, "done")
    (run,) = told("list", "--status", "unreadable")["runs"]
    assert (keys(run), run["run"]) == (["createdAt", "error", "process", "run", "status"], "done")


# process


def test_process_list_has_name_description_origin_and_file(scene: Scene) -> None:
    listed = told("process", "list")["processes"]
    assert {tuple(keys(entry)) for entry in listed} == {("description", "file", "name", "origin")}
    assert "quality-checks" in {entry["name"] for entry in listed}


def test_process_show_has_the_inputs(scene: Scene) -> None:
    shown = told("process", "show", "review.py")
    assert keys(shown) == ["body", "description", "file", "inputs", "name", "origin"]
    assert (shown["description"], shown["inputs"]["properties"]["what"]["default"]) == (
        "Review something",
        "all of it",
    )


# Where things are


def test_a_run_is_named_by_its_folder_from_anywhere(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    (scene.folder / "below").mkdir()
    monkeypatch.chdir(scene.folder / "below")
    assert [told("status", name)["run"] for name in ("done", "don", "../.a5c/runs/done")] == ["done"] * 3


def test_the_latest_run_is_the_default(scene: Scene) -> None:
    told("create", "many.py", "--run-id", "newest")
    assert (told("status")["run"], told("status", "latest")["run"]) == ("newest", "newest")


def test_files_are_relative_to_the_working_directory(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    below = scene.folder / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    (below / "inputs.json").write_text('{"what": "below"}')
    (below / "answer.json").write_text('{"verdict": "good"}')
    told("create", "../review.py", "--inputs", "inputs.json", "--run-id", "mine")
    posted = told("post", "mine", "1", "--file", "answer.json")
    assert (posted["status"], told("show", "mine")["inputs"]) == ("recorded", {"what": "below"})


def test_runs_may_be_kept_elsewhere(scene: Scene, tmp_path: object) -> None:
    told("create", "many.py", "--run-id", "far", "--runs-dir", f"{tmp_path}/far")
    assert [run["run"] for run in told("list", "--runs-dir", f"{tmp_path}/far")["runs"]] == ["far"]


def test_a_finished_run_takes_no_more_events(scene: Scene) -> None:
    before = digest_of(scene.runs / "done" / "journal")
    told_ = [told(command, "done") for command in ("iterate", "resume", "work")]
    assert ([each["output"] for each in told_], digest_of(scene.runs / "done" / "journal")) == (
        [{"answer": "yes"}] * 3,
        before,
    )
