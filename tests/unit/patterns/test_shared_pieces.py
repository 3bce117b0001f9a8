"""What a process can import of the shared pieces, and what that loads at each replay."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from babysitter import patterns

OF_THE_ENGINE = {"babysitter.engine.outcomes", "babysitter.engine.scores"}
ROOT = Path(__file__).parents[3]
TELL = """
import sys
sys.path.insert(0, sys.argv[1])
from babysitter.engine.context import Context
import babysitter.engine.tasks
known = set(sys.modules)
from babysitter.patterns import *
print(*sorted(set(sys.modules) - known))
"""


def test_the_list_of_names_is_what_type_checkers_see() -> None:
    tree = ast.parse((ROOT / "babysitter/patterns/__init__.py").read_text("utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    seen = {alias.asname for node in found for alias in node.names if alias.asname}
    assert sorted(seen) == patterns.__all__ == dir(patterns)


@pytest.mark.parametrize("name", patterns.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    found = getattr(patterns, name)
    assert (found.__name__, bool(found.__doc__)) == (name, True)


def test_another_name_is_told_as_python_tells_it() -> None:
    with pytest.raises(AttributeError, match=r"module 'babysitter\.patterns' has no attribute 'gate'"):
        _ = patterns.gate


def test_they_load_nothing_that_a_process_has_not_loaded_but_themselves() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", TELL, str(ROOT)], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    others = {name for name in loaded if not name.startswith("babysitter.patterns")}
    assert (others - OF_THE_ENGINE, len(loaded) <= 8) == (set(), True)
