"""Which files belong to a project. Used under the project's own Python too: keeps to what 3.7 knows."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Made by tools, or somebody else's code.
NEVER = {"node_modules", "site-packages", "bower_components", "__pycache__", "__pypackages__", "htmlcov"}
# The same, but only at the top: further down these are ordinary names.
NOT_AT_TOP = {"build", "dist", "target", "vendor", "coverage"}
# What is in these may be broken on purpose, or is filled in before it is used.
SAMPLES = {"fixtures", "__fixtures__", "testdata", "test_data", "test-data", "golden", "templates"}
SAMPLES_OF_TESTS = {"data", "samples", "cases", "resources", "examples", "projects"}
TESTS = {"tests", "test", "__tests__", "spec", "e2e"}


def walk(root: str) -> Iterator[str]:
    """Paths of the project's own files, relative to it, folder by folder in the order of their names."""
    for folder, names, files in os.walk(root):
        inside = os.path.relpath(folder, root)
        names[:] = sorted(name for name in names if _belongs(folder, name, inside == "."))
        for name in sorted(files):
            yield name if inside == "." else os.path.join(inside, name)


def _belongs(folder: str, name: str, is_top: bool) -> bool:
    if name.startswith(".") or name in NEVER or name.endswith(".egg-info") or (is_top and name in NOT_AT_TOP):
        return False
    # A virtual environment can have any name.
    return not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))


def is_sample(path: str) -> bool:
    """Whether a file is there to be read by tests or filled in, and so may be no valid file of its kind."""
    in_tests = False
    for part in path.split(os.sep)[:-1]:
        if part in SAMPLES or (in_tests and part in SAMPLES_OF_TESTS):
            return True
        in_tests = in_tests or part in TESTS
    return "{{" in path
