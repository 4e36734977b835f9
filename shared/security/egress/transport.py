"""One HTTP/1.1 exchange with one address that was checked before. The only module here that opens a socket.

Built on httpcore, below httpx, so that what must not happen has no code: no proxy, no netrc, no cookie, no redirect,
no decompression, no retry, no kept connection. Knows nothing of which addresses are allowed.
"""
# ruff: noqa: ARG002 (httpcore calls these methods with all their arguments)

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address
from types import MappingProxyType
from typing import Any, Final

import certifi
import httpcore

from .addresses import Address, read_address
from .deadline import Deadline
from .errors import EgressFailed, EgressRefused, EgressTimeout, EgressTooLarge
from .policy import EgressPolicy
from .reply import EgressResponse
from .urls import Target

_READ_BYTES: Final = 16 * 1024


class Transport:
    """Sends requests; TLS is always verified, against the public authorities unless the policy names others."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self._tls = _tls_context(policy.authorities_pem)

    def send(
        self,
        target: Target,
        address: Address,
        method: str,
        headers: Iterable[tuple[str, str]],
        content: bytes,
        deadline: Deadline,
    ) -> EgressResponse:
        """Send one request to the address, under the target's name.

        Args:
            target: gives name, port and resource; the name is in `Host`, SNI, and what the certificate must show.
            address: where to connect, nowhere else.
            method: in capitals.
            headers: checked ones, without `Host` and framing.
            content: the body; empty for none.
            deadline: for what is left of the exchange.

        Raises:
            EgressRefused: (422 `egress_refused`) the socket ended up elsewhere.
            EgressFailed: (502 `egress_failed`) no connection, no trust, no HTTP.
            EgressTimeout: (504 `egress_timeout`) the deadline has passed.
            EgressTooLarge: (502 `egress_too_large`) headers or body are over the cap.
        """
        backend = _Backend(address, deadline, self._policy)
        origin = httpcore.Origin(target.scheme.encode(), target.host.encode(), target.port)
        url = httpcore.URL(
            scheme=origin.scheme, host=origin.host, port=origin.port, target=target.resource.encode("ascii")
        )
        lines = [("Host", target.host_header), *headers, ("Accept-Encoding", "identity"), ("Connection", "close")]
        connection = httpcore.HTTPConnection(origin, ssl_context=self._tls, retries=0, network_backend=backend)
        try:
            with (
                connection,
                connection.stream(
                    method,
                    url,
                    headers=[(name.encode("ascii"), value.encode("latin-1")) for name, value in lines],
                    content=content if content or method in {"POST", "PUT", "PATCH"} else None,
                ) as response,
            ):
                backend.headers_are_read()
                return self._read(response, method)
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            reason = "certificate" if _is_about_trust(error) else "connection"
            raise EgressFailed(reason=reason) from error
        except httpcore.TimeoutException as error:
            raise EgressTimeout from error

    def _read(self, response: httpcore.Response, method: str) -> EgressResponse:
        headers = _headers(response.headers)
        declared = headers.get("content-length", "")
        most = self._policy.most_response_bytes
        if method != "HEAD" and declared.isdecimal() and int(declared) > most:
            raise EgressTooLarge
        content = bytearray()
        for part in response.iter_stream():
            content += part
            if len(content) > most:
                raise EgressTooLarge
        return EgressResponse(response.status, headers, bytes(content))


def _headers(lines: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Join repeated headers (RFC 9110 section 5.3); names in lower case."""
    found: dict[str, str] = {}
    for raw_name, raw_value in lines:
        name, value = raw_name.decode("ascii").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return MappingProxyType(found)


def _tls_context(authorities_pem: str) -> ssl.SSLContext:
    """Make a context that takes nothing from the environment; it checks chain and name by default."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False  # RFC 9525 section 6.3: names stand in subjectAltName
    if authorities_pem:
        context.load_verify_locations(cadata=authorities_pem)
    else:
        context.load_verify_locations(certifi.where())
    return context


def _is_about_trust(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


class _Backend(httpcore.NetworkBackend):
    """Connects to one address whatever name it is given."""

    def __init__(self, address: Address, deadline: Deadline, policy: EgressPolicy) -> None:
        self._address = address
        self._meter = _Meter(deadline, policy)

    def headers_are_read(self) -> None:
        """From here on it is the body that comes in."""
        self._meter.headers_are_read()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the checked address, and to nothing else (`host` is only a name here)."""
        family = socket.AF_INET if isinstance(self._address, IPv4Address) else socket.AF_INET6
        connected = socket.socket(family, socket.SOCK_STREAM)
        try:
            connected.settimeout(self._meter.left_seconds())
            connected.connect((str(self._address), port))
            self._check_peer(connected, port)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except TimeoutError as error:
            connected.close()
            raise EgressTimeout from error
        except OSError as error:
            connected.close()
            raise httpcore.ConnectError from error
        except BaseException:
            connected.close()
            raise
        return _Stream(connected, self._meter)

    def _check_peer(self, connected: socket.socket, port: int) -> None:
        """Refuse a socket that something on this machine has sent elsewhere."""
        peer = connected.getpeername()
        if read_address(str(peer[0])) != self._address or peer[1] != port:
            raise EgressRefused("destination")


class _Stream(httpcore.NetworkStream):
    """A socket whose every step ends with the deadline, and whose reads are counted."""

    def __init__(self, connected: socket.socket, meter: _Meter) -> None:
        self._socket = connected
        self._meter = meter

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._meter.check_room()
        try:
            self._socket.settimeout(self._meter.left_seconds())
            data = self._socket.recv(min(max_bytes, _READ_BYTES))
        except TimeoutError as error:
            raise EgressTimeout from error
        except OSError as error:
            raise httpcore.ReadError from error
        self._meter.count(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        while view:
            try:
                self._socket.settimeout(self._meter.left_seconds())
                view = view[self._socket.send(view[:_READ_BYTES]) :]
            except TimeoutError as error:
                raise EgressTimeout from error
            except OSError as error:
                raise httpcore.WriteError from error

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        try:
            self._socket.settimeout(self._meter.left_seconds())
            wrapped = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except TimeoutError as error:
            self.close()
            raise EgressTimeout from error
        except (OSError, ValueError) as error:  # ValueError: a name that TLS cannot carry
            self.close()
            raise httpcore.ConnectError from error
        except BaseException:
            self.close()
            raise
        return _Stream(wrapped, self._meter)

    def get_extra_info(self, info: str) -> Any:
        """Tell httpcore nothing: it asks for HTTP/2 and for idle connections, and there are neither."""
        return None


class _Meter:
    """What is left of time and bytes for one exchange."""

    def __init__(self, deadline: Deadline, policy: EgressPolicy) -> None:
        self._deadline = deadline
        self._read_bytes = 0
        self._most_bytes = policy.most_header_bytes
        self._body_bytes = 2 * policy.most_response_bytes + policy.most_header_bytes  # with the framing of small chunks

    def left_seconds(self) -> float:
        return self._deadline.left_seconds()

    def count(self, size_bytes: int) -> None:
        self._read_bytes += size_bytes

    def check_room(self) -> None:
        """Refuse to read on; asked before a read, when what came so far was not enough."""
        if self._read_bytes >= self._most_bytes:
            raise EgressTooLarge

    def headers_are_read(self) -> None:
        self._most_bytes = self._read_bytes + self._body_bytes
