"""Where in the source a request of a process comes from, as far as its branch had come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from babysitter.engine.branches import Branch
    from babysitter.engine.calls import Call, Step
    from babysitter.engine.groups import Group
    from babysitter.engine.tasks import Task

    # File, first line and name of a function, and the line at which it stands.
    Frame = tuple[str, int, str, int]
    Stack = tuple[Frame, ...]

OURS = __file__.rpartition("testing")[0]


class Site:
    """One request: its task, and the functions that were waiting for it, the outermost first."""

    __slots__ = ("stack", "task")

    def __init__(self, task: Task[..., Any], stack: Stack) -> None:
        self.task = task
        self.stack = stack


class GroupSite:
    """One ``ctx.parallel`` call: which one, from where it was made, with how many branches and at a time."""

    __slots__ = ("_group", "limit", "mode", "size", "stack")

    def __init__(self, group: Group, stack: Stack) -> None:
        self._group = group
        self.mode = group.fork.mode
        self.limit = group.fork.limit
        self.size = len(group.fork.thunks)
        self.stack = stack

    @property
    def has_raised(self) -> bool | None:
        """Whether an error has left it; None as long as it has not ended, and when it was given up."""
        return self._group.has_raised


class Sites:
    """All of one execution, by step: ``steps`` and the ``groups`` that they are in."""

    def __init__(self) -> None:
        self.steps: dict[str, Site] = {}
        self.groups: dict[str, GroupSite] = {}

    def note(self, branch: Branch, call: Call) -> None:
        """Remember a request, while its branch still waits for it."""
        self.steps[call.step] = Site(call.task, stack_of(branch, call))
        group = branch.group
        while group is not None and group.path not in self.groups:
            self._note_group(group)
            group = group.parent.group

    def _note_group(self, group: Group) -> None:
        self.groups[group.path] = GroupSite(group, stack_of(group.parent, group.fork))


def stack_of(branch: Branch, step: Step) -> Stack:
    """The author's functions that wait in a branch, and last the one that has made the step."""
    frames: list[Frame] = []
    waiting = branch.coroutine
    while waiting is not None:
        code, frame = getattr(waiting, "cr_code", None), getattr(waiting, "cr_frame", None)
        if code is not None and frame is not None:
            frames.append((code.co_filename, code.co_firstlineno, code.co_name, frame.f_lineno))
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)
    made = (step.code.co_filename, step.code.co_firstlineno, step.code.co_name, step.line)
    if not frames or frames[-1][:3] != made[:3]:
        frames.append(made)
    else:
        frames[-1] = made
    return tuple(frame for frame in frames if not frame[0].startswith(OURS))
