"""The health endpoint: `/livez` while the operator is at work, `/readyz` once a whole report was taken."""

from __future__ import annotations

import asyncio
import time

from .operator import Health

STALL_SECONDS = 900.0
_MOST_HEAD_BYTES = 8192
_HEAD_SECONDS = 5.0


async def serve(health: Health, port: int, host: str = "0.0.0.0") -> asyncio.Server:  # noqa: S104  # the kubelet asks from outside the pod
    """Begin to answer."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readline(), _HEAD_SECONDS)
            path = line.split(b" ")[1] if line.count(b" ") >= 2 else b""  # noqa: PLR2004  # method, path, version
            writer.write(_reply(path, health))
            await writer.drain()
        except (TimeoutError, ConnectionError, ValueError):
            pass  # whoever asked has gone
        finally:
            writer.close()

    return await asyncio.start_server(answer, host, port, limit=_MOST_HEAD_BYTES)


def _reply(path: bytes, health: Health) -> bytes:
    is_alive = time.monotonic() - health.stirred_at < STALL_SECONDS
    known = {b"/livez": is_alive, b"/readyz": is_alive and health.is_whole and health.is_taken}
    status = "404 Not Found" if path not in known else "200 OK" if known[path] else "503 Service Unavailable"
    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
