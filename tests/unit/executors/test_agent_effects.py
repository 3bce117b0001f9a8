"""Agent effects: the user's own command is asked, and asked again while its answer does not fit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.runs.schemas import misfits

if TYPE_CHECKING:
    from pathlib import Path

    from workshop import Workshop

    from babysitter.executors.pool import Finished, Pool

SCHEMA = {"type": "object", "required": ["verdict"], "properties": {"verdict": {"enum": ["yes", "no"]}}}

# Answers with the lines of a file, one at each call, and keeps what it was asked.
SCRIPT = """#!/bin/sh
calls=$(ls | grep -c '^asked')
calls=$((calls + 1))
cat > asked$calls
cmp -s asked$calls "$BABYSITTER_PROMPT_FILE" || echo "prompt file differs" >&2
[ -e answer$calls ] && cat answer$calls
exit 0
"""


@pytest.fixture
def command(workshop: Workshop) -> Path:
    script = workshop.project / "agent.sh"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    return script


def ask(
    workshop: Workshop, command: Path, *answers: str, prompt: Any = "Is it good?", **options: Any
) -> Finished:
    for number, answer in enumerate(answers, 1):
        (workshop.project / f"answer{number}").write_text(answer, "utf-8")
    told = {"prompt": prompt, "outputSchema": SCHEMA, **options}
    return workshop.perform(workshop.work("agent", told), pool(workshop, command))


def pool(workshop: Workshop, *command: Path | str) -> Pool:
    return workshop.pool(agent_command=[str(word) for word in command], validate=misfits)


def asked(workshop: Workshop, number: int) -> str:
    return (workshop.project / f"asked{number}").read_text("utf-8")


def error_of(end: Finished) -> dict[str, Any]:
    assert end.error is not None
    return end.error


@pytest.mark.parametrize(
    "answer",
    [
        '{"verdict": "yes"}',
        '\n  {"verdict": "yes"}\n\n',
        'Here it is:\n```json\n{"verdict": "yes"}\n```\nDone.',
        '```\n{"verdict": "yes"}\n```',
        '{"type": "result", "result": "{\\"verdict\\": \\"yes\\"}"}',
        '{"type": "result", "is_error": false, "result": "```json\\n{\\"verdict\\": \\"yes\\"}\\n```"}',
    ],
)
def test_an_answer_that_fits_is_the_value(workshop: Workshop, command: Path, answer: str) -> None:
    end = ask(workshop, command, answer)
    assert (end.status, end.value) == ("ok", {"verdict": "yes"})


def test_the_prompt_and_the_schema_come_by_standard_input(workshop: Workshop, command: Path) -> None:
    ask(workshop, command, '{"verdict": "yes"}', prompt="Is it $(rm -rf) good?\n")
    text = asked(workshop, 1)
    begins = text.startswith("Is it $(rm -rf) good?\n\nPrint exactly one JSON value")
    assert (begins, json.loads(text[text.index("{") :])) == (True, SCHEMA)


def test_the_prompt_is_also_in_a_file(workshop: Workshop, command: Path) -> None:
    ask(workshop, command, '{"verdict": "yes"}')
    folder = workshop.folder("e1")
    prompt = (folder / "prompt.txt").read_text("utf-8")
    assert (prompt == asked(workshop, 1), (folder / "stderr.log").exists()) == (True, False)


def test_an_answer_that_does_not_fit_is_asked_for_again_with_the_reason(
    workshop: Workshop, command: Path
) -> None:
    end = ask(workshop, command, '{"verdict": "maybe"}', '{"verdict": "no"}')
    again = asked(workshop, 2)
    wrong = "- verdict: 'maybe' is not one of 'yes', 'no'"
    assert (end.value, '{"verdict": "maybe"}' in again, wrong in again) == ({"verdict": "no"}, True, True)


def test_an_answer_that_is_not_json_is_asked_for_again(workshop: Workshop, command: Path) -> None:
    end = ask(workshop, command, "Yes, it is.", '{"verdict": "yes"}')
    assert (end.value, "Yes, it is." in asked(workshop, 2)) == ({"verdict": "yes"}, True)


def test_no_answer_is_asked_for_again(workshop: Workshop, command: Path) -> None:
    end = ask(workshop, command, "", '{"verdict": "yes"}')
    assert (end.value, "(nothing)" in asked(workshop, 2)) == ({"verdict": "yes"}, True)


def test_after_three_answers_that_do_not_fit_the_effect_fails(workshop: Workshop, command: Path) -> None:
    error = error_of(ask(workshop, command, "1", "2", "3", '{"verdict": "yes"}'))
    assert (error["name"], error["message"], error["data"]["problems"]) == (
        "ResultRejected",
        ("the agent command 'agent.sh' was asked 3 times and gave no answer that fits: 3 is not an object"),
        ["3 is not an object"],
    )


def test_repeated_asking_is_one_start_and_one_log(workshop: Workshop, command: Path) -> None:
    end = ask(workshop, command, "1\n", "2\n", '{"verdict": "yes"}\n')
    log = (workshop.folder("e1") / "stdout.log").read_text("utf-8")
    record = json.loads((workshop.folder("e1") / "child.json").read_text("utf-8"))
    assert (end.status, log, record["starts"]) == ("ok", '1\n2\n{"verdict": "yes"}\n', 1)


def test_without_a_schema_any_json_value_fits(workshop: Workshop, command: Path) -> None:
    end = ask(workshop, command, '"text"', outputSchema=None)
    assert (end.value, "A text is a JSON string" in asked(workshop, 1)) == ("text", True)


def test_an_envelope_that_tells_of_an_error_is_a_failure_at_once(workshop: Workshop, command: Path) -> None:
    told = '{"type": "result", "is_error": true, "result": "Credit balance is too low"}'
    error = error_of(ask(workshop, command, told))
    assert (error["name"], error["message"]) == (
        "AgentFailed",
        "the agent command 'agent.sh' could not answer: 'Credit balance is too low'",
    )


def test_a_command_that_fails_is_a_failure_at_once(workshop: Workshop) -> None:
    end = workshop.perform(
        workshop.work("agent", {"prompt": "?", "outputSchema": None}),
        pool(workshop, "sh", "-c", "echo no key >&2; exit 2"),
    )
    error = error_of(end)
    assert (error["name"], error["exitCode"], error["message"]) == (
        "AgentFailed",
        2,
        "the agent command 'sh' ended with exit code 2: no key",
    )


def test_the_time_is_for_all_asking_together(workshop: Workshop) -> None:
    slow = pool(workshop, "sh", "-c", "echo x >> asks; sleep 0.2; echo nothing")
    end = workshop.perform(
        workshop.work("agent", {"prompt": "?", "outputSchema": SCHEMA, "timeout": 0.3}), slow
    )
    asks = (workshop.project / "asks").read_text("utf-8")
    assert (error_of(end)["name"], asks) == ("TaskTimeout", "x\nx\n")


def test_a_command_that_vanishes_between_two_questions_is_named(workshop: Workshop, command: Path) -> None:
    command.write_text("#!/bin/sh\nrm agent.sh\n")
    error = error_of(ask(workshop, command))
    assert (error["name"], "there is no such file" in error["message"]) == ("StartFailed", True)


def test_without_a_command_the_failure_says_where_to_name_one(workshop: Workshop) -> None:
    end = workshop.perform(workshop.work("agent", {"prompt": "?", "outputSchema": None}))
    assert (error_of(end)["name"], "`agents:` in your config.yaml" in error_of(end)["message"]) == (
        "StartFailed",
        True,
    )


def told(answer: str, *, is_error: bool = False, **usage: Any) -> str:
    return json.dumps({"type": "result", "is_error": is_error, "result": answer, "usage": usage})


def test_what_an_answer_has_used_comes_with_it(workshop: Workshop, command: Path) -> None:
    end = ask(workshop, command, told('{"verdict": "yes"}', inputTokens=5, outputTokens=2, model="m"))
    assert (end.status, end.usage) == ("ok", {"inputTokens": 5, "outputTokens": 2, "model": "m"})


def test_an_agent_that_says_nothing_of_it_has_used_nobody_knows_what(
    workshop: Workshop, command: Path
) -> None:
    assert ask(workshop, command, '{"verdict": "yes"}').usage is None


def test_all_questions_count_together(workshop: Workshop, command: Path) -> None:
    answers = [told(text, inputTokens=5, outputTokens=2) for text in ("no idea", "{}", '{"verdict": "yes"}')]
    end = ask(workshop, command, *answers)
    assert (end.status, end.usage) == ("ok", {"inputTokens": 15, "outputTokens": 6})


def test_a_question_of_which_nothing_is_known_makes_it_a_part(workshop: Workshop, command: Path) -> None:
    end = ask(workshop, command, "no idea", told('{"verdict": "yes"}', inputTokens=5, outputTokens=2))
    assert end.usage == {"inputTokens": 5, "outputTokens": 2, "isPartial": True}


@pytest.mark.parametrize(
    "answers",
    [
        [told("too busy", is_error=True, inputTokens=5, outputTokens=2)],
        [told("no idea", inputTokens=5 * part, outputTokens=2 * part) for part in (1, 0, 0)],
    ],
    ids=["refused", "never fits"],
)
def test_what_came_to_nothing_has_been_paid_for(
    answers: list[str], workshop: Workshop, command: Path
) -> None:
    end = ask(workshop, command, *answers)
    assert (end.status, end.usage) == ("error", {"inputTokens": 5, "outputTokens": 2})


def test_a_program_that_fails_may_have_told_what_it_has_used(workshop: Workshop) -> None:
    words = f"echo '{told('no', inputTokens=5, outputTokens=2)}'; exit 1"
    work = workshop.work("agent", {"prompt": "?", "outputSchema": None})
    end = workshop.perform(work, pool(workshop, "sh", "-c", words))
    assert (error_of(end)["exitCode"], end.usage) == (1, {"inputTokens": 5, "outputTokens": 2})


def test_what_was_used_before_a_command_vanished_is_known(workshop: Workshop, command: Path) -> None:
    answer = told("no idea", inputTokens=5, outputTokens=2)
    command.write_text(f"#!/bin/sh\nrm agent.sh\necho '{answer}'\n")
    end = ask(workshop, command)
    assert (error_of(end)["name"], end.usage) == ("StartFailed", {"inputTokens": 5, "outputTokens": 2})


def test_what_a_shell_command_prints_is_no_usage(workshop: Workshop) -> None:
    words = told("x", inputTokens=5, outputTokens=2)
    assert workshop.perform(workshop.shell(["echo", words])).usage is None
