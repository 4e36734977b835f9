"""Links that fail: what a client and a server on either side of one see."""

from __future__ import annotations

import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from local_emulator.ports import HOST, is_listening, reserve_port
from tests.support.running_suite import ROOT
from tests.support.waiting import wait_until

_PATIENCE_SECONDS = 10.0


RECEIVED: list[bytes] = []


class Echo(socketserver.BaseRequestHandler):
    """Sends back what it gets, and remembers it."""

    def handle(self) -> None:
        while chunk := self.request.recv(65536):
            RECEIVED.append(chunk)
            self.request.sendall(chunk)


@dataclass
class Place:
    """A link to an echo, and its switches."""

    port: int
    control: str
    received: list[bytes]

    def connect(self) -> socket.socket:
        return socket.create_connection((HOST, self.port), timeout=_PATIENCE_SECONDS)

    def switch(self, mode: str, **options: float) -> None:
        httpx.post(f"{self.control}/_faults", json={"link": "echo", "mode": mode, **options}).raise_for_status()


@pytest.fixture(scope="module")
def process() -> Iterator[Place]:
    with socketserver.ThreadingTCPServer((HOST, 0), Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        control, port = reserve_port(), reserve_port()
        command = [
            sys.executable, "-m", "local_emulator.links", "--control-port", str(control),
            "--link", f"echo={port}:{server.server_address[1]}", "--link", f"nobody={reserve_port()}:{reserve_port()}",
        ]  # fmt: skip
        running = subprocess.Popen(command, cwd=ROOT)
        try:
            wait_until(lambda: is_listening(control), "the links are up")
            yield Place(port, f"http://{HOST}:{control}", RECEIVED)
        finally:
            running.terminate()
            assert running.wait(_PATIENCE_SECONDS) == 0
            server.shutdown()


@pytest.fixture
def place(process: Place) -> Iterator[Place]:
    process.received.clear()
    yield process
    httpx.delete(f"{process.control}/_faults").raise_for_status()


def test_an_open_link_passes_everything_on_and_its_end_too(place: Place) -> None:
    sent = bytes(range(256)) * 4096
    with place.connect() as connection:

        def send() -> None:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)

        threading.Thread(target=send).start()
        got = b""
        while chunk := connection.recv(65536):
            got += chunk
    assert got == sent


def test_a_cut_resets_what_is_open_and_what_comes(place: Place) -> None:
    with place.connect() as old:
        old.sendall(b"before")
        assert old.recv(10) == b"before"
        place.switch("cut")
        with pytest.raises(ConnectionResetError):
            old.recv(10)
    with pytest.raises(ConnectionResetError), place.connect() as fresh:
        fresh.sendall(b"x")
        fresh.recv(10)
    place.switch("open")
    with place.connect() as after:
        after.sendall(b"after")
        assert after.recv(10) == b"after"


def test_what_was_sent_into_a_stall_arrives_when_it_ends(place: Place) -> None:
    with place.connect() as old:
        old.sendall(b"1")
        assert old.recv(10) == b"1"
        place.switch("stall")
        old.sendall(b"2")
        with place.connect() as fresh:
            fresh.sendall(b"3")
            for connection in (old, fresh):
                connection.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    connection.recv(10)
                connection.settimeout(_PATIENCE_SECONDS)
            assert place.received == [b"1"]
            place.switch("open")
            assert (old.recv(10), fresh.recv(10)) == (b"2", b"3")


def test_a_slow_link_delays_each_direction(place: Place) -> None:
    place.switch("slow", seconds=0.4)
    with place.connect() as connection:
        began = time.monotonic()
        connection.sendall(b"x")
        assert connection.recv(10) == b"x"
        assert time.monotonic() - began >= 0.8  # never earlier; later says how busy the machine is


def test_a_lossy_link_loses_the_answer_and_not_what_was_asked(place: Place) -> None:
    place.switch("lossy", share=1.0)
    with place.connect() as connection:
        connection.sendall(b"order")
        with pytest.raises(ConnectionResetError):
            connection.recv(10)
    assert place.received == [b"order"]


def test_where_nobody_listens_the_client_learns_it(process: Place) -> None:
    told = httpx.get(f"{process.control}/_faults").json()
    assert set(told) == {"echo", "nobody"}
    assert told["nobody"] == {"mode": "open"}


@pytest.mark.parametrize(
    ("body", "status"),
    [({"link": "other", "mode": "cut"}, 404), ({"link": "echo", "mode": "burn"}, 400), ({"mode": "cut"}, 400)],
)
def test_a_wrong_switch_is_refused(process: Place, body: dict[str, str], status: int) -> None:
    assert httpx.post(f"{process.control}/_faults", json=body).status_code == status
