"""A process's inputs: checked when the run is created, defaults filled in.

What they are is said by ``Inputs`` of the process, a JSON Schema dict or a pydantic model; where it has
none, by ``inputs`` of the SKILL.md beside it.
"""

from __future__ import annotations

import os

from babysitter.errors import InvalidInput
from babysitter.library import PROCESS_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.runs.source import Source


def wanted_by(source: Source) -> Any:
    """What a process says of its inputs: a JSON Schema dict or a model; None when it says nothing.

    Raises:
        InvalidInput: its SKILL.md cannot be read, or what it says is not JSON.
    """
    found = getattr(source.module, "Inputs", None)
    return found if found is not None else _of_skill(source.file)


def schema_of(source: Source) -> Any:
    """The JSON Schema of a process's inputs, or None.

    Raises:
        InvalidInput: as ``wanted_by``.
        Exception: whatever a model raises that has no schema.
    """
    wanted = wanted_by(source)
    make_schema = getattr(wanted, "model_json_schema", None)
    return wanted if make_schema is None else make_schema()


def _of_skill(file: str) -> dict[str, Any] | None:
    # A SKILL.md is that of a process.py; any other file beside it is none of its.
    if os.path.basename(file) != PROCESS_FILE:
        return None
    from babysitter.jsontext import compact
    from babysitter.skills import inputs_of

    schema = inputs_of(os.path.dirname(os.path.abspath(file)))
    try:
        compact(schema).encode()
    except TypeError as error:
        raise _no_json(
            file, error, "YAML reads 2026-01-01 as a date; in quotation marks it is a text"
        ) from None
    except (ValueError, RecursionError) as error:
        raise _no_json(file, error) from None
    return schema


def _no_json(file: str, error: Exception, hint: str = "") -> InvalidInput:
    return InvalidInput(f"the inputs in SKILL.md beside {file!r} are no JSON: {error}", hint=hint)


def prepare(source: Source, given: Any, typed: dict[str, str] | None = None) -> Any:
    """The inputs to store: as given, or completed by what the process says of them.

    ``typed`` are those that a person typed, letter for letter: where the process
    wants a text, ``true`` and ``1.10`` are texts.

    Raises:
        InvalidInput: they do not fit; names each place.
        Exception: whatever a model's own validators raise that is no ValueError.
    """
    wanted = wanted_by(source)
    if wanted is None:
        return given
    if isinstance(wanted, dict):
        return _by_schema(wanted, _with_texts(wanted, given, typed))
    if hasattr(wanted, "model_validate"):
        return _by_model(wanted, _with_texts(wanted.model_json_schema(), given, typed) if typed else given)
    raise InvalidInput(
        f"Inputs in {source.file!r} is {wanted!r}; it is a JSON Schema dict or a pydantic model"
    )


def present(source: Source, stored: Any) -> Any:
    """What the process gets: a model instance when ``Inputs`` is a model, else the stored value."""
    wanted = getattr(source.module, "Inputs", None)
    validate = getattr(wanted, "model_validate", None)
    return validate(stored) if validate is not None else stored


def _with_texts(schema: dict[str, Any], given: Any, typed: dict[str, str] | None) -> Any:
    rules = _properties(schema)
    texts = {name: text for name, text in (typed or {}).items() if _is_text(rules.get(name))}
    return {**given, **texts} if texts else given


def _is_text(rule: Any) -> bool:
    return isinstance(rule, dict) and rule.get("type") == "string"


def _by_schema(schema: dict[str, Any], given: Any) -> Any:
    from babysitter.runs.schemas import misfits

    completed = {**_defaults(schema), **given} if isinstance(given, dict) else given
    problems = misfits(schema, completed)
    if problems:
        raise InvalidInput(f"the inputs do not fit the process: {'; '.join(problems)}", hint=_known(schema))
    return completed


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def _defaults(schema: dict[str, Any]) -> dict[str, Any]:
    rules = _properties(schema).items()
    return {name: rule["default"] for name, rule in rules if isinstance(rule, dict) and "default" in rule}


def _known(schema: dict[str, Any]) -> str:
    names = ", ".join(_properties(schema))
    return f"the process takes: {names}" if names else ""


def _by_model(model: Any, given: Any) -> Any:
    from pydantic import ValidationError

    from babysitter.runs.schemas import needed, place_of, unknown

    def told(error: Any) -> str:
        place = place_of(error["loc"])
        if error["type"] == "missing":
            return needed(place)
        if error["type"] == "extra_forbidden":
            return unknown(place, str(error["loc"][-1]), model.model_fields if len(error["loc"]) == 1 else ())
        return f"{place}: {error['msg']}" if place else str(error["msg"])

    try:
        return model.model_validate(given).model_dump(mode="json")
    except ValidationError as error:
        raise InvalidInput(
            f"the inputs do not fit the process: {'; '.join(map(told, error.errors()))}",
            hint=f"the process takes: {', '.join(model.model_fields)}",
        ) from None
