"""What every test gets: its own babysitter home, and no trace of an agent host it may be run by."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from pathlib import Path

# A busy machine is slow now and then; no test is about how long an example takes.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

HOSTS = ("AI_AGENT", "CLAUDE", "CODEX_", "COPILOT_", "CURSOR_", "GEMINI_", "OPENCODE", "PLUGIN_")
TERMINAL = ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as $BABYSITTER_HOME, in an environment without variables that change behaviour."""
    for name in list(os.environ):
        if name.startswith(("BABYSITTER_", *HOSTS, *TERMINAL)):
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("BABYSITTER_HOME", str(folder))
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder, which is the working directory."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
