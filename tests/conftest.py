"""What every test gets: its own babysitter home, and no trace of an agent host it may be run by."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# A busy machine is slow now and then; no test is about how long an example takes.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

HOSTS = ("AI_AGENT", "CLAUDE", "CODEX_", "COPILOT_", "CURSOR_", "GEMINI_", "OPENCODE", "PLUGIN_")
TERMINAL = ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


COUNT = "count"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--torture", action="store_true", help="the long form of the tests that kill, fill and damage"
    )


def pytest_configure() -> None:
    # A shell that starts the tests in the background lets them ignore Ctrl-C, and so all that they start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def torture(request: pytest.FixtureRequest) -> bool:
    """Whether a test that has a long form is to take it."""
    return bool(request.config.getoption("--torture"))


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Callable[[str, int], None]:
    """Count what a test has tried, as in ``count("kills", 12)``; the sums stand at the end of the output."""
    return lambda what, number: record_property(COUNT, [what, number])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    sums: dict[str, int] = {}
    reports = [report for group in terminalreporter.stats.values() for report in group]
    for report in reports:
        if getattr(report, "when", None) == "call":
            for name, value in report.user_properties:
                if name == COUNT:
                    sums[value[0]] = sums.get(value[0], 0) + value[1]
    for what, number in sorted(sums.items()):
        terminalreporter.write_line(f"tried: {number:,} {what}")


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
