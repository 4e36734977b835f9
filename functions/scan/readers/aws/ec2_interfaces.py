"""Reads network interfaces with their attachments and security groups.

An interface that AWS or an instance made for itself comes and goes with its owner, and is compared there.
Source: Amazon EC2 API Reference, DescribeNetworkInterfaces, DescribeVpcEndpoints, DescribeNatGateways.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...domain.resources import LiveResource, Parent
from .base import Finding, Item, Listing, Scope, tag_map

_KIND = "aws_network_interface"


def read_interfaces(scope: Scope) -> Iterator[Finding]:
    owned = _owned(scope)
    for item in scope.pages("ec2", "describe_network_interfaces", "NetworkInterfaces"):
        key, tags = item["NetworkInterfaceId"], tag_map(item.get("TagSet"))
        groups = {group["GroupId"]: group.get("GroupName") for group in item.get("Groups") or ()}
        attachment = item.get("Attachment") or {}
        is_made = bool(item.get("RequesterManaged")) or key in owned or _came_with_instance(attachment)
        attributes: dict[str, object] = {
            "subnet_id": item.get("SubnetId"),
            "description": item.get("Description"),
            "interface_type": item.get("InterfaceType"),
            "private_ips": [one["PrivateIpAddress"] for one in item.get("PrivateIpAddresses") or ()],
            "ipv6_addresses": [one["Ipv6Address"] for one in item.get("Ipv6Addresses") or ()],
            "ipv4_prefixes": [one["Ipv4Prefix"] for one in item.get("Ipv4Prefixes") or ()],
            "ipv6_prefixes": [one["Ipv6Prefix"] for one in item.get("Ipv6Prefixes") or ()],
            "security_groups": list(groups),
            "source_dest_check": item.get("SourceDestCheck"),
            "tags": tags,
        }
        if attachment.get("DeviceIndex") != 0:  # a first interface is declared with its instance, and compared there
            attributes["attachment"] = _attached(attachment)
        yield LiveResource(
            type=_KIND,
            key=key,
            region=scope.region,
            cloud_id=scope.arn("ec2", f"network-interface/{key}", account=item.get("OwnerId")),
            cloud_made=is_made,
            tags=tags,
            attributes=attributes,
        )
        yield from _parts(scope, key, attachment, groups, is_made=is_made)


def _owned(scope: Scope) -> set[str]:
    """Return the interfaces of VPC endpoints and NAT gateways, which those name."""
    endpoints = scope.pages("ec2", "describe_vpc_endpoints", "VpcEndpoints")
    gateways = scope.pages("ec2", "describe_nat_gateways", "NatGateways")
    found = {name for item in endpoints for name in item.get("NetworkInterfaceIds") or ()}
    addresses = (address for item in gateways for address in item.get("NatGatewayAddresses") or ())
    return found | {address["NetworkInterfaceId"] for address in addresses if address.get("NetworkInterfaceId")}


def _came_with_instance(attachment: Item) -> bool:
    """Say whether an interface was made with its instance: AWS deletes it with the instance, or made it the first one."""
    is_first = attachment.get("DeviceIndex") == 0
    return bool(attachment.get("InstanceId")) and (is_first or bool(attachment.get("DeleteOnTermination")))


def _attached(attachment: Item) -> list[object]:
    if not attachment.get("InstanceId"):
        return []
    return [{"instance": attachment["InstanceId"], "device_index": attachment.get("DeviceIndex")}]


def _parts(
    scope: Scope, key: str, attachment: Item, groups: Mapping[str, object], *, is_made: bool
) -> Iterator[LiveResource]:
    """Yield the stand-alone forms; the default security group is what AWS takes when an interface names none."""
    if attachment.get("InstanceId"):
        yield LiveResource(
            type="aws_network_interface_attachment",
            key=key,
            region=scope.region,
            cloud_id=attachment.get("AttachmentId") or key,
            cloud_made=is_made,
            parent=Parent(_KIND, key, "attachment"),
            attributes={"instance_id": attachment["InstanceId"], "device_index": attachment.get("DeviceIndex")},
        )
    for group, name in groups.items():
        yield LiveResource(
            type="aws_network_interface_sg_attachment",
            key=f"{key}|{group}",
            region=scope.region,
            cloud_id=f"{group}_{key}",
            cloud_made=is_made or name == "default",
            parent=Parent(_KIND, key, "security_groups"),
            attributes={},
        )


LISTINGS = (
    Listing(
        types=(_KIND, "aws_network_interface_attachment", "aws_network_interface_sg_attachment"),
        read=read_interfaces,
        permissions=("ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcEndpoints", "ec2:DescribeNatGateways"),
    ),
)
