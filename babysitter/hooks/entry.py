"""The program behind every hook script: one call in by standard input, at most one answer out.

A hook must never be in the way: whatever goes wrong here, the session is let go, and told why.
"""

from __future__ import annotations

import gc
import os
import select
import sys
import time

from babysitter.hosts import adapter_of
from babysitter.jsontext import compact, loads
from babysitter.paths import has_rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from babysitter.hosts.calls import Answer, Call

MOST_BYTES = 1 << 25
# A host writes its call and is done; one that never closes the pipe must not hold us.
PATIENCE_SECONDS = 2.0
OWN_RIGHTS = 0o077
# Event → module and function. A module is imported when its event comes.
EVENTS = {
    "session-start": ("begin", "session_start"),
    "prompt": ("prompts", "prompt"),
    "command": ("commands", "command"),
    "before-tool": ("guard", "before_tool"),
    "permission": ("dialog", "permission"),
    "after-tool": ("results", "after_tool"),
    "subagent-stop": ("results", "subagent_stop"),
    "stop": ("stop", "stop"),
    "compact": ("begin", "compact"),
    "session-end": ("begin", "session_end"),
}


def main(event: str) -> NoReturn:
    """Answer one call of a hook and end the program, always with 0.

    By ``os._exit``: the normal way out would close the suspended process of a run.
    """
    gc.disable()
    os.umask(os.umask(OWN_RIGHTS) & OWN_RIGHTS)
    output = _taken_output()
    told = _answer(event)
    if told is not None:
        try:
            os.write(output, _as_bytes(told) + b"\n")
        except OSError:
            # The host does not read any more.
            pass
    _call_hooks()
    os._exit(0)


def _call_hooks() -> None:
    """Tell those who want to hear of what was written; the host has its answer, and nothing changes that."""
    bound = sys.modules.get("babysitter.hooks.bound")
    try:
        if bound is not None:
            bound.finish()
    except BaseException:
        return


def _as_bytes(told: dict[str, Any]) -> bytes:
    try:
        return compact(told).encode()
    except (TypeError, ValueError) as error:
        # Half a character in what somebody sent, and is quoted.
        return compact({"systemMessage": _complaint(error)}).encode()


def _taken_output() -> int:
    """Where the answer goes, and nothing else.

    What an author's code prints, or a command that it calls, would spoil the JSON: from now on that
    goes to standard error.
    """
    try:
        output = os.dup(1)
        os.dup2(2, 1)
    except OSError:
        # The host has closed one of them.
        return 1
    return output


def called() -> NoReturn:
    """The program ``babysitter-hook EVENT``."""
    main(sys.argv[1])


def _answer(event: str) -> dict[str, Any] | None:
    try:
        adapter = adapter_of(os.environ)
        call = adapter.read(event, _payload(), os.environ)
        told: dict[str, Any] | None = adapter.render(call, _act(call))
    except BaseException as error:
        return {"systemMessage": _complaint(error)}
    return told


def _act(call: Call) -> Answer:
    name, function = EVENTS[call.event]
    module = __import__(f"babysitter.hooks.{name}", fromlist=[function])
    act: Callable[[Call], Answer] = getattr(module, function)
    return _with_rules(act, call) if has_rules() else act(call)


def _with_rules(act: Callable[[Call], Answer], call: Call) -> Answer:
    """Act, also where the rules cannot be read: nothing is answered without asking then, and that is said.

    Else whoever spoils their file would let every session go.
    """
    from babysitter import rule_faults

    faults = rule_faults.begin()
    try:
        answer = act(call)
    finally:
        rule_faults.end()
    if faults:
        from babysitter.views.text import printable

        told = (
            f"babysitter: {faults[0].message}; so nothing is answered without asking (see: {faults[0].hint})"
        )
        answer.message = "\n".join(filter(None, [answer.message, printable(told)]))
    return answer


def _complaint(error: BaseException) -> str:
    from babysitter.errors import BabysitterError
    from babysitter.views.text import printable

    if isinstance(error, BabysitterError):
        said, cure = error.message, error.hint or "babysitter doctor"
    else:
        said, cure = f"{type(error).__name__}: {error}", "babysitter doctor"
    return printable(f"babysitter lets this session go: {said[:2000]} (see: {cure})")


def _payload() -> dict[str, Any]:
    raw = read_call(0)
    try:
        payload = loads(raw)
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        # An event without a word of what it is about: nothing can be done for it.
        return {}
    return payload


def read_call(fd: int) -> bytes:
    """What the host writes: up to the end, to a line that ends the JSON, to silence, or to a size."""
    pieces: list[bytes] = []
    size, until = 0, time.monotonic() + PATIENCE_SECONDS
    while size < MOST_BYTES:
        if not select.select([fd], [], [], max(0.0, until - time.monotonic()))[0]:
            break
        piece = os.read(fd, 1 << 20)
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
        if piece.endswith(b"\n") and _is_whole(pieces):
            break
        until = time.monotonic() + PATIENCE_SECONDS
    return b"".join(pieces)


def _is_whole(pieces: list[bytes]) -> bool:
    """Whether this can be the end: the host writes one object and a line feed, and may keep the pipe open."""
    return pieces[0][:1] == b"{" and pieces[-1].rstrip()[-1:] == b"}"
