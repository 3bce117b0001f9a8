"""JSON Schema, in one place: jsonschema is imported only when there is something to validate."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST_PROBLEMS = 10
PROBLEM_LENGTH = 300


def misfits(schema: Any, value: Any) -> list[str]:
    """Where and how a value does not fit a schema; empty when it fits.

    A schema that is none, or cannot be applied, fits nothing, and that is said. Nothing that it
    refers to is fetched from anywhere.
    """
    from jsonschema import SchemaError

    try:
        return _misfits(schema, value)
    except SchemaError as error:
        return [f"the schema itself is not valid JSON Schema: {error.message[:PROBLEM_LENGTH]}"]
    except Exception as error:
        # A reference that leads nowhere or to itself, a pattern that is none.
        return [f"the schema cannot be applied: {type(error).__name__}: {str(error)[:PROBLEM_LENGTH]}"]


def is_schema(value: Any) -> bool:
    """Whether a value is valid JSON Schema."""
    from jsonschema import Draft202012Validator, SchemaError
    from jsonschema.validators import validator_for

    try:
        validator_for(value, default=Draft202012Validator).check_schema(value)
    except (SchemaError, TypeError, RecursionError):
        return False
    return True


def _misfits(schema: Any, value: Any) -> list[str]:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for
    from referencing import Registry

    checker = validator_for(schema, default=Draft202012Validator)
    checker.check_schema(schema)
    # With a registry of its own it knows its own definitions only; without one it would ask the network.
    errors = checker(schema, registry=Registry()).iter_errors(value)
    told = sorted(errors, key=lambda error: list(map(str, error.absolute_path)))
    return [
        f"{_place(error.absolute_path)}: {error.message[:PROBLEM_LENGTH]}" for error in told[:MOST_PROBLEMS]
    ]


def _place(path: Any) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".") or "value"
