"""Load a process so that what is executed is exactly the bytes that were hashed.

The process file and the modules of its own folder that it imports are read
once, hashed, compiled from memory and run. Installed packages and the standard
library are imported as usual and not hashed.
"""

from __future__ import annotations

import os
import sys

from babysitter.errors import InvalidInput, NoSuchProcess
from babysitter.ids import sha256_hex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

MODULE_NAME = "__babysitter_process__"
COROUTINE_FLAG = 0x80


class Source:
    """A loaded process.

    Attributes:
        process: the author's coroutine function.
        content: the bytes of the process file.
        module: the module of the process file.
        digests: path relative to the process's folder → SHA-256, of all that was loaded so far.
    """

    def __init__(self, file: str, export: str) -> None:
        """Load the file.

        Raises:
            NoSuchProcess: no such file, or nothing by that name in it.
            InvalidInput: the file is not Python, or its ``process`` is not ``async def``.
            Exception: whatever the file's own code raises while it is imported.
        """
        self.file = os.path.abspath(file)
        self.folder = os.path.dirname(self.file)
        self.digests: dict[str, str] = {}
        self.module = self._run_file()
        self.process = self._find(export)

    def read(self, path: str) -> bytes:
        """The bytes of a source file, hashed on the way."""
        with open(path, "rb") as file:
            content = file.read()
        self.digests[os.path.relpath(path, self.folder)] = sha256_hex(content)
        return content

    def _run_file(self) -> ModuleType:
        try:
            content = self.read(self.file)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NoSuchProcess(
                f"there is no process file {self.file!r}",
                hint="name a Python file, or a process of `babysitter process list`",
            ) from None
        self.content = content
        code = compile_source(content, self.file)
        module = type(sys)(MODULE_NAME)
        module.__file__ = self.file
        _install(self, module)
        exec(code, module.__dict__)
        return module

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
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 0
        said = getattr(error, "msg", None) or str(error)
        raise InvalidInput(
            f"the process file {file!r} is not valid Python: line {line}: {said}", hint="mend the line"
        ) from error


class _LocalFinder:
    """Finds the modules beside the process file, before installed ones of the same name."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.loaded: list[str] = [MODULE_NAME]

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        folders = [self.source.folder] if path is None else list(path)
        if path is None and name in sys.stdlib_module_names:
            return None
        if path is not None and not all(self._is_local(folder) for folder in folders):
            return None
        for folder in folders:
            stem = os.path.join(folder, name.rpartition(".")[2])
            for file, is_package in ((os.path.join(stem, "__init__.py"), True), (stem + ".py", False)):
                if os.path.isfile(file):
                    return self._spec(name, file, is_package)
        return None

    def _is_local(self, folder: str) -> bool:
        return os.path.abspath(folder).startswith(self.source.folder + os.sep)

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
        exec(compile_source(self.source.read(file), file), module.__dict__)


def _install(source: Source, module: ModuleType) -> None:
    """Make a process's own modules importable, and forget those of the process before it."""
    for earlier in [finder for finder in sys.meta_path if isinstance(finder, _LocalFinder)]:
        for name in earlier.loaded:
            sys.modules.pop(name, None)
        sys.meta_path.remove(earlier)
    sys.meta_path.insert(0, _LocalFinder(source))
    # Classes defined in the process (a pydantic model, say) look their module up by name.
    sys.modules[MODULE_NAME] = module
