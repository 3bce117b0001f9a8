"""What comes of things that are not the process's own: the paths and modules among them keep their names."""

from __future__ import annotations

import ast

from babysitter.lint.meanings import External

IMPORTERS = ("builtins.__import__", "importlib.import_module")
GETATTR = "builtins.getattr"
PATHS = ("pathlib.Path", "pathlib.PosixPath")
A_PATH = "pathlib.Path()"
# Attributes and methods of a path that give a path.
PATH_STEPS = frozenset(
    {"parent", "joinpath()", "with_name()", "with_suffix()", "with_stem()", "resolve()", "absolute()"}
    | {"expanduser()", "relative_to()", "cwd()", "home()"}
)


def attribute_of(base: External, attribute: str) -> External:
    """What stands behind the dot."""
    if base.name == A_PATH and attribute in PATH_STEPS:
        return base
    return External(f"{base.name}.{attribute}")


def outcome_of(called: External, node: ast.Call) -> External:
    """What a call gives."""
    name, texts = called.name, texts_of(node)
    if name in IMPORTERS and texts:
        return External(texts[0])
    if name in PATHS:
        return External(A_PATH)
    base, _, method = f"{name}()".rpartition(".")
    is_path = (base == A_PATH or base in PATHS) and method in PATH_STEPS
    return External(A_PATH if is_path else f"{name}()")


def texts_of(node: ast.Call) -> list[str]:
    """The arguments that are written down."""
    return [str(each.value) for each in node.args if isinstance(each, ast.Constant)]
