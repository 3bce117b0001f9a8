"""What the skills say is true: their front matter, their inputs, their commands."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, cast

import click
import pytest
import yaml
from small_projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

PROCESSES = sorted(path.name for path in (ROOT / "processes").iterdir() if (path / "process.py").exists())
SKILLS = sorted((ROOT / "skills").glob("*/SKILL.md")) + sorted((ROOT / "processes").glob("*/SKILL.md"))
# What a skill says at once, and what is read when it is needed.
TEXTS = sorted((ROOT / "skills").glob("*/*.md")) + sorted((ROOT / "processes").glob("*/*.md"))
LONGEST_DESCRIPTION = 1024


KEYS_OF_TEXT = ("name", "description", "argument-hint", "when_to_use")
KEYS_OF_LISTS = ("allowed-tools", "effects", "tags")
KNOWN = {*KEYS_OF_TEXT, *KEYS_OF_LISTS, "disable-model-invocation"}
COMMANDS = ["approve", "call", "doctor", "forever", "help", "plan", "resume", "status", "yolo"]


class Strict(yaml.SafeLoader):
    """Refuses what YAML lets pass and nobody means: a key that stands there twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        assert len(keys) == len(set(keys)), keys
        return super().construct_mapping(node, deep)


def front_matter(skill: Path) -> dict[str, Any]:
    """What stands between the first two lines of dashes; the host drops in silence what it cannot read."""
    first, matter, body = re.split(r"^---\n", skill.read_text("utf-8"), maxsplit=2, flags=re.MULTILINE)
    assert (first, body.strip() != "") == ("", True)
    loaded: dict[str, Any] = yaml.load(matter, Strict)  # noqa: S506 - it is the safe one
    return loaded


@pytest.mark.parametrize("skill", SKILLS, ids=lambda skill: skill.parent.name)
def test_a_skill_is_named_for_its_folder_and_described(skill: Path) -> None:
    told = front_matter(skill)
    assert (told["name"], 0 < len(told["description"]) <= LONGEST_DESCRIPTION) == (skill.parent.name, True)


@pytest.mark.parametrize("skill", SKILLS, ids=lambda skill: skill.parent.name)
def test_front_matter_has_only_what_is_known_and_in_its_type(skill: Path) -> None:
    told = front_matter(skill)
    texts = [told[name] for name in KEYS_OF_TEXT if name in told]
    texts += [text for name in KEYS_OF_LISTS for text in told.get(name, [])]
    assert (set(told) - KNOWN, {type(text) for text in texts}) == (set(), {str})


def test_what_only_people_may_type_cannot_be_called_by_a_model() -> None:
    closed = [
        path.parent.name for path in SKILLS if front_matter(path).get("disable-model-invocation") is True
    ]
    assert sorted(closed) == COMMANDS


def test_the_hook_of_typed_commands_hears_of_those_that_it_acts_on() -> None:
    from babysitter.hooks.commands import GRANTS

    hooks = json.loads((ROOT / "hooks" / "hooks.json").read_text())["hooks"]
    (matcher,) = [each["matcher"] for each in hooks["UserPromptExpansion"]]
    heard = [name for name in COMMANDS if re.fullmatch(matcher, f"babysitter:{name}")]
    assert heard == sorted(["approve", *GRANTS])


@pytest.mark.parametrize("name", PROCESSES)
def test_the_table_of_inputs_has_those_that_the_process_takes(
    name: str, load: Callable[[str, str], ModuleType]
) -> None:
    properties = load(name, "process").Inputs["properties"]
    text = (ROOT / "processes" / name / "SKILL.md").read_text("utf-8")
    table = text.partition("| input |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| (`\w+`.*?) \|", table, re.MULTILINE)
    told = [each for cell in cells for each in re.findall(r"`(\w+)`", cell)]
    assert sorted(told) == sorted(properties)


@pytest.mark.parametrize("name", PROCESSES)
def test_the_arguments_that_are_hinted_at_are_inputs(
    name: str, load: Callable[[str, str], ModuleType]
) -> None:
    properties = load(name, "process").Inputs["properties"]
    hint = front_matter(ROOT / "processes" / name / "SKILL.md")["argument-hint"]
    assert set(re.findall(r"(\w+)=", hint)) - set(properties) == set()


@pytest.mark.parametrize("name", PROCESSES)
def test_the_effects_of_a_process_are_those_in_its_source(name: str) -> None:
    from babysitter.lint.linter import look_through

    found = look_through(str(ROOT / "processes" / name / "process.py")).kinds
    assert set(front_matter(ROOT / "processes" / name / "SKILL.md")["effects"]) == found


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_describes_every_input(name: str, load: Callable[[str, str], ModuleType]) -> None:
    properties = load(name, "process").Inputs["properties"]
    assert [key for key, rule in properties.items() if not rule.get("description")] == []


def commands_in(text: str) -> list[str]:
    """Every command that a text names: in code within a line, and in blocks for a shell."""
    spans = re.findall(
        r"`([^`\n]+(?:\n[^`\n]+)?)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    )
    blocks = re.findall(r"^```(?:sh|console)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    quoted = [inner for span in spans for inner in re.findall(r"'(babysitter [^']+)'", span)]
    return [
        told
        for told in [*(" ".join(span.split()) for span in spans), *lines, *quoted]
        if told.startswith("babysitter ")
    ]


@pytest.mark.parametrize("skill", TEXTS, ids=lambda skill: f"{skill.parent.name}/{skill.name}")
def test_the_commands_of_a_skill_exist_with_their_options(skill: Path) -> None:
    from babysitter.cli.main import group

    for told in commands_in(skill.read_text("utf-8")):
        context = click.Context(group, info_name="babysitter", resilient_parsing=True)
        words, command = shlex.split(told, comments=True)[1:], cast("click.Command", group)
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            found = command.get_command(context, words[0])
            assert found is not None, told
            words, command = words[1:], found
        if words != ["--help"]:
            # Refuses options that there are not, and arguments that are too many or too few.
            command.make_context(told, words)


@pytest.mark.parametrize("skill", TEXTS, ids=lambda skill: f"{skill.parent.name}/{skill.name}")
def test_the_skills_that_a_skill_names_exist(skill: Path) -> None:
    named = set(re.findall(r"\bbabysitter:([a-z-]+)", skill.read_text("utf-8")))
    assert named - {path.parent.name for path in SKILLS} == set()


def test_commands_are_found_in_lines_and_blocks() -> None:
    text = "Run `babysitter status\nRUN` or `x 'babysitter show A B' y`.\n```sh\nbabysitter list # all\n```\n"
    assert commands_in(text) == ["babysitter status RUN", "babysitter list # all", "babysitter show A B"]
