"""What is wrong with the SKILL.md beside a process: nobody would find it, or be told what is not so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from babysitter.errors import BabysitterError
from babysitter.library import PROCESS_FILE
from babysitter.lint.findings import Finding, Span
from babysitter.lint.silence import COMMENT
from babysitter.skills import OF_HOST, OWN, SKILL_FILE, Skill, read_skill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet


def skill_findings(
    file: str, *, kinds: AbstractSet[str], has_inputs: bool, codes: AbstractSet[str]
) -> list[Finding]:
    """All that there is against it, in the order of its lines.

    ``kinds``: of effects that the process asks for; ``has_inputs``: it says in Python what its inputs are.
    """
    if os.path.basename(file) != PROCESS_FILE:
        return []
    folder = os.path.dirname(os.path.abspath(file))
    try:
        skill = read_skill(folder)
    except BabysitterError as error:
        found = [("BS701", "", " ".join(error.message.split()) + ", so it")]
        skill = Skill(os.path.join(folder, SKILL_FILE), "")
    else:
        found = list(_absent() if skill is None else _of(skill, folder, kinds, has_inputs=has_inputs))
        skill = skill or Skill(os.path.abspath(file), "")
    placed = [Finding(skill.file, _span(skill, key), code, what) for code, key, what in found]
    return sorted(each for each in placed if each.code in codes and not _is_silent(skill, each))


def _absent() -> Iterator[tuple[str, str, str]]:
    yield "BS701", "", f"the process has no {SKILL_FILE} beside it, so it"


def _of(
    skill: Skill, folder: str, kinds: AbstractSet[str], *, has_inputs: bool
) -> Iterator[tuple[str, str, str]]:
    missing = [key for key, text in (("name", skill.name), ("description", skill.description)) if not text]
    if not skill.matter:
        yield "BS701", "", f"{SKILL_FILE} does not begin with a line `---`, so the process"
    elif missing:
        yield "BS701", "", f"{SKILL_FILE} has no {' and no '.join(map(repr, missing))}, so the process"
    own = os.path.basename(folder)
    if skill.name and skill.name != own:
        yield "BS702", "name", f"the name {skill.name!r} is not that of the folder, {own!r}, and"
    for key in skill.matter:
        if key not in OF_HOST | OWN:
            yield "BS703", str(key), f"the key {str(key)!r}"
    lacking = ", ".join(map(repr, sorted(kinds - set(skill.effects))))
    if "effects" in skill.matter and lacking:
        yield "BS704", "effects", f"`effects` has no {lacking}, which the process asks for, and"
    if "inputs" in skill.matter and (has_inputs or not _is_schema(skill.inputs)):
        why = "stand beside `Inputs` of the process" if has_inputs else "are no JSON Schema"
        yield "BS705", "inputs", f"`inputs` {why}, and"


def _is_schema(value: object) -> bool:
    from babysitter.runs.schemas import is_schema

    return isinstance(value, dict) and is_schema(value)


def _span(skill: Skill, key: str) -> Span:
    line = skill.line_of(key) if key else 1
    lines = skill.text.splitlines()
    return Span(line, 1, line, len(lines[line - 1]) + 1 if lines else 1)


def _is_silent(skill: Skill, finding: Finding) -> bool:
    lines = skill.text.splitlines()[finding.span.line - 1 : finding.span.line]
    found = [each["codes"] or "" for line in lines for each in COMMENT.finditer(line)]
    return any(finding.code in [code.strip() for code in codes.split(",")] for codes in found)
