"""Route tables, routes and what is routed by them; network ACLs.

Source: Terraform AWS provider 5.100, resource documentation of each type; protocol numbers: IANA.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...domain.resources import Attributes, Declared, Parent
from ...domain.shapes import Canonical, Shape, cidr, folded_text, members, number, number_or_zero, set_of, tags, text
from ...domain.specs import TypeSpec, by
from .standins import stand_in

TARGETS: Mapping[str, Shape] = {
    "carrier_gateway_id": text,
    "core_network_arn": text,
    "egress_only_gateway_id": text,
    "gateway_id": text,
    "local_gateway_id": text,
    "nat_gateway_id": text,
    "network_interface_id": text,
    "transit_gateway_id": text,
    "vpc_endpoint_id": text,
    "vpc_peering_connection_id": text,
}
PROTOCOL_NUMBERS: Mapping[str, int] = {
    "all": -1, "icmp": 1, "igmp": 2, "ipv4": 4, "tcp": 6, "udp": 17, "ipv6": 41, "gre": 47, "esp": 50, "ah": 51,
    "icmpv6": 58, "ipv6-icmp": 58, "sctp": 132,
}  # fmt: skip

_route = members({"cidr_block": cidr, "ipv6_cidr_block": cidr, "destination_prefix_list_id": text, **TARGETS})
_routes = set_of(_route)


def routes(value: object) -> Canonical:
    """The routes of a table, without `local` ones: those come and go with the CIDR blocks of the VPC.

    A local route that was pointed at a network interface has another target, and stays in.
    """
    items = value if isinstance(value, list) else []
    return _routes([item for item in items if isinstance(item, Mapping) and item.get("gateway_id") != "local"])


def protocol_number(value: object) -> Canonical:
    """An IP protocol as its number, whether spelled as name or number; -1 is every protocol."""
    found = folded_text(value)
    return PROTOCOL_NUMBERS[found] if isinstance(found, str) and found in PROTOCOL_NUMBERS else number(found)


def route_key(attributes: Attributes) -> str | None:
    """Key of a route: its table and its destination."""
    names = ("destination_cidr_block", "destination_ipv6_cidr_block", "destination_prefix_list_id")
    destination = next((attributes[name] for name in names if attributes.get(name)), None)
    table = attributes.get("route_table_id")
    return f"{table}|{cidr(destination)}" if table and destination else None


def acl_rule_key(attributes: Attributes) -> str | None:
    """Key of a network ACL rule: ACL, direction and number."""
    acl, rule_number = attributes.get("network_acl_id"), attributes.get("rule_number")
    return f"{acl}|{'egress' if attributes.get('egress') else 'ingress'}|{rule_number}" if acl and rule_number else None


def _associated(attributes: Attributes) -> str | None:
    found = attributes.get("subnet_id") or attributes.get("gateway_id")
    return str(found) if found else None


def _routed_in(attributes: Attributes) -> Parent | None:
    return Parent("aws_route_table", str(attributes.get("route_table_id")), "route")


def _propagated_in(attributes: Attributes) -> Parent | None:
    return Parent("aws_route_table", str(attributes.get("route_table_id")), "propagating_vgws")


def _main_of(attributes: Attributes) -> Parent | None:
    return Parent("aws_vpc", str(attributes.get("vpc_id")), "main_route_table_id")


def _ruled_in(attributes: Attributes) -> Parent | None:
    direction = "egress" if attributes.get("egress") else "ingress"
    return Parent("aws_network_acl", str(attributes.get("network_acl_id")), direction)


def _guarded_by(attributes: Attributes) -> Parent | None:
    return Parent("aws_network_acl", str(attributes.get("network_acl_id")), "subnet_ids")


def _with_displaced_table(entry: Declared) -> Iterable[Declared]:
    """Count the route table that was main before as known: the cloud made it with the VPC, and now it is just a table."""
    yield entry
    displaced = entry.attributes.get("original_route_table_id")
    if displaced:
        yield replace(entry, type="aws_route_table", key=str(displaced), attributes={}, parent=None)


_ENTRY = members(
    {
        "rule_no": number,
        "action": folded_text,
        "protocol": protocol_number,
        "cidr_block": cidr,
        "ipv6_cidr_block": cidr,
        "from_port": number_or_zero,
        "to_port": number_or_zero,
        "icmp_type": number_or_zero,
        "icmp_code": number_or_zero,
    }
)

SPECS = (
    TypeSpec(
        "aws_route_table",
        {"vpc_id": text, "route": routes, "propagating_vgws": set_of(text), "tags": tags},
        inline={"route": ("aws_route",), "propagating_vgws": ("aws_vpn_gateway_route_propagation",)},
    ),
    stand_in("aws_default_route_table", "aws_route_table"),
    TypeSpec("aws_route", TARGETS, key=route_key, parent=_routed_in),
    TypeSpec(
        "aws_vpn_gateway_route_propagation", {}, key=by("vpn_gateway_id", "route_table_id"), parent=_propagated_in
    ),
    TypeSpec("aws_route_table_association", {"route_table_id": text}, key=_associated),
    TypeSpec(
        "aws_main_route_table_association",
        {"route_table_id": text},
        key=by("vpc_id"),
        parent=_main_of,
        expand=_with_displaced_table,
    ),
    TypeSpec(
        "aws_network_acl",
        {
            "vpc_id": text,
            "subnet_ids": set_of(text),
            "ingress": set_of(_ENTRY),
            "egress": set_of(_ENTRY),
            "tags": tags,
        },
        inline={
            "subnet_ids": ("aws_network_acl_association",),
            "ingress": ("aws_network_acl_rule",),
            "egress": ("aws_network_acl_rule",),
        },
    ),
    stand_in("aws_default_network_acl", "aws_network_acl"),
    TypeSpec(
        "aws_network_acl_rule",
        {
            "rule_action": folded_text,
            "protocol": protocol_number,
            "cidr_block": cidr,
            "ipv6_cidr_block": cidr,
            "from_port": number_or_zero,
            "to_port": number_or_zero,
            "icmp_type": number_or_zero,
            "icmp_code": number_or_zero,
        },
        key=acl_rule_key,
        parent=_ruled_in,
    ),
    TypeSpec("aws_network_acl_association", {"network_acl_id": text}, key=by("subnet_id"), parent=_guarded_by),
)
