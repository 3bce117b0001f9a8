"""What an agent is asked for, and what is done with a file."""

from __future__ import annotations

from typing import Any

from babysitter import agent, python

NOT_ENTERED = {"node_modules", "__pycache__"}


@python(title="find {pattern}")
def find_files(pattern: str) -> list[str]:
    """The files that fit the pattern, in order; hidden ones, links and installed packages are left out."""
    from pathlib import Path

    found = [file for file in Path().glob(pattern) if file.is_file() and not file.is_symlink()]
    return sorted(str(file) for file in found if not is_left_out(file.parts))


def is_left_out(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(".") or part in NOT_ENTERED for part in parts)


@python(title="keep a copy of {file}")
def keep(file: str) -> str:
    """The path of a copy of the file. One that is there stays: it is of before anything was changed."""
    import os
    import shutil
    from pathlib import Path

    # Relative, and not ctx.artifacts: so the run goes on when its project was moved meanwhile.
    folder = os.path.relpath(os.path.realpath(os.environ["BABYSITTER_ARTIFACTS"]), os.path.realpath("."))
    copy = Path(folder) / "before" / file
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        # Killed in the middle, it leaves no half copy under the name that counts.
        part = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copy2(file, part)
        part.rename(copy)
    return str(copy)


@python(title="put {file} back")
def put_back(file: str, copy: str) -> None:
    """Let the file be what it was."""
    import shutil

    shutil.copy2(copy, file)


@python(title="has {file} changed?")
def compare(file: str, copy: str) -> bool:
    """Whether the file differs from what it was, or is gone."""
    from pathlib import Path

    path = Path(file)
    return not path.is_file() or path.read_bytes() != Path(copy).read_bytes()


@agent(title="migrate {file} (attempt {attempt})")
def migrate(file: str, instruction: str, attempt: int, before: str) -> dict[str, Any]:
    return {
        "task": f"Change one file: {file}",
        "context": {"what is to be done": instruction, "why the last attempt was no good": before},
        "instructions": [
            "Change no other file: others are at work on them at the same time.",
            "If there is nothing to do in it, leave it as it is.",
            "Answer in one sentence.",
        ],
    }
