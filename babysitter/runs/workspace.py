"""The project's git tree as it was at each batch: kept as commits of our own, and brought back on demand.

A commit of all files, also those that git does not track yet, is made with an
index of our own, so that neither the user's index nor HEAD nor any branch is
touched. Each one has the one before as its parent, and one ref for each run
(``refs/babysitter/RUN``) keeps git from collecting them. What git ignores is
not in it.
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
# A repository's own configuration must not start programs from here.
QUIETLY = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0")
WHO = {
    f"GIT_{role}_{what}": told
    for role in ("AUTHOR", "COMMITTER")
    for what, told in (("NAME", "babysitter"), ("EMAIL", "babysitter@localhost"))
}


class NoRepository(Exception):
    """The project is not in a git repository, or git cannot be asked."""


class Repository:
    """The git repository that a folder is in.

    Attributes:
        top: its working tree.
    """

    def __init__(self, folder: str, index: str) -> None:
        """``index`` is a file of our own; it makes the next commit quick.

        Raises:
            NoRepository
        """
        self._index = index
        self.top = folder
        self.top = self.git("rev-parse", "--show-toplevel")

    def git(self, *arguments: str, input: bytes | None = None) -> str:
        """What git prints.

        Raises:
            NoRepository: it does not end well.
        """
        environment = {**os.environ, **WHO, "GIT_INDEX_FILE": self._index, "GIT_OPTIONAL_LOCKS": "0"}
        try:
            ended = subprocess.run(
                ["git", *QUIETLY, *arguments],
                cwd=self.top,
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
            raise NoRepository(os.fsdecode(ended.stderr).strip() or f"git ended with {ended.returncode}")
        return os.fsdecode(ended.stdout).strip("\n")

    def head(self) -> str | None:
        """The commit that is checked out; None in a repository without one."""
        try:
            return self.git("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        except NoRepository:
            return None

    def tree(self) -> str:
        """All files as they are now, as a tree."""
        self.git("add", "--all", ".")
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
        told = self.git("diff-tree", "-r", "-z", "--no-renames", "--name-status", before, after)
        words = told.split("\0")
        changes = list(zip(words[::2], words[1::2], strict=False))
        self.git("read-tree", after)
        for _, name in (change for change in changes if change[0] == "D"):
            self._remove(name)
        kept = [name for word, name in changes if word != "D"]
        if kept:
            listed = b"\0".join(os.fsencode(name) for name in kept)
            self.git("checkout-index", "--force", "-z", "--stdin", input=listed)
        return len(changes)

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
        commit = repository.commit(tree, parents, told, f"refs/babysitter/{run.run_id}")
    except NoRepository:
        # It is kept where it can be; a run never stops for it.
        return []
    return [("WORKSPACE_SAVED", {"commit": commit, "tree": tree, "head": head})]


def _repository(run: Run) -> Repository:
    try:
        return Repository(os.path.realpath(run.project), os.path.join(run.folder, "state", INDEX))
    except NoRepository as error:
        raise NoRepository(f"{run.project!r} is not in a git repository: {error}") from None


def restore(run: Run, commit: str, name: str) -> dict[str, Any]:
    """Make the files of the project what they were; what they are now is kept in a commit of its own.

    HEAD, the branch and the index stay as they are. ``name`` is whose sake this is for, part of a ref.

    Raises:
        InvalidInput: the commit is gone, or there is no repository.
        StorageError: git refuses.
    """
    try:
        repository = _repository(run)
        if not repository.is_there(commit):
            raise InvalidInput(f"the commit {commit} is not in the repository of {run.project!r} any more")
        ref = f"refs/babysitter/before-{name}"
        parents = [head] if (head := repository.head()) else []
        now = repository.commit(repository.tree(), parents, f"babysitter: before {name}", ref)
    except NoRepository as error:
        raise InvalidInput(str(error), hint="without --workspace only the run is forked") from None
    try:
        count = repository.change_to(now, commit)
    except NoRepository as error:
        raise StorageError(
            f"git cannot bring the files back: {error}", hint=f"what was there is in commit {now}"
        ) from None
    return {"commit": commit, "before": now, "ref": ref, "files": count}
