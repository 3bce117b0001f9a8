"""What `process check` has against a SKILL.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from babysitter.lint.linter import look_through
from babysitter.lint.rules import BY_CODE
from babysitter.lint.skill_file import skill_findings

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "---\nname: deploy\ndescription: Deploys it\neffects: [shell]\n---\n\nHow.\n"
ALL = frozenset(BY_CODE)


def found(folder: Path, skill: str | None, *, has_inputs: bool = False) -> list[tuple[str, int, str]]:
    (folder / "deploy").mkdir()
    (folder / "deploy" / "process.py").write_text("async def process(inputs, ctx): pass\n")
    if skill is not None:
        (folder / "deploy" / "SKILL.md").write_text(skill)
    findings = skill_findings(
        str(folder / "deploy" / "process.py"), kinds={"shell"}, has_inputs=has_inputs, codes=ALL
    )
    return [(each.code, each.span.line, each.file.rpartition("/")[2]) for each in findings]


def test_a_good_one_gives_no_alarm(tmp_path: Path) -> None:
    assert found(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("name: deploy\n", "", "BS701", 1),
        ("description: Deploys it", "description: ''", "BS701", 1),
        ("name: deploy", "name: [", "BS701", 1),
        ("name: deploy", "name: deployment", "BS702", 2),
        ("effects", "when-to-use: always\neffects", "BS703", 4),
        ("[shell]", "[python]", "BS704", 4),
        ("effects: [shell]", "effects: [shell]\ninputs: [a, b]", "BS705", 5),
        ("effects: [shell]", "effects: [shell]\ninputs: {required: 3}", "BS705", 5),
        ("---\nname", "name", "BS701", 1),
    ],
)
def test_a_bad_one_is_found_with_its_line(tmp_path: Path, old: str, new: str, code: str, line: int) -> None:
    assert found(tmp_path, GOOD.replace(old, new)) == [(code, line, "SKILL.md")]


def test_none_is_found_at_the_process(tmp_path: Path) -> None:
    assert found(tmp_path, None) == [("BS701", 1, "process.py")]


def test_effects_that_are_not_told_at_all_are_not_missed(tmp_path: Path) -> None:
    assert found(tmp_path, GOOD.replace("effects: [shell]\n", "")) == []


def test_a_schema_counts_only_without_inputs_of_the_process(tmp_path: Path) -> None:
    skill = GOOD.replace("effects", "inputs: {type: object}\neffects")
    assert found(tmp_path, skill, has_inputs=True) == [("BS705", 4, "SKILL.md")]
    (tmp_path / "other").mkdir()
    assert found(tmp_path / "other", skill) == []


def test_a_comment_silences_a_code_on_its_line(tmp_path: Path) -> None:
    skill = GOOD.replace("name: deploy", "name: other # babysitter: ignore[BS702] it is known so")
    assert found(tmp_path, skill) == []


def test_a_file_by_another_name_needs_no_skill(tmp_path: Path) -> None:
    assert skill_findings(str(tmp_path / "a.py"), kinds=set(), has_inputs=False, codes=ALL) == []


SOURCE = """
from babysitter import agent, shell as command
import babysitter.patterns as patterns
from beside import count

@command(timeout=9)
def build(): return "make"

def wait(ctx): return ctx.sleep("1m")

async def process(inputs, ctx):
    await wait(ctx)
    await patterns.gates(ctx, {})
    await ctx.task(count)
    await ctx.{call}
"""
BESIDE = "from babysitter import python\n\n@python\ndef count() -> int: return 1\n"


@pytest.mark.parametrize(
    ("call", "kind"),
    [("breakpoint('Go?')", "breakpoint"), ("subprocess('a', {})", "subprocess"), ("sleep_until(1)", "sleep")],
)
def test_kinds_of_effects_are_seen_in_the_source(tmp_path: Path, call: str, kind: str) -> None:
    (tmp_path / "process.py").write_text(SOURCE.replace("{call}", call))
    (tmp_path / "beside.py").write_text(BESIDE)
    assert look_through(str(tmp_path / "process.py")).kinds == {"shell", "python", "sleep", kind}


def test_only_what_is_looked_for_is_found(tmp_path: Path) -> None:
    (tmp_path / "process.py").write_text("async def process(inputs, ctx): pass\n")
    (tmp_path / "SKILL.md").write_text("---\nname: other\nunknown: 1\n---\n")
    file = str(tmp_path / "process.py")
    found = skill_findings(file, kinds=set(), has_inputs=False, codes=frozenset({"BS703"}))
    assert [each.code for each in found] == ["BS703"]
