"""Pack and restore one run again and again, beside others that do the same and whose locks are not seen.

python put_away_together.py WHAT RUNS_DIR TIMES
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from babysitter.errors import BabysitterError  # noqa: E402 - the checkout that this file is in
from babysitter.runs import ended, unpacking  # noqa: E402
from babysitter.runs.packing import pack  # noqa: E402

RUN = "groups"
# In a row; by then nobody will ever be able to do it again.
MOST_FAILURES = 20_000


class NoLock:
    """What a lock is worth between machines that do not see each other's."""

    def release(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


def no_lock(*_: Any) -> NoLock:
    return NoLock()


def main(what: str, runs_dir: str, times: int) -> int:
    """Do it so often, or until one of the others has; gives how often it was done."""
    ended.run_lock = unpacking.run_lock = no_lock  # type: ignore[assignment]
    done, failures, stop = 0, 0, Path(runs_dir, ".stop")
    while done < times and failures < MOST_FAILURES and not stop.exists():
        try:
            if what == "archive":
                pack(ended.EndedRun(os.path.join(runs_dir, RUN)), "0")
            else:
                unpacking.restore(RUN, runs_dir)
            done, failures = done + 1, 0
        except (BabysitterError, FileNotFoundError):
            # Somebody else was first, or is at it.
            failures += 1
    stop.touch()
    return done


if __name__ == "__main__":
    sys.stdout.write(f"{main(sys.argv[1], sys.argv[2], int(sys.argv[3]))}\n")
