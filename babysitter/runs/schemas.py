"""JSON Schema, in one place: jsonschema is imported only when there is something to validate.

What does not fit is told in the words of whoever wrote the value, who need not know JSON Schema.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

MOST_PROBLEMS = 10
PROBLEM_LENGTH = 300
VALUE_LENGTH = 80
TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


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
    found = sorted(errors, key=lambda error: list(map(str, error.absolute_path)))
    told = [
        text[:PROBLEM_LENGTH] for error in found[:MOST_PROBLEMS] for text in _told(error, error.absolute_path)
    ]
    return told[:MOST_PROBLEMS]


def needed(place: str) -> str:
    """What is said of a name that is missing."""
    return f"{place} is needed"


def unknown(place: str, name: str, known: Iterable[str]) -> str:
    """What is said of a name that nobody knows; ``known`` are those at its place."""
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), n=1)
    return f"{place} is not known{f', did you mean {near[0]!r}?' if near else ''}"


def place_of(path: Iterable[str | int]) -> str:
    """Where something is: ``lines[1].text``; empty for the whole value."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".")


def _told(error: Any, path: Iterable[str | int]) -> Iterator[str]:
    """A line for each thing that is wrong at a place."""
    tell = _TELLERS.get(error.validator)
    if tell is not None:
        yield from tell(error, path)
        return
    place = place_of(path)
    text = _WORDS[error.validator](error) if error.validator in _WORDS else error.message
    yield f"{place}: {text}" if place else text


def _missing(error: Any, path: Iterable[str | int]) -> Iterator[str]:
    if not isinstance(error.validator_value, list):
        # In the third draft it is the schema of a value itself that says so.
        yield needed(place_of(path))
        return
    # Each missing name is an error of its own, and only its message says which.
    for name in error.validator_value:
        if error.message.startswith(f"{name!r} "):
            yield needed(place_of([*path, name]))


def _surplus(error: Any, path: Iterable[str | int]) -> Iterator[str]:
    import re

    known, patterns = error.schema.get("properties", {}), error.schema.get("patternProperties", {})
    for name in error.instance:
        if name not in known and not any(re.search(pattern, name) for pattern in patterns):
            yield unknown(place_of([*path, name]), name, known)


def _of_type(error: Any) -> str:
    return f"{_value(error.instance)} is not {_wanted(error)}"


def _wanted(error: Any) -> str:
    types = [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
    return " or ".join(
        TYPES.get(each, each) if isinstance(each, str) else "what it is to be" for each in types
    )


def _among(error: Any) -> str:
    return f"{_value(error.instance)} is not one of {', '.join(map(_value, error.validator_value))}"


def _alternatives(error: Any) -> str:
    if not error.context:
        # Of `oneOf`: more than one fits.
        return str(error.message)
    if all(each.validator == "type" and not each.relative_path for each in error.context):
        return f"{_value(error.instance)} is not {' or '.join(dict.fromkeys(map(_wanted, error.context)))}"
    told = dict.fromkeys(text for each in error.context for text in _told(each, each.relative_path))
    return f"{_value(error.instance)} fits none of what is allowed ({'; or '.join(told)})"


def _value(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= VALUE_LENGTH else f"{text[:VALUE_LENGTH]}…"


_TELLERS: dict[str, Callable[[Any, Iterable[str | int]], Iterator[str]]] = {
    "required": _missing,
    "additionalProperties": _surplus,
}
_WORDS: dict[str, Callable[[Any], str]] = {
    "type": _of_type,
    "enum": _among,
    "anyOf": _alternatives,
    "oneOf": _alternatives,
}
