"""What a repository suggests counts once its user has trusted exactly these bytes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from babysitter.errors import InvalidInput
from babysitter.ids import sha256_hex
from babysitter.trust import CONFIG, distrust_of, is_trusted, revoke, suggested, trust, trusted

if TYPE_CHECKING:
    from pathlib import Path

START = os.path.join(".a5c", "hooks", "inner", "on-start")


@pytest.fixture
def here(project: Path) -> str:
    """A project that suggests a configuration and a hook."""
    for name, content in ((CONFIG, b"jobs: 1\n"), (START, b"#!/bin/sh\n")):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_bytes(content)
    return str(project)


def test_the_configuration_and_all_hooks_are_suggested(here: str) -> None:
    assert suggested(here) == {CONFIG: sha256_hex(b"jobs: 1\n"), START: sha256_hex(b"#!/bin/sh\n")}


def test_a_project_may_suggest_nothing(tmp_path: Path) -> None:
    assert suggested(str(tmp_path)) == {}


def test_nothing_is_trusted_by_itself(here: str) -> None:
    assert (trusted(here), is_trusted(here, CONFIG, b"jobs: 1\n")) == ({}, False)


def test_what_is_trusted_is_trusted_with_its_content(here: str) -> None:
    trust(here, suggested(here))
    told = [is_trusted(here, *each) for each in ((CONFIG, b"jobs: 1\n"), (CONFIG, b"jobs: 2\n"))]
    assert (told, is_trusted(here, START, b"jobs: 1\n")) == ([True, False], False)


def test_trust_in_one_project_is_none_in_another(here: str, tmp_path: Path) -> None:
    trust(here, suggested(here))
    assert not is_trusted(str(tmp_path), CONFIG, b"jobs: 1\n")


def test_a_project_is_the_same_by_another_path(here: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(here)
    trust(str(tmp_path / "link"), suggested(here))
    assert is_trusted(here, CONFIG, b"jobs: 1\n")


def test_trust_is_taken_back_for_that_project_alone(here: str, tmp_path: Path) -> None:
    trust(here, suggested(here))
    trust(str(tmp_path), {"x": "1"})
    assert ([revoke(here), revoke(here)], trusted(here), trusted(str(tmp_path))) == (
        [True, False],
        {},
        {"x": "1"},
    )


@pytest.mark.parametrize("content", ["{", "[" * 100_000])
def test_a_list_that_cannot_be_read_is_not_overwritten(here: str, home: Path, content: str) -> None:
    (home / "trusted.json").write_text(content)
    with pytest.raises(InvalidInput, match=r"trusted\.json' cannot be read"):
        trust(here, {})
    assert (home / "trusted.json").read_text() == content


def test_something_else_in_its_place_is_no_trust(here: str, home: Path) -> None:
    (home / "trusted.json").write_text(json.dumps({os.path.realpath(here): ["all"]}))
    assert trusted(here) == {}


def test_a_hook_says_what_is_missing_to_trust_it(here: str, project: Path) -> None:
    beside = project / ".a5c" / "hooks" / "functions.sh"
    told = [distrust_of(here, START)]
    trust(here, suggested(here))
    told.append(distrust_of(here, START))
    beside.write_text("")
    told.append(distrust_of(here, START))
    trust(here, suggested(here))
    told.append(distrust_of(here, START))
    beside.write_text("x")
    told.append(distrust_of(here, START))
    beside.unlink()
    told.append(distrust_of(here, START))
    (project / START).write_text("x")
    told.append(distrust_of(here, START))
    name = os.path.join(".a5c", "hooks", "functions.sh")
    assert told == [
        "it is not trusted",
        "",
        f"{name} is not trusted",
        "",
        f"{name} is not as it was when it was trusted",
        f"{name} is not as it was when it was trusted",
        "it is not as it was when it was trusted",
    ]


def test_another_hook_that_nobody_trusts_takes_no_trust_away(here: str, project: Path) -> None:
    trust(here, suggested(here))
    (project / START).with_name("another").write_text("")
    assert distrust_of(here, START) == ""
