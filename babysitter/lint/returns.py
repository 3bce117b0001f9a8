"""What a function gives, as far as it is always the same."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babysitter.lint.meanings import Meaning, Own
    from babysitter.lint.names import Names


def returned_by(own: Own, names: Names) -> Meaning:
    """What every `return` of a function stands for; None when that is not one and the same."""
    found = {
        names.meaning(each.value, own.module)
        for each in ast.walk(own.node)
        if isinstance(each, ast.Return)
        and each.value is not None
        and own.module.scope_of(each).function is own.module.scope_in(own.node)
    }
    return found.pop() if len(found) == 1 else None
