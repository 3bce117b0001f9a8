"""What a process says of its inputs."""

from __future__ import annotations

from typing import Any

from babysitter.jsontext import compact


def input_lines(schema: dict[str, Any]) -> list[str]:
    """The inputs, one in a line, for people."""
    needed = schema.get("required", [])
    lines = []
    for name, rule in schema.get("properties", {}).items():
        told = rule if isinstance(rule, dict) else {}
        default = f" (default: {compact(told['default'])})" if "default" in told else ""
        mark = " (needed)" if name in needed else default
        lines.append(f"  {name}: {told.get('description', told.get('type', ''))}{mark}")
    return ["inputs:", *lines] if lines else []
