"""Where things are: the project, its runs, the user's own folder, the plugin."""

from __future__ import annotations

import os

from babysitter.errors import UnsafePath, UsageError

STATE_FOLDER = ".a5c"
PACKAGE = os.path.dirname(os.path.abspath(__file__))


def home() -> str:
    """The user's own folder: ``$BABYSITTER_HOME``, by default ``~/.a5c``."""
    return os.path.abspath(
        os.environ.get("BABYSITTER_HOME") or os.path.join(os.path.expanduser("~"), STATE_FOLDER)
    )


def user_name() -> str:
    """The name of the user of this machine; the number where the machine knows no name."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def project_dir(start: str | None = None) -> str:
    """The project that a folder belongs to.

    The nearest folder upward that has ``.a5c``, else the nearest that has
    ``.git``, else the folder itself. The user's own ``~/.a5c`` makes no project.
    """
    start = as_text(os.path.abspath(start or _working_directory()))
    own = home()
    for marker in (STATE_FOLDER, ".git"):
        for folder in _upward(start):
            found = os.path.join(folder, marker)
            if found != own and os.path.exists(found):
                return folder
    return start


def _working_directory() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise UsageError(
            "the working directory does not exist any more", hint="cd into a folder that exists"
        ) from None


def as_text(path: str) -> str:
    """The path, which the journal and JSON can name.

    Raises:
        UnsafePath: its bytes are not UTF-8.
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        raise UnsafePath(
            f"the path {path!r} is not UTF-8, and a run could not name it",
            hint="rename the folder or the file",
        ) from None
    return path


def _upward(folder: str) -> list[str]:
    folders = [folder]
    while os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
        folders.append(folder)
    return folders


def runs_dir(explicit: str | None = None, start: str | None = None) -> str:
    """The folder of runs: as told, else ``$BABYSITTER_RUNS_DIR``, else ``.a5c/runs`` of the project.

    ``start``: a folder of the project, by default the working directory.
    """
    told = explicit or os.environ.get("BABYSITTER_RUNS_DIR")
    return as_text(os.path.abspath(told)) if told else os.path.join(project_dir(start), STATE_FOLDER, "runs")


def rules_file() -> str:
    """Where the user's rules are, by which breakpoints are answered without asking; mostly there are none."""
    return os.path.join(home(), "rules.json")


def has_rules() -> bool:
    """Whether there are any: one look, for commands that are called all the time."""
    try:
        os.lstat(rules_file())
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        # Reading them will say what is wrong; without any, more would be answered than their user wants.
        return True
    return True


def hook_folders(project: str) -> tuple[str, str]:
    """Where hooks are: those that the project suggests, and the user's own."""
    return os.path.join(project, STATE_FOLDER, "hooks"), os.path.join(home(), "hooks")


def has_hooks(project: str) -> bool:
    """Whether there is any folder with hooks; two looks, for commands that are called all the time."""
    return any(map(os.path.isdir, hook_folders(project)))


def plugin_root() -> str:
    """The folder with manifest, skills and processes: the checkout, or the copy in the installed package."""
    checkout = os.path.dirname(PACKAGE)
    if os.path.isfile(os.path.join(checkout, ".claude-plugin", "plugin.json")):
        return checkout
    return os.path.join(PACKAGE, "_plugin")
