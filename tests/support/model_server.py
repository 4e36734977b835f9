"""A vendor's server on loopback: plays one reply after another, well-formed or not, and remembers what it was asked."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

Play = Callable[[socket.socket, "Asked"], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Attributes:
        headers: names in lower case.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        """The body as JSON."""
        return json.loads(self.content)


@dataclass
class ModelServer:
    """One server.

    Attributes:
        plays: what is still to be played; the last one is played again and again.
        asked: requests, in order.
    """

    plays: list[Play]
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    stopped: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, asked: Asked) -> Play:
        with self._lock:
            self.asked.append(asked)
            return self.plays.pop(0) if len(self.plays) > 1 else self.plays[0]

    @property
    def endpoint(self) -> tuple[str, int]:
        """Address and port."""
        host, _, port = self.url.removeprefix("http://").partition(":")
        return host, int(port)


def says(body: Any, status: int = 200, **headers: str) -> Play:
    """Reply with a status and a body, JSON unless it is bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def play(connection: socket.socket, _asked: Asked) -> None:
        names = {"Content-Type": "application/json", "Content-Length": str(len(content)), "Connection": "close"}
        names |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase if status in set(HTTPStatus) else 'Odd'}\r\n"
        connection.sendall(
            (head + "".join(f"{name}: {value}\r\n" for name, value in names.items()) + "\r\n").encode() + content
        )

    return play


def answers(make: Callable[[Asked], Any]) -> Play:
    """Reply with what is made of the request."""
    return lambda connection, asked: says(make(asked))(connection, asked)


def hangs(server_stopped: threading.Event | None = None) -> Play:
    """Take the request and say nothing."""
    return lambda _connection, _asked: (server_stopped or threading.Event()).wait(20) and None


def cuts(text: bytes = b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"cho') -> Play:
    """Begin a reply and hang up."""
    return lambda connection, _asked: connection.sendall(text)


def drips(seconds: float = 20.0) -> Play:
    """Send a reply one byte at a time."""

    def play(connection: socket.socket, _asked: Asked) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        ends_at = time.monotonic() + seconds
        with suppress(OSError):
            while time.monotonic() < ends_at:
                connection.sendall(b" ")
                time.sleep(0.02)

    return play


@contextmanager
def model_server(*plays: Play) -> Iterator[ModelServer]:
    """Serve for the length of a block."""
    server = ModelServer(list(plays))

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked = _read(self)
            if asked is not None:
                with suppress(OSError):
                    server.take(asked)(self.connection, asked)

    listening = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    listening.block_on_close = False
    server.url = f"http://127.0.0.1:{listening.server_address[1]}"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        listening.shutdown()
        listening.server_close()
        thread.join(5)


def _read(handler: socketserver.StreamRequestHandler) -> Asked | None:
    line = handler.rfile.readline(65536).decode("latin-1").split()
    if len(line) != 3:
        return None
    headers: dict[str, str] = {}
    while (text := handler.rfile.readline(65536).decode("latin-1").strip()) != "":
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    return Asked(line[0], line[1], headers, handler.rfile.read(int(headers.get("content-length", "0"))))


# What each vendor answers when all goes well, in its documented form.


def anthropic_reply(text: str, reason: str = "end_turn", *, tokens: tuple[int, int] = (11, 7)) -> dict[str, Any]:
    return {
        "id": "msg_01", "type": "message", "role": "assistant", "model": "claude-x", "stop_reason": reason, "stop_sequence": None,
        "content": [{"type": "text", "text": text}] if text else [],
        "usage": {"input_tokens": tokens[0] - 3, "cache_creation_input_tokens": 1, "cache_read_input_tokens": 2, "output_tokens": tokens[1]},
    }  # fmt: skip


def openai_reply(
    text: str | None, reason: str = "stop", *, refusal: str | None = None, tokens: tuple[int, int] = (11, 7)
) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "refusal": refusal}
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-x",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}],
        "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)},
    }  # fmt: skip


def gemini_reply(text: str, reason: str = "STOP", *, tokens: tuple[int, int] = (11, 7)) -> dict[str, Any]:
    parts = [{"text": "a thought", "thought": True}, {"text": text}] if text else []
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": reason, "index": 0}],
        "usageMetadata": {"promptTokenCount": tokens[0], "candidatesTokenCount": tokens[1] - 2, "thoughtsTokenCount": 2, "totalTokenCount": 18},
        "modelVersion": "gemini-x", "responseId": "r",
    }  # fmt: skip


def bedrock_reply(text: str, reason: str = "end_turn", *, tokens: tuple[int, int] = (11, 7)) -> dict[str, Any]:
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": text}] if text else []}}, "stopReason": reason,
        "usage": {"inputTokens": tokens[0], "outputTokens": tokens[1], "totalTokens": sum(tokens)}, "metrics": {"latencyMs": 5},
    }  # fmt: skip
