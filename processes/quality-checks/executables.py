"""Where a project's tools are: in its own environment first, then on the PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ENVIRONMENTS = (".venv", "venv", "env", ".env")
# Poetry and Pipenv keep environments elsewhere, unless told otherwise, and say where.
ELSEWHERE = (("poetry.lock", ("poetry", "env", "info", "--path")), ("Pipfile", ("pipenv", "--venv")))
PATIENCE = 20
# Whether a Python has a module, without importing it. A folder of that name in the project does not count.
HAS_MODULE = """
import sys
from importlib.machinery import PathFinder
sys.exit(PathFinder.find_spec(sys.argv[1], [path for path in sys.path if path]) is None)
"""


class Executables:
    """Finds tools for one project.

    Attributes:
        environment: the project's own virtual environment, or None.
        python: the interpreter to check Python with: its own, or what the PATH has.
        is_of_path: it is that of the PATH.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.environment = self._find_environment()
        own, on_path = self._own("python"), shutil.which("python3")
        self.python = own or on_path or sys.executable
        self.is_of_path = not own and bool(on_path)
        self._modules: dict[str, bool] = {}

    def variables(self) -> dict[str, str]:
        """Environment variables under which the project's own tools find each other."""
        if self.environment is None:
            return {}
        binaries = os.path.join(self.environment, "bin")
        path = os.pathsep.join([binaries, os.environ.get("PATH", os.defpath)])
        return {"VIRTUAL_ENV": self.environment, "PATH": path}

    def python_tool(self, name: str) -> list[str] | None:
        """The words that start a Python tool, or None: its own, on the PATH, or as a module."""
        own = self._own(name)
        if own:
            return [own]
        if self._starts(shutil.which(name)):
            return [name]
        return self.module(name)

    def module(self, name: str) -> list[str] | None:
        """``python -m NAME``, when the project's interpreter has that module."""
        if name not in self._modules:
            self._modules[name] = self._has_module(name)
        return [self.python, "-m", name] if self._modules[name] else None

    def pytest(self) -> list[str] | None:
        """The words that start pytest under the Python that has what the tests import, or None.

        As a module it finds the project's own packages also where they are not installed. One from the
        PATH would not see what is in the project's own environment, so it counts only where there is none.
        """
        return self.module("pytest") or (None if self.environment else self.python_tool("pytest"))

    def node_tool(self, name: str) -> list[str] | None:
        """The words that start a JavaScript tool, or None."""
        own = os.path.join(self.root, "node_modules", ".bin", name)
        if os.access(own, os.X_OK):
            return [own]
        return [name] if self._starts(shutil.which(name)) else None

    def _find_environment(self) -> str | None:
        folders = [os.path.join(self.root, name) for name in ENVIRONMENTS]
        for file, command in ELSEWHERE:
            if os.path.exists(os.path.join(self.root, file)) and not any(map(os.path.exists, folders)):
                folders.append(self._output(command))
        return next((folder for folder in filter(None, folders) if has_python(folder)), None)

    def _own(self, name: str) -> str | None:
        if self.environment is None:
            return None
        found = os.path.join(self.environment, "bin", name)
        return found if os.access(found, os.X_OK) else None

    def _starts(self, found: str | None) -> bool:
        # pyenv puts a stand-in on the PATH for every tool of every version, which may start nothing.
        return found is not None and self._ask(found, "--version") is not None

    def _has_module(self, name: str) -> bool:
        return self._ask(self.python, "-c", HAS_MODULE, name) is not None

    def _output(self, argv: Sequence[str]) -> str:
        return (self._ask(*argv) or b"").decode(errors="replace").strip()

    def _ask(self, *argv: str) -> bytes | None:
        """What a command prints, or None when it fails, does not end or cannot be started."""
        try:
            return subprocess.run(
                argv,
                cwd=self.root,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=PATIENCE,
                check=True,
            ).stdout
        except (OSError, subprocess.SubprocessError):
            return None


def has_python(environment: str) -> bool:
    return os.access(os.path.join(environment, "bin", "python"), os.X_OK)
