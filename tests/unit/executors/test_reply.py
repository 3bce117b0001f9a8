"""The JSON value in what an agent said, and what it says that it has used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from babysitter.errors import InvalidInput
from babysitter.executors.reply import envelope_of, text_of, usage_of, value_of
from babysitter.limits import DEFAULT
from babysitter.prices import Prices


def test_a_text_in_json_may_have_backticks() -> None:
    assert value_of('{"code": "```\\nx\\n```"}', DEFAULT) == {"code": "```\nx\n```"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "```json\n1\n```\n```json\n2\n```",
        "```json\n1",
        "```json\nNaN\n```",
        '{"a": 1, "a": 2}',
        "1 2",
    ],
)
def test_what_is_not_one_strict_value_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        value_of(text, DEFAULT)


def said(raw: bytes) -> str:
    return text_of(raw, envelope_of(raw, DEFAULT))


def used(envelope: dict[str, Any], prices: Prices | None = None) -> dict[str, Any] | None:
    raw = json.dumps({"type": "result", "result": "yes", **envelope}).encode()
    return usage_of(envelope_of(raw, DEFAULT), prices)


def test_an_object_that_only_looks_a_little_like_an_envelope_is_an_answer() -> None:
    raw = b'{"type": "result", "count": 1, "usage": {"inputTokens": 1}}'
    assert (said(raw), usage_of(envelope_of(raw, DEFAULT), None)) == (raw.decode(), None)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(InvalidInput, match="not UTF-8"):
        said(b"\xff")


def test_an_envelope_without_a_result_still_tells_what_was_used() -> None:
    raw = (
        b'{"type": "result", "subtype": "error_max_turns", "usage": {"input_tokens": 5, "output_tokens": 1}}'
    )
    assert usage_of(envelope_of(raw, DEFAULT), None) == {"inputTokens": 5, "outputTokens": 1}


CLAUDES = {
    "input_tokens": 4,
    "output_tokens": 30,
    "cache_creation_input_tokens": 200,
    "cache_read_input_tokens": 1000,
    "service_tier": "standard",
    "server_tool_use": {"web_search_requests": 0},
}
OURS = {"inputTokens": 4, "outputTokens": 30, "cacheReadTokens": 1000, "cacheCreationTokens": 200}


def by_claude(**counts: int) -> dict[str, Any]:
    """Tokens of a model as Claude Code sums them up."""
    more = {
        "cacheReadInputTokens": 0,
        "cacheCreationInputTokens": 0,
        "costUSD": 0.1,
        "contextWindow": 200_000,
    }
    return {"inputTokens": 4, "outputTokens": 30, **more, **counts}


def test_claudes_envelope_has_tokens_the_model_and_dollars() -> None:
    told = used({"usage": CLAUDES, "total_cost_usd": 0.25, "modelUsage": {"claude-sonnet-4-5": {}}})
    assert told == {**OURS, "model": "claude-sonnet-4-5", "money": 0.25, "currency": "USD"}


def test_claudes_sums_by_model_have_what_its_usage_leaves_out() -> None:
    models = {
        "sonnet": by_claude(cacheReadInputTokens=1000, cacheCreationInputTokens=200),
        "haiku": by_claude(inputTokens=500),
    }
    told = used({"usage": CLAUDES, "modelUsage": models})
    assert told == {
        "inputTokens": 504,
        "outputTokens": 60,
        "cacheReadTokens": 1000,
        "cacheCreationTokens": 200,
        "models": {
            "sonnet": OURS,
            "haiku": {"inputTokens": 500, "outputTokens": 30, "cacheReadTokens": 0, "cacheCreationTokens": 0},
        },
    }


def test_of_one_model_claudes_sum_counts_as_well() -> None:
    told = used({"usage": CLAUDES, "modelUsage": {"haiku": by_claude(inputTokens=9)}})
    assert told is not None
    assert (told["inputTokens"], told["model"], "models" in told) == (9, "haiku", False)


@pytest.mark.parametrize(
    ("prices", "money"),
    [(None, 0.25), (Prices({"currency": "USD"}), 0.25), (Prices({"currency": "EUR"}), None)],
)
def test_claudes_dollars_are_taken_where_prices_are_in_dollars(prices: Prices | None, money: Any) -> None:
    told = used({"usage": CLAUDES, "total_cost_usd": 0.25}, prices)
    assert told is not None
    assert (told.get("money"), told["inputTokens"]) == (money, 4)


def test_any_other_program_tells_it_in_our_words() -> None:
    told = {"inputTokens": 7, "outputTokens": 8, "model": "gpt-5", "money": 0.5, "currency": "EUR"}
    assert used({"usage": told}, Prices({"currency": "USD"})) == told


@pytest.mark.parametrize(
    "envelope",
    [
        {},
        {"usage": None},
        {"usage": {}},
        {"usage": "much"},
        {"usage": {"tokens": 5}},
        {"usage": {"input_tokens": -5}},
        {"usage": {"inputTokens": -5}},
        {"usage": {"inputTokens": 5, "tokens": 5}},
        {"total_cost_usd": "0.25"},
        {"total_cost_usd": -1},
        {"modelUsage": {"haiku": {"inputTokens": "9"}}},
        {"modelUsage": []},
    ],
)
def test_what_cannot_be_counted_is_unknown_and_refuses_no_answer(envelope: dict[str, Any]) -> None:
    raw = json.dumps({"type": "result", "result": "yes", **envelope}).encode()
    assert (used(envelope), said(raw)) == (None, "yes")


def test_an_object_in_an_envelope_of_ours_is_the_answer() -> None:
    raw = b'{"type": "result", "result": {"plan": "x"}, "usage": {"inputTokens": 5}}'
    envelope = envelope_of(raw, DEFAULT)
    assert text_of(raw, envelope) == '{"plan":"x"}'


def test_an_answer_that_only_looks_like_an_envelope_is_left_as_it_is() -> None:
    raw = b'{"type": "result", "result": {"plan": "x"}, "notes": []}'
    assert text_of(raw, envelope_of(raw, DEFAULT)) == raw.decode()


def test_the_model_may_stand_beside_the_usage() -> None:
    raw = b'{"type": "result", "result": "1", "model": "m", "usage": {"inputTokens": 5}}'
    assert usage_of(envelope_of(raw, DEFAULT), None) == {"model": "m", "inputTokens": 5}


def test_of_a_text_without_quotes_it_is_said_what_is_missing() -> None:
    with pytest.raises(InvalidInput, match="an answer that is a text is one in double quotes"):
        value_of("looks good", DEFAULT)
