"""One session of the real Claude Code on a terminal, with a scripted model and keys that are typed."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from typing import TYPE_CHECKING

from tests.host.fake_api import FakeApi
from tests.host.host_program import KEY, environment, program
from tests.host.real_session import PLUGIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.host.fake_api import Model

ROWS, COLUMNS = 50, 130
MOST_SECONDS = 60
ENTER, DOWN, ESCAPE = b"\r", b"\x1b[B", b"\x1b"
CONTROL = re.compile(
    rb"\x1b\[[0-9;?<>=]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[=>()][0-9A-Za-z]?|\x1b[78cDEHMNOZ]"
)


class Terminal:
    """What a person at the session sees and types.

    Attributes:
        api: what the session has asked the model.
    """

    def __init__(self, master: int, api: FakeApi) -> None:
        self.api = api
        self._master = master
        self._seen = b""
        self._mark = 0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        with contextlib.suppress(OSError):
            while piece := os.read(self._master, 1 << 16):
                self._seen += piece

    @property
    def screen(self) -> str:
        """All that has appeared since something was typed last, without blanks, which the host may draw."""
        return re.sub(r"\s+", "", CONTROL.sub(b" ", self._seen[self._mark :]).decode(errors="replace"))

    def see(self, text: str) -> None:
        """Wait until a text has appeared since something was typed last."""
        wanted, until = re.sub(r"\s+", "", text), time.monotonic() + MOST_SECONDS
        while wanted not in self.screen:
            for mistake in self.api.mistakes:
                raise mistake
            assert time.monotonic() < until, f"{text!r} was not seen, but {self.screen[-3000:]!r}"
            time.sleep(0.05)

    def read(self) -> None:
        """Take the time that a person takes: what is answered faster counts as nobody's answer."""
        time.sleep(1)

    def press(self, *keys: bytes) -> None:
        """Type keys, each on its own: several at once would be a paste."""
        self._mark = len(self._seen)
        for key in keys:
            os.write(self._master, key)
            time.sleep(0.1)

    def say(self, text: str) -> None:
        """Type a text and send it, once the host shows it."""
        self.press(text.encode())
        self.see(text)
        self.press(ENTER)


@contextlib.contextmanager
def on_terminal(
    model: Model,
    *,
    home: Path,
    plugin: Sequence[str] = PLUGIN,
    arguments: Sequence[str] = (),
    **variables: str,
) -> Iterator[Terminal]:
    """A session on a terminal of its own, ready for a prompt; it is ended when this is left."""
    answer_in_advance(home)
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    with FakeApi(model) as api:
        process = subprocess.Popen(
            [program(), *plugin, *arguments],
            env=environment(home, api.url, TERM="xterm-256color", **variables),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        try:
            yield Terminal(master, api)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(MOST_SECONDS)
            os.close(master)


def answer_in_advance(home: Path) -> None:
    """What the host asks when it is started for the first time, and whether it may trust the folder."""
    trusted = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
    config = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
        "projects": {os.getcwd(): trusted},
    }
    (home / ".claude.json").write_text(json.dumps(config))
