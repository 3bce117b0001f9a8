"""The JSON value in what an agent said."""

from __future__ import annotations

import pytest

from babysitter.errors import InvalidInput
from babysitter.executors.reply import text_of, value_of
from babysitter.limits import DEFAULT


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


def test_an_object_that_only_looks_a_little_like_an_envelope_is_an_answer() -> None:
    assert text_of(b'{"type": "result", "count": 1}', DEFAULT) == '{"type": "result", "count": 1}'


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(InvalidInput, match="not UTF-8"):
        text_of(b"\xff", DEFAULT)
