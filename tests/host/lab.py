"""A project, a home, and sessions in them: what every test of this folder begins with."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.host.real_session import MOST_SECONDS, going
from tests.host.terminal_session import on_terminal
from tests.support.commands import call, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.host.fake_api import Model
    from tests.host.real_session import Going, Session
    from tests.host.terminal_session import Terminal

PROCESSES = Path(__file__).parent / "processes"
RUNS = Path(".a5c") / "runs"


class Lab(NamedTuple):
    """The home of the sessions; the project is the working directory."""

    home: Path

    def use(self, *names: str) -> None:
        """Put processes of ``tests/host/processes`` into the project."""
        for name in names:
            Path(name).write_text((PROCESSES / name).read_text("utf-8"), "utf-8")

    @contextlib.contextmanager
    def going(self, prompt: str, model: Model, **more: Any) -> Iterator[Going]:
        """A session that goes on while this is not left."""
        with going(prompt, model, home=self.home, **more) as session:
            yield session

    @contextlib.contextmanager
    def terminal(self, model: Model, **more: Any) -> Iterator[Terminal]:
        """A session on a terminal, while this is not left."""
        with on_terminal(model, home=self.home, **more) as terminal:
            yield terminal

    def session(self, prompt: str, model: Model, **more: Any) -> Session:
        """A session from start to end."""
        with self.going(prompt, model, **more) as session:
            return session.end()


def journal(run: str) -> list[dict[str, Any]]:
    """The events of a run, as they lie on disk."""
    return [json.loads(path.read_bytes()) for path in sorted((RUNS / run / "journal").glob("*.json"))]


def events(run: str, type: str) -> list[dict[str, Any]]:
    """The data of all events of one type."""
    return [event["data"] for event in journal(run) if event["type"] == type]


def effect(run: str, label: str) -> str:
    """The id of the latest effect whose title has this in it."""
    return str(
        next(data["effectId"] for data in reversed(events(run, "EFFECT_REQUESTED")) if label in data["label"])
    )


def status(run: str) -> dict[str, Any]:
    """Where a run stands, after all of it was verified."""
    verified = call("verify", run)
    assert verified.code == 0, verified
    found: dict[str, Any] = told("status", run)
    return found


def each_once(run: str) -> bool:
    """Every effect that was asked for was answered, once."""
    asked = [data["effectId"] for data in events(run, "EFFECT_REQUESTED")]
    answered = [data["effectId"] for data in events(run, "EFFECT_RESOLVED")]
    return sorted(asked) == sorted(answered) and len(set(asked)) == len(asked)


def seen(is_so: Callable[[], object]) -> None:
    """Wait until something can be seen."""
    until = time.monotonic() + MOST_SECONDS
    while not is_so():
        assert time.monotonic() < until, "it was not seen"
        time.sleep(0.05)


def left_behind(home: Path) -> list[int]:
    """Processes that sessions with this home have started and that live, as far as this system shows them."""
    mark = f"HOME={home}\0".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return [pid for pid in found if pid != os.getpid()]


def end_left_behind(home: Path) -> None:
    """End what a session has left behind."""
    for pid in left_behind(home):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
