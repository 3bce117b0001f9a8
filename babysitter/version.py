"""The version, from the manifest: the one place where it stands."""

from __future__ import annotations

import os

from babysitter.jsontext import loads
from babysitter.paths import plugin_root


def version() -> str:
    """The version of this copy of babysitter."""
    with open(os.path.join(plugin_root(), ".claude-plugin", "plugin.json"), "rb") as file:
        return str(loads(file.read())["version"])
