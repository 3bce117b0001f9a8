"""The real Claude Code, as far as it is on this machine, and the environment that a test starts it in."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED, INSTALLED, COMMAND = "CLAUDE_BIN", ROOT / ".host" / "node_modules" / ".bin" / "claude", "claude"
KEY = "sk-ant-fake-0000"
# Nothing of what is outside may reach a session, and no session may reach outside.
QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_BUG_COMMAND": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "NO_PROXY": "127.0.0.1,localhost",
}
# Read before the fixture takes variables of agent hosts away.
_NAMED = os.environ.get(NAMED)


def found() -> str | None:
    """The program: what $CLAUDE_BIN names, what ``scripts/host`` has installed, what is on the PATH."""
    if _NAMED:
        return _NAMED
    return str(INSTALLED) if os.access(INSTALLED, os.X_OK) else shutil.which(COMMAND)


def program() -> str:
    """The program; a test that needs it is skipped where it is missing."""
    path = found()
    if path is None:
        pytest.skip("no Claude Code on this machine; scripts/host installs it, or CLAUDE_BIN names one")
    return path


needs_host = pytest.mark.skipif(
    found() is None,
    reason="no Claude Code on this machine; scripts/host installs it, or CLAUDE_BIN names one",
)


def environment(home: Path, url: str, **more: str) -> dict[str, str]:
    """The variables of a session: of ours only what a program needs to run at all."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "BABYSITTER_HOME") if name in os.environ}
    own = {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": url,
    }
    return {**kept, **QUIET, **own, **more}
