"""What authors import: the list says what is there, and nothing is loaded before it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import babysitter

ROOT = Path(__file__).parents[2]
INIT = ROOT / "babysitter" / "__init__.py"


def for_type_checkers() -> set[str]:
    """The names that a type checker sees."""
    names = set()
    for node in ast.walk(ast.parse(INIT.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            names |= {alias.asname for alias in node.names if alias.asname}
    return names


def test_the_list_of_names_is_what_type_checkers_see() -> None:
    assert sorted(for_type_checkers()) == babysitter.__all__ == dir(babysitter)


@pytest.mark.parametrize("name", babysitter.__all__)
def test_every_name_in_the_list_is_there_and_documented(name: str) -> None:
    found = getattr(babysitter, name)
    assert (found.__name__, bool(found.__doc__)) == (name, True)


def test_every_module_that_is_named_has_the_name() -> None:
    told = {name: f"babysitter.{module}" for name, module in babysitter._HOMES.items()}
    assert {name: getattr(babysitter, name).__module__ for name in told} == told


def test_another_name_is_told_as_python_tells_it() -> None:
    with pytest.raises(AttributeError, match="module 'babysitter' has no attribute 'shel'"):
        _ = babysitter.shel


def test_importing_the_package_loads_nothing_of_it() -> None:
    script = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}]
import babysitter
print([name for name in sys.modules if name.startswith("babysitter.")])
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert told == "[]\n"


def test_what_the_documents_import_is_public() -> None:
    documents = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("skills/*/SKILL.md")]
    asked = set()
    for document in documents:
        for line in document.read_text("utf-8").splitlines():
            if line.startswith("from babysitter import "):
                asked |= {word.strip() for word in line.removeprefix("from babysitter import ").split(",")}
    assert (asked - set(babysitter.__all__), bool(asked)) == (set(), True)
