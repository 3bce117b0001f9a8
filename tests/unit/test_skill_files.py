"""The SKILL.md of a process is read as people write it, and not believed further than that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from babysitter.errors import InvalidInput
from babysitter.library import list_all
from babysitter.skills import Skill, inputs_of, read_skill

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """---
name: deploy
description: Deploys it
when_to_use: Use it on Fridays.
argument-hint: "[env=staging]"
inputs:
  type: object
  properties: {env: {type: string}}
effects: [shell, breakpoint]
tags: deploy, release
---

How.
"""


def skill_of(folder: Path, text: str) -> Skill:
    (folder / "SKILL.md").write_text(text)
    skill = read_skill(str(folder))
    assert skill is not None
    return skill


def test_all_that_it_says_is_there(tmp_path: Path) -> None:
    skill = skill_of(tmp_path, WHOLE)
    assert (skill.name, skill.description, skill.when_to_use, skill.argument_hint, skill.body) == (
        "deploy",
        "Deploys it",
        "Use it on Fridays.",
        "[env=staging]",
        "How.",
    )
    assert (skill.inputs, skill.effects, skill.tags) == (
        {"type": "object", "properties": {"env": {"type": "string"}}},
        ["shell", "breakpoint"],
        ["deploy", "release"],
    )


def test_a_folder_without_one_has_none(tmp_path: Path) -> None:
    assert read_skill(str(tmp_path)) is None


@pytest.mark.parametrize("text", ["", "How.", "---", "---\n", "---\n---\n"])
def test_one_without_front_matter_says_nothing(tmp_path: Path, text: str) -> None:
    skill = skill_of(tmp_path, text)
    assert (skill.name, skill.description, skill.inputs, skill.effects, skill.tags) == ("", "", None, [], [])


def test_one_with_nothing_behind_its_front_matter_is_read(tmp_path: Path) -> None:
    assert skill_of(tmp_path, "---\ndescription: Deploys it\n---").description == "Deploys it"


@pytest.mark.parametrize(
    ("written", "text"), [("2024-01-01", "2024-01-01"), ("[a, b]", "['a', 'b']"), ("3", "3"), ("", "")]
)
def test_a_description_is_always_text(tmp_path: Path, written: str, text: str) -> None:
    assert skill_of(tmp_path, f"---\ndescription: {written}\n---\n").description == text


@pytest.mark.parametrize(
    ("written", "tags"),
    [("[a, 2]", ["a", "2"]), ("a", ["a"]), ("' a, ,b '", ["a", "b"]), ("", []), ("3", ["3"])],
)
def test_tags_are_a_list_of_texts(tmp_path: Path, written: str, tags: list[str]) -> None:
    assert skill_of(tmp_path, f"---\ntags: {written}\n---\n").tags == tags


def test_inputs_that_are_a_list_of_names_are_no_schema(tmp_path: Path) -> None:
    assert skill_of(tmp_path, "---\ninputs: [a, b]\n---\n").inputs is None


def test_the_line_of_a_key_counts_from_the_top_of_the_file(tmp_path: Path) -> None:
    skill = skill_of(tmp_path, WHOLE)
    assert [skill.line_of(key) for key in ("name", "tags", "nothing")] == [2, 10, 1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"---\na: [\n---\n", "is not YAML"),
        (b"---\na: \xff\n---\n", "is not UTF-8"),
        (b"---\n- a\n---\n", "is \\['a'\\]"),
        (b"---\ntext\n---", "is text"),
    ],
)
def test_one_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "SKILL.md").write_bytes(content)
    with pytest.raises(InvalidInput, match=rf"SKILL\.md' {said}") as caught:
        read_skill(str(tmp_path))
    assert "\n" not in caught.value.message


def test_every_shipped_process_says_what_it_is_for_and_when_to_use_it() -> None:
    skills = {entry.process_id: read_skill(entry.folder) for entry in list_all("/nowhere")}
    told = {name: skill for name, skill in skills.items() if skill is not None}
    assert {name for name in skills if name not in told or not told[name].description} == set()
    assert [name for name, skill in told.items() if not (skill.when_to_use and skill.tags)] == []
    assert {"quality-checks", "batch-files", "deploy-services", "build-and-verify"} <= set(told)


# What editors and people do to such files


@pytest.mark.parametrize(
    "content",
    [
        b"---\r\nname: deploy\r\ninputs: {type: object}\r\n---\r\nHow.\r\n",
        b"\xef\xbb\xbf---\nname: deploy\ninputs: {type: object}\n---\nHow.\n",
        b"--- \nname: deploy\ninputs: {type: object}\n---\t\nHow.\n",
    ],
)
def test_line_ends_marks_and_blanks_do_not_hide_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "SKILL.md").write_bytes(content)
    skill = read_skill(str(tmp_path))
    assert skill is not None
    assert (skill.name, skill.inputs, skill.body) == ("deploy", {"type": "object"}, "How.")


@pytest.mark.parametrize(
    ("written", "text"),
    [("0x" + "f" * 6000, "(a number too long to be shown)"), (r'"\uD800 a"', "? a"), ("[[1]]", "[[1]]")],
)
def test_what_cannot_be_shown_is_shown_as_something(tmp_path: Path, written: str, text: str) -> None:
    skill = skill_of(tmp_path, f"---\ndescription: {written}\ntags: [{written}]\n---\n")
    assert skill.description == text
    assert all(tag.encode() for tag in skill.tags)


@pytest.mark.parametrize(
    "content", [b"---\ndescription: do this: then that\n---\n", b"---\n- a\n---\n", b"\xff", b"a" * (2 << 20)]
)
def test_a_file_that_says_nothing_of_inputs_need_not_be_good(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "SKILL.md").write_bytes(content)
    assert inputs_of(str(tmp_path)) is None


def test_a_file_that_says_something_of_inputs_has_to_be(tmp_path: Path) -> None:
    (tmp_path / "SKILL.md").write_text("---\ndescription: do this: then that\ninputs: {type: object}\n---\n")
    with pytest.raises(InvalidInput, match="is not YAML"):
        inputs_of(str(tmp_path))
