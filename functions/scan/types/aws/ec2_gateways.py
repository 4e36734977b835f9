"""Gateways to other networks: customer and VPN gateways, VPN connections, transit gateways with their tables and routes.

The pre-shared keys of a VPN connection are never mapped.
Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.shapes import boolean, default_is, number, set_of, tags, text
from ...domain.specs import TypeSpec, by
from .ec2_links import part_of

_VPN = (
    TypeSpec(
        "aws_customer_gateway",
        {
            "bgp_asn": text,
            "bgp_asn_extended": text,
            "certificate_arn": text,
            "device_name": text,
            "ip_address": text,
            "type": text,
            "tags": tags,
        },
    ),
    TypeSpec(
        "aws_vpn_gateway",
        {"vpc_id": text, "amazon_side_asn": text, "availability_zone": text, "tags": tags},
        inline={"vpc_id": ("aws_vpn_gateway_attachment",)},
    ),
    TypeSpec(
        "aws_vpn_gateway_attachment",
        {},
        key=by("vpn_gateway_id", "vpc_id"),
        parent=part_of("aws_vpn_gateway", "vpn_gateway_id", "vpc_id"),
    ),
    TypeSpec(
        "aws_vpn_connection",
        {
            "customer_gateway_id": text,
            "vpn_gateway_id": text,
            "transit_gateway_id": text,
            "type": text,
            "static_routes_only": boolean,
            "enable_acceleration": boolean,
            "local_ipv4_network_cidr": default_is("0.0.0.0/0", text),
            "remote_ipv4_network_cidr": default_is("0.0.0.0/0", text),
            "outside_ip_address_type": default_is("PublicIpv4", text),
            "tunnel_inside_ip_version": default_is("ipv4", text),
            "tags": tags,
        },
    ),
)

_TRANSIT = (
    TypeSpec(
        "aws_ec2_transit_gateway",
        {
            "amazon_side_asn": number,
            "auto_accept_shared_attachments": text,
            "default_route_table_association": text,
            "default_route_table_propagation": text,
            "description": text,
            "dns_support": text,
            "multicast_support": text,
            "security_group_referencing_support": text,
            "transit_gateway_cidr_blocks": set_of(text),
            "vpn_ecmp_support": text,
            "tags": tags,
        },
    ),
    TypeSpec(
        "aws_ec2_transit_gateway_vpc_attachment",
        {
            "transit_gateway_id": text,
            "vpc_id": text,
            "subnet_ids": set_of(text),
            "appliance_mode_support": text,
            "dns_support": text,
            "ipv6_support": text,
            "security_group_referencing_support": text,
            "tags": tags,
        },
    ),
    TypeSpec("aws_ec2_transit_gateway_route_table", {"transit_gateway_id": text, "tags": tags}),
    TypeSpec(
        "aws_ec2_transit_gateway_route",
        {"transit_gateway_attachment_id": text, "blackhole": boolean},
        key=by("transit_gateway_route_table_id", "destination_cidr_block"),
    ),
    *(
        TypeSpec(
            f"aws_ec2_transit_gateway_route_table_{word}",
            {},
            key=by("transit_gateway_route_table_id", "transit_gateway_attachment_id"),
        )
        for word in ("association", "propagation")
    ),
)

SPECS = (*_VPN, *_TRANSIT)
