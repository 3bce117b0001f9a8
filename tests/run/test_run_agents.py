"""Agent effects: performed by the user's own command, or left for somebody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.driving import babysitter, effects, lines, told, write

ASK = """
VERDICT = {"type": "object", "properties": {"good": {"type": "boolean"}}, "required": ["good"]}

@agent(returns=VERDICT)
def review(diff):
    "Review the change"
    return f"Find defects in: {diff}"

@shell
def test():
    "Run the tests"
    return "sleep 0.3; echo tested >> log"

async def process(inputs, ctx):
    async def asked():
        try:
            return await ctx.task(review, diff="+1")
        except TaskFailed as error:
            return [error.name, error.message]
    _, verdict = await ctx.parallel.all([lambda: ctx.task(test), asked])
    return verdict
"""


def agent_command(*replies: str) -> str:
    """An agent that keeps what it is asked and replies with one text after another."""
    Path("replies").mkdir()
    for number, reply in enumerate(replies):
        Path("replies", str(number)).write_text(reply)
    Path("agent.sh").write_text(
        "cat > question$(ls question* 2>/dev/null | wc -l)\n"
        "last=replies/$(($(ls question* | wc -l) - 1))\n"
        "cat $last 2>/dev/null || { echo no more replies >&2; exit 9; }\n"
    )
    return "sh agent.sh"


def asked_with(command: str) -> object:
    write("p.py", ASK)
    return told(0, "run", "p.py", "--jobs", "2", "--agent-command", command)["output"]


def questions() -> list[str]:
    return [path.read_text() for path in sorted(Path().glob("question*"))]


def configure(home: Path, text: str) -> None:
    (home / "config.yaml").write_text(text)


def test_an_agent_command_is_given_the_prompt_and_prints_the_result() -> None:
    verdict = asked_with(agent_command('{"good": true}'))
    assert (verdict, "Find defects in: +1" in questions()[0]) == ({"good": True}, True)


def test_the_agent_of_the_users_configuration_is_asked(home: Path) -> None:
    write("p.py", ASK)
    command = agent_command('{"good": true}').split()
    configure(home, json.dumps({"agents": {"default": {"command": command}}}))
    assert told(0, "run", "p.py")["output"] == {"good": True}


def test_a_project_chooses_among_the_users_agents_by_name(home: Path) -> None:
    write("p.py", ASK)
    Path(".a5c").mkdir()
    Path(".a5c/config.yaml").write_text("agent: careful\n")
    agents = {
        "default": {"command": ["false"]},
        "careful": {"command": agent_command('{"good": true}').split()},
    }
    configure(home, json.dumps({"agents": agents}))
    assert told(0, "run", "p.py")["output"] == {"good": True}


def test_a_project_that_names_an_agent_that_the_user_lacks_still_does_all_other_work() -> None:
    write("p.py", ASK)
    Path(".a5c").mkdir()
    Path(".a5c/config.yaml").write_text("agent: careful\n")
    ended = told(8, "run", "p.py")
    assert (lines("log"), "'careful' is not configured" in ended["hint"]) == (["tested"], True)


def test_without_an_agent_command_other_work_is_done_first_and_the_run_waits() -> None:
    write("p.py", ASK)
    ended = told(8, "run", "p.py")
    assert (ended["status"], list(ended["pending"]), lines("log")) == ("waiting", ["agent"], ["tested"])


def test_people_are_told_what_waits_for_an_agent_and_how_to_go_on() -> None:
    write("p.py", ASK)
    ended = babysitter("run", "p.py", "--run-id", "r")
    effect = effects("r")["Review the change"]["effectId"]
    wanted = [
        f"agent {effect}: Review the change",
        "babysitter resume r --agent-command",
        "babysitter post r EFFECT",
    ]
    assert (ended.code, [text for text in wanted if text not in ended.stdout]) == (8, [])


def test_a_run_that_waits_goes_on_with_an_agent_command() -> None:
    write("p.py", ASK)
    told(8, "run", "p.py", "--run-id", "r")
    command = agent_command('{"good": false}')
    assert told(0, "resume", "r", "--agent-command", command)["output"] == {"good": False}


def test_a_run_that_waits_goes_on_with_a_posted_result() -> None:
    write("p.py", ASK)
    told(8, "run", "p.py", "--run-id", "r")
    told(0, "post", "r", effects("r")["Review the change"]["effectId"], "--value", '{"good": true}')
    assert told(0, "resume", "r")["output"] == {"good": True}


def test_an_answer_that_does_not_fit_is_asked_again_with_what_is_wrong() -> None:
    verdict = asked_with(agent_command("I think so", '{"good": "yes"}', '{"good": true}'))
    assert (verdict, len(questions())) == ({"good": True}, 3)
    assert "I think so" in questions()[1]
    assert "good: 'yes' is not true or false" in questions()[2]


def test_an_agent_that_never_fits_fails_the_task_after_three_asks() -> None:
    verdict = asked_with(agent_command("1", "2", "3", '{"good": true}'))
    assert (verdict[0], len(questions())) == ("ResultRejected", 3)  # type: ignore[index]


def test_an_agent_that_crashes_fails_the_task_with_its_last_words() -> None:
    name, message = asked_with(agent_command())  # type: ignore[misc]
    assert (name, "exit code 9" in message, "no more replies" in message) == ("AgentFailed", True, True)


def test_an_agent_command_that_does_not_exist_is_refused_before_there_is_a_run() -> None:
    write("p.py", ASK)
    error = told(2, "run", "p.py", "--agent-command", "no-such-agent --print")["error"]
    assert error["message"] == "--agent-command: there is no program 'no-such-agent'"
    assert told(0, "list")["runs"] == []


@pytest.mark.parametrize("schema", ['{"$ref": "#/nowhere"}', '{"type": "wrong"}', '{"pattern": "("}'])
def test_a_schema_that_cannot_be_used_fails_the_task_and_not_babysitter(schema: str) -> None:
    write("p.py", ASK.replace("VERDICT = {", f"VERDICT = {schema} or {{"))
    command = agent_command('"a"', '"b"', '"c"')
    output = told(0, "run", "p.py", "--agent-command", command)["output"]
    assert output[0] == "ResultRejected"


def test_a_prompt_is_never_part_of_a_command_line() -> None:
    write("p.py", ASK.replace('diff="+1"', 'diff="$(touch pwned)"'))
    told(0, "run", "p.py", "--agent-command", agent_command('{"good": true}'))
    assert ("$(touch pwned)" in questions()[0], Path("pwned").exists()) == (True, False)
