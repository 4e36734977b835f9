"""The one parser of user-given URLs. It refuses what two parsers could read differently, and repairs nothing.

Follows the WHATWG URL standard where it accepts, and is narrower. Decides by the text alone: resolves nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from .addresses import Address
from .errors import EgressRefused
from .names import read_name
from .policy import EgressPolicy

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://(?=[^/])", re.IGNORECASE)
_AUTHORITY_END: Final = re.compile(r"[/?#]")
_CONTROL: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_REST: Final = re.compile(r"[!$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]*")  # RFC 3986 section 3.3 and 3.4, brackets as WHATWG
_IPV4: Final = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")
_IPV6: Final = re.compile(r"[0-9a-fA-F:.]{2,45}")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads, by its text.

    Attributes:
        scheme: `https`; `http` only where the policy names the endpoint.
        host: ASCII, lower case; an address in its shortest form, without brackets.
        port: as written or the scheme's own.
        resource: path and query, as written; the fragment never leaves.
        address: set when the host is an address.
    """

    scheme: str
    host: str
    port: int
    resource: str
    address: Address | None

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: what credentials belong to (RFC 6454)."""
        return self.scheme, self.host, self.port

    @property
    def host_header(self) -> str:
        """The value of `Host` (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def read_url(url: str, policy: EgressPolicy) -> Target:
    """Read a URL that a user gave.

    Raises:
        EgressRefused: (422 `egress_refused`) with the first rule it breaks.
    """
    if len(url) > policy.most_url_characters:
        raise EgressRefused("length")
    if _CONTROL.search(url):
        raise EgressRefused("character")
    start = _SCHEME.match(url)
    if start is None or (scheme := start[1].lower()) not in _DEFAULT_PORTS:
        raise EgressRefused("scheme")
    end = _AUTHORITY_END.search(url, start.end())
    authority = url[start.end() : end.start()] if end else url[start.end() :]
    rest, _, fragment = url[start.end() + len(authority) :].partition("#")
    if not _REST.fullmatch(rest) or not _REST.fullmatch(fragment):
        raise EgressRefused("character")
    if "@" in authority:
        raise EgressRefused("userinfo")
    host, address, port_text = _read_authority(authority)
    port = _read_port(port_text, scheme)
    plain = scheme == "http"
    if plain and (host, port) not in policy.plain_http:
        raise EgressRefused("scheme")
    if not plain and port not in policy.ports:
        raise EgressRefused("port")
    return Target(scheme, host, port, rest if rest.startswith("/") else f"/{rest}", address)


def _read_authority(authority: str) -> tuple[str, Address | None, str | None]:
    """Return host, its address when it is one, and the port as written."""
    if authority.startswith("["):
        inside, bracket, after = authority[1:].partition("]")
        if not bracket or not _IPV6.fullmatch(inside) or (after and not after.startswith(":")):
            raise EgressRefused("host")
        try:
            literal = IPv6Address(inside)
        except AddressValueError as error:
            raise EgressRefused("host") from error
        return str(literal), literal, after[1:] if after else None
    text, colon, port = authority.partition(":")
    if ":" in port:
        raise EgressRefused("host")
    if _IPV4.fullmatch(text):
        try:
            address = IPv4Address(text)
        except AddressValueError as error:
            raise EgressRefused("number") from error
        return text, address, port if colon else None
    return read_name(text), None, port if colon else None


def _read_port(text: str | None, scheme: str) -> int:
    if text is None:
        return _DEFAULT_PORTS[scheme]
    if not _PORT.fullmatch(text) or int(text) > 65535:
        raise EgressRefused("port")
    return int(text)
