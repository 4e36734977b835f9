"""What joins a VPC to services, networks and instances: endpoints, peering, DHCP options, flow logs, prefix lists, interfaces.

Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ...domain.resources import Attributes, Declared, Parent
from ...domain.shapes import block, boolean, list_of, members, number, policy, set_of, tags, text
from ...domain.specs import ParentRule, TypeSpec, by, unless_arn
from .standins import stand_in


def part_of(kind: str, name: str, attribute: str) -> ParentRule:
    """Make a parent rule: the state's attribute `name` holds the key of a `kind` whose `attribute` would hold it inline."""

    def parent(attributes: Attributes) -> Parent | None:
        return Parent(kind, str(attributes[name]), attribute) if attributes.get(name) else None

    return parent


_ENDPOINT_PARTS = {  # attribute of an endpoint -> (type of its stand-alone form, its attribute)
    "route_table_ids": ("aws_vpc_endpoint_route_table_association", "route_table_id"),
    "security_group_ids": ("aws_vpc_endpoint_security_group_association", "security_group_id"),
    "subnet_ids": ("aws_vpc_endpoint_subnet_association", "subnet_id"),
}
_SIDE = block({"allow_remote_vpc_dns_resolution": boolean})

_ENDPOINTS = (
    TypeSpec(
        "aws_vpc_endpoint",
        {
            "vpc_id": text,
            "service_name": text,
            "vpc_endpoint_type": text,
            "policy": policy,
            "private_dns_enabled": boolean,
            "ip_address_type": text,
            "dns_options": block(
                {"dns_record_ip_type": text, "private_dns_only_for_inbound_resolver_endpoint": boolean}
            ),
            "route_table_ids": set_of(text),
            "security_group_ids": set_of(text),
            "subnet_ids": set_of(text),
            "tags": tags,
        },
        inline={
            "policy": ("aws_vpc_endpoint_policy",),
            **{attribute: (kind,) for attribute, (kind, _) in _ENDPOINT_PARTS.items()},
        },
    ),
    TypeSpec(
        "aws_vpc_endpoint_policy",
        {"policy": policy},
        key=by("vpc_endpoint_id"),
        parent=part_of("aws_vpc_endpoint", "vpc_endpoint_id", "policy"),
    ),
    *(
        TypeSpec(
            kind,
            {},
            key=by("vpc_endpoint_id", member),
            parent=part_of("aws_vpc_endpoint", "vpc_endpoint_id", attribute),
        )
        for attribute, (kind, member) in _ENDPOINT_PARTS.items()
    ),
)


def _sides(entry: Declared) -> Iterable[Declared]:
    """Compare the options of each side by themselves: each takes the place of one block of the connection."""
    for side in ("accepter", "requester"):
        parent = Parent("aws_vpc_peering_connection", str(entry.key), side)
        attributes = {side: entry.attributes.get(side)}
        yield replace(entry, key=f"{entry.key}|{side}" if entry.key else None, attributes=attributes, parent=parent)


_PEERING = (
    # `accept_status` stays out: a connection's state keeps "pending-acceptance" until the next refresh after somebody accepts.
    TypeSpec(
        "aws_vpc_peering_connection",
        {
            "vpc_id": text,
            "peer_vpc_id": text,
            "peer_owner_id": text,
            "peer_region": text,
            "accepter": _SIDE,
            "requester": _SIDE,
            "tags": tags,
        },
        repeats=unless_arn,  # between two regions it has one id in both, and tags and options of its own in each
        inline={
            "accepter": ("aws_vpc_peering_connection_options",),
            "requester": ("aws_vpc_peering_connection_options",),
        },
    ),
    stand_in("aws_vpc_peering_connection_accepter", "aws_vpc_peering_connection"),
    TypeSpec(
        "aws_vpc_peering_connection_options",
        {"accepter": _SIDE, "requester": _SIDE},
        key=by("vpc_peering_connection_id"),
        repeats=unless_arn,
        expand=_sides,
    ),
)

_ADDRESSING = (
    TypeSpec(
        "aws_vpc_dhcp_options",
        {
            "domain_name": text,
            "domain_name_servers": list_of(text),
            "ntp_servers": list_of(text),
            "netbios_name_servers": list_of(text),
            "netbios_node_type": text,
            "ipv6_address_preferred_lease_time": text,
            "tags": tags,
        },
    ),
    stand_in("aws_default_vpc_dhcp_options", "aws_vpc_dhcp_options"),
    TypeSpec("aws_vpc_dhcp_options_association", {"dhcp_options_id": text}, key=by("vpc_id")),
    TypeSpec(
        "aws_ec2_managed_prefix_list",
        {
            "name": text,
            "address_family": text,
            "max_entries": number,
            "entry": set_of(members({"cidr": text, "description": text})),
            "tags": tags,
        },
        inline={"entry": ("aws_ec2_managed_prefix_list_entry",)},
    ),
    TypeSpec(
        "aws_ec2_managed_prefix_list_entry",
        {"description": text},
        key=by("prefix_list_id", "cidr"),
        parent=part_of("aws_ec2_managed_prefix_list", "prefix_list_id", "entry"),
    ),
    TypeSpec(
        "aws_flow_log",
        {
            "vpc_id": text,
            "subnet_id": text,
            "eni_id": text,
            "transit_gateway_id": text,
            "transit_gateway_attachment_id": text,
            "traffic_type": text,
            "log_destination_type": text,
            "log_destination": text,
            "log_format": text,
            "max_aggregation_interval": number,
            "iam_role_arn": text,
            "deliver_cross_account_role": text,
            "destination_options": block(
                {"file_format": text, "hive_compatible_partitions": boolean, "per_hour_partition": boolean}
            ),
            "tags": tags,
        },
    ),
)

_INTERFACES = (
    TypeSpec(
        "aws_network_interface",
        {
            "subnet_id": text,
            "description": text,
            "interface_type": text,
            "private_ips": set_of(text),
            "ipv6_addresses": set_of(text),
            "ipv4_prefixes": set_of(text),
            "ipv6_prefixes": set_of(text),
            "security_groups": set_of(text),
            "source_dest_check": boolean,
            "attachment": set_of(members({"instance": text, "device_index": number})),
            "tags": tags,
        },
        inline={
            "attachment": ("aws_network_interface_attachment",),
            "security_groups": ("aws_network_interface_sg_attachment",),
        },
    ),
    TypeSpec(
        "aws_network_interface_attachment",
        {"instance_id": text, "device_index": number},
        key=by("network_interface_id"),
        parent=part_of("aws_network_interface", "network_interface_id", "attachment"),
    ),
    TypeSpec(
        "aws_network_interface_sg_attachment",
        {},
        key=by("network_interface_id", "security_group_id"),
        parent=part_of("aws_network_interface", "network_interface_id", "security_groups"),
    ),
)

SPECS = (*_ENDPOINTS, *_PEERING, *_ADDRESSING, *_INTERFACES)
