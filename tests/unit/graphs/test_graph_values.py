"""Values that fit a schema."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field

from babysitter.graphs.values import value_for
from babysitter.runs.schemas import misfits


class Defect(BaseModel):
    file: str = Field(min_length=3)
    line: int = Field(ge=1)
    note: str | None = None


class Review(BaseModel):
    verdict: str = Field(pattern="^s")
    defects: list[Defect]
    best: Defect | None


EXPECTED: list[tuple[Any, Any]] = [
    ({"type": "string"}, "stub"),
    ({"type": "string", "minLength": 6}, "stub.."),
    ({"type": "string", "maxLength": 2}, "st"),
    ({"type": "string", "format": "date"}, "2026-01-01"),
    ({"type": "integer"}, 0),
    ({"type": "integer", "minimum": 3}, 3),
    ({"type": "number", "maximum": -2}, -2),
    ({"type": "number", "exclusiveMinimum": 1}, 2),
    ({"type": "integer", "minimum": 7, "multipleOf": 5}, 10),
    ({"type": "boolean"}, True),
    ({"type": "null"}, None),
    ({"type": ["integer", "null"]}, 0),
    ({"enum": ["good", "bad"]}, "good"),
    ({"const": 7}, 7),
    ({"type": "array", "items": {"type": "integer"}}, [0]),
    ({"type": "array", "items": {"type": "integer"}, "minItems": 3}, [0, 0, 0]),
    ({"type": "array", "maxItems": 0}, []),
    ({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {}}}, {"a": 0}),
    ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None),
    ({"allOf": [{"type": "object", "required": ["a"]}, {"required": ["b"]}]}, {"a": "stub", "b": "stub"}),
    ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer", "minimum": 2}}}, 2),
]


@pytest.mark.parametrize(("schema", "value"), EXPECTED)
def test_a_value_fits_its_schema_and_is_small(schema: Any, value: Any) -> None:
    assert (value_for(schema), misfits(schema, value_for(schema))) == (value, [])


def test_a_pydantic_model_takes_its_value() -> None:
    value = value_for(Review.model_json_schema())
    assert Review.model_validate(value).defects[0].line == 1


def test_a_schema_that_refers_to_itself_comes_to_an_end() -> None:
    schema = {"$ref": "#/$defs/t", "$defs": {"t": {"type": "object", "required": ["t"]}}}
    schema["$defs"]["t"]["properties"] = {"t": {"$ref": "#/$defs/t"}}  # type: ignore[index]
    assert "t" in value_for(schema)
