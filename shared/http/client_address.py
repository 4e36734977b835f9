"""The address that a request came from, out of `X-Forwarded-For`.

Whoever calls may send that header with anything in it; proxies append to the right. So only the entries that our own edge
appended are true, and they are counted from the right:

- Google's external Application Load Balancer appends two, `<client>,<load balancer>`, behind whatever the caller sent:
  the client is the second from the right. Functions can be reached through it alone (ingress setting), so both are there.
- The emulator's gateway drops what the caller sent and writes one: the client is the first from the right.

A header that is too short or unreadable at that place gives no address; who needs one is then refused. Were another proxy
of ours put in between, the address would be that of our own edge: wrong, but never the caller's choice.

Source: https://cloud.google.com/load-balancing/docs/https#x-forwarded-for_header
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

Address = IPv4Address | IPv6Address

LOAD_BALANCER_APPENDS = 2
GATEWAY_APPENDS = 1
_MOST_CHARACTERS = 16_384
_FORM = re.compile(r"[0-9A-Fa-f.:]{2,45}")  # no zone, no brackets, no port: the edge writes none


def client_address(forwarded: str | None, peer: str | None, *, is_production: bool) -> Address | None:
    """Return the client's address; None when the edge did not say.

    Args:
        forwarded: `X-Forwarded-For`, None without one; several lines are one, joined by commas (RFC 9110 section 5.3).
        peer: who opened the connection; counts in the emulator only, when the call did not come through the gateway.
        is_production: behind the load balancer, and not behind the emulator's gateway.
    """
    if forwarded is None:
        return None if is_production else read_address(peer or "")
    appended = LOAD_BALANCER_APPENDS if is_production else GATEWAY_APPENDS
    hops = forwarded[-_MOST_CHARACTERS:].split(",")
    if len(hops) < appended:
        return None
    return read_address(hops[-appended].strip(" \t"))


def read_address(text: str) -> Address | None:
    """Read one address; an IPv4 address inside an IPv6 one counts as what it is (RFC 4291 section 2.5.5.2)."""
    if _FORM.fullmatch(text) is None:
        return None
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
