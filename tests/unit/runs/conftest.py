"""A project for each test, and an interpreter that forgets the project's modules afterwards."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from projects import Project

from tests.support.asking import Clock, Question

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def project(project: Path) -> Project:
    return Project(project)


@pytest.fixture
def question(project: Project, monkeypatch: pytest.MonkeyPatch) -> Question:
    """A run with a question can be made; time passes only when the test lets it."""
    clock = Clock()
    monkeypatch.setattr("babysitter.runs.run.now_ms", clock)
    return Question(project.folder, clock)


@pytest.fixture(autouse=True)
def forget_the_process() -> Iterator[None]:
    finders, modules = list(sys.meta_path), set(sys.modules)
    yield
    for finder in sys.meta_path[:]:
        for name in getattr(finder, "loaded", []) if finder not in finders else []:
            if name not in modules:
                sys.modules.pop(name, None)
    sys.meta_path[:] = finders
