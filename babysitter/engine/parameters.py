"""The parameters of a task's function, checked without importing inspect (which costs more than a replay)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

VARARGS, VARKEYWORDS = 0x04, 0x08


class Parameters:
    """Names that a function takes, in order, and which of them it needs."""

    __slots__ = ("names", "needed", "positional", "takes_any")

    def __init__(self, function: Callable[..., Any] | None) -> None:
        """``None`` stands for a builder that takes whatever it is given."""
        self.positional: tuple[str, ...] = ()
        self.names: frozenset[str] = frozenset()
        self.needed: frozenset[str] = frozenset()
        self.takes_any = function is None
        if function is not None:
            self._read(function)

    def _read(self, function: Callable[..., Any]) -> None:
        code = getattr(function, "__code__", None)
        if code is None:
            raise TypeError(f"a task is made from a function written with `def`, found {function!r}")
        if code.co_posonlyargcount:
            raise TypeError(
                f"task {function.__name__!r} has parameters before `/`; arguments are journalled by name"
            )
        if code.co_flags & VARARGS:
            raise TypeError(
                f"task {function.__name__!r} takes *args; give them names, arguments are journalled by name"
            )
        count = code.co_argcount + code.co_kwonlyargcount
        self.takes_any = bool(code.co_flags & VARKEYWORDS)
        self.positional = code.co_varnames[: code.co_argcount]
        self.names = frozenset(code.co_varnames[:count])
        first_default = len(self.positional) - len(function.__defaults__ or ())
        self.needed = self.names - {*self.positional[first_default:], *(function.__kwdefaults__ or ())}

    def bind(self, task_id: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments by name.

        One mapping alone counts as keywords, unless the function has a single
        parameter and the mapping does not name just that: then it is the argument.
        """
        if not args:
            given = kwargs
        elif len(args) == 1 and isinstance(args[0], dict) and not self._is_value(args[0]):
            given = {**args[0], **kwargs}
        else:
            given = self._by_position(task_id, args, kwargs)
        if not self.takes_any or self.needed:
            self._check(task_id, given)
        return given

    def _is_value(self, mapping: dict[str, Any]) -> bool:
        takes_one = len(self.names) == 1 and not self.takes_any
        are_keywords = mapping.keys() == self.names or (not mapping and not self.needed)
        return takes_one and not are_keywords

    def _by_position(self, task_id: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        if len(args) > len(self.positional):
            from babysitter.engine.old_ways import options_cure

            raise TypeError(
                f"{task_id}() takes {len(self.positional)} positional arguments but {len(args)} were given"
                f"{options_cure(task_id, args[-1])}"
            )
        given = dict(zip(self.positional, args, strict=False))
        for name in kwargs:
            if name in given:
                raise TypeError(f"{task_id}() got multiple values for argument {name!r}")
        return {**given, **kwargs}

    def _check(self, task_id: str, given: dict[str, Any]) -> None:
        if not self.takes_any and not given.keys() <= self.names:
            unknown = min(given.keys() - self.names, key=str)
            known = ", ".join(sorted(self.names)) or "none"
            from babysitter.engine.old_ways import option_cure

            raise TypeError(
                f"{task_id}() got an unexpected argument {unknown!r};"
                f" it takes {known}{option_cure(task_id, str(unknown))}"
            )
        if not self.needed <= given.keys():
            missing = sorted(self.needed - given.keys())
            raise TypeError(f"{task_id}() misses the argument {', '.join(map(repr, missing))}")
