"""Asking DNS for the TXT records that prove a domain, over TCP: an answer out of a forged datagram would give a domain away.

Source: RFC 1035 section 3.3.14; RFC 7766 (TCP); RFC 8552 (underscored names).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import DnsAway

if TYPE_CHECKING:
    from dns.resolver import Resolver

_SECONDS = 5.0
_MOST_RECORDS = 50


class DomainRecords:
    """Reads TXT records by the machine's resolver, or by one that is given (in the emulator)."""

    def __init__(self, server: str = "") -> None:
        """Set up.

        Args:
            server: `address:port`; empty for the machine's own.
        """
        self._server = server

    def read_txt(self, name: str) -> list[str]:
        """Return the texts of a name's TXT records; none for a name that does not exist.

        Raises:
            DnsAway: (503 `dns_away`) nobody answers, or with an error.
        """
        from dns.exception import DNSException
        from dns.resolver import NXDOMAIN, NoAnswer

        try:
            answer = self._resolver().resolve(name, "TXT", lifetime=_SECONDS, search=False, tcp=True)
        except (NXDOMAIN, NoAnswer):
            return []
        except DNSException as error:
            raise DnsAway(retry_after_seconds=30) from error
        return [b"".join(record.strings).decode("ascii", "replace") for record in list(answer)[:_MOST_RECORDS]]

    def _resolver(self) -> Resolver:
        from dns.resolver import Resolver

        if not self._server:
            return Resolver()
        address, _, port = self._server.rpartition(":")
        found = Resolver(configure=False)
        found.nameservers, found.port = [address], int(port)
        return found
