"""A model API on this machine: what the host sends is answered by a scripted model, and kept.

A model is called with what was ``Asked`` and gives a turn: a text, or
``{"text": …, "tools": [{"name": "Bash", "input": {…}}], "usage": {…}, "error": {"status": 529}}``,
of which nothing is needed.
"""

from __future__ import annotations

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from tests.host.asked import Asked

if TYPE_CHECKING:
    from collections.abc import Callable

    Turn = dict[str, Any] | str
    Model = Callable[[Asked], Turn]

MESSAGES, COUNT = "/v1/messages", "/v1/messages/count_tokens"
USAGE = {
    "input_tokens": 10,
    "output_tokens": 5,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
}


class FakeApi:
    """The server; ``with FakeApi(model) as api:`` starts and stops it.

    Attributes:
        asked: every request for a message, in the order of arrival.
        mistakes: what a model has raised. The host is answered all the same, so a test has to look.
    """

    def __init__(self, model: Model, most_turns: int = 200) -> None:
        self.model = model
        self.most_turns = most_turns
        self.asked: list[Asked] = []
        self.mistakes: list[BaseException] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def turn(self, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        """What the model answers; it is asked by several threads at once."""
        asked = Asked(body, headers)
        with self._lock:
            self.asked.append(asked)
            number = len(self.asked)
        try:
            assert number <= self.most_turns, f"the host has asked {number} times"
            turn = self.model(asked)
        except BaseException as error:  # the thread that it is raised in belongs to nobody
            self.mistakes.append(error)
            return {"error": {"status": 400}}
        return {"text": turn} if isinstance(turn, str) else turn

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: FakeApi

    def log_message(self, *_: object) -> None:
        """Say nothing on standard error."""

    def do_HEAD(self) -> None:
        self._head("application/json", 0)

    def do_GET(self) -> None:
        self._json(404, _error("not_found_error"))

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            self._post(self.path.split("?", maxsplit=1)[0], raw)
        except (BrokenPipeError, ConnectionResetError):
            # The host was killed.
            self.close_connection = True

    def _post(self, path: str, raw: bytes) -> None:
        if path == COUNT:
            self._json(200, {"input_tokens": max(1, len(raw) // 4)})
        elif path == MESSAGES:
            self._answer(json.loads(raw))
        else:
            self._json(404, _error("not_found_error"))

    def _answer(self, body: dict[str, Any]) -> None:
        turn = self.api.turn(body, dict(self.headers.items()))
        if "error" in turn:
            self._json(turn["error"].get("status", 500), _error("api_error"))
        elif body.get("stream"):
            self._stream(_events(_message(turn, body.get("model"))))
        else:
            self._json(200, _message(turn, body.get("model")))

    def _json(self, status: int, told: Any) -> None:
        raw = json.dumps(told).encode()
        self._head("application/json", len(raw), status)
        self.wfile.write(raw)

    def _stream(self, raw: bytes) -> None:
        self._head("text/event-stream; charset=utf-8", len(raw))
        self.wfile.write(raw)

    def _head(self, kind: str, length: int, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(length))
        self.send_header("request-id", f"req_{uuid.uuid4().hex[:24]}")
        self.end_headers()


def _error(kind: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": "from the scripted model"}}


def _message(turn: dict[str, Any], model: str | None) -> dict[str, Any]:
    tools = [
        {
            "type": "tool_use",
            "id": f"toolu_{uuid.uuid4().hex[:24]}",
            "name": tool["name"],
            "input": tool.get("input", {}),
        }
        for tool in turn.get("tools", [])
    ]
    texts = [{"type": "text", "text": turn["text"]}] if turn.get("text") else []
    return {
        "id": f"msg_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [*texts, *tools] or [{"type": "text", "text": "(nothing)"}],
        "stop_reason": "tool_use" if tools else "end_turn",
        "stop_sequence": None,
        "usage": {**USAGE, **turn.get("usage", {})},
    }


def _events(message: dict[str, Any]) -> bytes:
    """A message as the stream of events in which the host reads it."""
    begun = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    events = [_event("message_start", message=begun)]
    for index, block in enumerate(message["content"]):
        events += _block_events(index, block)
    ended = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    events += [_event("message_delta", delta=ended, usage=message["usage"]), _event("message_stop")]
    return b"".join(events)


def _block_events(index: int, block: dict[str, Any]) -> list[bytes]:
    if block["type"] == "text":
        empty, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
    else:
        empty = {**block, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    return [
        _event("content_block_start", index=index, content_block=empty),
        _event("content_block_delta", index=index, delta=delta),
        _event("content_block_stop", index=index),
    ]


def _event(kind: str, **data: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()
