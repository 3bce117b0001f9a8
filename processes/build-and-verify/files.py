"""Read a project's files; what is absent or broken reads as empty."""

from __future__ import annotations

import os
from typing import Any


def read(root: str, path: str) -> str:
    try:
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def load(text: str, parse: Any) -> dict[str, Any]:
    """What a file holds; nothing where it is absent or broken, which the build will tell better."""
    try:
        loaded = parse(text)
    except (ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}
