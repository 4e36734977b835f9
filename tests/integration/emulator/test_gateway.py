"""The gateway: who answers a path, what passes through, and what is said when nobody answers."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from infra.suite import Suite, load_suite
from local_emulator.gateway import Gateway, Upstreams
from local_emulator.ports import reserve_port
from local_emulator.routing import MethodNotAllowed, NotFound, Routes, Target

from .trees import suite_document, write_suite

Client = TestClient[web.Request, web.Application]
Scenario = Callable[[Client, "Upstream"], Awaitable[None]]
CAP_BYTES = 1024 * 1024


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    document = suite_document()
    document["functions"]["tiny"]["entry_points"]["tiny"]["timeout_seconds"] = 1
    return load_suite(write_suite(tmp_path, document))


@pytest.mark.parametrize(
    ("method", "path", "upstream"),
    [
        ("GET", "/", "other"),
        ("GET", "/things", "tiny"),
        ("HEAD", "/things", "tiny"),
        ("GET", "/things/7", "tiny"),
        ("PUT", "/things/7", "other"),
        ("GET", "/things/latest", "tiny"),
        ("GET", "/things/a%2Fb", "tiny"),
        ("GET", "/things/7/parts/8", "other"),
        ("GET", "/idp/authorize", "idp"),
        ("POST", "/idp/token", "idp"),
    ],
)
def test_a_path_goes_to_the_entry_point_that_owns_its_template(
    suite: Suite, method: str, path: str, upstream: str
) -> None:
    found = Routes(suite).find(method, path)
    assert isinstance(found, Target)
    assert found.upstream == upstream


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/things/", "/things/7/parts", "//things", "/_events/jobs", "/%5fevents/jobs", "/_health", "/idp",
     "/things/..", "/things/%2e%2E", "/things/%zz", "things", "/idp/../_events/jobs"],
)  # fmt: skip
def test_no_template_no_route(suite: Suite, path: str) -> None:
    assert isinstance(Routes(suite).find("GET", path), NotFound)


def test_a_parameter_never_reaches_an_internal_path(tmp_path: Path) -> None:
    document = suite_document()
    document["functions"]["other"]["paths"]["/{first}/{second}"] = ["POST"]
    routes = Routes(load_suite(write_suite(tmp_path, document)))
    assert isinstance(routes.find("POST", "/a/b"), Target)
    assert isinstance(routes.find("POST", "/_events/jobs"), NotFound)
    assert isinstance(routes.find("POST", "/_health/x"), NotFound)


def test_the_template_with_literals_wins_and_the_methods_of_both_owners_count(suite: Suite) -> None:
    routes = Routes(suite)
    assert routes.find("PUT", "/things/latest") == MethodNotAllowed(("GET", "HEAD"))
    assert routes.find("POST", "/things/7") == MethodNotAllowed(("DELETE", "GET", "HEAD", "PUT"))


class Upstream:
    """A function in the place of the real ones; it tells what it got."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.application = web.Application(client_max_size=CAP_BYTES * 2, handler_args={"auto_decompress": False})
        self.application.router.add_get("/things", self.echo)
        self.application.router.add_post("/things", self.count)
        self.application.router.add_get("/things/latest", self.stream)
        self.application.router.add_get("/things/slow", self.slow)
        self.application.router.add_get("/things/gzip", self.gzip)
        self.application.router.add_get("/things/cut", self.cut)
        self.application.router.add_get("/things/{id:.*}", self.echo)

    async def echo(self, request: web.Request) -> web.Response:
        body = {"path": request.raw_path, "headers": dict(request.headers)}
        reply = web.json_response(body, headers={"Connection": "X-Secret-Hop", "X-Secret-Hop": "1"})
        reply.headers.add("Set-Cookie", "a=1")
        reply.headers.add("Set-Cookie", "b=2")
        return reply

    async def count(self, request: web.Request) -> web.Response:
        return web.json_response({"bytes": len(await request.read())})

    async def stream(self, request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        await reply.write(b"data: 1\n\n")
        await self.go_on.wait()
        await reply.write(b"data: 2\n\n")
        return reply

    async def slow(self, _: web.Request) -> web.Response:
        await asyncio.sleep(10)
        return web.Response()

    async def gzip(self, _: web.Request) -> web.Response:
        return web.Response(body=b"not really gzip", headers={"Content-Encoding": "gzip"})

    async def cut(self, request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Length": "100"})
        await reply.prepare(request)
        await reply.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return reply


@pytest.fixture
def play(suite: Suite, tmp_path: Path) -> Callable[[Scenario], None]:
    async def run(scenario: Scenario) -> None:
        upstream = Upstream()
        async with TestServer(upstream.application) as server:
            file = tmp_path / "upstreams.json"
            file.write_text(
                json.dumps({"tiny": f"http://127.0.0.1:{server.port}", "other": f"http://127.0.0.1:{reserve_port()}"})
            )
            gateway = Gateway(Routes(suite), Upstreams(file), most_body_bytes=CAP_BYTES)
            async with TestClient(TestServer(gateway.application())) as client:
                await scenario(client, upstream)

    return lambda scenario: asyncio.run(run(scenario))


Play = Callable[[Scenario], None]


def test_headers_about_the_client_are_the_gateways_own(play: Play) -> None:
    async def scenario(client: Client, _: Upstream) -> None:
        sent = {
            "X-Forwarded-For": "1.2.3.4", "x-forwarded-host": "evil.example", "X-Forwarded-Proto": "https",
            "X-Forwarded-Prefix": "/x", "Forwarded": "for=1.2.3.4", "Connection": "X-Mine", "X-Mine": "1",
            "X-Kept": "yes", "Host": "drift.example",
        }  # fmt: skip
        async with client.get("/things?a=1&b=c+d", headers=sent) as reply:
            got = await reply.json()
            assert reply.headers.getall("Set-Cookie") == ["a=1", "b=2"]
            assert "X-Secret-Hop" not in reply.headers
        assert got["path"] == "/things?a=1&b=c+d"
        headers = {name.lower(): value for name, value in got["headers"].items()}
        assert headers["x-forwarded-for"] == "127.0.0.1"
        assert headers["x-forwarded-host"] == "drift.example"
        assert headers["x-forwarded-proto"] == "http"
        assert headers["host"] == "drift.example"
        assert headers["x-kept"] == "yes"
        assert not {"x-forwarded-prefix", "forwarded", "x-mine"} & set(headers)

    play(scenario)


def test_the_path_arrives_as_it_was_sent(play: Play) -> None:
    async def scenario(client: Client, _: Upstream) -> None:
        url = URL(f"{client.make_url('/')}things/a%2Fb%20c?x=%2F&y=+", encoded=True)
        async with client.session.get(url) as reply:
            assert (await reply.json())["path"] == "/things/a%2Fb%20c?x=%2F&y=+"

    play(scenario)


def test_events_pass_one_by_one(play: Play) -> None:
    async def scenario(client: Client, upstream: Upstream) -> None:
        async with client.get("/things/latest") as reply:
            first = await asyncio.wait_for(reply.content.readuntil(b"\n\n"), 0.8)
            assert first == b"data: 1\n\n"  # the second has not been written yet
            upstream.go_on.set()
            assert await reply.content.read() == b"data: 2\n\n"

    play(scenario)


def test_a_body_passes_with_and_without_a_length_up_to_the_cap(play: Play) -> None:
    async def chunks(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 1024

    async def scenario(client: Client, _: Upstream) -> None:
        for body in (b"x" * CAP_BYTES, chunks(CAP_BYTES // 1024)):
            async with client.post("/things", data=body) as reply:
                assert (await reply.json()) == {"bytes": CAP_BYTES}
        for body in (b"x" * (CAP_BYTES + 1), chunks(CAP_BYTES // 1024 + 1)):
            async with client.post("/things", data=body) as reply:
                assert reply.status == 413
                assert (await reply.json(content_type="application/problem+json"))["code"] == "body_too_large"

    play(scenario)


def test_the_compressed_stays_compressed(play: Play) -> None:
    async def scenario(client: Client, _: Upstream) -> None:
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.get(client.make_url("/things/gzip")) as reply,
        ):
            assert reply.headers["Content-Encoding"] == "gzip"
            assert await reply.read() == b"not really gzip"

    play(scenario)


def test_a_compressed_body_passes_as_it_came(play: Play) -> None:
    body = gzip.compress(b"x" * 1024)

    async def scenario(client: Client, _: Upstream) -> None:
        async with client.post("/things", data=body, headers={"Content-Encoding": "gzip"}) as reply:
            assert (await reply.json()) == {"bytes": len(body)}

    play(scenario)


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "header"),
    [
        ("GET", "/nowhere", 404, "not_found", None),
        ("GET", "/_events/jobs", 404, "not_found", None),
        ("POST", "/_events/jobs", 404, "not_found", None),
        ("GET", "/_health", 404, "not_found", None),
        ("PATCH", "/things", 405, "method_not_allowed", ("Allow", "GET, HEAD, POST")),
        ("GET", "/", 503, "upstream_unavailable", ("Retry-After", "1")),
        ("GET", "/idp/jwks", 503, "upstream_unavailable", ("Retry-After", "1")),
        ("GET", "/things/slow", 504, "gateway_timeout", None),
    ],
)
def test_its_own_errors_are_problem_documents(
    play: Play, method: str, path: str, status: int, code: str, header: tuple[str, str] | None
) -> None:
    async def scenario(client: Client, _: Upstream) -> None:
        async with client.request(method, path, headers={"X-Request-Id": "abc"}) as reply:
            assert reply.status == status
            body = await reply.json(content_type="application/problem+json")
            assert (body["code"], body["status"], body["request_id"]) == (code, status, "abc")
            if header is not None:
                assert reply.headers[header[0]] == header[1]

    play(scenario)


def test_a_reply_that_breaks_off_is_seen_to_break_off(play: Play) -> None:
    async def scenario(client: Client, _: Upstream) -> None:
        with pytest.raises(aiohttp.ClientError):
            async with client.get("/things/cut") as reply:
                await reply.read()

    play(scenario)


def test_a_head_reply_has_the_length_and_no_body(play: Play) -> None:
    async def scenario(client: Client, _: Upstream) -> None:
        async with client.head("/things") as reply:
            assert reply.status == 200
            assert int(reply.headers["Content-Length"]) > 0
            assert await reply.read() == b""

    play(scenario)
