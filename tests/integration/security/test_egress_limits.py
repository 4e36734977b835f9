"""What a hostile server behind a user's URL can cost: time, bytes, memory. And what a hostile caller can send."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator

import pytest

from shared.ports.clock import SystemClock
from shared.security.egress import (
    EgressFailed,
    EgressGuard,
    EgressPolicy,
    EgressRefused,
    EgressTimeout,
    EgressTooLarge,
    SystemResolver,
)
from shared.testing.clock import FakeClock
from tests.support.tls_server import Authority, Behaviour, Server, answer, say, say_forever
from tests.support.waiting import wait_until

from .conftest import Answers, Guards, Watch

NAME = "hooks.example.com"
OK = b"HTTP/1.1 200 OK\r\n"


def _url(server: Server) -> str:
    return f"https://{NAME}:{server.port}/"


# Time: every byte below comes in time, the whole does not


@pytest.mark.parametrize(
    "start, drip",
    [
        (OK + b"Content-Length: 1000000\r\n\r\n", b"x"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (OK + b"\r\n", b"x"),
        (OK + b"X-Slow: ", b"x"),
        (OK, b"X: y\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["a body", "chunks", "a body without end", "one header", "headers", "interim answers"],
)
def test_a_server_that_drips_runs_into_the_deadline(
    authority: Authority, guards: Guards, start: bytes, drip: bytes
) -> None:
    clock = FakeClock()
    drips = []

    def between() -> None:
        drips.append(1)
        clock.advance(1)

    with Server(authority.context(NAME), say_forever(start, drip, between)) as server:
        with pytest.raises(EgressTimeout):
            guards.reaching(server, clock=clock, deadline_seconds=20.0).request("GET", _url(server))
        wait_until(server.hung_up.is_set, "the connection to a dripping server is closed")
    assert len(drips) >= 20, "the deadline is for the whole exchange"


def test_a_server_that_says_nothing_runs_into_the_deadline(authority: Authority, guards: Guards) -> None:
    ended = threading.Event()
    with Server(authority.context(NAME), lambda *_: ended.wait(20) and None) as server:  # type: ignore[func-returns-value, arg-type]
        with pytest.raises(EgressTimeout):
            guards.reaching(server, deadline_seconds=1.0).request("GET", _url(server))
        ended.set()


def test_a_handshake_that_never_comes_runs_into_the_deadline(guards: Guards) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(None, answer(), port=listener.getsockname()[1])
        with pytest.raises(EgressTimeout):
            guards.reaching(server, deadline_seconds=0.3).request("GET", _url(server))


def test_a_server_that_does_not_read_runs_into_the_deadline(authority: Authority, guards: Guards) -> None:
    context = authority.context(NAME)
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def shake_hands_only() -> None:
            connection, _ = listener.accept()
            with context.wrap_socket(connection, server_side=True):
                ended.wait(20)

        thread = threading.Thread(target=shake_hands_only, daemon=True)
        thread.start()
        server = Server(None, answer(), port=listener.getsockname()[1])
        most = 32 * 1024 * 1024
        guard = guards.reaching(server, deadline_seconds=2.0, most_request_bytes=most)
        with pytest.raises(EgressTimeout):
            guard.request("POST", _url(server), content=b"x" * most)
        ended.set()
        thread.join(20)


def test_redirects_share_one_deadline(authority: Authority, guards: Guards) -> None:
    clock = FakeClock()

    def behave(connection: socket.socket, _: object) -> None:
        clock.advance(4)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")

    with Server(authority.context(NAME), behave) as server, pytest.raises(EgressTimeout):
        guards.reaching(server, clock=clock, deadline_seconds=10.0, redirects=3).request("GET", _url(server))
    assert len(server.requests) == 3


def test_the_lookup_counts_towards_the_deadline(authority: Authority, guards: Guards) -> None:
    clock = FakeClock()

    class Slow(Answers):
        def resolve(self, host: str, *, timeout_seconds: float) -> tuple[str, ...]:
            clock.advance(timeout_seconds)
            return super().resolve(host, timeout_seconds=timeout_seconds)

    with Server(authority.context(NAME), answer()) as server, pytest.raises(EgressTimeout):
        guards.reaching(server, clock=clock, resolver=Slow({})).request("GET", _url(server))
    assert server.connections == 0


# Bytes


FLOODS: dict[str, Behaviour] = {
    "a declared length": say(OK + b"Content-Length: 1000001\r\n\r\n"),
    "a body without end": say_forever(OK + b"\r\n", b"x" * 65536),
    "chunks without end": say_forever(
        OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"
    ),
    "tiny chunks without end": say_forever(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 10000),
    "chunk extensions without end": say_forever(
        OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"a" * 8000 + b"\r\nx\r\n"
    ),
    "headers without end": say_forever(OK, b"X-Header: " + b"y" * 1000 + b"\r\n"),
    "one header without end": say_forever(OK + b"X: ", b"y" * 65536),
    "a status line without end": say_forever(b"HTTP/1.1 200 ", b"O" * 65536),
    "interim answers without end": say_forever(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    "a header over the cap": say(OK + b"X: " + b"y" * 40_000 + b"\r\nContent-Length: 0\r\n\r\n" + b" " * 60_000),
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_a_flood_is_cut(authority: Authority, guards: Guards, flood: Behaviour) -> None:
    """By the cap, not by the deadline: a million bytes in tiny chunks take a busy machine a while."""
    with Server(authority.context(NAME), flood) as server, pytest.raises(EgressTooLarge):
        guards.reaching(server, most_response_bytes=1_000_000, deadline_seconds=300.0).request("GET", _url(server))


def test_trailers_without_end_are_cut(authority: Authority, guards: Guards) -> None:
    flood = say_forever(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: " + b"y" * 1000 + b"\r\n")
    with Server(authority.context(NAME), flood) as server, pytest.raises((EgressTooLarge, EgressFailed)):
        guards.reaching(server).request("GET", _url(server))


def test_an_answer_of_just_the_cap_is_read_whole(authority: Authority, guards: Guards) -> None:
    body = b"x" * 1_000_000
    with Server(authority.context(NAME), answer(body)) as server:
        reply = guards.reaching(server, most_response_bytes=len(body)).request("GET", _url(server))
    assert reply.content == body


@pytest.mark.parametrize("framing", ["chunked", "closing"])
def test_one_byte_over_the_cap_is_too_much(authority: Authority, guards: Guards, framing: str) -> None:
    body = b"x" * 1001
    whole = {
        "chunked": OK + b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + body + b"\r\n0\r\n\r\n",
        "closing": OK + b"\r\n" + body,
    }[framing]
    with Server(authority.context(NAME), say(whole)) as server:
        with pytest.raises(EgressTooLarge):
            guards.reaching(server, most_response_bytes=1000).request("GET", _url(server))
        assert guards.reaching(server, most_response_bytes=1001).request("GET", _url(server)).content == body


def test_a_compressed_bomb_stays_compressed(authority: Authority, guards: Guards) -> None:
    bomb = gzip.compress(bytes(50_000_000), 9)
    with Server(authority.context(NAME), answer(bomb, headers=["Content-Encoding: gzip"])) as server:
        reply = guards.reaching(server).request("GET", _url(server))
    assert reply.content == bomb
    assert reply.headers["content-encoding"] == "gzip"
    assert server.requests[0].header("accept-encoding") == "identity"


def test_a_head_answer_may_speak_of_a_large_body(authority: Authority, guards: Guards) -> None:
    with Server(authority.context(NAME), say(OK + b"Content-Length: 99999999999\r\n\r\n")) as server:
        assert guards.reaching(server).request("HEAD", _url(server)).content == b""


NONSENSE = {
    "nothing": b"", "noise": b"\x00\xff" * 50, "another protocol": b"SSH-2.0-OpenSSH_9.9\r\n", "HTTP/0.9": b"<html>hello</html>", "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "a preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "no status": b"HTTP/1.1 OK\r\n\r\n", "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "a negative length": OK + b"Content-Length: -1\r\n\r\n", "a length that is none": OK + b"Content-Length: x\r\n\r\n", "an unknown coding": OK + b"Transfer-Encoding: gzip\r\n\r\n",
    "a chunk that is none": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n", "a body cut short": OK + b"Content-Length: 10\r\n\r\nxx", "chunks cut short": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nx",
    "a header without a name": OK + b": x\r\n\r\n", "an upgrade": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "a null in a header": OK + b"X: \x00\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
def test_what_is_no_http_is_a_failure(authority: Authority, guards: Guards, nonsense: bytes) -> None:
    with Server(authority.context(NAME), say(nonsense)) as server, pytest.raises(EgressFailed) as caught:
        guards.reaching(server).request("GET", _url(server))
    assert caught.value.facts == {"reason": "connection"}


# What the caller may send


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "10.0.0.1"}, {"host": "x"}, {"Content-Length": "0"}, {"Transfer-Encoding": "chunked"}, {"Connection": "upgrade"}, {"Upgrade": "h2c"}, {"Expect": "100-continue"},
        {"Accept-Encoding": "gzip"}, {"Proxy-Authorization": "x"}, {"TE": "trailers"}, {"Metadata-Flavor": "Google"}, {"Metadata": "true"}, {"X-aws-ec2-metadata-token": "x"},
        {"X\r\nHost": "x"}, {"X": "a\r\nHost: b"}, {"X": "a\nb"}, {"X": "a\x00b"}, {"X": "ü\u0100"}, {"X": " padded "}, {"": "x"}, {"X Y": "x"}, {"X:": "x"}, {"É": "x"},
        {"X": "a\u010d\u010ab"}, {"X": "y" * 40_000}, {"A": "1", "a": "2"},
    ],
    ids=repr,
)  # fmt: skip
def test_a_header_that_is_not_the_callers_is_refused(watch: Watch, headers: dict[str, str]) -> None:
    with pytest.raises(EgressRefused) as caught:
        EgressGuard(EgressPolicy(), Answers({}), SystemClock()).request("GET", f"https://{NAME}/", headers=headers)
    assert caught.value.reason == "header"
    assert watch.dialled == []


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "OPTIONS", "get", "GET ", "GET /x HTTP/1.1\r\nX:", "", "PRI"])
def test_other_methods_are_refused(method: str) -> None:
    with pytest.raises(EgressRefused) as caught:
        EgressGuard(EgressPolicy(), Answers({}), SystemClock()).request(method, f"https://{NAME}/")
    assert caught.value.reason == "method"


def test_a_body_over_the_cap_is_not_sent() -> None:
    guard = EgressGuard(EgressPolicy(most_request_bytes=10), Answers({}), SystemClock())
    with pytest.raises(EgressRefused) as caught:
        guard.request("POST", f"https://{NAME}/", content=b"x" * 11)
    assert caught.value.reason == "body"


# The system's resolver


@pytest.fixture
def name_service(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    """Stands where the system asks; a key `wait` holds every lookup until it is set."""
    asked: dict[str, object] = {"names": [], "answer": []}

    def getaddrinfo(host: str, *_: object, **__: object) -> object:
        asked["names"].append(host)  # type: ignore[attr-defined]
        if isinstance(waits := asked.get("wait"), threading.Event):
            waits.wait(20)
        if isinstance(asked["answer"], OSError):
            raise asked["answer"]
        return asked["answer"]

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    yield asked
    if isinstance(waits := asked.get("wait"), threading.Event):
        waits.set()


def test_a_name_is_looked_up_as_it_stands_never_in_a_search_domain(name_service: dict[str, object]) -> None:
    name_service["answer"] = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2606:4700::1", 0, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 0)),
    ]
    assert SystemResolver().resolve(NAME, timeout_seconds=5) == ("2606:4700::1", "1.1.1.1")
    assert name_service["names"] == [f"{NAME}."]


def test_a_name_without_addresses_has_none_and_a_broken_name_service_is_a_failure(
    name_service: dict[str, object],
) -> None:
    resolver = SystemResolver()
    for number in {socket.EAI_NONAME, socket.EAI_NODATA}:
        name_service["answer"] = socket.gaierror(number, "unknown")
        assert resolver.resolve(NAME, timeout_seconds=5) == ()
    name_service["answer"] = socket.gaierror(socket.EAI_AGAIN, "later")
    with pytest.raises(EgressFailed) as caught:
        resolver.resolve(NAME, timeout_seconds=5)
    assert caught.value.retry_after_seconds


def test_lookups_that_hang_run_into_the_deadline_and_are_bounded(name_service: dict[str, object]) -> None:
    name_service["wait"] = threading.Event()
    resolver = SystemResolver()
    for _ in range(32):
        with pytest.raises(EgressTimeout):
            resolver.resolve(NAME, timeout_seconds=0.01)
    with pytest.raises(EgressFailed):
        resolver.resolve(NAME, timeout_seconds=0.01)
    name_service["wait"].set()  # type: ignore[attr-defined]
    name_service["answer"] = []

    def answers_again() -> bool:
        try:
            return resolver.resolve(NAME, timeout_seconds=5) == ()
        except EgressFailed:
            return False

    wait_until(answers_again, "names are looked up again once the name service answers")
