"""Python effects: a function, called in a worker process."""

from __future__ import annotations

import os
import sys

from babysitter.errors import InvalidInput
from babysitter.executors.shell import described, timeout, words
from babysitter.executors.work import CannotStart, Command, Result
from babysitter.jsontext import compact, parse_strict
from babysitter.limits import DEFAULT
from babysitter.paths import PACKAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.executors.work import Exit, Work
    from babysitter.limits import Limits

WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "python_worker.py")


class Python:
    """One python effect."""

    usage: dict[str, Any] | None = None

    def __init__(self, work: Work, limits: Limits) -> None:
        self._project = work.project
        self._limits = limits
        self._described = described(work)

    @property
    def _name(self) -> str:
        return f"{self._described.get('function')}()"

    def command(self) -> Command:
        interpreter = self._described.get("interpreter") or sys.executable
        return Command(
            # -I: neither the environment nor the working directory decides what is imported.
            # -B: the project is not littered with __pycache__.
            words([interpreter, "-I", "-B", WORKER]),
            self._project,
            input=compact(self._request()).encode(),
            timeout=timeout(self._described),
            wants_answer=True,
        )

    def _request(self) -> dict[str, Any]:
        told = self._described
        process, function = told.get("process"), told.get("function")
        if (
            not isinstance(process, dict)
            or not isinstance(process.get("file"), str)
            or not isinstance(function, str)
        ):
            raise CannotStart("the definition does not say which function of which process file to call")
        return {
            "file": os.path.join(self._project, process["file"]),
            "sha256": process.get("sha256"),
            "source": process.get("source"),
            "module": told.get("module"),
            "function": function,
            "args": told.get("args") or {},
            "package": PACKAGE,
        }

    def conclude(self, exit: Exit) -> Result:
        if exit.is_timed_out:
            return Result.timed_out(self._name, exit, timeout(self._described))
        status, _, content = (exit.answer or b"").partition(b"\n")
        # A whole answer counts also when the interpreter fails while it shuts down.
        is_whole = content.endswith(b"\n") or len(content) > self._limits.result_bytes
        if status == b"ok" and is_whole:
            return self._returned(content, exit)
        if status == b"error" and is_whole:
            return self._raised(content, exit)
        return self._died(exit)

    def _returned(self, content: bytes, exit: Exit) -> Result:
        try:
            return Result.ok(parse_strict(content, limits=self._limits))
        except InvalidInput as error:
            message = f"{self._name} returned what cannot be kept as JSON: {error}"
            return Result.failed("ResultRejected", message, exit)

    def _raised(self, content: bytes, exit: Exit) -> Result:
        try:
            told = parse_strict(content, limits=DEFAULT)
            return Result.failed(str(told["name"]), str(told["message"]), traceback=str(told["traceback"]))
        except (InvalidInput, KeyError, TypeError):
            # The function can write there too, and a full disk cuts the answer short.
            return self._died(exit)

    def _died(self, exit: Exit) -> Result:
        message = f"the worker of {self._name} {exit.how()} before it gave a result{exit.why()}"
        return Result.failed("WorkerFailed", message, exit)
