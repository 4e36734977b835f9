"""What outbound calls may do: limits, and the only exceptions there are, which the emulator and tests alone may name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from shared.settings import Settings

from .addresses import read_address

MOST_REDIRECTS: Final = 3
Endpoint = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressPolicy:
    """The limits of one kind of call.

    Attributes:
        ports: ports that https may use.
        methods: methods that may be sent.
        redirects: how many redirects are followed, each through the whole guard; none by default, 3 at most.
        deadline_seconds: for the whole exchange, redirects, name lookup and handshakes included.
        most_url_characters, most_request_bytes, most_header_bytes, most_response_bytes: caps; headers' holds each way.
        loopback: (address, port) on this very machine that may be dialled; the emulator's and tests' only.
        plain_http: (host, port) that may be called without TLS; the emulator's only.
        authorities_pem: certificates to trust instead of the public ones; the emulator's and tests' only.
    """

    ports: frozenset[int] = frozenset({443})
    methods: frozenset[str] = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
    redirects: int = 0
    deadline_seconds: float = 10.0
    most_url_characters: int = 2048
    most_request_bytes: int = 1024 * 1024
    most_header_bytes: int = 32 * 1024
    most_response_bytes: int = 1024 * 1024
    loopback: frozenset[Endpoint] = field(default=frozenset(), repr=False)
    plain_http: frozenset[Endpoint] = field(default=frozenset(), repr=False)
    authorities_pem: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuse a policy that is none.

        Raises:
            ValueError: names what is wrong.
        """
        if not 0 <= self.redirects <= MOST_REDIRECTS:
            raise ValueError(f"at most {MOST_REDIRECTS} redirects")
        if self.deadline_seconds <= 0:
            raise ValueError("a deadline lies ahead")
        for host, _ in self.loopback:
            address = read_address(host)
            if address is None or not address.is_loopback:
                raise ValueError("an exception is made for loopback addresses only")
        if not self.plain_http <= self.loopback:
            raise ValueError("plain http is for loopback endpoints only")

    def allows_loopback(self, host: str, port: int) -> bool:
        """Whether this endpoint on the machine itself is one of the exceptions."""
        return (host, port) in self.loopback


def for_process(policy: EgressPolicy, settings: Settings) -> EgressPolicy:
    """Return the policy as it holds in this process: the emulator's with the endpoints that `DW_EGRESS_BYPASS` names.

    Raises:
        ValueError: it is set in production, or is no list of `address:port` on loopback.
    """
    if not settings.egress_bypass:
        return policy
    if settings.is_production:
        raise ValueError("DW_EGRESS_BYPASS is for the emulator only")
    endpoints = frozenset(_read_endpoint(item.strip()) for item in settings.egress_bypass.split(","))
    return replace(policy, loopback=policy.loopback | endpoints, plain_http=policy.plain_http | endpoints)


def _read_endpoint(text: str) -> Endpoint:
    host, _, port = text.rpartition(":")
    address = read_address(host.removeprefix("[").removesuffix("]"))
    if address is None or not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("DW_EGRESS_BYPASS must be a list of address:port, such as 127.0.0.1:9000")
    return str(address), int(port)
