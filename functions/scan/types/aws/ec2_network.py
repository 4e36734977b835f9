"""VPCs and what lies in them: subnets, gateways, addresses.

Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.resources import Attributes, Parent
from ...domain.shapes import boolean, cidr, number_or_zero, set_of, tags, text
from ...domain.specs import TypeSpec, by
from .standins import stand_in


def _ipv6_block(attributes: Attributes) -> Parent | None:
    return Parent("aws_vpc", str(attributes.get("vpc_id")), "ipv6_cidr_block")


def _attached_gateway(attributes: Attributes) -> Parent | None:
    return Parent("aws_internet_gateway", str(attributes.get("internet_gateway_id")), "vpc_id")


def _addressed_instance(attributes: Attributes) -> Parent | None:
    return Parent("aws_eip", str(attributes.get("allocation_id")), "instance")


SPECS = (
    TypeSpec(
        "aws_vpc",
        {
            "cidr_block": cidr,
            "instance_tenancy": text,
            "enable_dns_support": boolean,
            "enable_dns_hostnames": boolean,
            "enable_network_address_usage_metrics": boolean,
            "ipv6_cidr_block": cidr,
            "main_route_table_id": text,
            "tags": tags,
        },
        inline={
            "ipv6_cidr_block": ("aws_vpc_ipv6_cidr_block_association",),
            "main_route_table_id": ("aws_main_route_table_association",),
        },
    ),
    stand_in("aws_default_vpc", "aws_vpc"),
    TypeSpec("aws_vpc_ipv4_cidr_block_association", {"vpc_id": text, "cidr_block": cidr}),
    TypeSpec("aws_vpc_ipv6_cidr_block_association", {"vpc_id": text, "ipv6_cidr_block": cidr}, parent=_ipv6_block),
    TypeSpec(
        "aws_subnet",
        {
            "vpc_id": text,
            "cidr_block": cidr,
            "ipv6_cidr_block": cidr,
            "ipv6_native": boolean,
            "availability_zone": text,
            "map_public_ip_on_launch": boolean,
            "map_customer_owned_ip_on_launch": boolean,
            "customer_owned_ipv4_pool": text,
            "assign_ipv6_address_on_creation": boolean,
            "enable_dns64": boolean,
            "enable_lni_at_device_index": number_or_zero,
            "enable_resource_name_dns_a_record_on_launch": boolean,
            "enable_resource_name_dns_aaaa_record_on_launch": boolean,
            "private_dns_hostname_type_on_launch": text,
            "outpost_arn": text,
            "tags": tags,
        },
    ),
    stand_in("aws_default_subnet", "aws_subnet"),
    TypeSpec(
        "aws_internet_gateway",
        {"vpc_id": text, "tags": tags},
        inline={"vpc_id": ("aws_internet_gateway_attachment",)},
    ),
    TypeSpec("aws_internet_gateway_attachment", {}, key=by("internet_gateway_id", "vpc_id"), parent=_attached_gateway),
    TypeSpec("aws_egress_only_internet_gateway", {"vpc_id": text, "tags": tags}),
    TypeSpec(
        "aws_nat_gateway",
        {
            "subnet_id": text,
            "connectivity_type": text,
            "allocation_id": text,
            "private_ip": text,
            "secondary_allocation_ids": set_of(text),
            "secondary_private_ip_addresses": set_of(text),
            "tags": tags,
        },
    ),
    TypeSpec(
        "aws_eip",
        {
            "domain": text,
            "instance": text,
            "public_ip": text,
            "public_ipv4_pool": text,
            "customer_owned_ipv4_pool": text,
            "network_border_group": text,
            "tags": tags,
        },
        inline={"instance": ("aws_eip_association",)},
    ),
    TypeSpec(
        "aws_eip_association",
        {"instance_id": text, "network_interface_id": text, "private_ip_address": text},
        key=by("allocation_id"),
        parent=_addressed_instance,
    ),
)
