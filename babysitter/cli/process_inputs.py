"""What a process says of its inputs."""

from __future__ import annotations

from typing import Any

from babysitter.jsontext import compact


def input_lines(schema: Any) -> list[str]:
    """The inputs, one in a line, for people; nothing of what is no schema."""
    needed, lines = needed_inputs(schema), []
    for name, rule in _mapping(_mapping(schema).get("properties")).items():
        told = _mapping(rule)
        default = f" (default: {compact(told['default'])})" if "default" in told else ""
        mark = " (needed)" if name in needed else default
        lines.append(f"  {name}: {told.get('description', told.get('type', ''))}{mark}")
    return ["inputs:", *lines] if lines else []


def needed_inputs(schema: Any) -> list[str]:
    """The names of those without which it cannot begin."""
    needed = _mapping(schema).get("required")
    return [name for name in needed if isinstance(name, str)] if isinstance(needed, list) else []


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
