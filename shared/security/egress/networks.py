"""Where an outbound call must never go, as data: the IANA special-purpose registries and what clouds keep for themselves.

Nothing here is taken from `ipaddress.is_global`, which counts multicast and 192.0.0.9, among others, as global.
Rows: network, what it is, where that is written.
Source: iana-ipv4-special-registry, iana-ipv6-special-registry, iana multicast registries (RFC 6890, RFC 8190).
"""

from __future__ import annotations

DENIED_IPV4 = (
    ("0.0.0.0/8", "this network; 0.0.0.0 reaches the machine itself", "RFC 791 section 3.2"),
    ("10.0.0.0/8", "private", "RFC 1918"),
    ("100.64.0.0/10", "carrier-grade NAT; Alibaba Cloud's metadata at 100.100.100.200", "RFC 6598"),
    ("127.0.0.0/8", "loopback", "RFC 1122 section 3.2.1.3"),
    ("168.63.129.16/32", "Azure's host, globally assigned", "Azure: What is IP address 168.63.129.16"),
    ("169.254.0.0/16", "link-local; nearly every cloud's metadata", "RFC 3927"),
    ("172.16.0.0/12", "private", "RFC 1918"),
    ("192.0.0.0/24", "protocol assignments; Oracle Cloud's metadata at 192.0.0.192", "RFC 6890 section 2.1"),
    ("192.0.2.0/24", "documentation", "RFC 5737"),
    ("192.31.196.0/24", "AS112", "RFC 7535"),
    ("192.52.193.0/24", "automatic multicast tunnelling", "RFC 7450"),
    ("192.88.99.0/24", "6to4 relays, deprecated", "RFC 7526"),
    ("192.168.0.0/16", "private", "RFC 1918"),
    ("192.175.48.0/24", "AS112, direct delegation", "RFC 7534"),
    ("198.18.0.0/15", "benchmarking", "RFC 2544"),
    ("198.51.100.0/24", "documentation", "RFC 5737"),
    ("199.36.153.4/30", "restricted.googleapis.com: trusted as inside the perimeter", "Google Cloud: Private Google Access"),
    ("199.36.153.8/30", "private.googleapis.com: routed inside Google's network only", "Google Cloud: Private Google Access"),
    ("203.0.113.0/24", "documentation", "RFC 5737"),
    ("224.0.0.0/4", "multicast", "RFC 5771"),
    ("240.0.0.0/4", "reserved", "RFC 1112 section 4"),
    ("255.255.255.255/32", "limited broadcast", "RFC 8190"),
)  # fmt: skip

DENIED_IPV6 = (
    ("::/128", "unspecified", "RFC 4291 section 2.5.2"),
    ("::1/128", "loopback", "RFC 4291 section 2.5.3"),
    ("::/96", "IPv4-compatible, deprecated", "RFC 4291 section 2.5.5.1"),
    ("::ffff:0:0/96", "IPv4-mapped", "RFC 4291 section 2.5.5.2"),
    ("::ffff:0:0:0/96", "IPv4-translated", "RFC 2765 section 2.1"),
    ("64:ff9b:1::/48", "local-use NAT64", "RFC 8215"),
    ("100::/64", "discard-only", "RFC 6666"),
    ("100:0:0:1::/64", "dummy prefix", "RFC 9780"),
    ("2001::/23", "protocol assignments: Teredo, benchmarking, ORCHID, AS112, drone remote id", "RFC 2928"),
    ("2001:db8::/32", "documentation", "RFC 3849"),
    ("2002::/16", "6to4", "RFC 3056"),
    ("2600:2d00:2:1000::/56", "restricted.googleapis.com", "Google Cloud: Private Google Access"),
    ("2600:2d00:2:2000::/56", "private.googleapis.com", "Google Cloud: Private Google Access"),
    ("2620:4f:8000::/48", "AS112, direct delegation", "RFC 7534"),
    ("3ffe::/16", "6bone, given back", "RFC 3701"),
    ("3fff::/20", "documentation", "RFC 9637"),
    ("5f00::/16", "segment routing", "RFC 9602"),
    ("fc00::/7", "unique local; metadata of AWS (fd00:ec2::254), Google Cloud (fd20:ce::254), Scaleway (fd00:42::42)", "RFC 4193"),
    ("fe80::/10", "link-local", "RFC 4291 section 2.5.6"),
    ("fec0::/10", "site-local, deprecated", "RFC 3879"),
    ("ff00::/8", "multicast", "RFC 4291 section 2.7"),
)  # fmt: skip

# Of IPv6 only this is given out at all; the rest of the space is the IETF's and counts as denied.
ASSIGNED_IPV6 = (
    ("2000::/3", "global unicast", "RFC 4291 section 2.4, IANA ipv6-unicast-address-assignments"),
    ("64:ff9b::/96", "NAT64, as public as the IPv4 address inside", "RFC 6052 section 2.1"),
)

# Where an IPv6 address carries an IPv4 one: network, how many bits lie right of it, whether its bits are turned over.
# Most of these networks are denied as a whole; what they carry is checked all the same, so that neither table stands alone.
CARRIERS = (
    ("::/96", 0, False),
    ("::ffff:0:0/96", 0, False),
    ("::ffff:0:0:0/96", 0, False),
    ("64:ff9b::/96", 0, False),
    ("64:ff9b:1::/48", 0, False),
    ("2001::/32", 0, True),  # Teredo's client, RFC 4380 section 4
    ("2001::/32", 64, False),  # Teredo's server
    ("2002::/16", 80, False),
)
