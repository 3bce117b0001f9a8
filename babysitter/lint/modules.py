"""The process's own files: the file and the modules beside it, found as a run finds them."""

from __future__ import annotations

import ast
import os
import sys
import warnings
from typing import TYPE_CHECKING

from babysitter.files import read_regular
from babysitter.lint.binder import Binder
from babysitter.lint.findings import Span
from babysitter.runs.source import MOST_OF_SOURCE

if TYPE_CHECKING:
    from babysitter.lint.scopes import Scope


class Module:
    """One file, parsed, with the names that it binds.

    Attributes:
        name: dotted, as others import it; empty for the process file.
        named: the values that are assigned to names, and to nothing else.
    """

    def __init__(self, name: str, file: str, content: bytes, *, is_package: bool = False) -> None:
        self.name = name
        self.file = file
        self.is_package = is_package
        with warnings.catch_warnings():
            # What Python thinks of the author's escapes is not for here.
            warnings.simplefilter("ignore")
            self.tree = ast.parse(content, file)
        self.lines = content.splitlines()
        binder = Binder(self)
        self.scope, self._scopes, self._inner = binder.scope, binder.scopes, binder.inner
        self._parents, self.named = binder.parents, binder.named

    def scope_of(self, node: ast.AST) -> Scope:
        """The scope that a node stands in."""
        return self._scopes[node]

    def scope_in(self, node: ast.AST) -> Scope:
        """The scope that a function, class or comprehension makes."""
        return self._inner[node]

    def parent_of(self, node: ast.AST) -> ast.AST | None:
        return self._parents.get(node)

    def absolute(self, name: str, level: int) -> str:
        """The dotted name of a module that is imported here by this name."""
        if not level:
            return name
        parts = self.name.split(".") if self.name else []
        kept = parts[: len(parts) - level + self.is_package]
        return ".".join([*kept, *([name] if name else [])])

    def span(self, node: ast.AST) -> Span:
        """Where a node stands."""
        line, end = node.lineno, node.end_lineno  # type: ignore[attr-defined]
        return Span(
            line,
            self._column(line, node.col_offset),  # type: ignore[attr-defined]
            end,
            self._column(end, node.end_col_offset),  # type: ignore[attr-defined]
        )

    def _column(self, line: int, offset: int) -> int:
        # ast counts bytes.
        return len(self.lines[line - 1][:offset].decode("utf-8", "replace")) + 1


class Library:
    """The modules of one process, each read once."""

    def __init__(self, file: str) -> None:
        self.folder = os.path.dirname(os.path.abspath(file))
        self.process = Module("", os.path.abspath(file), _read(file))
        self._modules: dict[str, Module | None] = {}

    def module(self, dotted: str) -> Module | None:
        """The module of this name, when it is one of the process's own."""
        if dotted not in self._modules:
            self._modules[dotted] = self._find(dotted)
        return self._modules[dotted]

    def _find(self, dotted: str) -> Module | None:
        first, *rest = dotted.split(".")
        if not dotted.isascii() or not dotted or first in sys.stdlib_module_names:
            return None
        place = os.path.join(self.folder, first, *rest)
        for file, is_package in ((os.path.join(place, "__init__.py"), True), (f"{place}.py", False)):
            if os.path.isfile(file):
                return self._load(dotted, file, is_package)
        return None

    def _load(self, dotted: str, file: str, is_package: bool) -> Module | None:
        try:
            return Module(dotted, file, _read(file), is_package=is_package)
        except (SyntaxError, ValueError):
            # It may be one that only a task imports; who imports it here is refused when it is loaded.
            return None


def _read(file: str) -> bytes:
    return read_regular(file, MOST_OF_SOURCE, follow=True)
