"""How a Python tool that is missing is installed, in the project's own way where it has one."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from executables import Executables
    from project import Project

# What installs, and the words for a group and for an extra that it does not install by itself.
LOCKS = (
    ("uv.lock", "uv sync", "--group", "--extra"),
    ("poetry.lock", "poetry install", "--with", "--extras"),
    ("pdm.lock", "pdm sync", "--group", "--group"),
)
# Installed without being asked for by name.
ALWAYS = "dev"


def advice(name: str, project: Project, tools: Executables) -> str:
    """The command that brings a tool; that of the lock file only where it would bring this one."""
    for lock, command, group, extra in LOCKS:
        if project.has(lock) and name in project.requirements:
            words = place_of(name, project, group, extra)
            return " ".join([command, *words])
    if project.has("uv.lock") and tools.environment:
        return f"uv pip install {name}"
    return f"{shown(tools)} -m pip install {name}"


def place_of(name: str, project: Project, group: str, extra: str) -> list[str]:
    """The words for the group or extra that has it; none where it comes by itself, or stands elsewhere."""
    for option, place in ((group, "dependency-groups"), (extra, "project.optional-dependencies")):
        table = project.table(place)
        lists = table.items() if isinstance(table, dict) else ()
        holding = [key for key, listed in lists if isinstance(listed, list) and has(listed, name)]
        if holding:
            return [] if ALWAYS in holding and option == group else [option, holding[0]]
    return []


def has(listed: list[object], name: str) -> bool:
    texts = [text for text in listed if isinstance(text, str)]
    return any(re.match(rf"\s*{re.escape(name)}\b(?!-)", text, re.IGNORECASE) for text in texts)


def shown(tools: Executables) -> str:
    """The project's Python as one would type it in the project's folder."""
    return "python3" if tools.is_of_path else tools.python.removeprefix(tools.root + os.sep)
