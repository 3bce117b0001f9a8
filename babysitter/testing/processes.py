"""The process under test: an async function, its module, its file, or its name in the library."""

from __future__ import annotations

import os
from types import FunctionType, ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from babysitter.errors import InvalidInput
from babysitter.library import DEFAULT_EXPORT, resolve
from babysitter.limits import DEFAULT
from babysitter.runs.creation import load_new
from babysitter.runs.late_binding import refuse_late_binding
from babysitter.runs.source import COROUTINE_FLAG, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from babysitter.engine.context import Context
    from babysitter.library import Entry

    Process = Callable[[Any, Context], Coroutine[Any, Any, Any]] | ModuleType | str | os.PathLike[str]


class Given(Source):
    """A process that is loaded already."""

    def __init__(self, process: Any, module: Any, file: str) -> None:
        self.process = process
        self.module = module
        self.file = file
        self.folder = os.path.dirname(file)
        self.digests = {}
        self.gates = set()
        self.content = b""
        beside = getattr(process, "__globals__", None)
        loaded = [s for s in _SOURCES.values() if s.module is module or s.module.__dict__ is beside]
        self._loaded = next(iter(loaded), None)
        self.uses_asyncio = self._loaded.uses_asyncio if self._loaded else _has_asyncio(beside or {})

    @property
    def known_digests(self) -> dict[str, str]:
        """Of its files, as far as it was loaded from files."""
        return self._loaded.digests if self._loaded is not None else {}

    def enter(self) -> None:
        """Let the process find its own modules, also when another one was loaded since."""
        if self._loaded is not None:
            self._loaded.enter()


# By the id of their module, for as long as Python runs: a test may hold on to either.
_SOURCES: dict[int, Source] = {}


def _has_asyncio(beside: dict[str, Any]) -> bool:
    """Whether a function that no file was loaded for has asyncio, or something of it, beside it."""
    for value in beside.values():
        home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        if isinstance(home, str) and home.partition(".")[0] == "asyncio":
            from babysitter.engine import loop_mends

            loop_mends.mend_asyncio()
            return True
    return False


def load(process: str | os.PathLike[str]) -> ModuleType:
    """The module of a process, loaded as a run loads it: by its name in the library, or ``FILE.py``.

    Its functions and tasks are the module's attributes; hand the module to
    ``play``, so that ``Inputs`` counts too. With ``Path(__file__).with_name("process.py")``
    a test that lies beside its process finds it from any working directory.

    Raises:
        NoSuchProcess: there is none by this name.
        InvalidInput: it is not one that a run would be made of.
    """
    source = load_new(resolve(os.fspath(process)), DEFAULT)
    refuse_late_binding(source)
    _SOURCES[id(source.module)] = source
    return source.module


def given(process: Process | Given) -> Given:
    """What was handed to a test as its process.

    Raises:
        InvalidInput: it is none.
    """
    found = process if isinstance(process, Given) else _found(process)
    found.enter()
    return found


def given_entry(entry: Entry, source: Source | None = None) -> Given:
    """A process that was looked up; ``source``: as it was loaded, if it was.

    Raises:
        NoSuchProcess, InvalidInput: as for ``load``.
    """
    source = source or load_new(entry, DEFAULT)
    refuse_late_binding(source)
    _SOURCES[id(source.module)] = source
    return given(Given(source.process, source.module, source.file))


def _found(process: Process) -> Given:
    if isinstance(process, (str, os.PathLike)):
        name, _, export = os.fspath(process).partition("#")
        return _in_module(load(process), export or DEFAULT_EXPORT, name)
    if isinstance(process, ModuleType):
        return _in_module(process, DEFAULT_EXPORT, process.__name__)
    code = getattr(process, "__code__", None)
    if code is None or not code.co_flags & COROUTINE_FLAG:
        raise InvalidInput(
            f"{process!r} is not a process", hint="give the function `async def process(inputs, ctx)`"
        )
    beside = process.__globals__ if isinstance(process, FunctionType) else {}
    return Given(process, SimpleNamespace(Inputs=beside.get("Inputs")), code.co_filename)


def _in_module(module: ModuleType, export: str, name: str) -> Given:
    found = getattr(module, export, None)
    if found is None:
        raise InvalidInput(
            f"{name!r} has no {export!r}", hint=f"write `async def {export}(inputs, ctx):` in it"
        )
    return Given(found, module, getattr(module, "__file__", None) or name)
