"""The egress guard: the only way to call a URL that a user gave.

A URL passes the rules of text, its name is looked up once, every address must be public, and that very address is dialled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

from shared.ports.clock import Clock

from .addresses import Address, is_public, read_address
from .deadline import Deadline
from .errors import EgressRefused
from .policy import EgressPolicy
from .reply import EgressResponse
from .resolver import Resolver
from .urls import Target, read_url

if TYPE_CHECKING:  # httpcore and certifi come with the first call
    from .transport import Transport

_USER_AGENT: Final = "DriftWise"
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 section 5.6.2
_VALUE: Final = re.compile(r"[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?|")  # RFC 9110 section 5.5
_FOLLOWED: Final = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD: Final = frozenset({307, 308})
_GOES_ANYWHERE: Final = frozenset({"accept", "accept-language", "user-agent"})
_OURS: Final = frozenset({
    # framing and routing, RFC 9110 section 7 and RFC 9112 section 6
    "accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "te", "trailer",
    "transfer-encoding", "upgrade",
    # what only metadata services and proxies ask for
    "metadata", "metadata-flavor", "x-google-metadata-request", "x-aws-ec2-metadata-token",
    "x-aws-ec2-metadata-token-ttl-seconds", "proxy-authorization", "proxy-connection",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    headers: Mapping[str, str]
    content: bytes


class EgressGuard:
    """Calls user-given URLs under one policy. Safe to share between threads."""

    def __init__(self, policy: EgressPolicy, resolver: Resolver, clock: Clock) -> None:
        self._policy = policy
        self._resolver = resolver
        self._clock = clock
        self._transport: Transport | None = None
        self._lock = Lock()

    def check(self, url: str) -> None:
        """Judge a URL that a user wants to store; the name is looked up, nothing is called.

        A URL that passes is checked again at every call: names move.

        Raises:
            EgressRefused: (422 `egress_refused`) with a reason word.
            EgressFailed: (502 `egress_failed`) its name cannot be looked up now.
            EgressTimeout: (504 `egress_timeout`) the lookup takes too long.
        """
        self._address(read_url(url, self._policy), Deadline(self._clock, self._policy.deadline_seconds))

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        within_seconds: float | None = None,
    ) -> EgressResponse:
        """Call a URL.

        Args:
            method: one of the policy's, in capitals.
            url: what the user gave.
            headers: the caller's own; `Host`, framing and connection headers are not.
            content: the body.
            within_seconds: a deadline before the policy's, which nothing extends.

        Raises:
            EgressRefused: (422 `egress_refused`) with a reason word.
            EgressFailed: (502 `egress_failed`) no connection, no trust, no HTTP.
            EgressTimeout: (504 `egress_timeout`) the whole exchange took too long.
            EgressTooLarge: (502 `egress_too_large`) the answer is over the cap.
        """
        call = self._checked(_Call(method, dict(headers or {}), content))
        target = read_url(url, self._policy)
        seconds = self._policy.deadline_seconds
        deadline = Deadline(self._clock, seconds if within_seconds is None else min(within_seconds, seconds))
        for left in range(self._policy.redirects, -1, -1):
            reply = self._send(call, target, deadline)
            location = reply.headers.get("location")
            if not self._policy.redirects or reply.status not in _FOLLOWED or location is None:
                return reply
            if left:
                here, target = target, self._redirected(target, location)
                call = _redirected_call(call, reply.status, same_origin=here.origin == target.origin)
        raise EgressRefused("redirect")

    def _send(self, call: _Call, target: Target, deadline: Deadline) -> EgressResponse:
        address = self._address(target, deadline)
        names = {name.lower() for name in call.headers}
        headers = [*call.headers.items(), *([] if "user-agent" in names else [("User-Agent", _USER_AGENT)])]
        return self._open_transport().send(target, address, call.method, headers, call.content, deadline)

    def _address(self, target: Target, deadline: Deadline) -> Address:
        """Look the host up, once; one bad answer refuses them all, and the first is the one to dial."""
        if target.address is not None:
            addresses: list[Address | None] = [target.address]
        else:
            answers = self._resolver.resolve(target.host, timeout_seconds=deadline.left_seconds())
            addresses = [read_address(answer) for answer in answers]
        first = addresses[0] if addresses else None
        if first is None or not all(address and self._allows(address, target.port) for address in addresses):
            raise EgressRefused("destination")  # the same word for a name that does not exist: no oracle of inner names
        return first

    def _allows(self, address: Address, port: int) -> bool:
        return is_public(address) or self._policy.allows_loopback(str(address), port)

    def _checked(self, call: _Call) -> _Call:
        if call.method not in self._policy.methods:
            raise EgressRefused("method")
        if len(call.content) > self._policy.most_request_bytes:
            raise EgressRefused("body")
        size_bytes = 0
        for name, value in call.headers.items():
            if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value) or name.lower() in _OURS:
                raise EgressRefused("header")
            size_bytes += len(name) + len(value) + 4
        lower = {name.lower() for name in call.headers}
        if size_bytes > self._policy.most_header_bytes or len(lower) != len(call.headers):
            raise EgressRefused("header")
        return call

    def _redirected(self, here: Target, location: str) -> Target:
        """Read where a redirect leads: a whole URL, or a path on the same origin; nothing else is guessed at."""
        if location.startswith("/") and not location.startswith("//"):
            location = f"{here.scheme}://{here.host_header}{location}"
        there = read_url(location, self._policy)
        if here.scheme == "https" and there.scheme != "https":
            raise EgressRefused("redirect")
        return there

    def _open_transport(self) -> Transport:
        with self._lock:
            if self._transport is None:
                from .transport import Transport

                self._transport = Transport(self._policy)
            return self._transport


def _redirected_call(call: _Call, status: int, *, same_origin: bool) -> _Call:
    """Return what is sent on: no body without the server's and our will, no credential to another origin.

    Raises:
        EgressRefused: (422 `egress_refused`) `redirect`: a body would go to an origin it was not written for.
    """
    if status in _KEEPS_METHOD and call.method not in {"GET", "HEAD"}:
        if not same_origin:
            raise EgressRefused("redirect")
        return call
    method = call.method if call.method in {"GET", "HEAD"} else "GET"
    kept = {
        name: value
        for name, value in call.headers.items()
        if name.lower() in _GOES_ANYWHERE or (same_origin and not name.lower().startswith("content-"))
    }
    return _Call(method, kept, b"")
