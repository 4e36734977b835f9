"""Names that lead nowhere public, as data, and the rules of a host name. Resolves nothing."""

from __future__ import annotations

import re
from typing import Final

from .errors import EgressRefused

_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1123 section 2.1
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")  # what WHATWG URL section 3.5 calls ending in a number
_TOP: Final = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}")  # RFC 3696 section 2: no digits but in Punycode
_MOST_HOST_CHARACTERS: Final = 253  # RFC 1035 section 2.3.4, without the root's dot

# Refused with everything below. A single label is refused anyway; most of these are therefore top-level domains.
SPECIAL_NAMES: Final = {
    # IANA special-use domain names
    "alt": "RFC 9476",
    "arpa": "RFC 3172, RFC 8375 (home.arpa), RFC 7050 (ipv4only.arpa), RFC 9462 (resolver.arpa)",
    "example": "RFC 6761",
    "invalid": "RFC 6761",
    "local": "RFC 6762",
    "localhost": "RFC 6761",
    "onion": "RFC 7686",
    "test": "RFC 6761",
    # never delegated by ICANN, used inside
    "internal": "ICANN board resolution 2024.07.29.06; Google Cloud's and AWS's own names",
    "corp": "ICANN name collision, 2018",
    "home": "ICANN name collision, 2018",
    "mail": "ICANN name collision, 2018",
    "domain": "RFC 8023",
    "host-gateway": "Docker",
    "intranet": "RFC 6762 appendix G",
    "lan": "RFC 6762 appendix G",
    "private": "RFC 6762 appendix G",
    "localdomain": "the resolver's own default on many systems",
    "localdomain4": "hosts files of Red Hat",
    "localdomain6": "hosts files of Red Hat",
    "workgroup": "Windows",
    "svc": "Kubernetes services",
    "cluster": "Kubernetes clusters with a domain of their own",
    "consul": "Consul's service discovery",
    "docker": "Docker",
    "kubernetes": "Kubernetes",
    "k8s": "Kubernetes",
    "bit": "Namecoin",
    "eth": "Ethereum name service",
    "exit": "Tor",
    "gnu": "GNU name system",
    "i2p": "I2P",
    # metadata services and their look-alikes below public domains
    "metadata.goog": "Google Cloud",
    "metadata.tencentyun.com": "Tencent Cloud",
    "metadata.packet.net": "Equinix Metal",
    "metadata.platformequinix.com": "Equinix Metal",
    "metadata.cloud.ibm.com": "IBM Cloud",
    "instance-data.ec2.internal": "AWS",
}


def read_name(text: str) -> str:
    """Return a host name in ASCII and lower case.

    Args:
        text: the host as it stands in the URL, without port; no address in brackets.

    Raises:
        EgressRefused: (422 `egress_refused`) `host`, `name`, or `number` when it ends in one, which an address would.
    """
    host = text.lower() if text.isascii() else _to_ascii(text)
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        raise EgressRefused("number")
    if len(host) > _MOST_HOST_CHARACTERS or not all(_LABEL.fullmatch(label) for label in labels):
        raise EgressRefused("host")
    if any(".".join(labels[start:]) in SPECIAL_NAMES for start in range(len(labels))):
        raise EgressRefused("name")
    if len(labels) < 2 or not _TOP.fullmatch(labels[-1]):
        raise EgressRefused("host")
    written = [_to_unicode(label) for label in labels]
    if written[-1].isdecimal():  # digits of another script, which some parsers take for an address
        raise EgressRefused("number")
    return host


def _to_ascii(text: str) -> str:
    """Convert a name with other letters by UTS 46; a label that only looks foreign and turns into ASCII is a disguise."""
    import idna

    labels = []
    for label in text.split("."):
        if label.isascii():
            labels.append(label.lower())
            continue
        try:
            converted = idna.encode(label, uts46=True, std3_rules=True).decode("ascii")
        except (idna.IDNAError, UnicodeError) as error:
            raise EgressRefused("host") from error
        if not converted.startswith("xn--") or "." in converted:
            raise EgressRefused("host")
        labels.append(converted)
    return ".".join(labels)


def _to_unicode(label: str) -> str:
    """Return a label as people read it; one in Punycode that stands for nothing is refused (RFC 5891 section 5.4)."""
    if not label.startswith("xn--"):
        return label
    import idna

    try:
        return idna.ulabel(label)
    except (idna.IDNAError, UnicodeError) as error:
        raise EgressRefused("host") from error
