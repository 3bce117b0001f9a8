"""A terminal small enough to read: what is on the screen after a program wrote to it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios

PARTS = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|(\r|\n)|([^\x1b\r\n]+)")


class Screen:
    """Understands what a redraw is made of: moving up, erasing a line, colours, the cursor's visibility.

    Attributes:
        lines: all that was ever on the screen, without trailing spaces.
        most_up: how far up from its end the cursor has ever moved.
        colours: codes of all colours that were set.
    """

    def __init__(self, output: str) -> None:
        self.rows = [""]
        self.row = 0
        self.column = 0
        self.most_up = 0
        self.is_cursor_visible = True
        self.colours: set[str] = set()
        for parameters, command, move, text in PARTS.findall(output):
            self._see(parameters, command, move, text)

    @property
    def lines(self) -> list[str]:
        return [row.rstrip() for row in self.rows]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def _see(self, parameters: str, command: str, move: str, text: str) -> None:
        if text:
            row = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = row[: self.column] + text + row[self.column + len(text) :]
            self.column += len(text)
        elif move == "\r":
            self.column = 0
        elif move == "\n":
            # The driver of a terminal makes "\r\n" of it.
            self.row, self.column = self.row + 1, 0
            self.rows += [""] * (self.row + 1 - len(self.rows))
        elif command == "A":
            self.row -= int(parameters or 1)
            self.most_up = max(self.most_up, len(self.rows) - 1 - self.row)
        elif command == "K":
            self.rows[self.row] = ""
        elif command == "m":
            self.colours.update(part for part in parameters.split(";") if part[:1] in ("3", "4", "9"))
        elif parameters == "?25":
            self.is_cursor_visible = command == "h"
        else:
            raise AssertionError(f"the terminal does not know {parameters}{command}")


def run_on_terminal(program: str, *, columns: int = 80, lines: int = 24, **environment: str) -> str:
    """Run Python code on a pseudo-terminal of its own; gives all that it wrote there."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    names = {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", "PYTHONPATH": os.pathsep.join(sys.path)}
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-W", "error", "-c", program],
        {**os.environ, **names, **environment},
        file_actions=[(os.POSIX_SPAWN_DUP2, child, number) for number in (0, 1, 2)],
    )
    os.close(child)
    output = _read_all(parent)
    os.close(parent)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, output
    return output


def _read_all(descriptor: int) -> str:
    chunks = []
    try:
        while chunk := os.read(descriptor, 65536):
            chunks.append(chunk)
    except OSError:
        # Linux says EIO when the last program on a terminal has gone.
        pass
    return b"".join(chunks).decode()
