"""Caps where the server matters: slow bodies, refused bodies, compressed ones and heads, against the server functions run in."""

from __future__ import annotations

import gzip
import time
from contextlib import suppress
from threading import Event, Thread

import httpx
import psutil
import pytest

from tests.support.function_process import FunctionProcess, head, read_all
from tests.support.running_suite import problem
from tests.support.waiting import wait_until

MIB = 1024 * 1024


@pytest.mark.parametrize("coding", ["Content-Length: 90000", "Transfer-Encoding: chunked"])
def test_a_body_that_trickles_is_cut_off_and_what_comes_late_is_no_request(tiny: FunctionProcess, coding: str) -> None:
    piece = b"GET /size?smuggled=1 HTTP/1.1\r\nHost: x\r\n\r\n"
    if "chunked" in coding:
        piece = b"%x\r\n%s\r\n" % (len(piece), piece)
    with tiny.connect() as connection:
        connection.sendall(head("/size", coding))
        ended = Event()

        def trickle() -> None:
            with suppress(OSError):
                while not ended.wait(0.001):
                    connection.sendall(piece)

        sender = Thread(target=trickle, daemon=True)
        sender.start()
        found = read_all(connection)
        ended.set()
        sender.join(5)
    assert found.startswith(b"HTTP/1.1 408 "), found[:300]
    assert b'"code": "body_too_slow"' in found
    assert found.count(b"HTTP/1.1 ") == 1, "the rest of the body was answered as a request"
    assert httpx.get(f"{tiny.url}/size", trust_env=False).json() == {"size": 0}


def test_a_body_that_never_comes_is_cut_off(tiny: FunctionProcess) -> None:
    with tiny.connect() as connection:
        connection.sendall(head("/size", "Content-Length: 10"))
        assert read_all(connection).startswith(b"HTTP/1.1 408 ")


def test_slow_senders_do_not_keep_others_out(tiny: FunctionProcess) -> None:
    connections = [tiny.connect() for _ in range(24)]  # three times as many as there are threads
    for connection in connections:
        connection.sendall(head("/size", "Content-Length: 10") + b"x")
    assert httpx.get(f"{tiny.url}/size", trust_env=False, timeout=60).json() == {"size": 0}
    for connection in connections:
        assert read_all(connection).startswith(b"HTTP/1.1 408 ")
        connection.close()


def test_a_quick_body_on_a_kept_connection_is_taken_after_another(tiny: FunctionProcess) -> None:
    with httpx.Client(base_url=tiny.url, trust_env=False) as client:
        for size in (0, 1, 99_999, 100_000):
            assert client.post("/size", content=b"x" * size).json() == {"size": size}


def test_the_rest_of_a_small_refused_body_is_taken_in_so_that_the_answer_is_read(tiny: FunctionProcess) -> None:
    with httpx.Client(base_url=tiny.url, trust_env=False) as client:
        for _ in range(3):
            problem(client.post("/size", content=b"x" * 3 * MIB), 413, "body_too_large")
            assert client.get("/size").json() == {"size": 0}


@pytest.mark.parametrize("coding", ["Content-Length: 10000000000", "Transfer-Encoding: chunked"])
def test_no_more_than_a_little_of_a_refused_body_is_taken_in(tiny: FunctionProcess, coding: str) -> None:
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n" if "chunked" in coding else b"x" * 65536
    sent = 0
    with tiny.connect() as connection:
        connection.sendall(head("/size", coding))
        with suppress(OSError):
            while sent < 200 * MIB:
                sent += connection.send(piece)
        found = read_all(connection)
    assert sent < 64 * MIB, "the server reads on and on"
    assert found.count(b"HTTP/1.1 ") <= 1
    assert httpx.get(f"{tiny.url}/size", trust_env=False).json() == {"size": 0}


def test_a_refused_body_that_trickles_ends_soon(tiny: FunctionProcess) -> None:
    with tiny.connect() as connection:
        connection.sendall(head("/size", "Content-Length: 200000") + b"x" * 1000)
        ended = Event()

        def trickle() -> None:
            with suppress(OSError):
                while not ended.wait(0.05):
                    connection.sendall(b"x")

        sender = Thread(target=trickle, daemon=True)
        sender.start()
        found = read_all(connection)
        ended.set()
        sender.join(5)
    assert found.startswith(b"HTTP/1.1 413 ")


def test_refused_bodies_do_not_fill_the_memory(tiny: FunctionProcess) -> None:
    def resident() -> int:
        master = psutil.Process(tiny.pid)
        return sum(item.memory_info().rss for item in (master, *master.children(recursive=True)))

    before = resident()
    for _ in range(20):
        problem(httpx.post(f"{tiny.url}/size", content=b"x" * 3 * MIB, trust_env=False), 413, "body_too_large")
    assert resident() - before < 24 * MIB


# --- compressed bodies -----------------------------------------------------------------------------------------------


def post(tiny: FunctionProcess, path: str, content: bytes, coding: str) -> httpx.Response:
    headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
    return httpx.post(f"{tiny.url}{path}", content=content, headers=headers, trust_env=False)


def test_a_compressed_body_is_refused_unless_the_route_takes_it(tiny: FunctionProcess) -> None:
    packed = gzip.compress(b"x" * 1000)
    for path in ("/size", "/json"):
        for coding in ("gzip", "br", "deflate", "zstd", "gzip, gzip", "no-such"):
            problem(post(tiny, path, packed, coding), 415, "media_type_unsupported")
    assert post(tiny, "/size", b"x" * 7, "identity").json() == {"size": 7}
    for coding in ("gzip", "GZIP", "x-gzip"):
        assert post(tiny, "/zip", packed, coding).json() == {"size": 1000}
    for coding in ("br", "gzip, gzip"):
        problem(post(tiny, "/zip", packed, coding), 415, "media_type_unsupported")
    assert httpx.post(f"{tiny.url}/zip", content=b"x" * 9, trust_env=False).json() == {"size": 9}


def test_a_bomb_is_refused_at_the_cap(tiny: FunctionProcess) -> None:
    assert post(tiny, "/zip", gzip.compress(b"x" * 100_000), "gzip").json() == {"size": 100_000}
    problem(post(tiny, "/zip", gzip.compress(b"x" * 100_001), "gzip"), 413, "body_too_large")
    bomb = gzip.compress(b"\0" * 80 * MIB, 9)
    assert len(bomb) < 100_000
    problem(post(tiny, "/zip", bomb, "gzip"), 413, "body_too_large")


@pytest.mark.parametrize(
    "content",
    [b"not gzip", gzip.compress(b"x" * 1000)[:-4], gzip.compress(b"x") + b"more", gzip.compress(b"x") * 2],
    ids=["other bytes", "cut short", "bytes behind", "two members"],
)
def test_a_body_that_is_not_compressed_as_it_says_is_refused(tiny: FunctionProcess, content: bytes) -> None:
    problem(post(tiny, "/zip", content, "gzip"), 400, "malformed_request")


# --- heads -----------------------------------------------------------------------------------------------------------


def test_a_long_address_is_refused(tiny: FunctionProcess) -> None:
    def get(path: str) -> httpx.Response:
        return httpx.get(f"{tiny.url}{path}", trust_env=False)

    problem(get("/" + "a" * 4000), 404, "not_found")
    problem(get("/" + "a" * 5000), 414, "uri_too_long")
    problem(get("/" + "%C3%BC" * 2500), 414, "uri_too_long")
    assert get("/size?x=" + "a" * 8000).status_code == 200
    problem(get("/size?x=" + "a" * 9000), 414, "uri_too_long")
    problem(get("/size?" + "a=1&" * 15_000), 414, "uri_too_long")


def test_too_many_or_too_long_headers_are_refused(tiny: FunctionProcess) -> None:
    def get(headers: dict[str, str]) -> httpx.Response:
        return httpx.get(f"{tiny.url}/size", headers=headers, trust_env=False)

    assert get({f"X-{number}": "1" for number in range(50)}).status_code == 200
    problem(get({f"X-{number}": "1" for number in range(80)}), 431, "headers_too_large")
    assert get({f"X-{number}": "x" * 7000 for number in range(3)}).status_code == 200
    problem(get({f"X-{number}": "x" * 7000 for number in range(4)}), 431, "headers_too_large")


def test_json_of_a_bad_shape_costs_little_and_is_refused(tiny: FunctionProcess) -> None:
    for content in (b"[" * 500_000, b"[" * 101 + b"]" * 101, b"[" + b"{}," * 300_000 + b"{}]", b"9" * 900_000):
        answer = httpx.post(
            f"{tiny.url}/json", content=content, headers={"Content-Type": "application/json"}, trust_env=False
        )
        problem(answer, 400, "malformed_request")


def test_every_thread_is_free_in_the_end(tiny: FunctionProcess) -> None:
    def under_way() -> int:
        found = psutil.Process(tiny.pid).children(recursive=True)
        return sum(
            len([item for item in child.net_connections("tcp") if item.status == psutil.CONN_ESTABLISHED])
            for child in found
        )

    wait_until(lambda: under_way() == 0, "connections of refused bodies stay open")
    began = time.monotonic()
    statuses = [httpx.get(f"{tiny.url}/size", trust_env=False, timeout=20).status_code for _ in range(20)]
    assert statuses == [200] * 20, time.monotonic() - began
