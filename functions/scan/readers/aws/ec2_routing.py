"""Reads route tables with their routes and associations, and network ACLs with their rules.

Source: Amazon EC2 API Reference, DescribeRouteTables, DescribeNetworkAcls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...domain.resources import LiveResource, Parent
from ...types.aws.ec2_routing import acl_rule_key, route_key
from .base import Finding, Item, Listing, Scope, tag_map

_TARGETS = {
    "carrier_gateway_id": "CarrierGatewayId",
    "core_network_arn": "CoreNetworkArn",
    "egress_only_gateway_id": "EgressOnlyInternetGatewayId",
    "gateway_id": "GatewayId",
    "local_gateway_id": "LocalGatewayId",
    "nat_gateway_id": "NatGatewayId",
    "network_interface_id": "NetworkInterfaceId",
    "transit_gateway_id": "TransitGatewayId",
    "vpc_peering_connection_id": "VpcPeeringConnectionId",
}
_LAST_RULES = frozenset({32767, 32768})  # the closing "deny all" for IPv4 and IPv6, which nobody can write or remove


def read_route_tables(scope: Scope) -> Iterator[Finding]:
    for table in scope.pages("ec2", "describe_route_tables", "RouteTables"):
        key, vpc, tags = table["RouteTableId"], table["VpcId"], tag_map(table.get("Tags"))
        associations = [item for item in table.get("Associations", ()) if _is_there(item)]
        written = [route for route in table.get("Routes", ()) if not _is_made_by_aws(route)]
        is_main = any(item.get("Main") for item in associations)
        propagating = [item["GatewayId"] for item in table.get("PropagatingVgws", ())]
        yield LiveResource(
            type="aws_route_table",
            document=table,
            key=key,
            region=scope.region,
            cloud_id=scope.arn("ec2", f"route-table/{key}", account=table.get("OwnerId")),
            cloud_made=is_main and all(_is_default_exit(route) for route in written) and not propagating,
            tags=tags,
            attributes={
                "vpc_id": vpc,
                "route": [_inline_route(route) for route in written],
                "propagating_vgws": propagating,
                "tags": tags,
            },
        )
        for route in table.get("Routes", ()):
            yield _route(scope, key, route)
        for gateway in propagating:
            yield LiveResource(
                type="aws_vpn_gateway_route_propagation",
                key=f"{gateway}|{key}",
                region=scope.region,
                cloud_id=f"{gateway}_{key}",
                parent=Parent("aws_route_table", key, "propagating_vgws"),
                attributes={},
            )
        for item in associations:
            yield _association(scope, key, vpc, item)


def _is_there(association: Item) -> bool:
    return (association.get("AssociationState") or {}).get("State") not in {"disassociating", "disassociated", "failed"}


def _is_made_by_aws(route: Item) -> bool:
    """Say whether a route came with the VPC, a VPN or a gateway endpoint, not from a person."""
    gateway = str(route.get("GatewayId") or "")
    is_endpoint = gateway.startswith("vpce-") and bool(route.get("DestinationPrefixListId"))
    return gateway in {"local", "VpcLattice"} or is_endpoint or route.get("Origin") == "EnableVgwRoutePropagation"


def _is_default_exit(route: Item) -> bool:
    """Say whether a route is the one to the internet that AWS puts into a default VPC's main table."""
    is_first = route.get("Origin") == "CreateRouteTable"
    return (
        is_first and route.get("DestinationCidrBlock") == "0.0.0.0/0" and str(route.get("GatewayId")).startswith("igw-")
    )


def _targets(route: Item) -> dict[str, object]:
    found: dict[str, object] = {name: route.get(member) for name, member in _TARGETS.items()}
    gateway = str(found["gateway_id"] or "")
    found["vpc_endpoint_id"] = None
    if gateway.startswith("vpce-"):  # the API has one member for both; Terraform has two attributes
        found["gateway_id"], found["vpc_endpoint_id"] = None, gateway
    return found


def _inline_route(route: Item) -> dict[str, object]:
    return {
        "cidr_block": route.get("DestinationCidrBlock"),
        "ipv6_cidr_block": route.get("DestinationIpv6CidrBlock"),
        "destination_prefix_list_id": route.get("DestinationPrefixListId"),
        **_targets(route),
    }


def _route(scope: Scope, table: str, route: Item) -> LiveResource:
    place: Mapping[str, object] = {
        "route_table_id": table,
        "destination_cidr_block": route.get("DestinationCidrBlock"),
        "destination_ipv6_cidr_block": route.get("DestinationIpv6CidrBlock"),
        "destination_prefix_list_id": route.get("DestinationPrefixListId"),
    }
    key = route_key(place) or f"{table}|"
    return LiveResource(
        type="aws_route",
        key=key,
        region=scope.region,
        cloud_id=key.replace("|", "_"),
        cloud_made=_is_made_by_aws(route),
        parent=Parent("aws_route_table", table, "route"),
        attributes=_targets(route),
    )


def _association(scope: Scope, table: str, vpc: str, item: Item) -> LiveResource:
    is_main = bool(item.get("Main"))
    return LiveResource(
        type="aws_main_route_table_association" if is_main else "aws_route_table_association",
        key=vpc if is_main else item.get("SubnetId") or item.get("GatewayId") or item["RouteTableAssociationId"],
        region=scope.region,
        cloud_id=item.get("RouteTableAssociationId") or table,
        cloud_made=is_main,
        parent=Parent("aws_vpc", vpc, "main_route_table_id") if is_main else None,
        attributes={"route_table_id": table},
    )


def read_network_acls(scope: Scope) -> Iterator[Finding]:
    for acl in scope.pages("ec2", "describe_network_acls", "NetworkAcls"):
        key, tags, is_default = acl["NetworkAclId"], tag_map(acl.get("Tags")), bool(acl.get("IsDefault"))
        entries = [entry for entry in acl.get("Entries", ()) if entry["RuleNumber"] not in _LAST_RULES]
        subnets = [item["SubnetId"] for item in acl.get("Associations", ())]
        is_untouched = is_default and all(_is_open(entry) for entry in entries)
        attributes: dict[str, object] = {
            "vpc_id": acl["VpcId"],
            "ingress": [_entry(entry) for entry in entries if not entry["Egress"]],
            "egress": [_entry(entry) for entry in entries if entry["Egress"]],
            "tags": tags,
        }
        if not is_default:  # subnets fall back to the default ACL by themselves, so its own list says nothing
            attributes["subnet_ids"] = subnets
        yield LiveResource(
            type="aws_network_acl",
            document=acl,
            key=key,
            region=scope.region,
            cloud_id=scope.arn("ec2", f"network-acl/{key}", account=acl.get("OwnerId")),
            cloud_made=is_untouched,
            tags=tags,
            attributes=attributes,
        )
        for entry in entries:
            yield _acl_rule(scope, key, entry)
        for item in acl.get("Associations", ()):
            yield LiveResource(
                type="aws_network_acl_association",
                key=item["SubnetId"],
                region=scope.region,
                cloud_id=item["NetworkAclAssociationId"],
                cloud_made=is_default,
                parent=Parent("aws_network_acl", key, "subnet_ids"),
                attributes={"network_acl_id": key},
            )


def _is_open(entry: Item) -> bool:
    """Say whether an entry is the "allow all" that AWS puts into a default ACL."""
    source = entry.get("CidrBlock") or entry.get("Ipv6CidrBlock")
    is_first = (entry["RuleNumber"], source) in {(100, "0.0.0.0/0"), (101, "::/0")}
    return is_first and str(entry.get("Protocol")) == "-1" and entry.get("RuleAction") == "allow"


def _entry(entry: Item) -> dict[str, object]:
    ports, icmp = entry.get("PortRange") or {}, entry.get("IcmpTypeCode") or {}
    return {
        "rule_no": entry["RuleNumber"],
        "action": entry.get("RuleAction"),
        "protocol": entry.get("Protocol"),
        "cidr_block": entry.get("CidrBlock"),
        "ipv6_cidr_block": entry.get("Ipv6CidrBlock"),
        "from_port": ports.get("From"),
        "to_port": ports.get("To"),
        "icmp_type": icmp.get("Type"),
        "icmp_code": icmp.get("Code"),
    }


def _acl_rule(scope: Scope, acl: str, entry: Item) -> LiveResource:
    found = _entry(entry)
    place = {"network_acl_id": acl, "rule_number": found.pop("rule_no"), "egress": entry["Egress"]}
    key = acl_rule_key(place) or acl
    return LiveResource(
        type="aws_network_acl_rule",
        key=key,
        region=scope.region,
        cloud_id=key.replace("|", ":"),
        parent=Parent("aws_network_acl", acl, "egress" if entry["Egress"] else "ingress"),
        attributes={**found, "rule_action": found.pop("action")},
    )


LISTINGS = (
    Listing(
        types=(
            "aws_route_table",
            "aws_route",
            "aws_route_table_association",
            "aws_main_route_table_association",
            "aws_vpn_gateway_route_propagation",
        ),
        read=read_route_tables,
        permissions=("ec2:DescribeRouteTables",),
    ),
    Listing(
        types=("aws_network_acl", "aws_network_acl_rule", "aws_network_acl_association"),
        read=read_network_acls,
        permissions=("ec2:DescribeNetworkAcls",),
    ),
)
