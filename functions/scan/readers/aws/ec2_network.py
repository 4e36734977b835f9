"""Reads VPCs and what lies in them: subnets, gateways, addresses. Routes and network ACLs stand in `ec2_routing`.

Source: Amazon EC2 API Reference, the Describe actions named in each listing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ...domain.resources import LiveResource, Parent
from . import ec2_routing
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_VPC_SETTINGS = {  # attribute of a VPC -> (name in the request, name in the reply); AWS tells one per call
    "enable_dns_support": ("enableDnsSupport", "EnableDnsSupport"),
    "enable_dns_hostnames": ("enableDnsHostnames", "EnableDnsHostnames"),
    "enable_network_address_usage_metrics": ("enableNetworkAddressUsageMetrics", "EnableNetworkAddressUsageMetrics"),
}
_GONE = frozenset({"deleting", "deleted", "failed"})


def read_vpcs(scope: Scope) -> Iterator[Finding]:
    is_main = [{"Name": "association.main", "Values": ["true"]}]
    tables = scope.pages("ec2", "describe_route_tables", "RouteTables", Filters=is_main)
    by_vpc = {table["VpcId"]: table["RouteTableId"] for table in tables}
    yield from each(scope.pages("ec2", "describe_vpcs", "Vpcs"), lambda vpc: _vpc(scope, vpc, by_vpc.get(vpc["VpcId"])))


def _vpc(scope: Scope, vpc: Item, main_table: str | None) -> Iterator[Finding]:
    key, tags = vpc["VpcId"], tag_map(vpc.get("Tags"))
    settings: dict[str, object] = {}
    for name, (asked, answered) in _VPC_SETTINGS.items():
        found = attempt("ec2", partial(scope.client("ec2").describe_vpc_attribute, VpcId=key, Attribute=asked))
        if isinstance(found, Gap):
            yield found.unread("aws_vpc", key, name)
        else:
            settings[name] = found.get(answered, {}).get("Value")
    ipv6 = [item for item in vpc.get("Ipv6CidrBlockAssociationSet", ()) if _is_associated(item, "Ipv6CidrBlockState")]
    yield LiveResource(
        type="aws_vpc",
        document=vpc,
        key=key,
        region=scope.region,
        cloud_id=scope.arn("ec2", f"vpc/{key}", account=vpc.get("OwnerId")),
        cloud_made=bool(vpc.get("IsDefault")),
        tags=tags,
        attributes={
            "cidr_block": vpc.get("CidrBlock"),
            "instance_tenancy": vpc.get("InstanceTenancy"),
            "ipv6_cidr_block": ipv6[0].get("Ipv6CidrBlock") if ipv6 else None,
            "main_route_table_id": main_table,
            "tags": tags,
            **settings,
        },
    )
    yield from _cidr_blocks(scope, vpc, ipv6)


def _cidr_blocks(scope: Scope, vpc: Item, ipv6: list[Item]) -> Iterator[Finding]:
    """Yield the further CIDR blocks of a VPC; its first IPv4 block belongs to the VPC itself."""
    for item in vpc.get("CidrBlockAssociationSet", ()):
        if item.get("CidrBlock") != vpc.get("CidrBlock") and _is_associated(item, "CidrBlockState"):
            yield LiveResource(
                type="aws_vpc_ipv4_cidr_block_association",
                key=item["AssociationId"],
                region=scope.region,
                cloud_id=item["AssociationId"],
                attributes={"vpc_id": vpc["VpcId"], "cidr_block": item.get("CidrBlock")},
            )
    for position, item in enumerate(ipv6):
        yield LiveResource(
            type="aws_vpc_ipv6_cidr_block_association",
            key=item["AssociationId"],
            region=scope.region,
            cloud_id=item["AssociationId"],
            parent=Parent("aws_vpc", vpc["VpcId"], "ipv6_cidr_block") if position == 0 else None,
            attributes={"vpc_id": vpc["VpcId"], "ipv6_cidr_block": item.get("Ipv6CidrBlock")},
        )


def _is_associated(item: Item, member: str) -> bool:
    return (item.get(member) or {}).get("State") in {"associated", "associating"}


def read_subnets(scope: Scope) -> Iterator[Finding]:
    for item in scope.pages("ec2", "describe_subnets", "Subnets"):
        tags = tag_map(item.get("Tags"))
        naming = item.get("PrivateDnsNameOptionsOnLaunch") or {}
        ipv6 = [
            block.get("Ipv6CidrBlock")
            for block in item.get("Ipv6CidrBlockAssociationSet", ())
            if _is_associated(block, "Ipv6CidrBlockState")
        ]
        yield LiveResource(
            type="aws_subnet",
            document=item,
            key=item["SubnetId"],
            region=scope.region,
            cloud_id=item.get("SubnetArn") or scope.arn("ec2", f"subnet/{item['SubnetId']}"),
            cloud_made=bool(item.get("DefaultForAz")),
            tags=tags,
            attributes={
                "vpc_id": item["VpcId"],
                "cidr_block": item.get("CidrBlock"),
                "ipv6_cidr_block": ipv6[0] if ipv6 else None,
                "ipv6_native": item.get("Ipv6Native"),
                "availability_zone": item.get("AvailabilityZone"),
                "map_public_ip_on_launch": item.get("MapPublicIpOnLaunch"),
                "map_customer_owned_ip_on_launch": item.get("MapCustomerOwnedIpOnLaunch"),
                "customer_owned_ipv4_pool": item.get("CustomerOwnedIpv4Pool"),
                "assign_ipv6_address_on_creation": item.get("AssignIpv6AddressOnCreation"),
                "enable_dns64": item.get("EnableDns64"),
                "enable_lni_at_device_index": item.get("EnableLniAtDeviceIndex"),
                "enable_resource_name_dns_a_record_on_launch": naming.get("EnableResourceNameDnsARecord"),
                "enable_resource_name_dns_aaaa_record_on_launch": naming.get("EnableResourceNameDnsAAAARecord"),
                "private_dns_hostname_type_on_launch": naming.get("HostnameType"),
                "outpost_arn": item.get("OutpostArn"),
                "tags": tags,
            },
        )


def read_internet_gateways(scope: Scope) -> Iterator[Finding]:
    default_vpcs = {
        vpc["VpcId"]
        for vpc in scope.pages("ec2", "describe_vpcs", "Vpcs", Filters=[{"Name": "is-default", "Values": ["true"]}])
    }
    for item in scope.pages("ec2", "describe_internet_gateways", "InternetGateways"):
        key, tags = item["InternetGatewayId"], tag_map(item.get("Tags"))
        attached = [
            found["VpcId"] for found in item.get("Attachments", ()) if found.get("State") in {"available", "attached"}
        ]
        yield LiveResource(
            type="aws_internet_gateway",
            document=item,
            key=key,
            region=scope.region,
            cloud_id=scope.arn("ec2", f"internet-gateway/{key}", account=item.get("OwnerId")),
            cloud_made=any(vpc in default_vpcs for vpc in attached),
            tags=tags,
            attributes={"vpc_id": attached[0] if attached else None, "tags": tags},
        )
        for vpc in attached:
            yield LiveResource(
                type="aws_internet_gateway_attachment",
                key=f"{key}|{vpc}",
                region=scope.region,
                cloud_id=f"{key}:{vpc}",
                cloud_made=vpc in default_vpcs,
                parent=Parent("aws_internet_gateway", key, "vpc_id"),
                attributes={},
            )


def read_egress_only_gateways(scope: Scope) -> Iterator[Finding]:
    for item in scope.pages("ec2", "describe_egress_only_internet_gateways", "EgressOnlyInternetGateways"):
        key, tags = item["EgressOnlyInternetGatewayId"], tag_map(item.get("Tags"))
        attached = [found["VpcId"] for found in item.get("Attachments", ())]
        yield LiveResource(
            type="aws_egress_only_internet_gateway",
            document=item,
            key=key,
            region=scope.region,
            cloud_id=scope.arn("ec2", f"egress-only-internet-gateway/{key}"),
            tags=tags,
            attributes={"vpc_id": attached[0] if attached else None, "tags": tags},
        )


def read_nat_gateways(scope: Scope) -> Iterator[Finding]:
    for item in scope.pages("ec2", "describe_nat_gateways", "NatGateways"):
        if item.get("State") in _GONE:
            continue
        key, tags = item["NatGatewayId"], tag_map(item.get("Tags"))
        addresses = item.get("NatGatewayAddresses") or [{}]
        first = next((address for address in addresses if address.get("IsPrimary")), addresses[0])
        others = [address for address in addresses if address is not first]
        yield LiveResource(
            type="aws_nat_gateway",
            document=item,
            key=key,
            region=scope.region,
            cloud_id=scope.arn("ec2", f"natgateway/{key}"),
            tags=tags,
            attributes={
                "subnet_id": item.get("SubnetId"),
                "connectivity_type": item.get("ConnectivityType"),
                "allocation_id": first.get("AllocationId"),
                "private_ip": first.get("PrivateIp"),
                "secondary_allocation_ids": [found["AllocationId"] for found in others if found.get("AllocationId")],
                "secondary_private_ip_addresses": [found["PrivateIp"] for found in others if found.get("PrivateIp")],
                "tags": tags,
            },
        )


def read_addresses(scope: Scope) -> Iterator[Finding]:
    for item in scope.pages("ec2", "describe_addresses", "Addresses"):
        key, tags = item.get("AllocationId"), tag_map(item.get("Tags"))
        if not key:  # an EC2-Classic address, which Terraform cannot hold any more
            continue
        yield LiveResource(
            type="aws_eip",
            document=item,
            key=key,
            region=scope.region,
            cloud_id=scope.arn("ec2", f"elastic-ip/{key}"),
            tags=tags,
            attributes={
                "domain": item.get("Domain"),
                "instance": item.get("InstanceId"),
                "public_ip": item.get("PublicIp"),
                "public_ipv4_pool": item.get("PublicIpv4Pool"),
                "customer_owned_ipv4_pool": item.get("CustomerOwnedIpv4Pool"),
                "network_border_group": item.get("NetworkBorderGroup"),
                "tags": tags,
            },
        )
        if item.get("AssociationId"):
            yield LiveResource(
                type="aws_eip_association",
                key=key,
                region=scope.region,
                cloud_id=item["AssociationId"],
                parent=Parent("aws_eip", key, "instance"),
                attributes={
                    "instance_id": item.get("InstanceId"),
                    "network_interface_id": item.get("NetworkInterfaceId"),
                    "private_ip_address": item.get("PrivateIpAddress"),
                },
            )


SERVICE = Service(
    "ec2_network",
    (
        Listing(
            types=("aws_vpc", "aws_vpc_ipv4_cidr_block_association", "aws_vpc_ipv6_cidr_block_association"),
            read=read_vpcs,
            permissions=("ec2:DescribeVpcs", "ec2:DescribeVpcAttribute", "ec2:DescribeRouteTables"),
        ),
        Listing(types=("aws_subnet",), read=read_subnets, permissions=("ec2:DescribeSubnets",)),
        Listing(
            types=("aws_internet_gateway", "aws_internet_gateway_attachment"),
            read=read_internet_gateways,
            permissions=("ec2:DescribeInternetGateways", "ec2:DescribeVpcs"),
        ),
        Listing(
            types=("aws_egress_only_internet_gateway",),
            read=read_egress_only_gateways,
            permissions=("ec2:DescribeEgressOnlyInternetGateways",),
        ),
        Listing(types=("aws_nat_gateway",), read=read_nat_gateways, permissions=("ec2:DescribeNatGateways",)),
        Listing(types=("aws_eip", "aws_eip_association"), read=read_addresses, permissions=("ec2:DescribeAddresses",)),
        *ec2_routing.LISTINGS,
    ),
)
