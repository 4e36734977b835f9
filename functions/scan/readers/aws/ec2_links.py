"""Reads VPC endpoints, peering connections, DHCP options, flow logs and managed prefix lists.

Source: Amazon EC2 API Reference, the Describe actions named in each listing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from ...domain.resources import LiveResource, Parent
from . import ec2_interfaces
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_GONE = frozenset({"deleted", "deleting", "failed", "rejected", "expired"})
_RESOURCES = {  # start of a watched resource's id -> attribute of the flow log
    "vpc-": "vpc_id",
    "subnet-": "subnet_id",
    "eni-": "eni_id",
    "tgw-attach-": "transit_gateway_attachment_id",
    "tgw-": "transit_gateway_id",
}
_PROVIDED = "AmazonProvidedDNS"


def read_endpoints(scope: Scope) -> Iterator[Finding]:
    """Yield endpoints, and what hangs on each in its stand-alone form."""
    for item in scope.pages("ec2", "describe_vpc_endpoints", "VpcEndpoints"):
        if str(item.get("State")).lower() in _GONE:
            continue
        key, tags = item["VpcEndpointId"], tag_map(item.get("Tags"))
        options = item.get("DnsOptions") or {}
        parts: dict[str, list[str]] = {
            "route_table_ids": list(item.get("RouteTableIds") or ()),
            "security_group_ids": [group["GroupId"] for group in item.get("Groups") or ()],
            "subnet_ids": list(item.get("SubnetIds") or ()),
        }
        yield LiveResource(
            type="aws_vpc_endpoint",
            key=key,
            region=scope.region,
            cloud_id=scope.arn("ec2", f"vpc-endpoint/{key}", account=item.get("OwnerId")),
            cloud_made=bool(item.get("RequesterManaged")),
            tags=tags,
            attributes={
                "vpc_id": item.get("VpcId"),
                "service_name": item.get("ServiceName"),
                "vpc_endpoint_type": item.get("VpcEndpointType"),
                "policy": item.get("PolicyDocument"),
                "private_dns_enabled": item.get("PrivateDnsEnabled"),
                "ip_address_type": item.get("IpAddressType"),
                "dns_options": [
                    {
                        "dns_record_ip_type": options.get("DnsRecordIpType"),
                        "private_dns_only_for_inbound_resolver_endpoint": options.get(
                            "PrivateDnsOnlyForInboundResolverEndpoint"
                        ),
                    }
                ],
                **parts,
                "tags": tags,
            },
        )
        default = {group["GroupId"] for group in item.get("Groups") or () if group.get("GroupName") == "default"}
        yield from _endpoint_parts(scope, key, item.get("PolicyDocument"), parts, default)


_PART_TYPES = {
    "route_table_ids": "aws_vpc_endpoint_route_table_association",
    "security_group_ids": "aws_vpc_endpoint_security_group_association",
    "subnet_ids": "aws_vpc_endpoint_subnet_association",
}


def _endpoint_parts(
    scope: Scope, key: str, policy: object, parts: Mapping[str, Iterable[str]], default: set[str]
) -> Iterator[LiveResource]:
    """Yield the stand-alone forms; the default security group is what AWS takes when an endpoint names none."""
    if policy:
        parent = Parent("aws_vpc_endpoint", key, "policy")
        yield LiveResource("aws_vpc_endpoint_policy", key, scope.region, {"policy": policy}, key, parent=parent)
    for attribute, kind in _PART_TYPES.items():
        for name in parts[attribute]:
            parent = Parent("aws_vpc_endpoint", key, attribute)
            yield LiveResource(
                kind, f"{key}|{name}", scope.region, {}, f"{key}/{name}", cloud_made=name in default, parent=parent
            )


def read_peerings(scope: Scope) -> Iterator[Finding]:
    """Yield peering connections as the scanned account sees them: its own VPC first, as the provider does."""
    for item in scope.pages("ec2", "describe_vpc_peering_connections", "VpcPeeringConnections"):
        if (item.get("Status") or {}).get("Code") in _GONE:
            continue
        key, tags = item["VpcPeeringConnectionId"], tag_map(item.get("Tags"))
        accepter, requester = item.get("AccepterVpcInfo") or {}, item.get("RequesterVpcInfo") or {}
        is_accepter = accepter.get("OwnerId") == scope.account and requester.get("OwnerId") != scope.account
        own, peer = (accepter, requester) if is_accepter else (requester, accepter)
        sides: dict[str, object] = {"accepter": _side(accepter), "requester": _side(requester)}
        yield LiveResource(
            type="aws_vpc_peering_connection",
            key=key,
            region=scope.region,
            cloud_id=scope.arn("ec2", f"vpc-peering-connection/{key}"),
            tags=tags,
            attributes={
                "vpc_id": own.get("VpcId"),
                "peer_vpc_id": peer.get("VpcId"),
                "peer_owner_id": peer.get("OwnerId"),
                "peer_region": accepter.get("Region"),
                **sides,
                "tags": tags,
            },
        )
        for side, options in sides.items():
            parent, place = Parent("aws_vpc_peering_connection", key, side), f"{key}|{side}"
            attributes = {side: options}
            yield LiveResource(
                "aws_vpc_peering_connection_options", place, scope.region, attributes, key, parent=parent
            )


def _side(info: Item) -> list[object]:
    found = (info.get("PeeringOptions") or {}).get("AllowDnsResolutionFromRemoteVpc")
    return [{"allow_remote_vpc_dns_resolution": found}]


def read_dhcp_options(scope: Scope) -> Iterator[Finding]:
    """Yield DHCP option sets and which VPC uses which; the set that AWS provides, and its use, is AWS's own."""
    provided: set[str] = {"default"}
    for item in scope.pages("ec2", "describe_dhcp_options", "DhcpOptions"):
        key, tags = item["DhcpOptionsId"], tag_map(item.get("Tags"))
        found = {
            entry["Key"]: [value["Value"] for value in entry.get("Values", ())]
            for entry in item.get("DhcpConfigurations", ())
        }
        if _is_provided(found, scope.region):
            provided.add(key)
        yield LiveResource(
            type="aws_vpc_dhcp_options",
            key=key,
            region=scope.region,
            cloud_id=scope.arn("ec2", f"dhcp-options/{key}", account=item.get("OwnerId")),
            cloud_made=key in provided and not tags,
            tags=tags,
            attributes={
                "domain_name": _first(found.get("domain-name")),
                "domain_name_servers": found.get("domain-name-servers"),
                "ntp_servers": found.get("ntp-servers"),
                "netbios_name_servers": found.get("netbios-name-servers"),
                "netbios_node_type": _first(found.get("netbios-node-type")),
                "ipv6_address_preferred_lease_time": _first(found.get("ipv6-address-preferred-lease-time")),
                "tags": tags,
            },
        )
    for vpc in scope.pages("ec2", "describe_vpcs", "Vpcs"):
        used = vpc.get("DhcpOptionsId")
        if used and used != "default":
            yield LiveResource(
                type="aws_vpc_dhcp_options_association",
                key=vpc["VpcId"],
                region=scope.region,
                cloud_id=f"{used}-{vpc['VpcId']}",
                cloud_made=used in provided,
                attributes={"dhcp_options_id": used},
            )


def _is_provided(found: Mapping[str, list[str]], region: str) -> bool:
    """Say whether a set is the one AWS makes with the first VPC: its own name servers and domain, and nothing else.

    Source: Amazon VPC User Guide, "DHCP option sets in Amazon VPC".
    """
    domain = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return dict(found) == {"domain-name": [domain], "domain-name-servers": [_PROVIDED]}


def _first(values: list[str] | None) -> str | None:
    return values[0] if values else None


def read_flow_logs(scope: Scope) -> Iterator[Finding]:
    for item in scope.pages("ec2", "describe_flow_logs", "FlowLogs"):
        key, tags, watched = item["FlowLogId"], tag_map(item.get("Tags")), str(item.get("ResourceId") or "")
        subject = next((name for start, name in _RESOURCES.items() if watched.startswith(start)), None)
        options = item.get("DestinationOptions") or {}
        yield LiveResource(
            type="aws_flow_log",
            key=key,
            region=scope.region,
            cloud_id=scope.arn("ec2", f"vpc-flow-log/{key}"),
            tags=tags,
            attributes={
                **{name: watched if name == subject else None for name in _RESOURCES.values()},
                "traffic_type": item.get("TrafficType"),
                "log_destination_type": item.get("LogDestinationType"),
                "log_destination": item.get("LogDestination"),
                "log_format": item.get("LogFormat"),
                "max_aggregation_interval": item.get("MaxAggregationInterval"),
                "iam_role_arn": item.get("DeliverLogsPermissionArn"),
                "deliver_cross_account_role": item.get("DeliverCrossAccountRole"),
                "destination_options": [
                    {
                        "file_format": options.get("FileFormat"),
                        "hive_compatible_partitions": options.get("HiveCompatiblePartitions"),
                        "per_hour_partition": options.get("PerHourPartition"),
                    }
                ],
                "tags": tags,
            },
        )


def read_prefix_lists(scope: Scope) -> Iterator[Finding]:
    lists = scope.pages("ec2", "describe_managed_prefix_lists", "PrefixLists")
    own = (item for item in lists if item.get("OwnerId") == scope.account and "delete" not in str(item.get("State")))
    yield from each(own, partial(_prefix_list, scope))


def _prefix_list(scope: Scope, item: Item) -> Iterator[Finding]:
    key, tags = item["PrefixListId"], tag_map(item.get("Tags"))
    attributes: dict[str, object] = {
        **({"name": item["PrefixListName"]} if item.get("PrefixListName") else {}),
        "address_family": item.get("AddressFamily"),
        "max_entries": item.get("MaxEntries"),
        "tags": tags,
    }
    kind, entries = "aws_ec2_managed_prefix_list_entry", list[Item]()
    pages = partial(scope.pages, "ec2", "get_managed_prefix_list_entries", "Entries", PrefixListId=key)
    found = attempt("ec2", lambda: {"Entries": list(pages())}, "InvalidPrefixListID.NotFound")
    if isinstance(found, Gap):
        yield found.unread("aws_ec2_managed_prefix_list", key, "entry")
        yield found.not_checked(kind, scope.region)
    else:
        entries = found.get("Entries") or []
        attributes["entry"] = [{"cidr": one["Cidr"], "description": one.get("Description")} for one in entries]
    yield LiveResource(
        "aws_ec2_managed_prefix_list", key, scope.region, attributes, scope.arn("ec2", f"prefix-list/{key}"), tags=tags
    )
    for one in entries:
        parent, described = Parent("aws_ec2_managed_prefix_list", key, "entry"), {"description": one.get("Description")}
        place = f"{key}|{one['Cidr']}"
        yield LiveResource(kind, place, scope.region, described, place.replace("|", ","), parent=parent)


SERVICE = Service(
    "ec2_links",
    (
        Listing(
            types=("aws_vpc_endpoint", "aws_vpc_endpoint_policy", *_PART_TYPES.values()),
            read=read_endpoints,
            permissions=("ec2:DescribeVpcEndpoints",),
        ),
        Listing(
            types=("aws_vpc_peering_connection", "aws_vpc_peering_connection_options"),
            read=read_peerings,
            permissions=("ec2:DescribeVpcPeeringConnections",),
        ),
        Listing(
            types=("aws_vpc_dhcp_options", "aws_vpc_dhcp_options_association"),
            read=read_dhcp_options,
            permissions=("ec2:DescribeDhcpOptions", "ec2:DescribeVpcs"),
        ),
        Listing(types=("aws_flow_log",), read=read_flow_logs, permissions=("ec2:DescribeFlowLogs",)),
        Listing(
            types=("aws_ec2_managed_prefix_list", "aws_ec2_managed_prefix_list_entry"),
            read=read_prefix_lists,
            permissions=("ec2:DescribeManagedPrefixLists", "ec2:GetManagedPrefixListEntries"),
        ),
        *ec2_interfaces.LISTINGS,
    ),
)
