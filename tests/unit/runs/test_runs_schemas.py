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
        "at": {
            "required": ["host"],
            "properties": {"port": {"anyOf": [{"type": "number"}, {"type": "null"}]}},
        },
    },
    "patternProperties": {"^x_": {}},
    "additionalProperties": False,
    "required": ["verdict"],
}


def test_a_value_that_fits_has_no_misfits() -> None:
    assert misfits(REVIEW, {"verdict": "good", "lines": [1, 2]}) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, ["verdict is needed"]),
        ({"verdict": "so-so"}, ["verdict: 'so-so' is not one of 'good', 'bad'"]),
        ({"verdict": "bad", "lines": [1, "2"]}, ["lines[1]: '2' is not a whole number"]),
        ("good", ["'good' is not an object"]),
        (
            {"lines": 3, "verdcit": "bad"},
            ["verdcit is not known, did you mean 'verdict'?", "verdict is needed", "lines: 3 is not a list"],
        ),
        ({"verdict": "bad", "x_more": 1, "other": 1}, ["other is not known"]),
        (
            {"verdict": "bad", "at": {"port": "p"}},
            ["at.host is needed", "at.port: 'p' is not a number or null"],
        ),
    ],
)
def test_a_misfit_says_where_and_what(value: Any, said: list[str]) -> None:
    assert misfits(REVIEW, value) == said


@pytest.mark.parametrize(
    ("alternatives", "value", "said"),
    [
        ([{"type": "integer"}, {"type": "null"}], "a", "'a' is not a whole number or null"),
        (
            [{"type": "integer"}, {"required": ["z"]}],
            {},
            "{} fits none of what is allowed ({} is not a whole number; or z is needed)",
        ),
        (
            [{"type": "integer"}, {"minimum": 1}],
            2,
            "2 is valid under each of {'minimum': 1}, {'type': 'integer'}",
        ),
    ],
)
def test_a_value_that_fits_no_alternative_is_told_all_of_them(
    alternatives: list[Any], value: Any, said: str
) -> None:
    assert misfits({"properties": {"n": {"oneOf": alternatives}}}, {"n": value}) == [f"n: {said}"]


def test_a_long_value_is_told_in_short() -> None:
    (said,) = misfits({"type": "object"}, ["a"] * 1000)
    assert (len(said) < 120, said.endswith("… is not an object")) == (True, True)


def test_what_an_old_draft_says_in_its_own_way_is_told_as_well() -> None:
    old = {"$schema": "http://json-schema.org/draft-03/schema#"}
    assert misfits({**old, "properties": {"a": {"required": True}}}, {}) == ["a is needed"]
    assert misfits({**old, "type": ["string", {"type": "integer"}]}, {}) == [
        "{} is not a text or what it is to be"
    ]


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
    assert (misfits(schema, ["a"]), misfits(schema, [1])) == ([], ["[0]: 1 is not a text"])


@pytest.mark.parametrize("draft", ["http://json-schema.org/draft-07/schema#", "urn:unknown"])
def test_the_draft_that_a_schema_names_is_used_where_it_is_known(draft: str) -> None:
    assert misfits({"$schema": draft, "type": "integer"}, 1) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [({}, ["a is needed", "b is needed"]), ({"a": 1}, ["b is needed"]), ({"b": 1}, ["a is needed"])],
)
def test_of_several_that_are_needed_those_that_are_missing_are_told(
    value: dict[str, int], said: list[str]
) -> None:
    assert sorted(misfits({"required": ["a", "b"]}, value)) == said
