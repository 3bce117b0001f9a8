"""The architecture: a part imports what stands above it in this list and nothing else, not even as a type."""

import ast
from pathlib import Path

import pytest

LAYERS = [
    ["errors"],
    ["durations", "usage"],
    ["budget", "prices"],
    ["clock", "disk", "jsonfaults", "jsonsize", "limits", "paths", "rate", "yamltext"],
    ["flushing", "jsontext", "redaction"],
    ["ids", "staging", "version"],
    ["files", "rule_faults", "rules"],
    ["config_file", "installed", "places", "rulebook", "skills", "trust"],
    ["config", "journal", "library"],
    ["engine"],
    ["runs"],
    ["hosts"],
    ["sessions"],
    ["approvals"],
    ["executors"],
    ["driven"],
    ["desk"],
    ["household"],
    ["driver"],
    ["views"],
    ["hooks"],
    ["doctor", "lint"],
    ["__init__", "patterns"],  # what authors import; the package itself never does
    ["testing"],  # what authors import in tests, and `process test`
    ["graphs"],  # on top of testing: a process is drawn from a dry run of it
    ["cli"],
    ["__main__"],
]
LEVELS = {part: level for level, parts in enumerate(LAYERS) for part in parts}
PACKAGE = Path(__file__).parents[2] / "babysitter"
MODULES = sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_a_place_and_imports_point_one_way(module: str) -> None:
    own, names = Path(module).parts[0].removesuffix(".py"), list[str]()
    for node in ast.walk(ast.parse((PACKAGE / module).read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" if not node.level else "relative" for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    parts = [name.split(".")[1] for name in names if name.startswith("babysitter.")]
    lower = {part for part, level in LEVELS.items() if level < LEVELS.get(own, -1)}
    assert (own in LEVELS, set(parts) - lower - {own}, "relative" in names) == (True, set(), False)
