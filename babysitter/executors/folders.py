"""The folders of effects, ``tasks/<effectId>`` in the folder of their run."""

from __future__ import annotations

import os

from babysitter.files import open_inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.disk import Folder

TASKS = "tasks"


def open_folder(path: str, *, make: bool = False) -> Folder:
    """The folder of an effect, and no other: nothing below the run's folder is reached through a link.

    Raises:
        UnsafePath, StorageError
        FileNotFoundError: it is not there, and ``make`` is not set.
    """
    tasks, effect = os.path.split(path)
    run, name = os.path.split(tasks)
    return open_inside(run, [name, effect], make=make)
