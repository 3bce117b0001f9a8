"""The project's git tree as it was at each batch: kept as commits of our own, and brought back on demand.

A commit of all files, also those that git does not track yet, is made with an
index of our own, so that neither the user's index nor HEAD nor any branch is
touched. Each one has the one before as its parent, and one ref for each run
(``refs/babysitter/runs/RUN``) keeps git from collecting them. Of a project that
is a part of a repository only that part is in it; what git ignores is not.

Bringing files back overwrites nothing that is in no commit: where something
lies in the way that git ignores, or a repository of its own, nothing is done.
"""

from __future__ import annotations

import os
import subprocess

from babysitter.errors import InvalidInput, StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.runs.drafts import Draft
    from babysitter.runs.run import Run

SECONDS = 60
INDEX = "workspace.index"
OPTION = "workspace"
# What a repository has set up for people at work is not for these commands.
QUIETLY = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0")
WHO = {
    f"GIT_{role}_{what}": told
    for role in ("AUTHOR", "COMMITTER")
    for what, told in (("NAME", "babysitter"), ("EMAIL", "babysitter@localhost"))
}


RUNS, BEFORE = "refs/babysitter/runs", "refs/babysitter/before"
GITLINK = "160000"


class NoRepository(Exception):
    """The project is not in a git repository, or git cannot be asked."""


class GitFailed(NoRepository):
    """There is a repository, and git does not do what it is asked."""


class Repository:
    """The git repository that a folder is in.

    Attributes:
        folder: the project; only what is in it counts.
        top: the working tree.
    """

    def __init__(self, folder: str, index: str) -> None:
        """``index`` is a file of our own; it makes the next commit quick.

        Raises:
            NoRepository
        """
        self._index = index
        self.folder = self.top = folder
        try:
            self.top = self.git("rev-parse", "--show-toplevel")
        except GitFailed as error:
            raise NoRepository(str(error)) from None

    def git(self, *arguments: str, input: bytes | None = None, is_here: bool = False) -> str:
        """What git prints; called at the top of the working tree, or in the project (``is_here``).

        Raises:
            GitFailed: it does not end well.
            NoRepository: there is no git.
        """
        # Variables of git's own would lead to another repository.
        own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environment = {**own, **WHO, "GIT_INDEX_FILE": self._index, "GIT_OPTIONAL_LOCKS": "0"}
        try:
            ended = subprocess.run(
                ["git", *QUIETLY, *arguments],
                cwd=self.folder if is_here else self.top,
                env=environment,
                input=input,
                stdin=subprocess.DEVNULL if input is None else None,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoRepository(str(error)) from None
        if ended.returncode:
            raise GitFailed(os.fsdecode(ended.stderr).strip() or f"git ended with {ended.returncode}")
        return os.fsdecode(ended.stdout).strip("\n")

    def head(self) -> str | None:
        """The commit that is checked out; None in a repository without one."""
        try:
            return self.git("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        except NoRepository:
            return None

    def tree(self) -> str:
        """All files of the project as they are now, as a tree."""
        self.git("add", "--all", "--", ".", is_here=True)
        return self.git("write-tree")

    def commit(self, tree: str, parents: list[str], message: str, ref: str) -> str:
        """A commit of a tree, kept by a ref."""
        told = [word for parent in parents for word in ("-p", parent)]
        commit = self.git("commit-tree", tree, *told, "-m", message)
        self.git("update-ref", ref, commit)
        return commit

    def is_there(self, commit: str) -> bool:
        try:
            self.git("cat-file", "-e", f"{commit}^{{commit}}")
        except NoRepository:
            return False
        return True

    def change_to(self, before: str, after: str) -> int:
        """Make the files that differ between two commits what they are in the second; how many there were."""
        changes = self._changes(before, after)
        self.git("read-tree", after)
        for _, name in (change for change in changes if change[0] == "D"):
            self._remove(name)
        kept = [name for word, name in changes if word != "D"]
        if kept:
            listed = b"\0".join(os.fsencode(name) for name in kept)
            self.git("checkout-index", "--force", "-z", "--stdin", input=listed)
        return len(changes)

    def _changes(self, before: str, after: str) -> list[tuple[str, str]]:
        """How each file differs, and its path from the top; repositories within the tree stay as they are."""
        told = self.git("diff-tree", "-r", "-z", "--no-renames", before, after)
        words = told.split("\0")
        changes = []
        for about, name in zip(words[::2], words[1::2], strict=False):
            was, now, _, _, status = about.lstrip(":").split()
            if GITLINK not in (now, was if status == "D" else ""):
                changes.append((status, name))
        return changes

    def in_the_way(self, before: str, after: str) -> list[str]:
        """What would be overwritten or removed, and is in no commit; ``before`` is what lies there now."""
        known = set(self.git("ls-tree", "-r", "-z", "--name-only", before).split("\0"))
        written = [name for word, name in self._changes(before, after) if word != "D"]
        found = {path for name in written for path in self._lying_at(name)}
        return sorted(found - known)

    def _lying_at(self, name: str) -> list[str]:
        """What a file would take the place of: a file, those of a folder, or what is in the way to it."""
        parts = name.split("/")
        for length in range(1, len(parts)):
            above = "/".join(parts[:length])
            path = os.path.join(self.top, above)
            if os.path.lexists(path) and (os.path.islink(path) or not os.path.isdir(path)):
                return [above]
        path = os.path.join(self.top, name)
        if os.path.isdir(path) and not os.path.islink(path):
            walked = os.walk(path)
            return [
                os.path.relpath(os.path.join(at, each), self.top) for at, _, names in walked for each in names
            ]
        return [name] if os.path.lexists(path) else []

    def _remove(self, name: str) -> None:
        path = os.path.join(self.top, name)
        if os.path.realpath(os.path.dirname(path)) != os.path.normpath(os.path.dirname(path)):
            # Behind a link it is a file of somebody else's.
            return
        try:
            os.unlink(path)
            os.removedirs(os.path.dirname(path))
        except OSError:
            # It is gone already, or its folder holds something else.
            pass


def is_wanted(run: Run) -> bool:
    """The run was made to keep the tree with each batch."""
    return bool(run.state.created.get("options", {}).get(OPTION))


def saved(run: Run) -> list[Draft]:
    """WORKSPACE_SAVED for the files as they are now; nothing where they are as last time, or without git."""
    try:
        repository = _repository(run)
        head, tree = repository.head(), repository.tree()
        last = run.state.workspace or {}
        if (last.get("head"), last.get("tree")) == (head, tree):
            return []
        parents = [commit for commit in (last.get("commit"), head) if commit]
        told = f"babysitter {run.run_id}: before event {run.state.last_seq + 1}"
        commit = repository.commit(tree, parents, told, f"{RUNS}/{run.run_id}")
    except GitFailed as error:
        return _warned(run, f"the project's git tree is not kept: {error}")
    except NoRepository:
        # It is kept where it can be; a run never stops for it.
        return []
    return [("WORKSPACE_SAVED", {"commit": commit, "tree": tree, "head": head})]


def _warned(run: Run, message: str) -> list[Draft]:
    """A warning in the journal, once."""
    from babysitter.runs import drafts

    data = drafts.reported("", message)
    return [] if data["key"] in run.state.logged else [drafts.said(run, data)]


def _repository(run: Run) -> Repository:
    try:
        return Repository(os.path.realpath(run.project), os.path.join(run.folder, "state", INDEX))
    except GitFailed:
        raise
    except NoRepository as error:
        raise NoRepository(f"{run.project!r} is not in a git repository: {error}") from None


class Restored:
    """The files of a run's project, brought back to a commit; ``undo`` brings back what was there before.

    Attributes:
        before: the commit of what was there, kept by ``ref``.
        files: how many files have changed.
    """

    def __init__(self, run: Run, commit: str, name: str) -> None:
        """HEAD, the branch and the index stay as they are. ``name`` is whose sake this is for.

        Raises:
            InvalidInput: the commit is gone, something would be lost, or there is no repository.
            StorageError: git refuses.
        """
        try:
            self._repository = _repository(run)
            self.commit, self.ref = commit, f"{BEFORE}/{name}"
            self._check_there(run)
            head = self._repository.head()
            told = f"babysitter: before {name}"
            tree = self._repository.tree()
            self.before = self._repository.commit(tree, [head] if head else [], told, self.ref)
            self._check_free()
        except NoRepository as error:
            raise InvalidInput(str(error), hint="without --workspace only the run is forked") from None
        self.files = self._change(self.before, commit)

    def _check_there(self, run: Run) -> None:
        if not self._repository.is_there(self.commit):
            raise InvalidInput(
                f"the commit {self.commit} is not in the repository of {run.project!r} any more",
                hint="without --workspace only the run is forked",
            )

    def _check_free(self) -> None:
        lost = self._repository.in_the_way(self.before, self.commit)
        if lost:
            more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
            raise InvalidInput(
                f"{lost[0]!r}{more} would be overwritten, and is in no commit",
                hint="git ignores it, or it belongs to a repository of its own: move it away first",
            )

    def _change(self, before: str, after: str) -> int:
        try:
            return self._repository.change_to(before, after)
        except NoRepository as error:
            raise StorageError(
                f"git cannot bring the files back: {error}", hint=f"what was there is in commit {self.before}"
            ) from None

    def undo(self) -> None:
        """Bring back what was there."""
        self._change(self.commit, self.before)

    def as_json(self) -> dict[str, Any]:
        return {"commit": self.commit, "before": self.before, "ref": self.ref, "files": self.files}
