"""The executables that are called for a hook: the project's as far as they are trusted, then the user's."""

from __future__ import annotations

import os

from babysitter.errors import BabysitterError
from babysitter.paths import hook_folders
from babysitter.redaction import NAMES as SECRET_NAMES
from babysitter.trust import distrust_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from babysitter.limits import Limits

HOW_TO_TRUST = "look at it, then: babysitter trust add"


class HookFile:
    """One executable of a hook.

    Attributes:
        name: of the file.
        shown: where it is, from the project if it is the project's.
    """

    __slots__ = ("_project", "name", "path", "shown")

    def __init__(self, path: str, project: str | None = None) -> None:
        """``project``: that suggests it; None: it is the user's own."""
        self.path = path
        self.name = os.path.basename(path)
        self.shown = path if project is None else os.path.relpath(path, project)
        self._project = project

    @property
    def distrust(self) -> str:
        """Why it must not be executed, as it is at this moment; empty when it may."""
        if self._project is None:
            return ""
        try:
            return distrust_of(self._project, self.shown)
        except (BabysitterError, OSError) as error:
            return f"it cannot be seen whether it is trusted: {error}"


def hook_names(project: str) -> set[str]:
    """The hooks for which there is a folder."""
    return {name for folder in hook_folders(project) for name in _listed(folder)}


def hook_files(project: str, name: str) -> list[HookFile]:
    """The files of a hook in the order in which they are called; also those that nobody has trusted."""
    of_project, of_user = (os.path.join(folder, name) for folder in hook_folders(project))
    own = [HookFile(os.path.join(of_user, file)) for file in _listed(of_user)]
    if _is_same(of_project, of_user):
        return own
    return [*(HookFile(os.path.join(of_project, file), project) for file in _listed(of_project)), *own]


def _listed(folder: str) -> list[str]:
    """What is in a folder, by name; what begins with a point is for others."""
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError:
        return []


def _is_same(first: str, second: str) -> bool:
    """Of who works in the home folder the project's are the user's own."""
    return os.path.exists(first) and os.path.exists(second) and os.path.samefile(first, second)


def hook_environment(environment: Mapping[str, str], limits: Limits) -> dict[str, str]:
    """What a hook gets of the environment: not what says by its name that it is a secret."""
    telling = [*(name.decode() for name in SECRET_NAMES), *(name.lower() for name in limits.secret_names)]
    return {
        name: value
        for name, value in environment.items()
        if not any(word in name.lower() for word in telling)
    }
