"""Look through a process: every rule, on all that runs at its replay."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from babysitter.lint.arguments import foreign_arguments
from babysitter.lint.called_tasks import called_tasks
from babysitter.lint.defaults import called_by_default
from babysitter.lint.early import too_early
from babysitter.lint.effect_kinds import effect_kinds
from babysitter.lint.endings import left, swallowed
from babysitter.lint.findings import Finding
from babysitter.lint.handed_tables import changed_by_others
from babysitter.lint.loops import late_bindings
from babysitter.lint.loose_branches import loose_branches
from babysitter.lint.modules import Library
from babysitter.lint.names import Names
from babysitter.lint.originals import originals_way
from babysitter.lint.outside import reaches_out
from babysitter.lint.replayed import Replayed
from babysitter.lint.rules import BY_CODE
from babysitter.lint.sets import own_orders
from babysitter.lint.silence import apart
from babysitter.lint.state import global_state, shared_defaults
from babysitter.lint.ties import ties
from babysitter.lint.waiting import forgotten

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from babysitter.lint.place import Place

FAMILIES = (
    reaches_out,
    called_by_default,
    own_orders,
    ties,
    forgotten,
    called_tasks,
    loose_branches,
    too_early,
    late_bindings,
    swallowed,
    left,
    global_state,
    changed_by_others,
    shared_defaults,
    foreign_arguments,
    originals_way,
)
ALL = frozenset(BY_CODE)
# Much deeper than Python's own limit, which counts our calls and not the author's brackets.
DEEPEST = 20_000


class Looked:
    """What came of it.

    Attributes:
        findings: in the order of the files and lines.
        files: those that were looked through.
        kinds: of effects that the process asks for.
    """

    def __init__(self, findings: list[Finding], files: list[str], kinds: set[str]) -> None:
        self.findings = findings
        self.files = files
        self.kinds = kinds


def look_through(file: str, export: str = "process", codes: frozenset[str] = ALL) -> Looked:
    """All that the rules of these codes have against a process; nothing of it is executed.

    Raises:
        SyntaxError, ValueError: the file is not Python.
        FileNotFoundError, UnsafePath, StorageError: it cannot be read.
    """
    with _deep():
        library = Library(file)
        replayed = Replayed(library, Names(library, export))
        found = sorted({each for place in replayed.places for each in _found_at(place, codes)})
        kinds = effect_kinds(replayed)
    findings = []
    for module in replayed.modules:
        own = [each for each in found if each.file == module.file]
        findings += sorted(each for each in apart(own, module, codes) if each.code in codes)
    return Looked(findings, [module.file for module in replayed.modules], kinds)


def _found_at(place: Place, codes: frozenset[str]) -> Iterator[Finding]:
    for family in FAMILIES:
        found: Iterator[tuple[ast.AST, str, str] | tuple[ast.AST, str, str, str]] = family(place)
        for node, code, what, *cure in found:
            if code in codes:
                yield Finding(place.module.file, place.module.span(node), code, what, *cure)


@contextmanager
def _deep() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEEPEST))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
