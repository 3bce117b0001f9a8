"""What a disk may hold after a power cut, worked out from the operations that were done before it.

The assumptions are those of POSIX and no more, so that they hold on every
file system:

- the content of a file is on the disk when the file was flushed after it was
  written; before, each file may have lost what is new, have half of it, have
  zeros in its place, or all of it;
- a name in a folder (made, moved, taken away) is on the disk when the folder
  was flushed after it; before, each such change may be there or not, whatever
  came before or after it, also in other folders. Moving a name within one
  folder happens whole or not at all; moving it to another folder is two changes;
- ``syncfs`` flushes everything.
"""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.support.operations import Operation

MOST_TRIED_TOGETHER = 6  # changes of names, of which every combination is tried
HOW = ("none", "half", "zeros", "all")

# A disk: path → content, or None for a folder.
Disk = dict[str, "bytes | None"]
# Content that was written and not flushed: where, and what; None cuts the file there.
Write = tuple[int, "bytes | None"]


class Change(NamedTuple):
    """A name that was made or taken away, or both within one folder."""

    folder: int
    removed: str
    added: str
    node: int


class Files:
    """A file system as it is and as it is on the disk.

    Nodes have numbers of their own: an inode is given again to another file.
    """

    def __init__(self, root: Path) -> None:
        """What is below ``root`` now is on the disk."""
        self._numbers: dict[str, int] = {}
        self._next = itertools.count()
        self._names: dict[int, dict[str, int]] = {}
        self._content: dict[int, bytes] = {}
        self._changes: list[Change] = []
        self._left: list[Change] = []
        self._writes: dict[int, list[Write]] = {}
        self._inodes: dict[int, str] = {}
        self._root = self._take_in(root)

    def _take_in(self, path: Path) -> int:
        node = self._new(_inode(path))
        if path.is_dir():
            self._names[node] = {each.name: self._take_in(each) for each in path.iterdir()}
        else:
            self._content[node] = path.read_bytes()
        return node

    def _new(self, inode: str) -> int:
        node = next(self._next)
        self._numbers[inode] = node
        self._inodes[node] = inode
        return node

    # What was done

    def do(self, operation: Operation) -> None:
        """Take in an operation that was done."""
        if not operation.failed:
            getattr(self, "_" + operation.kind.replace("-", "_"), _nothing)(operation)

    def _create(self, done: Operation) -> None:
        self._nameless(done)
        self._change(done.folder, "", done.name, self._numbers[done.node])

    def _nameless(self, done: Operation) -> None:
        self._content[self._new(done.node)] = b""

    def _mkdir(self, done: Operation) -> None:
        node = self._new(done.node)
        self._names[node] = {}
        self._change(done.folder, "", done.name, node)

    def _link(self, done: Operation) -> None:
        self._change(done.folder, "", done.name, self._numbers[done.node])

    def _rename(self, done: Operation) -> None:
        node = self._numbers[done.node]
        if done.folder == done.to_folder:
            self._change(done.folder, done.name, done.to_name, node)
        else:
            self._change(done.folder, done.name, "", node)
            self._change(done.to_folder, "", done.to_name, node)

    def _unlink(self, done: Operation) -> None:
        self._change(done.folder, done.name, "", -1)

    _rmdir = _unlink

    def _change(self, folder: str, removed: str, added: str, node: int) -> None:
        self._changes.append(Change(self._numbers[folder], removed, added, node))

    def _write(self, done: Operation) -> None:
        self._writes.setdefault(self._numbers[done.node], []).append((done.offset, done.content))

    def _truncate(self, done: Operation) -> None:
        self._writes.setdefault(self._numbers[done.node], []).append((done.offset, None))

    def _flush(self, done: Operation) -> None:
        node = self._numbers[done.node]
        self._content_is_on_disk(node)
        for change in self._changes:
            if change.folder == node:
                _apply(self._names, change)
        self._changes = [change for change in self._changes if change.folder != node]

    def _flush_all(self, _: Operation) -> None:
        for node in list(self._writes):
            self._content_is_on_disk(node)
        for change in self._changes:
            _apply(self._names, change)
        self._changes = []

    def _content_is_on_disk(self, node: int) -> None:
        if node in self._writes:
            self._content[node] = written(self._content[node], self._writes.pop(node), "all")

    # What may be left

    def disks(self, chance: random.Random, most: int) -> Iterator[Disk]:
        """What the disk may hold if the power is cut now; some twice. At most about so many."""
        kept = list(_subsets(self._changes, chance, most))
        for changes in kept:
            names = {node: dict(held) for node, held in self._names.items()}
            for change in changes:
                _apply(names, change)
            for how in self._ways(chance):
                yield self._disk(names, how)

    def leave(self, last: Operation) -> None:
        """Whoever worked until now is killed after ``last``, which changed folders that are not flushed."""
        folders = {self._numbers.get(folder) for folder in (last.folder, last.to_folder)}
        self._left = [change for change in self._changes if change.folder in folders]

    def without_left(self) -> Disk | None:
        """The disk that has lost only what was left unflushed; None when that can no longer be lost."""
        left = {id(change) for change in self._left}
        kept = [change for change in self._changes if id(change) not in left]
        if len(kept) == len(self._changes):
            return None
        names = {node: dict(held) for node, held in self._names.items()}
        for change in kept:
            _apply(names, change)
        return self._disk(names, lambda node: "all")

    def _ways(self, chance: random.Random) -> Iterator[Callable[[int], str]]:
        if not self._writes:
            yield lambda node: "all"
            return
        for how in HOW:
            yield lambda node, how=how: how  # type: ignore[misc]
        mixed = {node: chance.choice(HOW) for node in self._writes}
        yield lambda node: mixed[node]

    def _disk(self, names: Mapping[int, Mapping[str, int]], how: Callable[[int], str]) -> Disk:
        disk: Disk = {}
        folders = [("", self._root)]
        while folders:
            path, folder = folders.pop()
            for name, node in names[folder].items():
                inner = os.path.join(path, name)
                if node in names:
                    disk[inner] = None
                    folders.append((inner, node))
                else:
                    disk[inner] = self._left_of(node, how)
        return disk

    def _left_of(self, node: int, how: Callable[[int], str]) -> bytes:
        writes = self._writes.get(node)
        return written(self._content[node], writes, how(node)) if writes else self._content[node]

    def inode_of(self, path: str) -> str:
        """Device and inode of what is, or was last, at a path, counting all that was done."""
        names = {node: dict(held) for node, held in self._names.items()}
        for change in self._changes:
            _apply(names, change)
        node = self._root
        for name in path.split(os.sep):
            node = names[node].get(name, -1)
            if node < 0:
                return ""
        return self._inodes[node]


def written(content: bytes, writes: Sequence[Write], how: str) -> bytes:
    """A file after writes of which the disk has all, a half of each, zeros, or none."""
    for offset, data in writes if how != "none" else []:
        if data is None:
            content = content[:offset].ljust(offset, b"\0")
            continue
        kept = {"all": data, "half": data[: len(data) // 2], "zeros": bytes(len(data))}[how]
        content = content[:offset].ljust(offset, b"\0") + kept + content[offset + len(kept) :]
    return content


def put(disk: Disk, folder: Path) -> None:
    """Make a disk real."""
    folder.mkdir(parents=True)
    for path, content in sorted(disk.items()):
        if content is None:
            (folder / path).mkdir(exist_ok=True)
        else:
            (folder / path).write_bytes(content)


def _subsets(changes: Sequence[Change], chance: random.Random, most: int) -> Iterable[Sequence[Change]]:
    count = len(changes)
    if count <= MOST_TRIED_TOGETHER and 1 << count <= most:
        return [chosen for size in range(count + 1) for chosen in itertools.combinations(changes, size)]
    chosen: list[Sequence[Change]] = [[], changes]
    chosen += [[change] for change in changes]
    chosen += [[each for each in changes if each is not change] for change in changes]
    rest = max(0, most - len(chosen))
    chosen += [[each for each in changes if chance.random() < 0.5] for _ in range(rest)]
    return chance.sample(chosen, min(most, len(chosen)))


def _apply(names: dict[int, dict[str, int]], change: Change) -> None:
    held = names[change.folder]
    held.pop(change.removed, None)
    if change.added:
        held[change.added] = change.node


def _inode(path: Path) -> str:
    found = path.lstat()
    return f"{found.st_dev}:{found.st_ino}"


def _nothing(_: Operation) -> None:
    """An operation that leaves nothing on the disk."""
