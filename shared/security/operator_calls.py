"""Calls to addresses that the deployment names: identity providers, and where issuers publish their keys.

Owns how they are bounded. The egress guard is for URLs that users give. These stand in the operator's settings, or in the
metadata of a provider that the operator chose, and may well lead into the operator's own network, where the guard lets
nobody go. What they share with it is its transport: one exchange under one deadline, a cap on every byte, TLS verified, and
no proxy, redirect, cookie or decompression.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.ports.clock import Clock
from shared.ports.errors import ServiceAway

from .egress.addresses import read_address
from .egress.deadline import Deadline
from .egress.errors import EgressFailed, EgressRefused, EgressTimeout, EgressTooLarge
from .egress.policy import EgressPolicy
from .egress.reply import EgressResponse
from .egress.resolver import SystemResolver
from .egress.urls import Target

if TYPE_CHECKING:  # httpcore and certifi come with the first call
    from .egress.transport import Transport

MOST_BYTES = 262_144
DEADLINE_SECONDS = 5.0

_POLICY = EgressPolicy(deadline_seconds=DEADLINE_SECONDS, most_response_bytes=MOST_BYTES)
_USER_AGENT = "DriftWise"
_URL = re.compile(r"https?://[!-~]+")
_PORTS = {"https": 443, "http": 80}
_resolver = SystemResolver()


def call(
    method: str,
    url: str,
    *,
    service: str,
    clock: Clock,
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
    within_seconds: float = DEADLINE_SECONDS,
) -> EgressResponse:
    """Make one call.

    Args:
        method: in capitals.
        url: what the deployment, or a provider that it chose, names.
        service: what callers are told is away.
        clock: time.
        headers: well-formed ones, without `Host` and framing.
        content: the body.
        within_seconds: the deadline of the whole exchange.

    Raises:
        ServiceAway: (503 `service_away`) no address, no answer, no trust, too late or too much.
    """
    deadline = Deadline(clock, within_seconds)
    try:
        target = read_target(url)
        address = target.address
        if address is None:
            found = _resolver.resolve(target.host, timeout_seconds=deadline.left_seconds())
            address = read_address(found[0]) if found else None
        if address is None:
            raise ServiceAway(service)
        lines = {"User-Agent": _USER_AGENT, **(headers or {})}.items()
        return _transport().send(target, address, method, lines, content, deadline)
    except (ValueError, EgressFailed, EgressRefused, EgressTimeout, EgressTooLarge) as error:
        raise ServiceAway(service) from error


def read_target(url: str) -> Target:
    """Read an address as it stands in a setting or a provider's metadata.

    Raises:
        ValueError: it is none, or holds a user name, a password or a fragment.
    """
    if _URL.fullmatch(url) is None or "\\" in url:
        raise ValueError("not an http or https address")
    parts = urlsplit(url)
    if not parts.hostname or "@" in parts.netloc or "#" in url:
        raise ValueError("an address of this kind has a host, and neither a user nor a fragment")
    resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = parts.port or _PORTS[parts.scheme]
    return Target(parts.scheme, parts.hostname, port, resource, read_address(parts.hostname))


@cache
def _transport() -> Transport:
    from .egress.transport import Transport

    return Transport(_POLICY)
