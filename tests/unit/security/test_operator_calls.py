"""Calls to what the operator names: whole answers or none, bounded in bytes and in time, whatever the other side does."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from shared.ports.clock import SystemClock
from shared.ports.errors import ServiceAway
from shared.security import operator_calls
from shared.security.egress import EgressResponse
from shared.security.operator_calls import call, read_target
from tests.support.waiting import wait_until

Behaviour = Callable[[socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\n"


class Server:
    """Answers every connection as a test says; keeps what came in."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = lambda connection: connection.sendall(OK + b"Content-Length: 2\r\n\r\nhi")
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/path?query=1"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            content = b""
            while b"\r\n\r\n" not in content:
                content += connection.recv(65536)
            self.requests.append(content)
            try:
                self.behaviour(connection)
            except OSError:
                return

    def close(self) -> None:
        if self._listener.fileno() >= 0:
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts; else it takes one more caller
        self._listener.close()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


def get(url: str) -> EgressResponse:
    return call("GET", url, service="provider", clock=SystemClock())


def test_an_answer_comes_whole(server: Server) -> None:
    reply = call("POST", server.url, service="provider", clock=SystemClock(), headers={"Accept": "a/b"}, content=b"x=1")
    assert (reply.status, reply.content) == (200, b"hi")
    head = server.requests[0].decode().lower()
    assert head.startswith("post /path?query=1 http/1.1\r\n")
    assert "\r\naccept: a/b\r\n" in head
    assert "\r\naccept-encoding: identity\r\n" in head


def test_no_proxy_is_asked_and_no_redirect_followed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.behaviour = lambda connection: connection.sendall(
        b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"
    )
    assert get(server.url).status == 302
    assert len(server.requests) == 1


def forever(part: bytes, *, pause_seconds: float) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        while True:
            connection.sendall(part)
            time.sleep(pause_seconds)

    return behave


def head_then(head: bytes, behaviour: Behaviour) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        connection.sendall(head)
        behaviour(connection)

    return behave


TOO_MUCH: dict[str, Behaviour] = {
    "a length over the cap": lambda connection: connection.sendall(OK + b"Content-Length: 262145\r\n\r\n"),
    "a body without an end": head_then(OK + b"\r\n", forever(b"x" * 65536, pause_seconds=0)),
    "chunks without an end": head_then(
        OK + b"Transfer-Encoding: chunked\r\n\r\n", forever(b"10000\r\n" + b"x" * 65536 + b"\r\n", pause_seconds=0)
    ),
    "headers without an end": head_then(OK, forever(b"A: " + b"x" * 4096 + b"\r\n", pause_seconds=0)),
}


@pytest.mark.parametrize("behaviour", TOO_MUCH.values(), ids=TOO_MUCH)
def test_too_much_is_cut_off(server: Server, behaviour: Behaviour) -> None:
    server.behaviour = behaviour
    with pytest.raises(ServiceAway):
        get(server.url)


def test_what_comes_compressed_unasked_stays_so_small(server: Server) -> None:
    content = gzip.compress(b"x" * 100_000_000)
    assert len(content) < operator_calls.MOST_BYTES
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(content)
    server.behaviour = lambda connection: connection.sendall(head + content)
    assert get(server.url).content == content


SLOW: dict[str, Behaviour] = {
    "says nothing": head_then(b"", lambda _: time.sleep(60)),
    "drips headers": head_then(OK, forever(b"A", pause_seconds=0.05)),
    "drips a body": head_then(OK + b"Content-Length: 100000\r\n\r\n", forever(b"x", pause_seconds=0.05)),
}


@pytest.mark.parametrize("behaviour", SLOW.values(), ids=SLOW)
def test_one_deadline_holds_for_the_whole_exchange(
    server: Server, behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_calls, "DEADLINE_SECONDS", 0.3)
    server.behaviour = behaviour
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            get(server.url)
        except ServiceAway as error:
            failed.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    wait_until(lambda: bool(failed), "the call outlived its deadline", timeout_seconds=30)


@pytest.mark.parametrize(
    "content",
    [b"", b"hello\r\n\r\n", b"HTTP/1.1 200", OK + b"Content-Length: 9\r\n\r\nhi"],
    ids=lambda item: repr(item)[:20],
)
def test_what_is_no_answer_is_none(server: Server, content: bytes) -> None:
    server.behaviour = lambda connection: connection.sendall(content)
    with pytest.raises(ServiceAway):
        get(server.url)


def test_nobody_there_is_an_away_service(server: Server) -> None:
    server.close()
    with pytest.raises(ServiceAway) as caught:
        get(server.url)
    assert caught.value.facts == {"service": "provider"}
    assert caught.value.retry_after_seconds


def test_plain_text_on_a_tls_port_is_no_answer(server: Server) -> None:
    with pytest.raises(ServiceAway):
        get(server.url.replace("http://", "https://"))


@pytest.mark.parametrize(
    "url, parts",
    [
        ("https://id.example", ("https", "id.example", 443, "/")),
        ("https://ID.example:8443/a/b?c=d", ("https", "id.example", 8443, "/a/b?c=d")),
        ("http://127.0.0.1:8080/idp", ("http", "127.0.0.1", 8080, "/idp")),
        ("https://[::1]/x", ("https", "::1", 443, "/x")),
        ("https://keycloak:8443/realms/main", ("https", "keycloak", 8443, "/realms/main")),
    ],
)
def test_an_address_is_read(url: str, parts: tuple[str, str, int, str]) -> None:
    target = read_target(url)
    assert (target.scheme, target.host, target.port, target.resource) == parts


@pytest.mark.parametrize(
    "url",
    [
        "", "id.example", "//id.example", "ftp://id.example", "file:///etc/passwd", "javascript:alert(1)", "HTTPS://id.example",
        "https://", "https:///path", "https://user@id.example", "https://user:pass@id.example", "https://id.example\\@evil.example",
        "https://id.example#part", "https://id.example/#", "https://id.example/a b", "https://id.example/\n", "https://id.\u00e9xample",
        "https://id.example:port", "https://id.example:99999", "https://[::1",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_and_never_called(url: str) -> None:
    with pytest.raises(ValueError):
        read_target(url)
    with pytest.raises(ServiceAway):
        get(url)
