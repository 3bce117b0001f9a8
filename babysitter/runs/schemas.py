"""JSON Schema, in one place: jsonschema is imported only when there is something to validate."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST_PROBLEMS = 10


def misfits(schema: Any, value: Any) -> list[str]:
    """Where and how a value does not fit a schema; empty when it fits."""
    from jsonschema import SchemaError
    from jsonschema.validators import validator_for

    checker = validator_for(schema)
    try:
        checker.check_schema(schema)
    except SchemaError as error:
        return [f"the schema itself is not valid JSON Schema: {error.message}"]
    errors = sorted(checker(schema).iter_errors(value), key=lambda error: list(map(str, error.absolute_path)))
    return [f"{_place(error.absolute_path)}: {error.message[:300]}" for error in errors[:MOST_PROBLEMS]]


def _place(path: Any) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".") or "value"
