"""Load a process so that what is executed is exactly the bytes that were hashed.

The process file and the modules of its own folder that it imports are read
once, hashed, compiled from memory and run. Installed packages and the standard
library are imported as usual and not hashed.
"""

from __future__ import annotations

import os
import sys

from babysitter.errors import InvalidInput, NoSuchProcess, UnsafePath
from babysitter.files import read_regular
from babysitter.ids import sha256_hex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

MODULE_NAME = "__babysitter_process__"
COROUTINE_FLAG = 0x80
MOST_OF_SOURCE = 1 << 24
# A process is written with one of these words where it asks a person, or has a step that babysitter itself
# performs, or a child run, which may. They are looked for in all of the text: to be too careful costs no
# more than asking a person.
GATES = (b"breakpoint", b"define_task", b"python", b"shell", b"subprocess")


def holds_gate(content: bytes) -> bool:
    """A source file may ask a person, or have a step that an agent cannot answer."""
    return any(word in content for word in GATES)


class Source:
    """A loaded process.

    Attributes:
        process: the author's coroutine function.
        content: the bytes of the process file.
        module: the module of the process file.
        digests: path relative to the process's folder → SHA-256, of all that was loaded so far.
        gates: those of these paths whose files may hold a gate.
        uses_asyncio: one of these files imports asyncio.
    """

    def __init__(
        self,
        file: str,
        export: str,
        digests: dict[str, str] | None = None,
        gates: set[str] | None = None,
    ) -> None:
        """Load the file. ``digests`` and ``gates``, when given, are what is filled, also when loading fails.

        Raises:
            NoSuchProcess: no such file, or nothing by that name in it.
            UnsafePath: a pipe or a device stands there.
            InvalidInput: the file is not Python, or its ``process`` is not ``async def``.
            StorageError: the file is there and cannot be read.
            Exception: whatever the file's own code raises while it is imported.
        """
        self.file = os.path.abspath(file)
        self.folder = os.path.dirname(self.file)
        self.digests = {} if digests is None else digests
        self.gates = set[str]() if gates is None else gates
        self._finder = _LocalFinder(self)
        self.uses_asyncio = False
        self.module = self._run_file()
        self.process = self._find(export)

    def read(self, path: str) -> bytes:
        """The bytes of a source file, hashed on the way."""
        content = read_regular(path, MOST_OF_SOURCE, follow=True)
        name = os.path.relpath(path, self.folder)
        self.digests[name] = sha256_hex(content)
        if holds_gate(content):
            self.gates.add(name)
        return content

    def compile(self, content: bytes, file: str) -> Any:
        """The code of a source file; one that is about to import asyncio gets it as a replay needs it."""
        code = compile_source(content, file)
        if not self.uses_asyncio and imports_asyncio(content, code):
            from babysitter.engine import loop_mends

            loop_mends.mend_asyncio()
            self.uses_asyncio = True
        return code

    @property
    def python(self) -> str | None:
        """The version of Python, where it is a part of the source: asyncio is not the same in all of them."""
        return f"{sys.version_info[0]}.{sys.version_info[1]}" if self.uses_asyncio else None

    def _run_file(self) -> ModuleType:
        try:
            content = self.read(self.file)
        except (FileNotFoundError, UnsafePath) as error:
            if isinstance(error, UnsafePath) and not os.path.isdir(self.file):
                raise
            raise NoSuchProcess(
                f"there is no process file {self.file!r}",
                hint="name a Python file, or a process of `babysitter process list`",
            ) from None
        self.content = content
        code = self.compile(content, self.file)
        module = type(sys)(MODULE_NAME)
        module.__file__ = self.file
        # Classes defined in the process (a pydantic model, say) look their module up by name.
        self._finder.modules[MODULE_NAME] = module
        self.enter()
        exec(code, module.__dict__)
        return module

    def enter(self) -> None:
        """Make this process's own modules the ones that are imported, and put those of another aside.

        Before any code of it runs: two processes may each have a ``tasks.py`` beside them.
        """
        if sys.meta_path and sys.meta_path[0] is self._finder:
            return
        for finder in [finder for finder in sys.meta_path if isinstance(finder, _LocalFinder)]:
            finder.leave()
        sys.meta_path.insert(0, self._finder)
        sys.modules.update(self._finder.modules)

    def _find(self, export: str) -> Callable[[Any, Any], Any]:
        found = getattr(self.module, export, None)
        if found is None:
            raise NoSuchProcess(
                f"{self.file!r} has no {export!r}",
                hint=f"write `async def {export}(inputs, ctx):` in it, or name another with FILE#NAME",
            )
        code = getattr(found, "__code__", None)
        if code is None or not code.co_flags & COROUTINE_FLAG:
            raise InvalidInput(
                f"{export!r} in {self.file!r} is not an async function",
                hint=f"write `async def {export}(inputs, ctx):`",
            )
        return found  # type: ignore[no-any-return]


def compile_source(content: bytes, file: str) -> Any:
    """Compile a source file.

    Raises:
        InvalidInput: it is not Python; says the line.
    """
    try:
        return compile(content, file, "exec", dont_inherit=True)
    except (RecursionError, MemoryError):
        raise InvalidInput(
            f"{file!r} is nested more deeply than Python reads", hint="mend the file"
        ) from None
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        said = getattr(error, "msg", None) or str(error)
        where = f"line {line}: " if line else ""
        raise InvalidInput(f"{file!r} is not valid Python: {where}{said}", hint="mend the file") from error


def imports_asyncio(content: bytes, code: Any) -> bool:
    """Whether a source file imports asyncio, at its top or within a function."""
    # Most files do not even have the word.
    return b"asyncio" in content and any(name.partition(".")[0] == "asyncio" for name in _names_in(code))


def _names_in(code: Any) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            yield from _names_in(constant)


class _LocalFinder:
    """Finds the modules beside the process file, before installed ones of the same name.

    Attributes:
        loaded: the names of those that were imported.
        modules: those of them that are not in ``sys.modules``, because another process has its own there.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.loaded: list[str] = [MODULE_NAME]
        self.modules: dict[str, ModuleType] = {}

    def leave(self) -> None:
        """Take the modules out of ``sys.modules`` and keep them."""
        for name in self.loaded:
            module = sys.modules.pop(name, None)
            if module is not None:
                self.modules[name] = module
        sys.meta_path.remove(self)

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        package, _, stem = name.rpartition(".")
        if path is None:
            folders = [] if name in sys.stdlib_module_names else [self.source.folder]
        else:
            # Not by where it lies: an environment with installed packages may be inside the folder.
            folders = list(path) if package in self.loaded else []
        for folder in folders:
            place = os.path.join(folder, stem)
            for file, is_package in ((os.path.join(place, "__init__.py"), True), (place + ".py", False)):
                if os.path.isfile(file):
                    return self._spec(name, file, is_package)
        for folder in folders:
            if os.path.isdir(os.path.join(folder, stem)):
                return self._elsewhere(name, path) or self._namespace(name, os.path.join(folder, stem))
        return None

    def _elsewhere(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """An installed module comes before a folder that only has the same name, as always in Python."""
        for finder in sys.meta_path:
            if finder is not self:
                found = finder.find_spec(name, path)
                if found is not None and found.loader is not None:
                    return found
        return None

    def _namespace(self, name: str, folder: str) -> ModuleSpec:
        """A package without ``__init__.py``."""
        from importlib.machinery import ModuleSpec

        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [folder]
        self.loaded.append(name)
        return spec

    def _spec(self, name: str, file: str, is_package: bool) -> ModuleSpec:
        from importlib.machinery import ModuleSpec

        spec = ModuleSpec(name, self, origin=file, is_package=is_package)  # type: ignore[arg-type]
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [os.path.dirname(file)]
        self.loaded.append(name)
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        file = module.__spec__.origin  # type: ignore[union-attr]
        assert file is not None
        exec(self.source.compile(self.source.read(file), file), module.__dict__)
