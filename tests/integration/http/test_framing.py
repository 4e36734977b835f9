"""Requests whose length can be read in two ways, or is a lie, against the server that functions run in.

What one reader takes for a body and another for a request is how requests are smuggled past a front door. Source: RFC 9112,
sections 5, 6, 7 and 11.2.
"""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from tests.support.function_process import FunctionProcess, head, read_all
from tests.support.running_suite import problem

MIB = 1024 * 1024
SMUGGLED = b"GET /headers HTTP/1.1\r\nHost: x\r\nX-Smuggled: yes\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"


def chunked(body: bytes, *fields: str) -> bytes:
    return head("/size", CHUNKED, *fields) + body


def sized(length: str, body: bytes = b"hello", *fields: str) -> bytes:
    return head("/size", f"Content-Length: {length}", *fields) + body


AMBIGUOUS = {
    "two lengths": sized("5", b"hello", "Content-Length: 6"),
    "the same length twice": sized("5", b"hello", "Content-Length: 5"),
    "a list of lengths": sized("5, 5"),
    "a length with a sign": sized("+5"),
    "a negative length": sized("-5"),
    "a hexadecimal length": sized("0x5"),
    "a length with an underscore": sized("0_5"),
    "a length in other digits": sized("\u0665"),
    "no length": sized(""),
    "a length before a coding": sized("5", b"0\r\n\r\n", CHUNKED),
    "a coding before a length": chunked(b"0\r\n\r\n", "Content-Length: 5"),
    "chunked twice": chunked(b"0\r\n\r\n", CHUNKED),
    "chunked and more": head("/size", "Transfer-Encoding: chunked, identity") + b"0\r\n\r\n",
    "gzip without chunked": head("/size", "Transfer-Encoding: gzip") + b"0\r\n\r\n",
    "identity": head("/size", "Transfer-Encoding: identity") + b"0\r\n\r\n",
    "a coding that nobody knows": head("/size", "Transfer-Encoding: xchunked") + b"0\r\n\r\n",
    "chunked in an older version": b"POST /size HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": head("/size", "Content-Length : 5") + b"hello",
    "a folded header": head("/size", "X-A: 1\r\n 2", "Content-Length: 5") + b"hello",
    "a line that ends in LF": b"POST /size HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello",
    "NUL in a header": head("/size", "X-A: a\0b", "Content-Length: 5") + b"hello",
    "two hosts": head("/size", "Host: y", "Content-Length: 5") + b"hello",
    "two media types": head("/json", "Content-Type: application/json", "Content-Type: text/plain", "Content-Length: 2") + b"{}",
}  # fmt: skip
LIES = {
    "a chunk size that is no number": chunked(b"zz\r\nhello\r\n0\r\n\r\n"),
    "a negative chunk size": chunked(b"-5\r\nhello\r\n0\r\n\r\n"),
    "a chunk size with a sign": chunked(b"+5\r\nhello\r\n0\r\n\r\n"),
    "a chunk size with a prefix": chunked(b"0x5\r\nhello\r\n0\r\n\r\n"),
    "a chunk size with an underscore": chunked(b"0_5\r\nhello\r\n0\r\n\r\n"),
    "no chunk size": chunked(b"\r\nhello\r\n0\r\n\r\n"),
    "a chunk longer than its size": chunked(b"3\r\nhello\r\n0\r\n\r\n"),
    "a chunk shorter than its size": chunked(b"9\r\nhello\r\n0\r\n\r\n"),
    "a chunk size that never ends": chunked(b"5;" + b"x" * 100_000),
    "a chunk size of many digits": chunked(b"0" * 100_000 + b"5\r\nhello\r\n0\r\n\r\n"),
    "a trailer without end": chunked(b"5\r\nhello\r\n0\r\n" + b"X-A: 1\r\n" * 200_000),
    "a trailer that sets a length": chunked(b"5\r\nhello\r\n0\r\nContent-Length: 7\r\n\r\n"),
    "a trailer that signs in": chunked(b"5\r\nhello\r\n0\r\nAuthorization: Bearer x\r\n\r\n"),
    "LF for CRLF": chunked(b"5\nhello\n0\n\n"),
}  # fmt: skip


def exchange(tiny: FunctionProcess, content: bytes) -> bytes:
    """Send these bytes, end the sending side, and return everything that comes back."""
    with tiny.connect() as connection:
        with suppress(OSError):  # the server may have had enough
            connection.sendall(content)
            connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def statuses(answer: bytes) -> list[int]:
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def failures(tiny: FunctionProcess) -> int:
    return sum(line.get("message") == "unexpected error" for line in tiny.lines())


@pytest.fixture(autouse=True)
def serving_afterwards(tiny: FunctionProcess) -> Iterator[None]:
    before = failures(tiny)
    yield
    assert httpx.get(f"{tiny.url}/size", trust_env=False).json() == {"size": 0}
    assert failures(tiny) == before, "a stranger's bytes raise an unexpected error"


@pytest.mark.parametrize("content", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_a_length_that_can_be_read_in_two_ways_is_refused_and_nothing_after_it_is_read(
    tiny: FunctionProcess, content: bytes
) -> None:
    found = exchange(tiny, content + SMUGGLED)
    (status,) = statuses(found)
    assert 400 <= status < 500 or status == 501, found[:300]
    assert b"x-smuggled" not in found


@pytest.mark.parametrize("content", LIES.values(), ids=LIES)
def test_chunks_that_are_not_as_they_say_are_refused_and_nothing_after_them_is_read(
    tiny: FunctionProcess, content: bytes
) -> None:
    found = exchange(tiny, content + SMUGGLED)
    (status,) = statuses(found)
    assert status in {400, 413}, found[:300]
    assert b"application/problem+json" in found
    assert b"x-smuggled" not in found


@pytest.mark.parametrize("size", [b"186a1", b"ffffffff", b"7fffffffffffffff", b"f" * 15], ids=bytes.decode)
def test_a_chunk_that_claims_to_be_huge_ends_at_the_cap(tiny: FunctionProcess, size: bytes) -> None:
    found = exchange(tiny, chunked(size + b"\r\n" + b"x" * 300_000))
    assert statuses(found) == [413], found[:300]


def test_a_chunk_that_claims_more_than_ever_comes_is_cut_off(tiny: FunctionProcess) -> None:
    with tiny.connect() as connection:
        connection.sendall(chunked(b"9\r\nhello"))
        found = read_all(connection)
    assert statuses(found) == [408], found[:300]


def test_well_formed_chunks_are_taken_and_so_is_the_next_request(tiny: FunctionProcess) -> None:
    body = b"5;name=value\r\nhello\r\n6\r\n world\r\n0\r\nX-Checksum: 1\r\n\r\n"
    found = exchange(tiny, chunked(body) + b"GET /size HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert statuses(found) == [200, 200], found
    assert b'{"size":11}' in found


def test_a_bomb_without_a_declared_length_is_refused_at_the_cap(tiny: FunctionProcess) -> None:
    bomb = gzip.compress(b"\0" * 80 * MIB, 9)
    headers = {"Content-Encoding": "gzip"}
    pieces = iter([bomb[: len(bomb) // 2], bomb[len(bomb) // 2 :]])
    answer = httpx.post(f"{tiny.url}/zip", content=pieces, headers=headers, trust_env=False)
    problem(answer, 413, "body_too_large")
    twice = gzip.compress(gzip.compress(b"\0" * 80 * MIB, 9), 9)
    answer = httpx.post(f"{tiny.url}/zip", content=twice, headers=headers, trust_env=False)
    assert answer.json()["size"] < 100_000, "what comes out of one layer is the body, whatever it looks like"


# --- headers ---------------------------------------------------------------------------------------------------------


def headers_seen(tiny: FunctionProcess, *fields: bytes) -> dict[str, str]:
    answer = exchange(
        tiny, b"\r\n".join([b"GET /headers HTTP/1.1", b"Host: x", b"Connection: close", *fields, b"", b""])
    )
    assert statuses(answer) == [200], answer[:300]
    found: dict[str, str] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "Idempotency-Key", "X-Request-Id", "Traceparent"])
def test_a_header_that_comes_twice_is_neither_of_the_two(tiny: FunctionProcess, name: str) -> None:
    found = headers_seen(tiny, f"{name}: one".encode(), f"{name}: two".encode())
    assert found[name.lower()] == "one,two", "one of two is picked, and another reader may pick the other"


def test_a_header_cannot_pass_for_another_by_its_spelling(tiny: FunctionProcess) -> None:
    found = headers_seen(tiny, b"X_Api_Key: forged", b"X_Forwarded_For: 192.0.2.1", b"x-api_key: forged")
    assert not {"x-api-key", "x-forwarded-for"} & set(found)
    assert "forged" not in str(found)


@pytest.mark.parametrize("field", [b"SCRIPT_NAME: /front", b"Script_Name: /front", b"PATH_INFO: /size"])
def test_a_header_does_not_move_a_request_to_another_path(tiny: FunctionProcess, field: bytes) -> None:
    """The front door decides by the path that it sees; behind it no header may turn that into another one."""
    found = exchange(tiny, b"GET /front/size HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + field + b"\r\n\r\n")
    (status,) = statuses(found)
    assert status in {400, 404}, found[:300]


@pytest.mark.parametrize(
    "fields",
    [
        b"X-A: 1\r\n" * 101,
        b"X-A: 1\r\n" * 50_000,
        b"X-A: " + b"x" * 9_000 + b"\r\n",
        b"X-A: " + b"x" * 5 * MIB + b"\r\n",
        b"x" * 9_000 + b": 1\r\n",
    ],
    ids=["101 headers", "50,000 headers", "a long one", "one of 5 MiB", "a long name"],
)
def test_what_is_over_the_servers_own_caps_is_refused_too(tiny: FunctionProcess, fields: bytes) -> None:
    found = exchange(tiny, b"GET /size HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n")
    assert all(400 <= status < 500 for status in statuses(found)), found[:300]
    assert b'{"size"' not in found


# --- the shape of JSON -----------------------------------------------------------------------------------------------

NEST = b'{"a":['
WITHIN = {
    "100 levels": b"[" * 100 + b"]" * 100,
    "50,000 members": b"[" + b"1," * 49_999 + b"1]",
    "a number of 100 digits": b"[" + b"9" * 100 + b"]",
    "brackets in a text": json.dumps("[" * 10_000 + "," * 60_000).encode(),
}
BEYOND = {
    "101 levels": b"[" * 101 + b"]" * 101,
    "101 levels of both kinds": NEST * 51 + b"]}" * 51,
    "deeper than any stack": NEST * 80_000 + b"]}" * 80_000,
    "50,002 members": b"[" + b"1," * 50_001 + b"1]",
    "many members of one object": b"{" + b",".join(b'"%d":1' % n for n in range(50_002)) + b"}",
    "a number of 101 digits": b"[" + b"9" * 101 + b"]",
    "a fraction of 101 digits": b"[0." + b"9" * 101 + b"]",
    "a number beyond all": b"[1e999]",
    "a member twice": b'{"role":"viewer","role":"owner"}',
    "a member twice, spelled otherwise": b'{"role":"viewer","r\\u006fle":"owner"}',
    "half a surrogate": b'["\\ud800"]',
    "NaN": b"[NaN]",
}  # fmt: skip


def post_json(tiny: FunctionProcess, content: bytes) -> httpx.Response:
    headers = {"Content-Type": "application/json"}
    return httpx.post(f"{tiny.url}/json", content=content, headers=headers, trust_env=False, timeout=30)


@pytest.mark.parametrize("content", WITHIN.values(), ids=WITHIN)
def test_json_within_the_caps_is_taken(tiny: FunctionProcess, content: bytes) -> None:
    assert post_json(tiny, content).json() == {"size": len(content)}


@pytest.mark.parametrize("content", BEYOND.values(), ids=BEYOND)
def test_json_beyond_the_caps_is_refused(tiny: FunctionProcess, content: bytes) -> None:
    problem(post_json(tiny, content), 400, "malformed_request")
