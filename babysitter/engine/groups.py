"""A group: branches side by side, and the rule by which they become one result.

A group settles once. From then on it waits for its live branches to end
(each was cancelled, and its ``finally`` may still ask for effects), starts no
more of them, and only then resumes its parent.
"""

from __future__ import annotations

from babysitter.engine.branches import ENDED, Branch
from babysitter.engine.calls import discard
from babysitter.engine.outcomes import Outcome
from babysitter.errors import AllFailed, BranchCancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.calls import Fork
    from babysitter.engine.replay import Replay

ERROR_ENDS = frozenset({"all", "map", "race", "timeout"})
SUCCESS_ENDS = frozenset({"any", "race", "timeout"})


class Group:
    """The branches of one ``ctx.parallel`` call.

    ``has_raised``: an error has left it; None while it has not ended, and of one that was given up.
    """

    __slots__ = (
        "branches",
        "closing",
        "ended",
        "engine",
        "error",
        "fork",
        "has_raised",
        "live",
        "parent",
        "path",
        "value",
    )

    def __init__(self, engine: Replay, parent: Branch, path: str, fork: Fork) -> None:
        self.engine = engine
        self.parent = parent
        self.path = path
        self.fork = fork
        self.branches: list[Branch] = []
        self.live: dict[int, Branch] = {}
        self.ended = 0
        self.closing = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.has_raised: bool | None = None

    def open(self) -> None:
        """Start as many branches as the limit allows; an empty group is its own result."""
        if not self.fork.thunks:
            self._settle([], None)
        else:
            self._fill()

    def _fill(self) -> None:
        thunks = self.fork.thunks
        limit = self.fork.limit or len(thunks)
        while len(self.branches) < len(thunks) and len(self.live) < limit:
            index = len(self.branches)
            scope = f"{self.path}.{self.fork.branch_name(index)}."
            branch = Branch(thunks[index], scope, self, index)
            self.branches.append(branch)
            self.live[index] = branch
            self.engine.enqueue(branch)

    def hear_end_of(self, branch: Branch) -> None:
        """A branch is over: settle, go on, or, when settled before, see whether it was the last."""
        del self.live[branch.index]
        self.ended += 1
        if self.closing:
            self._report(branch)
            if not self.live:
                self._resume_parent()
        elif self._decides(branch):
            self._settle(branch.value, branch.error)
        elif self.ended == len(self.fork.thunks):
            self._settle_by_all()
        elif len(self.branches) < len(self.fork.thunks):
            self._fill()

    def _decides(self, branch: Branch) -> bool:
        return self.fork.mode in (SUCCESS_ENDS if branch.error is None else ERROR_ENDS)

    def _settle_by_all(self) -> None:
        if self.fork.mode == "settled":
            self._settle([outcome_of(branch) for branch in self.branches], None)
        elif self.fork.mode == "any":
            self._settle(None, AllFailed([error for b in self.branches if (error := b.error) is not None]))
        else:
            self._settle([branch.value for branch in self.branches], None)

    def _settle(self, value: Any, error: BaseException | None) -> None:
        self.closing = True
        self.value, self.error = value, error
        for thunk in self.fork.thunks[len(self.branches) :]:
            discard(thunk)
        for branch in list(self.live.values()):
            self.engine.cancel(branch)
        if not self.live:
            self._resume_parent()

    def abandon(self) -> None:
        """The parent itself is cancelled: so are all branches, and it hears of it after they ended."""
        if self.closing:
            self.value, self.error = None, BranchCancelled()
        else:
            self._settle(None, BranchCancelled())

    def _resume_parent(self) -> None:
        # What leaves a timeout has the results of the group that it comes from, which is the author's.
        if isinstance(self.error, Exception) and self.fork.mode != "timeout":
            self._attach_partial(self.error)
        if not isinstance(self.error, BranchCancelled):
            self.has_raised = self.error is not None
        self.engine.deliver(self.parent, self.value, self.error)
        self._let_go()

    def _attach_partial(self, error: Exception) -> None:
        # Of the group that it leaves last: whoever catches it there knows these branches.
        try:
            error.partial = self.fork.by_name(self._partial())  # type: ignore[attr-defined]
        except AttributeError:
            pass  # the author's own class, and it takes no attributes

    def _let_go(self) -> None:
        """Hold nothing for the parent: that it drops a call un-awaited is noticed by the call itself."""
        self.value = self.error = None
        for branch in self.branches:
            branch.value = branch.error = None
        self.branches = []

    def _partial(self) -> list[Outcome | None]:
        """What each branch had given when the group failed; None where it gave nothing."""
        partial: list[Outcome | None] = [None] * len(self.fork.thunks)
        for branch in self.branches:
            if branch.state == ENDED and not branch.cancelled:
                partial[branch.index] = outcome_of(branch)
        return partial

    def _report(self, branch: Branch) -> None:
        """An error raised while a branch was being given up does not replace the first, but is told."""
        if branch.error is not None and not isinstance(branch.error, BranchCancelled):
            what = f"{type(branch.error).__name__} while branch {branch.scope[:-1]} was given up"
            self.engine.report(branch, f"{what}: {branch.error}")


def outcome_of(branch: Branch) -> Outcome:
    """How a branch ended, as the author sees it."""
    return Outcome(branch.error is None, branch.value, branch.error)
