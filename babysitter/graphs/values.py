"""From a JSON Schema to a small value that fits it."""

from __future__ import annotations

from typing import Any

DEEPEST = 12
TEXT = "stub"
# What a text with a format is.
FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T09:00:00Z",
    "email": "stub@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-8000-8000-000000000000",
}


def value_for(schema: Any, *, is_high: bool = False) -> Any:
    """A small value that fits, as far as that can be seen without trying.

    Small, but for lists: they have one item, and what is true or false is true, so that
    more of a process is seen. ``is_high``: numbers that have a highest are that.
    """
    return _value(_raised(schema) if is_high else schema, schema, 0)


def _raised(schema: Any) -> Any:
    """The schema with the highest number as the only one."""
    if isinstance(schema, list):
        return [_raised(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") in ("number", "integer") and "maximum" in schema:
        return {"const": schema["maximum"]}
    return {name: _raised(rule) for name, rule in schema.items()}


def _value(schema: Any, root: Any, depth: int) -> Any:
    if not isinstance(schema, dict) or depth > DEEPEST:
        return None
    for name, of in (("const", _itself), ("default", _itself), ("enum", _first), ("examples", _first)):
        if name in schema:
            return of(schema[name])
    if "$ref" in schema:
        return _value(_referred(schema["$ref"], root), root, depth + 1)
    for name in ("anyOf", "oneOf"):
        if schema.get(name):
            return _value({**_without(schema, name), **schema[name][0]}, root, depth + 1)
    if schema.get("allOf"):
        return _value(_together(schema, root), root, depth + 1)
    return _of_type(_type(schema), schema, root, depth)


def _itself(value: Any) -> Any:
    return value


def _first(values: Any) -> Any:
    return values[0] if values else None


def _without(schema: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: rule for key, rule in schema.items() if key != name}


def _together(schema: dict[str, Any], root: Any) -> dict[str, Any]:
    """All parts of an ``allOf`` in one."""
    merged = _without(schema, "allOf")
    for part in schema["allOf"]:
        resolved = _referred(part["$ref"], root) if "$ref" in part else part
        properties = {**merged.get("properties", {}), **resolved.get("properties", {})}
        required = [*merged.get("required", []), *resolved.get("required", [])]
        merged = {**merged, **resolved, "properties": properties, "required": required}
    return merged


def _referred(reference: Any, root: Any) -> Any:
    """What a reference within the schema leads to; nothing is fetched from elsewhere."""
    found = root
    for part in str(reference).removeprefix("#").strip("/").split("/"):
        if part:
            found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    return found


def _type(schema: dict[str, Any]) -> str:
    told = schema.get("type")
    if isinstance(told, list):
        told = told[0] if told else None
    if told is None:
        by_word = {"properties": "object", "required": "object", "items": "array", "minimum": "number"}
        told = next((kind for word, kind in by_word.items() if word in schema), "string")
    return str(told)


def _of_type(kind: str, schema: dict[str, Any], root: Any, depth: int) -> Any:
    if kind == "object":
        return _object(schema, root, depth)
    if kind == "array":
        return _array(schema, root, depth)
    if kind in ("number", "integer"):
        return _number(schema)
    if kind == "boolean":
        return True
    return None if kind == "null" else _text(schema)


def _object(schema: dict[str, Any], root: Any, depth: int) -> dict[str, Any]:
    properties = schema.get("properties", {})
    return {
        name: _value(properties.get(name, {"type": "string"}), root, depth + 1)
        for name in dict.fromkeys(schema.get("required", []))
    }


def _array(schema: dict[str, Any], root: Any, depth: int) -> list[Any]:
    first = [_value(each, root, depth + 1) for each in schema.get("prefixItems", [])]
    count = min(max(schema.get("minItems", 0), len(first), 1), schema.get("maxItems", 1 << 10))
    items = schema.get("items", {"type": "string"})
    return [*first, *(_value(items, root, depth + 1) for _ in range(count - len(first)))][:count]


def _number(schema: dict[str, Any]) -> float:
    if "exclusiveMinimum" in schema:
        return schema["exclusiveMinimum"] + 1  # type: ignore[no-any-return]
    step = schema.get("multipleOf", 1)
    lowest = max(0, schema["minimum"]) if "minimum" in schema else min(0, schema.get("maximum", 0))
    return -(-lowest // step) * step if step != 1 or isinstance(lowest, int) else lowest  # type: ignore[no-any-return]


def _text(schema: dict[str, Any]) -> str:
    if schema.get("format") in FORMATS:
        return FORMATS[schema["format"]]
    text = TEXT.ljust(schema.get("minLength", 0), ".")
    return text[: schema.get("maxLength", len(text))]
