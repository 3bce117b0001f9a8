"""What the skills say is true: their front matter, their inputs, their example."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from small_projects import ROOT, Babysitter, make_program, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

PROCESSES = sorted(path.name for path in (ROOT / "processes").iterdir() if (path / "process.py").exists())
SKILLS = sorted((ROOT / "skills").glob("*/SKILL.md")) + sorted((ROOT / "processes").glob("*/SKILL.md"))
LONGEST_DESCRIPTION = 1024


def front_matter(skill: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(skill.read_text().split("---\n")[1])
    return loaded


@pytest.mark.parametrize("skill", SKILLS, ids=lambda skill: skill.parent.name)
def test_a_skill_is_named_for_its_folder_and_described(skill: Path) -> None:
    told = front_matter(skill)
    assert (told["name"], 0 < len(told["description"]) <= LONGEST_DESCRIPTION) == (skill.parent.name, True)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_says_the_inputs_that_it_takes(name: str, load: Callable[[str, str], ModuleType]) -> None:
    properties = load(name, "process").Inputs["properties"]
    assert sorted(front_matter(ROOT / "processes" / name / "SKILL.md")["inputs"]) == sorted(properties)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_describes_every_input(name: str, load: Callable[[str, str], ModuleType]) -> None:
    properties = load(name, "process").Inputs["properties"]
    assert [key for key, rule in properties.items() if not rule.get("description")] == []


@pytest.mark.parametrize("skill", SKILLS, ids=lambda skill: skill.parent.name)
def test_the_commands_of_a_skill_exist(skill: Path) -> None:
    from babysitter.cli.main import COMMANDS

    called = set(re.findall(r"(?:^|`)babysitter ([a-z:-]+)", skill.read_text("utf-8"), re.MULTILINE))
    assert called - set(COMMANDS) == set()


def example() -> str:
    """The whole process of the skill that teaches how to write one."""
    text = (ROOT / "skills/author-process/SKILL.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return str(code)


@pytest.mark.parametrize(("verdict", "exit_code"), [("good", 0), ("bad", 8)])
def test_the_example_for_authors_runs(
    verdict: str, exit_code: int, project: Path, babysitter: Babysitter
) -> None:
    write(project, {"review.py": example(), "src/a.py": "", "src/b.py": ""})
    make_program(project / "agent", f"""cat > /dev/null; echo '{{"verdict": "{verdict}", "defects": []}}'""")
    words = ("-i", "path=src", "-i", "test=echo fine", "--agent-command", "./agent", "--json")
    assert babysitter("run", "review.py", *words).code == exit_code
