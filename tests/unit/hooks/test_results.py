"""What subagents say: recorded, or sent back with what is wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.hooks import results
from babysitter.runs.stopping import cancel_effect
from babysitter.sessions.agents import Transcript, carried, remember
from babysitter.sessions.takers import is_at_it
from tests.unit.hooks.conftest import OTHER, SESSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.hooks.conftest import Session

ONE = "return await ctx.task(ask, n=1)"
AGENT = "a42a69296ccd49989"
PAYLOADS = Path(__file__).parents[2] / "host" / "payloads"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes the transcript any further here."""
    monkeypatch.setattr(results, "PATIENCE_SECONDS", 0.0)


def transcript(file: Path, prompt: str, *messages: dict[str, Any]) -> str:
    lines = [{"type": "user", "message": {"role": "user", "content": prompt}}]
    lines += [{"type": "assistant", "message": {"role": "assistant", **message}} for message in messages]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(file)


def stop(session: Session, text: str, path: str = "", agent: str = AGENT, in_session: str = SESSION) -> Any:
    return session.call(
        "subagent-stop", in_session, agent_id=agent, agent_transcript_path=path, last_assistant_message=text
    )


def test_a_result_that_fits_is_recorded(bound: Callable[..., Session], tmp_path: Path) -> None:
    session = bound(ONE)
    effect = session.pending("agent").id
    told = stop(session, '{"n": 4}', transcript(tmp_path / "t", f"[effect:{effect}] do it"))
    found = session.run.state.effects[effect]
    assert (told.kind, found.status, found.value, found.executor) == ("let go", "ok", {"n": 4}, "subagent")


def test_the_subagent_is_known_by_its_id_where_the_transcript_is_missing(
    bound: Callable[..., Session],
) -> None:
    session = bound(ONE)
    remember(SESSION, AGENT, session.pending("agent").id)
    stop(session, '```json\n{"n": 4}\n```')
    assert not session.run.state.pending


@pytest.mark.parametrize("text", ["here is prose", '{"n": "four"}', "", '{"n": 1} and more'])
def test_a_result_that_does_not_fit_is_sent_back(
    bound: Callable[..., Session], text: str, tmp_path: Path
) -> None:
    session = bound(ONE)
    effect = session.pending("agent").id
    told = stop(session, text, transcript(tmp_path / "t", f"[effect:{effect}] do it"))
    assert (told.kind, effect in told.text, session.pending("agent").id) == ("send back", True, effect)


def test_it_is_sent_back_only_so_often(bound: Callable[..., Session], tmp_path: Path) -> None:
    session = bound(ONE)
    path = transcript(tmp_path / "t", f"[effect:{session.pending('agent').id}] do it")
    assert [stop(session, "prose", path).kind for _ in range(6)] == ["send back"] * 5 + ["let go"]
    assert session.pending("agent")


def test_without_a_schema_a_text_is_a_value(bound: Callable[..., Session]) -> None:
    session = bound("return await ctx.task(tell, n=1)")
    effect = session.pending("agent").id
    remember(SESSION, AGENT, effect)
    stop(session, "a plain text")
    assert session.run.state.effects[effect].value == "a plain text"


def test_a_shell_effect_is_never_answered_so(bound: Callable[..., Session]) -> None:
    session = bound("return await ctx.task(count, n=1)")
    remember(SESSION, AGENT, session.pending("shell").id)
    stop(session, '{"exitCode": 0}')
    assert session.pending("shell")


def test_neither_is_a_breakpoint(bound: Callable[..., Session]) -> None:
    session = bound('return (await ctx.breakpoint("Go?")).approved')
    remember(SESSION, AGENT, session.pending("breakpoint").id)
    stop(session, '{"approved": true}')
    assert session.pending("breakpoint")


def test_the_first_result_stands(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    effect = session.pending("agent").id
    remember(SESSION, AGENT, effect)
    session.answer({"n": 1})
    assert stop(session, '{"n": 2}').kind == "let go"
    assert session.run.state.effects[effect].value == {"n": 1}


def test_a_subagent_of_an_effect_that_was_cancelled_is_let_go(
    bound: Callable[..., Session], tmp_path: Path
) -> None:
    session = bound(ONE)
    effect = session.pending("agent")
    session.launch(AGENT, effect.id)
    cancel_effect(session.run, session.run.state.effects[effect.id], by="anna")
    told = stop(session, "prose", transcript(tmp_path / "t", f"[effect:{effect.id}] do it"))
    assert (told.kind, told.message, carried(SESSION, AGENT)) == ("let go", "", ("", 0))


def test_one_that_gives_no_result_leaves_its_effect_to_another(
    bound: Callable[..., Session], seen: None
) -> None:
    session = bound(ONE)
    effect = session.pending("agent").id
    session.launch(AGENT, effect)
    before = is_at_it(session.run, session.run.state.effects[effect])
    for _ in range(6):
        stop(session, "prose")
    assert (before, is_at_it(session.run, session.run.state.effects[effect])) == (True, False)


def test_a_subagent_of_a_session_without_a_run_is_none_of_ours(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    remember(OTHER, AGENT, session.pending("agent").id)
    assert stop(session, '{"n": 2}', in_session=OTHER).kind == "let go"
    assert session.pending("agent")


def test_the_hosts_own_subagent_for_compacting_is_let_go(bound: Callable[..., Session]) -> None:
    assert stop(bound(ONE), "summary", agent="").kind == "let go"


def test_tokens_are_counted_once_for_each_message(bound: Callable[..., Session], tmp_path: Path) -> None:
    session = bound(ONE)
    effect = session.pending("agent").id
    usage = {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 100}
    path = transcript(
        tmp_path / "t",
        f"[effect:{effect}] do it",
        {"id": "m1", "usage": usage},
        {"id": "m1", "usage": {**usage, "output_tokens": 5}},
        {"id": "m2", "usage": usage, "content": [{"type": "text", "text": '{"n": 4}'}]},
    )
    stop(session, '{"n": 4}', path)
    last = max((tmp_path / "project" / ".a5c" / "runs" / "job" / "journal").iterdir())
    assert json.loads(last.read_text())["data"]["usage"] == {
        "inputTokens": 20,
        "outputTokens": 6,
        "cacheReadTokens": 200,
        "messages": 2,
    }


def message(number: int, model: str, usage: dict[str, int] | None, text: str = "…") -> dict[str, Any]:
    told: dict[str, Any] = {} if usage is None else {"usage": usage}
    return {"id": f"m{number}", "model": model, "content": [{"type": "text", "text": text}], **told}


def used_by(session: Session, path: Path, *messages: dict[str, Any]) -> Any:
    """What is recorded of a subagent that has ended with these messages."""
    effect = session.pending("agent").id
    stop(session, '{"n": 4}', transcript(path / "t", f"[effect:{effect}] do it", *messages))
    return session.run.state.effects[effect].usage


CALL = {"input_tokens": 1_000_000, "output_tokens": 1}
NOTHING = {"input_tokens": 0, "output_tokens": 0}


def test_the_model_of_a_subagent_is_that_of_its_messages(
    bound: Callable[..., Session], tmp_path: Path
) -> None:
    messages = [message(1, "opus", CALL), message(2, "<synthetic>", NOTHING), message(3, "opus", CALL)]
    assert used_by(bound(ONE), tmp_path, *messages) == {
        "inputTokens": 2_000_000,
        "outputTokens": 2,
        "messages": 3,
        "model": "opus",
    }


def test_each_message_has_the_price_of_its_model(
    bound: Callable[..., Session], tmp_path: Path, home: Path
) -> None:
    (home / "config.yaml").write_text(
        "prices: {models: {opus: {input: 5, output: 0}, haiku: {input: 1, output: 0}}}\n"
    )
    told = used_by(bound(ONE), tmp_path, message(1, "opus", CALL), message(2, "haiku", CALL))
    assert (told["money"], told["currency"], "model" in told, list(told["models"])) == (
        6,
        "USD",
        False,
        ["opus", "haiku"],
    )


def test_a_message_that_does_not_say_what_it_has_used_makes_it_a_part(
    bound: Callable[..., Session], tmp_path: Path
) -> None:
    told = used_by(bound(ONE), tmp_path, message(1, "opus", CALL), message(2, "opus", None))
    assert (told["inputTokens"], told["isPartial"]) == (1_000_000, True)


@pytest.mark.parametrize("usage", [None, {}, {"input_tokens": "5"}, {"input_tokens": -5}])
def test_where_no_message_says_it_nothing_is_known(
    bound: Callable[..., Session], tmp_path: Path, usage: Any
) -> None:
    assert used_by(bound(ONE), tmp_path, message(1, "opus", usage)) is None


def test_a_subagent_in_the_background_is_remembered(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    session.call(
        "after-tool",
        tool_name="Agent",
        tool_input={"prompt": "[effect:abc] do it"},
        tool_response={"status": "async_launched", "agentId": AGENT},
    )
    assert carried(SESSION, AGENT) == ("abc", 0)


def test_one_in_the_foreground_is_recorded_when_its_own_hook_did_not(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    content = [{"type": "text", "text": "<tools-used-before-summary>"}, {"type": "text", "text": '{"n": 7}'}]
    session.call(
        "after-tool",
        tool_name="Task",
        tool_input={"prompt": f"[effect:{session.pending('agent').id}] do it"},
        tool_response={"status": "completed", "agentId": AGENT, "content": content},
    )
    assert not session.run.state.pending


def test_of_one_in_the_foreground_the_host_knows_the_last_request_only(
    bound: Callable[..., Session],
) -> None:
    session = bound(ONE)
    effect = session.pending("agent").id
    payload = json.loads((PAYLOADS / "PostToolUse.Agent.foreground.json").read_text())
    payload["tool_input"]["prompt"] = f"[effect:{effect}] do it"
    payload["tool_response"]["content"][1]["text"] = '{"n": 7}'
    del payload["session_id"]
    session.call("after-tool", **payload)
    assert session.run.state.effects[effect].usage == {
        "inputTokens": 1001,
        "outputTokens": 77,
        "cacheReadTokens": 0,
        "cacheCreationTokens": 0,
        "model": "claude-opus-5-5",
        "isPartial": True,
    }


def test_what_came_too_late_to_be_sent_back_is_told(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    told = session.call(
        "after-tool",
        tool_name="Agent",
        tool_input={"prompt": f"[effect:{session.pending('agent').id}] do it"},
        tool_response={"status": "completed", "content": [{"type": "text", "text": "prose"}]},
    )
    assert (told.kind, "was not recorded" in told.text) == ("tell", True)


def test_the_note_of_its_end_brings_the_result_as_well(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    remember(SESSION, AGENT, session.pending("agent").id)
    note = (
        f'<task-notification>\n<task-id>{AGENT}</task-id>\n<result>{{"n": 3}}</result>\n</task-notification>'
    )
    assert session.call("prompt", prompt=note).kind == "let go"
    assert [effect.usage for effect in session.run.state.effects.values()] == [None]
    assert not session.run.state.pending


def test_a_persons_words_are_no_result(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    remember(SESSION, AGENT, session.pending("agent").id)
    session.call("prompt", prompt='<task-id>a42a69296ccd49989</task-id><result>{"n": 3}</result>')
    assert session.pending("agent")


def test_a_transcript_that_is_no_file_is_not_waited_for(bound: Callable[..., Session], project: Path) -> None:
    session = bound(ONE)
    os.mkfifo(project / "fifo")
    remember(SESSION, AGENT, session.pending("agent").id)
    stop(session, '{"n": 1}', str(project / "fifo"))
    assert session.run.state.pending == {}


def test_a_path_that_is_none_is_no_transcript() -> None:
    assert Transcript("a\0b").messages == {}
