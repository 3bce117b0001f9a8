from __future__ import annotations

import socket
from typing import Any

import pytest

from babysitter.runs.schemas import misfits

REVIEW = {
    "type": "object",
    "properties": {
        "verdict": {"enum": ["good", "bad"]},
        "lines": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["verdict"],
}


def test_a_value_that_fits_has_no_misfits() -> None:
    assert misfits(REVIEW, {"verdict": "good", "lines": [1, 2]}) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, ["value: 'verdict' is a required property"]),
        ({"verdict": "so-so"}, ["verdict: 'so-so' is not one of ['good', 'bad']"]),
        ({"verdict": "bad", "lines": [1, "2"]}, ["lines[1]: '2' is not of type 'integer'"]),
        ("good", ["value: 'good' is not of type 'object'"]),
    ],
)
def test_a_misfit_says_where_and_what(value: Any, said: list[str]) -> None:
    assert misfits(REVIEW, value) == said


def test_only_the_first_misfits_are_told() -> None:
    assert len(misfits({"items": {"type": "string"}}, list(range(100)))) == 10


@pytest.mark.parametrize(
    "schema", [{"type": "nope"}, {"pattern": "("}, 5, "text", {"$ref": "#/$defs/absent"}, {"$ref": "#"}]
)
def test_a_schema_that_is_none_fits_nothing_and_says_so(schema: Any) -> None:
    (said,) = misfits(schema, "value")
    assert said.startswith(("the schema itself is not valid", "the schema cannot be applied"))


def test_a_schema_is_never_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    (said,) = misfits({"$ref": "http://127.0.0.1:9/schema.json"}, "value")
    assert "Unresolvable" in said


def test_a_schema_may_refer_to_its_own_definitions() -> None:
    schema = {"$defs": {"name": {"type": "string"}}, "items": {"$ref": "#/$defs/name"}}
    assert (misfits(schema, ["a"]), misfits(schema, [1])) == ([], ["[0]: 1 is not of type 'string'"])


@pytest.mark.parametrize("draft", ["http://json-schema.org/draft-07/schema#", "urn:unknown"])
def test_the_draft_that_a_schema_names_is_used_where_it_is_known(draft: str) -> None:
    assert misfits({"$schema": draft, "type": "integer"}, 1) == []
