"""Every command prints with ``--json`` what docs/commands.md says, one value in one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from scenes import Scene, break_run

from babysitter.executors.prompt import ask
from babysitter.runs.results import OWN_KINDS
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


def proof_of(scene: Scene, run: str = "done") -> str:
    """Number and checksum of the last event, as its file has them."""
    last = max((scene.runs / run / "journal").iterdir())
    return f"{int(last.name.partition('.')[0])}-{json.loads(last.read_bytes())['checksum']}"


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
    expected = {"run": "done", "status": "completed", "output": {"answer": "yes"}, "proof": proof_of(scene)}
    assert told("iterate", "done") == expected


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
    assert proof_of(scene, "q") == told_.pop("proof")
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


ASKS_TWO = """
    async def process(inputs, ctx):
        await ctx.breakpoint("Go?", expert=["alice", "bob"], quorum=2, files=["asks.py"], expires="1h")
    """


def test_an_answer_beside_others_says_how_it_stands(scene: Scene) -> None:
    write("asks.py", ASKS_TWO)
    told("create", "asks.py", "--run-id", "asks")
    told_ = told("approve", "asks", "--as", "alice")
    assert (keys(told_), told_["status"]) == (["effect", "open", "run", "status"], "recorded")
    assert keys(told_["open"]) == [
        "approvals",
        "isDecided",
        "needed",
        "rejections",
        "strategy",
        "waitingFor",
    ]


def test_show_of_a_breakpoint_has_its_answers_and_how_it_stands(scene: Scene) -> None:
    write("asks.py", ASKS_TWO)
    told("create", "asks.py", "--run-id", "asks")
    told("approve", "asks", "--as", "alice", "--feedback", "soon", "--response", "yes")
    told_ = told("show", "asks", "1")
    assert keys(told_) == sorted([*TASK, "answers", "definition", "open", "requestedAt", "run"])
    assert keys(told_["open"]) == [
        "approvals",
        "deadlineAt",
        "files",
        "needed",
        "rejections",
        "shown",
        "strategy",
        "waitingFor",
    ]
    assert [keys(file) for file in told_["open"]["files"]] == [["bytes", "changed", "path", "sha256"]]
    (answer,) = told_["answers"]
    assert keys(answer) == [
        "approved",
        "assurance",
        "at",
        "event",
        "evidence",
        "experts",
        "feedback",
        "files",
        "respondedBy",
        "response",
        "shown",
        "untilMs",
    ]


def test_show_of_a_breakpoint_that_is_decided_or_over_has_only_its_answers(scene: Scene) -> None:
    told("approve", "gate", "--option", "live")
    told_ = told("show", "gate", "1")
    shown = sorted(
        [*TASK, "answers", "decision", "definition", "executor", "finishedAt", "requestedAt", "run", "value"]
    )
    assert (keys(told_), len(told_["answers"])) == (shown, 1)
    write("asks.py", ASKS_TWO)
    told("create", "asks.py", "--run-id", "asks")
    told("halt", "asks")
    assert keys(told("show", "asks", "1")) == sorted([*TASK, "answers", "definition", "requestedAt", "run"])


# status, tasks, show, events, list


@pytest.mark.parametrize(
    ("run", "ending"),
    [("many", []), ("own", ["until"]), ("done", ["output", "proof"]), ("failed", ["error"])],
)
def test_status_is_one_object(scene: Scene, run: str, ending: list[str]) -> None:
    assert keys(told("status", run)) == sorted([*STATUS, *ending])


def test_status_has_scores_where_there_are_some(scene: Scene) -> None:
    write("scores.py", "async def process(inputs, ctx):\n    ctx.score(1, 2, lower=True)\n")
    told("run", "scores.py", "--run-id", "scores")
    told_ = told("status", "scores")
    assert keys(told_) == sorted([*STATUS, "output", "proof", "scores"])
    assert keys(told_["scores"][0]) == [
        "best",
        "lower",
        "name",
        "reached",
        "round",
        "scope",
        "stalled",
        "target",
        "values",
    ]


TWO_TASKS = """
from babysitter import shell

@shell
def wait(seconds: float):
    return ["true"]

async def process(inputs, ctx):
    await ctx.parallel.all([ctx.task(wait, seconds=seconds) for seconds in (0.1, 0.2)])
"""


def test_status_says_what_the_tasks_took_and_what_overlapped(scene: Scene) -> None:
    write("two.py", TWO_TASKS)
    told("run", "two.py", "--run-id", "two")
    times = told("status", "two")["times"]
    assert keys(times) == ["busyMs", "savedMs", "tasks", "workMs"]
    assert (times["tasks"], times["savedMs"]) == (2, times["workMs"] - times["busyMs"])


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
    assert (keys(told_), len(told_["tasks"])) == (["run", "tasks"], count)
    assert all(keys(task) == TASK for task in told_["tasks"] if task["status"] != "cancelled")


def test_tasks_and_status_tell_what_was_decided(scene: Scene) -> None:
    told("reject", "gate", "--feedback", "not yet")
    [task] = told("tasks", "gate")["tasks"]
    assert (keys(task), task["decision"]) == (
        sorted([*TASK, "decision"]),
        {"approved": False, "feedback": "not yet"},
    )
    assert told("status", "gate")["decisions"] == {"rejected": 1}


def test_tasks_tell_why_an_effect_was_cancelled(scene: Scene) -> None:
    (lost,) = [task for task in told("tasks", "raced")["tasks"] if task["status"] == "cancelled"]
    assert (keys(lost), lost["cancelled"]) == (sorted([*TASK, "cancelled"]), "abandoned")
    told("cancel", "many", "1.{}.1".format(told("tasks", "many")["tasks"][0]["step"].split(".")[1]))
    assert told("tasks", "many")["tasks"][0]["cancelled"] == "cancelled"


RETRIES = """
    from babysitter import Retry

    async def process(inputs, ctx):
        await ctx.task(ask.using(retry=Retry(3, "1h")), question="one")
    """


def test_tasks_tell_which_attempt_an_effect_is_and_what_the_wait_is_for(scene: Scene) -> None:
    write("retries.py", RETRIES)
    told("create", "retries.py", "--run-id", "retries")
    told("post", "retries", "1", "--error", "no network")
    told("iterate", "retries")
    first, wait = told("tasks", "retries")["tasks"]
    assert keys(first) == sorted([*TASK, "attempt", "maxAttempts"])
    assert (first["attempt"], first["maxAttempts"], wait["step"], wait["title"]) == (
        1,
        3,
        "1~retry1",
        "ask: wait before attempt 2",
    )


TIDY = """
    async def process(inputs, ctx):
        ctx.on_cleanup(lambda: ctx.task(ask, question="tidy up"))
        await ctx.task(ask, question="one")
    """


def test_a_run_that_is_given_up_says_by_whom_everywhere(scene: Scene) -> None:
    write("tidy.py", TIDY)
    told("create", "tidy.py", "--run-id", "tidy")
    cancelled = told("cancel", "tidy", "--reason", "not today")
    everywhere = [cancelled, *(told(command, "tidy") for command in ("iterate", "status", "show", "work"))]
    assert [each["cancelled"]["reason"] for each in everywhere] == ["not today"] * 5
    assert keys(cancelled["cancelled"]) == ["by", "reason"]
    (listed,) = [run for run in told("list")["runs"] if run["run"] == "tidy"]
    assert (listed["cancelled"], listed["status"]) == (True, "waiting")


def test_a_fork_says_where_it_comes_from(scene: Scene) -> None:
    told("fork", "done", "--at", "1", "--run-id", "forked")
    assert told("status", "forked")["forkedFrom"] == {"runId": "done", "step": "1"}


def test_a_halted_run_says_why_and_with_what(scene: Scene) -> None:
    write("halts.py", "async def process(inputs, ctx):\n    ctx.halt('nothing to do', left=3)\n")
    made = told("create", "halts.py", "--run-id", "halts", code=1)
    assert made == {"run": "halts", "status": "halted", "reason": "nothing to do", "data": {"left": 3}}
    shown = call("iterate", "halts").stdout.split("\n")
    assert shown[1:3] == ["  reason   nothing to do", '  data     {"left":3}']


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


def test_show_of_a_prompt_is_what_an_agent_is_to_read_and_nothing_else(scene: Scene) -> None:
    shown = told("show", "review", "1", "--prompt")
    schema = told("show", "review", "1")["definition"]["agent"]["outputSchema"]
    assert shown == {
        "run": "review",
        "effect": scene.id_of("review"),
        "prompt": ask("Look at\n\tthe diff", schema),
        "schema": schema,
    }
    assert call("show", "review", "1", "--prompt").stdout == shown["prompt"]


def test_show_of_a_breakpoints_prompt_is_its_question(scene: Scene) -> None:
    shown = told("show", "gate", "1", "--prompt")
    expected = {"run": "gate", "effect": scene.id_of("gate"), "prompt": "Where to?", "schema": None}
    assert (shown, call("show", "gate", "1", "--prompt").stdout) == (expected, "Where to?\n")


def test_the_prompt_of_an_effect_that_is_answered_can_be_read_too(scene: Scene) -> None:
    assert told("show", "done", "1", "--prompt")["prompt"].startswith("one\n")


@pytest.mark.parametrize("step", ["1.0.1", "1.1.1", "1.2.1"])
def test_nobody_is_asked_for_what_babysitter_performs(step: str, scene: Scene) -> None:
    kind = scene.effects("own")[step].kind
    error = told("show", "own", step, "--prompt", code=2)["error"]
    assert (error["message"], error["hint"]) == (
        f"effect {scene.id_of('own', step)!r} is a {kind} effect, and nobody is asked for it",
        OWN_KINDS[kind].format(run="own"),
    )


def test_a_run_as_a_whole_has_no_prompt_to_be_read(scene: Scene) -> None:
    error = told("show", "review", "--prompt", code=2)["error"]
    assert (error["message"], error["hint"]) == (
        "--prompt is that of an effect",
        "babysitter show RUN EFFECT --prompt",
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
    assert {tuple(keys(entry)) for entry in listed} == {
        ("description", "effects", "file", "name", "origin", "shadows", "tags", "whenToUse")
    }
    assert "quality-checks" in {entry["name"] for entry in listed}


def test_process_show_has_the_inputs(scene: Scene) -> None:
    shown = told("process", "show", "review.py")
    assert keys(shown) == [
        *("body", "command", "description", "effects", "file", "inputs", "name", "notes", "origin"),
        *("run", "shadows", "steps", "tags", "whenToUse"),
    ]
    assert (shown["description"], shown["inputs"]["properties"]["what"]["default"]) == (
        "Review something",
        "all of it",
    )


def test_process_check_has_what_was_checked_the_inputs_and_the_tasks(scene: Scene) -> None:
    before = scene.digest()
    shown = told("process", "check", "review.py", "-i", "what=1.10")
    assert keys(shown) == ["checked", "file", "findings", "given", "inputs", "name", "ok", "tasks"]
    assert (shown["given"], shown["inputs"]["properties"]["what"]["default"]) == (
        {"what": "1.10"},
        "all of it",
    )
    assert shown["tasks"] == [
        {"task": "ask", "kind": "agent", "title": "ask"},
        {"task": "review", "kind": "agent", "title": "Review the change"},
    ]
    assert scene.digest() == before


UNSOUND = """
    import time
    Inputs = {"required": ["what"]}
    async def process(inputs, ctx):
        print(time.time())
    """


def test_process_check_has_each_finding_with_its_place(scene: Scene) -> None:
    write("unsound.py", UNSOUND)
    shown = told("process", "check", "unsound.py", "--select", "BS101", code=2)
    assert keys(shown) == ["checked", "file", "findings", "inputs", "name", "ok", "tasks"]
    [finding] = shown["findings"]
    assert (finding.pop("reason"), finding.pop("cure"), finding.pop("file")) == (
        "time.time() gives another time on each replay",
        "use ctx.now()",
        shown["file"],
    )
    assert finding == {
        "code": "BS101",
        "name": "clock",
        "severity": "error",
        "line": 13,
        "column": 11,
        "endLine": 13,
        "endColumn": 22,
    }


def test_several_processes_are_checked_whatever_is_wrong_with_one(scene: Scene) -> None:
    write("unsound.py", UNSOUND)
    shown = told("process", "check", "review.py", "gone.py", "unsound.py", code=2)
    assert keys(shown) == ["ok", "processes"]
    assert [(each["name"], each["ok"]) for each in shown["processes"]] == [
        ("review", True),
        ("gone.py", False),
        ("unsound", False),
    ]
    assert keys(shown["processes"][1]) == ["error", "findings", "name", "ok"]
    assert told("process", "check", "review.py", "quality-checks")["ok"] is True


def test_several_processes_are_told_in_short(scene: Scene) -> None:
    write("unsound.py", UNSOUND)
    ended = call("process", "check", "review.py", "gone.py", "unsound.py", "--ignore", "BS601")
    first, second, third, fourth = ended.stdout.splitlines()
    assert (first, fourth, ended.code) == ("review: ok", "unsound: 1 error", 2)
    assert second.startswith("gone.py: there is no process file ")
    assert third.startswith("unsound.py:13:11  BS101 clock: ")


def test_several_processes_have_no_inputs_in_common(scene: Scene) -> None:
    assert call("process", "check", "review.py", "quality-checks", "-i", "a=1").code == 2


def test_process_check_lists_its_rules(scene: Scene) -> None:
    [first, *_] = told("process", "check", "--rules")["rules"]
    assert keys(first) == ["about", "code", "cure", "name", "reason", "severity"]


LATE = """
    async def process(inputs, ctx):
        await ctx.parallel.all([lambda: ctx.task(ask, name) for name in "ab"])
    """


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def process(inputs, ctx):\n    return 1\n", []),
        (LATE, []),
        ("import no_such_module\nasync def process(inputs, ctx):\n    return 1\n", []),
        ("async def proces(inputs, ctx):\n    return 1\n", []),
        ("async def process(inputs, ctx)\n    return 1\n", []),
        ("Inputs = {'required': ['a']}\nasync def process(inputs, ctx):\n    return 1\n", ["-i", "b=1"]),
    ],
    ids=["not async", "late binding", "import", "other name", "no Python", "inputs"],
)
def test_process_check_refuses_what_create_refuses(source: str, words: list[str], scene: Scene) -> None:
    write("wrong.py", source)
    refused = [call(*command, "wrong.py", *words, "--json") for command in (["process", "check"], ["create"])]
    assert refused[0] == refused[1]
    assert (refused[0].code in (2, 4), list(refused[0].told)) == (True, ["error"])


# Proofs


@pytest.mark.parametrize("command", ["iterate", "status", "show"])
def test_a_completed_run_has_a_proof_that_verify_confirms(command: str, scene: Scene) -> None:
    proof = told(command, "done")["proof"]
    assert (proof, told("verify", "done", "--proof", proof)["proof"]) == (proof_of(scene), proof)


def test_a_process_that_completes_at_once_is_created_with_its_proof(scene: Scene) -> None:
    write("quick.py", "async def process(inputs, ctx):\n    return 1\n")
    assert told("create", "quick.py", "--run-id", "q")["proof"] == proof_of(scene, "q")


def test_a_proof_is_told_to_people(scene: Scene) -> None:
    shown = [call(command, "done").stdout.split() for command in ("iterate", "status")]
    assert [words[words.index("proof") + 1] for words in shown] == [proof_of(scene)] * 2


@pytest.mark.parametrize("run", ["many", "failed"])
def test_a_run_that_has_not_completed_has_no_proof(run: str, scene: Scene) -> None:
    error = told("verify", run, "--proof", proof_of(scene, run), code=5)["error"]
    status = told("status", run)["status"]
    assert (error["name"], error["message"]) == (
        "WrongProof",
        f"run {run!r} has not completed, its status is {status}",
    )
    assert "proof" not in told("verify", run)


def test_the_proof_of_another_end_is_refused_with_what_differs(scene: Scene) -> None:
    seq, checksum = proof_of(scene).split("-")
    other = checksum.translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))
    errors = [
        told("verify", "done", "--proof", proof, code=5)["error"]
        for proof in (f"{seq}-{other}", f"{int(seq) - 1}-{checksum}")
    ]
    assert [error["message"].partition(": ")[2] for error in errors] == [
        f"event {seq} has checksum {checksum[:12]}…, and the proof names {other[:12]}…",
        f"it ends with event {seq}, and the proof names event {int(seq) - 1}",
    ]


@pytest.mark.parametrize(
    "text", ["", "done", "4", "4-", "-" + "a" * 64, "4-" + "A" * 64, "4-" + "a" * 63, "04-" + "a" * 64]
)
def test_a_text_that_is_no_proof_is_wrong_input(text: str, scene: Scene) -> None:
    assert told("verify", "done", f"--proof={text}", code=2)["error"]["name"] == "InvalidInput"


@pytest.mark.parametrize("words", [["--all"], ["done", "failed"]])
def test_a_proof_is_that_of_one_run(words: list[str], scene: Scene) -> None:
    assert told("verify", *words, "--proof", proof_of(scene), code=2)["error"]["name"] == "UsageError"


def test_a_packed_run_keeps_its_proof(scene: Scene) -> None:
    proof = proof_of(scene)
    told("archive", "done")
    assert (told("status", "done")["proof"], told("verify", "done", "--proof", proof)["proof"]) == (
        proof,
        proof,
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
