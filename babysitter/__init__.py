"""babysitter: keep an agent to a process written in Python.

The names here are loaded when they are first used, so that importing the
package costs next to nothing: the command line imports it on every call.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.engine.context import Context as Context
    from babysitter.engine.outcomes import Decision as Decision
    from babysitter.engine.outcomes import Outcome as Outcome
    from babysitter.engine.outcomes import ShellResult as ShellResult
    from babysitter.engine.retries import Retry as Retry
    from babysitter.engine.scores import Score as Score
    from babysitter.engine.tasks import Task as Task
    from babysitter.engine.tasks import agent as agent
    from babysitter.engine.tasks import define_task as define_task
    from babysitter.engine.tasks import python as python
    from babysitter.engine.tasks import shell as shell
    from babysitter.errors import AllFailed as AllFailed
    from babysitter.errors import BabysitterError as BabysitterError
    from babysitter.errors import BranchCancelled as BranchCancelled
    from babysitter.errors import BranchTimeout as BranchTimeout
    from babysitter.errors import Failed as Failed
    from babysitter.errors import TaskCancelled as TaskCancelled
    from babysitter.errors import TaskFailed as TaskFailed
    from babysitter.errors import TaskTimeout as TaskTimeout

_HOMES = {
    "AllFailed": "errors",
    "BabysitterError": "errors",
    "BranchCancelled": "errors",
    "BranchTimeout": "errors",
    "Context": "engine.context",
    "Decision": "engine.outcomes",
    "Failed": "errors",
    "Outcome": "engine.outcomes",
    "Retry": "engine.retries",
    "Score": "engine.scores",
    "ShellResult": "engine.outcomes",
    "Task": "engine.tasks",
    "TaskCancelled": "errors",
    "TaskFailed": "errors",
    "TaskTimeout": "errors",
    "agent": "engine.tasks",
    "define_task": "engine.tasks",
    "python": "engine.tasks",
    "shell": "engine.tasks",
}
__all__ = sorted(_HOMES)  # noqa: PLE0605 - a list, computed so that it cannot differ from what is there


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'babysitter' has no attribute {name!r}")
    module = __import__(f"babysitter.{_HOMES[name]}", fromlist=[name])
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
