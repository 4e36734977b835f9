"""Reads customer and VPN gateways, VPN connections, and transit gateways with their attachments, tables and routes.

The description of a VPN connection also tells its pre-shared keys; they never leave this module.
Source: Amazon EC2 API Reference, the Describe, Get and Search actions named in each listing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ...domain.resources import LiveResource, Parent
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_GONE = frozenset({"deleted", "deleting", "failed", "rejected", "failing", "rejecting"})


def read_customer_gateways(scope: Scope) -> Iterator[Finding]:
    for item in scope.pages("ec2", "describe_customer_gateways", "CustomerGateways"):
        if item.get("State") in _GONE:
            continue
        yield _resource(
            scope,
            "aws_customer_gateway",
            item["CustomerGatewayId"],
            "customer-gateway",
            item,
            {
                "bgp_asn": item.get("BgpAsn"),
                "bgp_asn_extended": item.get("BgpAsnExtended"),
                "certificate_arn": item.get("CertificateArn"),
                "device_name": item.get("DeviceName"),
                "ip_address": item.get("IpAddress"),
                "type": item.get("Type"),
            },
        )


def read_vpn_gateways(scope: Scope) -> Iterator[Finding]:
    for item in scope.pages("ec2", "describe_vpn_gateways", "VpnGateways"):
        if item.get("State") in _GONE:
            continue
        key = item["VpnGatewayId"]
        attached = [
            one["VpcId"] for one in item.get("VpcAttachments") or () if one.get("State") in {"attached", "attaching"}
        ]
        yield _resource(
            scope,
            "aws_vpn_gateway",
            key,
            "vpn-gateway",
            item,
            {
                "vpc_id": attached[0] if attached else None,
                "amazon_side_asn": item.get("AmazonSideAsn", 0),
                "availability_zone": item.get("AvailabilityZone"),
            },
        )
        for vpc in attached:
            parent = Parent("aws_vpn_gateway", key, "vpc_id")
            place = f"{key}|{vpc}"
            yield LiveResource("aws_vpn_gateway_attachment", place, scope.region, {}, place, parent=parent)


def read_vpn_connections(scope: Scope) -> Iterator[Finding]:
    for item in scope.pages("ec2", "describe_vpn_connections", "VpnConnections"):
        if item.get("State") in _GONE:
            continue
        options = item.get("Options")
        attributes: dict[str, object] = {
            "customer_gateway_id": item.get("CustomerGatewayId"),
            "vpn_gateway_id": item.get("VpnGatewayId"),
            "transit_gateway_id": item.get("TransitGatewayId"),
            "type": item.get("Type"),
        }
        if options:
            attributes |= {
                "static_routes_only": options.get("StaticRoutesOnly"),
                "enable_acceleration": options.get("EnableAcceleration"),
                "local_ipv4_network_cidr": options.get("LocalIpv4NetworkCidr"),
                "remote_ipv4_network_cidr": options.get("RemoteIpv4NetworkCidr"),
                "outside_ip_address_type": options.get("OutsideIpAddressType"),
                "tunnel_inside_ip_version": options.get("TunnelInsideIpVersion"),
            }
        yield _resource(scope, "aws_vpn_connection", item["VpnConnectionId"], "vpn-connection", item, attributes)


def read_transit_gateways(scope: Scope) -> Iterator[Finding]:
    for item in scope.pages("ec2", "describe_transit_gateways", "TransitGateways"):
        if item.get("State") in _GONE or item.get("OwnerId") != scope.account:  # one that was shared is its owner's
            continue
        options = item.get("Options") or {}
        yield _resource(
            scope,
            "aws_ec2_transit_gateway",
            item["TransitGatewayId"],
            "transit-gateway",
            item,
            {
                "amazon_side_asn": options.get("AmazonSideAsn"),
                "auto_accept_shared_attachments": options.get("AutoAcceptSharedAttachments"),
                "default_route_table_association": options.get("DefaultRouteTableAssociation"),
                "default_route_table_propagation": options.get("DefaultRouteTablePropagation"),
                "description": item.get("Description"),
                "dns_support": options.get("DnsSupport"),
                "multicast_support": options.get("MulticastSupport"),
                "security_group_referencing_support": options.get("SecurityGroupReferencingSupport"),
                "transit_gateway_cidr_blocks": options.get("TransitGatewayCidrBlocks"),
                "vpn_ecmp_support": options.get("VpnEcmpSupport"),
            },
        )


def read_vpc_attachments(scope: Scope) -> Iterator[Finding]:
    for item in scope.pages("ec2", "describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments"):
        if item.get("State") in _GONE:
            continue
        options = item.get("Options") or {}
        yield _resource(
            scope,
            "aws_ec2_transit_gateway_vpc_attachment",
            item["TransitGatewayAttachmentId"],
            "transit-gateway-attachment",
            item,
            {
                "transit_gateway_id": item.get("TransitGatewayId"),
                "vpc_id": item.get("VpcId"),
                "subnet_ids": item.get("SubnetIds"),
                "appliance_mode_support": options.get("ApplianceModeSupport"),
                "dns_support": options.get("DnsSupport"),
                "ipv6_support": options.get("Ipv6Support"),
                "security_group_referencing_support": options.get("SecurityGroupReferencingSupport"),
            },
        )


def read_transit_tables(scope: Scope) -> Iterator[Finding]:
    tables = scope.pages("ec2", "describe_transit_gateway_route_tables", "TransitGatewayRouteTables")
    yield from each((item for item in tables if item.get("State") not in _GONE), partial(_table, scope))


def _table(scope: Scope, item: Item) -> Iterator[Finding]:
    """Yield one table with what it holds; a gateway's default table, and what AWS joins to it unasked, is AWS's own."""
    key = item["TransitGatewayRouteTableId"]
    is_default = bool(item.get("DefaultAssociationRouteTable"))
    is_default_target = bool(item.get("DefaultPropagationRouteTable"))
    yield _resource(
        scope,
        "aws_ec2_transit_gateway_route_table",
        key,
        "transit-gateway-route-table",
        item,
        {"transit_gateway_id": item.get("TransitGatewayId")},
        cloud_made=is_default or is_default_target,
    )
    client, member = scope.client("ec2"), "TransitGatewayRouteTableId"
    static = [{"Name": "type", "Values": ["static"]}]
    routes = attempt("ec2", partial(client.search_transit_gateway_routes, **{member: key}, Filters=static))
    kind = "aws_ec2_transit_gateway_route"
    if isinstance(routes, Gap):
        yield routes.not_checked(kind, scope.region)
    else:
        yield from (_route(scope, key, route) for route in routes.get("Routes") or () if route.get("Type") == "static")
        if routes.get("AdditionalRoutesAvailable"):
            yield Gap("unavailable", None, "one search tells 1,000 routes of a table").not_checked(kind, scope.region)
    associations = partial(
        scope.pages, "ec2", "get_transit_gateway_route_table_associations", "Associations", **{member: key}
    )
    yield from _joined(scope, key, associations, "aws_ec2_transit_gateway_route_table_association", is_made=is_default)
    propagations = partial(
        scope.pages,
        "ec2",
        "get_transit_gateway_route_table_propagations",
        "TransitGatewayRouteTablePropagations",
        **{member: key},
    )
    kind = "aws_ec2_transit_gateway_route_table_propagation"
    yield from _joined(scope, key, propagations, kind, is_made=is_default_target)


def _route(scope: Scope, table: str, route: Item) -> LiveResource:
    attachments = route.get("TransitGatewayAttachments") or []
    key = f"{table}|{route['DestinationCidrBlock']}"
    return LiveResource(
        type="aws_ec2_transit_gateway_route",
        key=key,
        region=scope.region,
        cloud_id=key.replace("|", "_"),
        attributes={
            "transit_gateway_attachment_id": attachments[0].get("TransitGatewayAttachmentId") if attachments else None,
            "blackhole": not attachments,
        },
    )


def _joined(scope: Scope, table: str, pages: partial[Iterator[Item]], kind: str, *, is_made: bool) -> Iterator[Finding]:
    found = attempt("ec2", lambda: {"Items": list(pages())})
    if isinstance(found, Gap):
        yield found.not_checked(kind, scope.region)
        return
    for item in found.get("Items") or ():
        if item.get("State") not in {"associated", "associating", "enabled", "enabling"}:
            continue
        attachment = item["TransitGatewayAttachmentId"]
        key = f"{table}|{attachment}"
        yield LiveResource(kind, key, scope.region, {}, f"{table}_{attachment}", cloud_made=is_made)


def _resource(
    scope: Scope, kind: str, key: str, word: str, item: Item, attributes: dict[str, object], *, cloud_made: bool = False
) -> LiveResource:
    tags = tag_map(item.get("Tags"))
    arn = scope.arn("ec2", f"{word}/{key}")
    return LiveResource(kind, key, scope.region, {**attributes, "tags": tags}, arn, cloud_made=cloud_made, tags=tags)


SERVICE = Service(
    "ec2_gateways",
    (
        Listing(
            types=("aws_customer_gateway",),
            read=read_customer_gateways,
            permissions=("ec2:DescribeCustomerGateways",),
        ),
        Listing(
            types=("aws_vpn_gateway", "aws_vpn_gateway_attachment"),
            read=read_vpn_gateways,
            permissions=("ec2:DescribeVpnGateways",),
        ),
        Listing(types=("aws_vpn_connection",), read=read_vpn_connections, permissions=("ec2:DescribeVpnConnections",)),
        Listing(
            types=("aws_ec2_transit_gateway",),
            read=read_transit_gateways,
            permissions=("ec2:DescribeTransitGateways",),
        ),
        Listing(
            types=("aws_ec2_transit_gateway_vpc_attachment",),
            read=read_vpc_attachments,
            permissions=("ec2:DescribeTransitGatewayVpcAttachments",),
        ),
        Listing(
            types=(
                "aws_ec2_transit_gateway_route_table",
                "aws_ec2_transit_gateway_route",
                "aws_ec2_transit_gateway_route_table_association",
                "aws_ec2_transit_gateway_route_table_propagation",
            ),
            read=read_transit_tables,
            permissions=(
                "ec2:DescribeTransitGatewayRouteTables",
                "ec2:SearchTransitGatewayRoutes",
                "ec2:GetTransitGatewayRouteTableAssociations",
                "ec2:GetTransitGatewayRouteTablePropagations",
            ),
        ),
    ),
)
