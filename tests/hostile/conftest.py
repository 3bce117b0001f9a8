"""A run whose values and definitions have files of their own, and a folder outside of it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from ground import Ground, build

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "project"
    folder.mkdir()
    build(folder)
    return folder


@pytest.fixture
def ground(template: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Ground:
    shutil.copytree(template, tmp_path / "project", copy_function=shutil.copy2)
    (tmp_path / "outside").mkdir(0o700)
    (home / "config.yaml").write_text("limits: {inlineBytes: 0}\n")
    monkeypatch.chdir(tmp_path / "project")
    return Ground(tmp_path)
