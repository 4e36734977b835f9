"""Links between the functions and what they stand on, which a test can cut, stall, slow down or make lose what they carry.

Each link listens on a port of its own and passes TCP on, byte for byte. `POST /_faults {"link", "mode", "seconds", "share"}` on the
control port puts a link into a mode, `GET` lists the links, `DELETE` opens them all. Run as
`python -m local_emulator.links --control-port N --link NAME=LISTEN:TARGET ...`; all ports are on 127.0.0.1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .ports import HOST

_CHUNK_BYTES = 64 * 1024
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: closing sends RST and drops what was not sent

Mode: TypeAlias = Literal["open", "cut", "stall", "slow", "lossy"]


class Fault(BaseModel):
    """The body of `POST /_faults`.

    Attributes:
        mode: `cut` (connections are reset, new ones too), `stall` (connections stand, nothing passes; afterwards it does), `slow` (all
            that passes comes late), `lossy` (an answer is now and then replaced by a reset: the work was done, nobody is told).
        seconds: how late `slow` is.
        share: of the answers that `lossy` replaces.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    link: str
    mode: Mode
    seconds: float = Field(default=0.3, ge=0, le=60)
    share: float = Field(default=0.1, gt=0, le=1)


@dataclass
class Link:
    """One listening port and where it leads.

    Attributes:
        target: port on this machine.
    """

    name: str
    target: int
    fault: Fault | None = None
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._open.set()

    def switch(self, fault: Fault | None) -> None:
        """Put it into a mode; None opens it."""
        self.fault = fault if fault is not None and fault.mode != "open" else None
        if self._mode == "stall":
            self._open.clear()
        else:
            self._open.set()
        if self._mode == "cut":
            for writer in list(self._writers):
                _reset(writer)

    @property
    def _mode(self) -> Mode:
        return self.fault.mode if self.fault is not None else "open"

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side ends it."""
        self._writers.add(writer)
        there: asyncio.StreamWriter | None = None
        try:
            if self._mode == "cut":
                _reset(writer)
                return
            await self._open.wait()
            answers, there = await asyncio.open_connection(HOST, self.target)
            self._writers.add(there)
            await asyncio.gather(
                self._pass_on(reader, there, is_answer=False), self._pass_on(answers, writer, is_answer=True)
            )
        except OSError:
            _reset(writer)  # the target is away, or a side was reset: the other one learns it the same way
        finally:
            for one in (writer, there):
                if one is not None:
                    self._writers.discard(one)
                    one.close()

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_answer: bool) -> None:
        """Pass on one direction to its end; then the other side is told that nothing more comes."""
        while chunk := await source.read(_CHUNK_BYTES):
            fault = self.fault
            if fault is not None and fault.mode == "lossy" and is_answer and random.random() < fault.share:  # noqa: S311  # a fault, no secret
                raise ConnectionResetError
            if fault is not None and fault.mode == "slow":
                await asyncio.sleep(fault.seconds)
            await self._open.wait()
            sink.write(chunk)
            await sink.drain()
        with suppress(OSError, RuntimeError):  # it may be gone already
            sink.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


class Links:
    """All links, and the control port's answers."""

    def __init__(self, links: Mapping[str, Link]) -> None:
        self._links = links

    def application(self) -> web.Application:
        """Build the control port's application."""
        application = web.Application()
        application.router.add_get("/_health", lambda _: _answer({"status": "ok"}))
        application.router.add_get("/_faults", self._list)
        application.router.add_post("/_faults", self._switch)
        application.router.add_delete("/_faults", self._open)
        return application

    async def _list(self, _: web.Request) -> web.Response:
        return await _answer({name: _told(link.fault) for name, link in self._links.items()})

    async def _switch(self, request: web.Request) -> web.Response:
        try:
            fault = Fault.model_validate_json(await request.read())
        except ValidationError as error:
            return await _answer({"error": "invalid_fault", "detail": str(error)}, 400)
        link = self._links.get(fault.link)
        if link is None:
            return await _answer({"error": "unknown_link", "detail": f"there are {', '.join(self._links)}"}, 404)
        link.switch(fault)
        return await _answer({link.name: _told(link.fault)})

    async def _open(self, request: web.Request) -> web.Response:
        for link in self._links.values():
            link.switch(None)
        return await self._list(request)


def _told(fault: Fault | None) -> dict[str, object]:
    return {"mode": "open"} if fault is None else fault.model_dump(exclude={"link"})


async def _answer(document: Mapping[str, object], status: int = 200) -> web.Response:
    return web.Response(status=status, body=json.dumps(document).encode(), content_type="application/json")


async def serve(control_port: int, ports: Mapping[str, tuple[int, int]]) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        control_port: of the control port.
        ports: name of each link to where it listens and where it leads.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    links = {name: Link(name, target) for name, (_, target) in ports.items()}
    servers = [
        await asyncio.start_server(links[name].carry, HOST, listen, reuse_address=True, backlog=256)
        for name, (listen, _) in ports.items()
    ]
    runner = web.AppRunner(Links(links).application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, control_port, reuse_address=True).start()
    await stop.wait()
    for server in servers:
        server.close()
    for link in links.values():
        link.switch(Fault(link=link.name, mode="cut"))
    await runner.cleanup()


def _link(text: str) -> tuple[str, tuple[int, int]]:
    name, _, ports = text.partition("=")
    listen, _, target = ports.partition(":")
    if not (name and listen.isdigit() and target.isdigit()):
        raise argparse.ArgumentTypeError("a link is NAME=LISTEN:TARGET, with two port numbers")
    return name, (int(listen), int(target))


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description="Links of the local emulator that can fail")
    parser.add_argument("--control-port", type=int, required=True)
    parser.add_argument("--link", type=_link, action="append", default=[], metavar="NAME=LISTEN:TARGET")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.control_port, dict(arguments.link)))


if __name__ == "__main__":
    main()
