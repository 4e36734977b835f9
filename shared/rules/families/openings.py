"""What the network rules of each provider let in, as openings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address, summarize_address_range
from typing import Any, TypeAlias

from ..networks import Opening, openings
from ..values import Document, blocks, items, texts, truth, whole

Reader: TypeAlias = Callable[[Document], Iterator[Opening]]
_ANY = ("0.0.0.0/0", "::/0")


def aws_block(block: Document) -> Iterator[Opening]:
    """Read one rule of a security group or an ACL, stand-alone or inline."""
    if str(block.get("action", block.get("rule_action", "allow"))).lower() != "allow":
        return
    networks = [
        text
        for name in ("cidr_blocks", "ipv6_cidr_blocks", "cidr_block", "ipv6_cidr_block", "cidr_ipv4", "cidr_ipv6")
        for text in texts(block.get(name))
    ]
    protocol = block.get("protocol", block.get("ip_protocol"))
    yield from openings(protocol, whole(block.get("from_port")), whole(block.get("to_port")), networks)


def aws_group(document: Document) -> Iterator[Opening]:
    """Read the inline rules of a security group or an ACL."""
    for _, block in blocks(document, "ingress"):
        yield from aws_block(block)


def aws_rule(document: Document) -> Iterator[Opening]:
    """Read a stand-alone rule, nothing when it is about egress."""
    if document.get("type", "ingress") == "ingress" and truth(document.get("egress")) is not True:
        yield from aws_block(document)


def google_firewall(document: Document) -> Iterator[Opening]:
    """Read a firewall rule."""
    if str(document.get("direction") or "INGRESS").upper() != "INGRESS" or truth(document.get("disabled")) is True:
        return
    sources = texts(document.get("source_ranges"))
    named = [
        *items(document.get("source_tags")),
        *items(document.get("source_service_accounts")),
        *items(document.get("source_ranges")),
    ]
    networks = sources if named else ["0.0.0.0/0"]  # without any source, everybody is meant
    for _, block in blocks(document, "allow"):
        yield from _ported(block.get("protocol"), block.get("ports"), networks)


def google_policy(document: Document) -> Iterator[Opening]:
    """Read a rule of a firewall policy."""
    is_ingress = str(document.get("direction") or "").upper() == "INGRESS"
    if not is_ingress or document.get("action") != "allow" or truth(document.get("disabled")) is True:
        return
    for _, match in blocks(document, "match"):
        for _, layer in blocks(match, "layer4_configs"):
            yield from _ported(layer.get("ip_protocol"), layer.get("ports"), texts(match.get("src_ip_ranges")))


def azure_rule(document: Document) -> Iterator[Opening]:
    """Read one rule of a network security group."""
    if str(document.get("access")).lower() != "allow" or str(document.get("direction")).lower() != "inbound":
        return
    sources = [*texts(document.get("source_address_prefix")), *texts(document.get("source_address_prefixes"))]
    networks = [
        network for source in sources for network in (_ANY if source.lower() in {"*", "internet", "any"} else (source,))
    ]
    ports = [*texts(document.get("destination_port_range")), *texts(document.get("destination_port_ranges"))]
    yield from _ported(document.get("protocol"), [port for port in ports if port != "*"], networks)


def azure_group(document: Document) -> Iterator[Opening]:
    """Read the inline rules of a network security group."""
    for _, block in blocks(document, "security_rule"):
        yield from azure_rule(block)


def azure_database(document: Document) -> Iterator[Opening]:
    """Read a firewall rule of a database."""
    try:
        start, end = (ip_address(str(document.get(name))) for name in ("start_ip_address", "end_ip_address"))
        networks = [str(network) for network in summarize_address_range(start, end)]
    except (ValueError, TypeError):
        return
    yield from openings("tcp", 1433, 1433, networks)


def _ported(protocol: Any, ports: Any, networks: Sequence[str]) -> Iterator[Opening]:
    found = texts(ports) + [str(port) for port in items(ports) if isinstance(port, int)]
    for port in found or [""]:
        low, _, high = port.partition("-")
        yield from openings(protocol, whole(low), whole(high or low), networks)
