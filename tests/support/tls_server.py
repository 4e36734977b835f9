"""HTTPS servers on loopback that answer as a test says, well or badly, and an authority of their own."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Seen:
    """One request as it came in."""

    line: str
    headers: list[tuple[str, str]]
    content: bytes
    peer: tuple[str, int]

    def header(self, name: str) -> str | None:
        """Return one header's value; None when it was not sent."""
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)


Behaviour = Callable[[socket.socket, Seen], None]


def answer(content: bytes = b"", status: str = "200 OK", headers: Iterable[str] = ()) -> Behaviour:
    """Answer well."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers, "", ""]
    return lambda connection, _: connection.sendall("\r\n".join(lines).encode("latin-1") + content)


def redirect(location: str, status: str = "302 Found") -> Behaviour:
    """Send elsewhere."""
    return answer(status=status, headers=[f"Location: {location}"])


def say(*parts: bytes) -> Behaviour:
    """Send these bytes, whatever they are."""

    def behave(connection: socket.socket, _: Seen) -> None:
        for part in parts:
            connection.sendall(part)

    return behave


def say_forever(start: bytes, again: bytes, between: Callable[[], None] = lambda: None) -> Behaviour:
    """Send and never stop, until the client has had enough."""

    def behave(connection: socket.socket, _: Seen) -> None:
        connection.sendall(start)
        while True:
            between()
            connection.sendall(again)

    return behave


class Authority:
    """A certificate authority for one test run."""

    def __init__(self, folder: Path, name: str = "Test authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def context(self, *names: str, common_name: str = "server", expired: bool = False) -> ssl.SSLContext:
        """Issue a certificate for these names and addresses; return a server's context with it."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(serial := x509.random_serial_number())
            .not_valid_before(now - timedelta(days=20))
            .not_valid_after(now - timedelta(days=1) if expired else now + timedelta(days=20))
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
            )
        certificate = builder.sign(self._key, hashes.SHA256())
        path = self._folder / f"{serial}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@dataclass
class Server:
    """Listens on loopback until it is left; each connection gets one request read and one behaviour.

    Attributes:
        context: TLS; None for none at all.
        behave: what to do with a request.
        address, port: where to listen; a free port when 0.
        requests: what came in.
        names: the server names that clients asked for in their handshakes (SNI), None for none.
        connections: how many connections were opened, whatever became of them.
        hung_up: set once a client hung up on an answer.
    """

    context: ssl.SSLContext | None
    behave: Behaviour
    address: str = "127.0.0.1"
    port: int = 0
    requests: list[Seen] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    connections: int = 0
    hung_up: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        self._listener = socket.socket(family)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((self.address, self.port))
        self._listener.listen()
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        if self.context is not None:
            self.context.sni_callback = lambda _, name, __: self.names.append(name)
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self._threads:
            thread.join(timeout=20)
            assert not thread.is_alive(), "a test server does not end"

    def _accept(self) -> None:
        while True:
            try:
                connection, peer = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection, peer[:2]), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, peer: tuple[str, int]) -> None:
        self._open.append(connection)
        try:
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            seen = _read_request(connection, peer)
            if seen is None:
                return
            self.requests.append(seen)
            self.behave(connection, seen)
        except (OSError, ValueError):
            self.hung_up.set()
        finally:
            connection.close()


def _read_request(connection: socket.socket, peer: tuple[str, int]) -> Seen | None:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return None
        data += part
        if data.startswith(b"\x16\x03"):  # TLS, spoken to a server that has none
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return None
    head, _, content = data.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (header.partition(":") for header in lines)]
    length = int(next((value for name, value in headers if name.lower() == "content-length"), "0"))
    while len(content) < length and (part := connection.recv(65536)):
        content += part
    return Seen(line, headers, content, peer)
