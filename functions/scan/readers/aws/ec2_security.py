"""Reads security groups and their rules.

Source: Amazon EC2 API Reference, DescribeSecurityGroups, DescribeSecurityGroupRules.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...domain.resources import LiveResource, Parent
from ...types.aws.ec2_security import EGRESS, INGRESS, rule_key
from .base import Finding, Item, Listing, Scope, Service, tag_map

_EVERYWHERE = frozenset({"0.0.0.0/0", "::/0"})


def read_groups(scope: Scope) -> Iterator[Finding]:
    for group in scope.pages("ec2", "describe_security_groups", "SecurityGroups"):
        key, tags = group["GroupId"], tag_map(group.get("Tags"))
        yield LiveResource(
            type="aws_security_group",
            document=group,
            key=key,
            region=scope.region,
            cloud_id=group.get("SecurityGroupArn")
            or scope.arn("ec2", f"security-group/{key}", account=group.get("OwnerId")),
            # Only AWS can write `aws:` tags: EKS makes one group per cluster and owns its rules.
            cloud_made=_is_untouched_default(group) or "aws:eks:cluster-name" in tags,
            tags=tags,
            attributes={
                "name": group.get("GroupName"),
                "description": group.get("Description"),
                "vpc_id": group.get("VpcId"),
                "ingress": [_block(scope, key, item) for item in _permissions(group.get("IpPermissions"))],
                "egress": [_block(scope, key, item) for item in _permissions(group.get("IpPermissionsEgress"))],
                "tags": tags,
            },
        )


def _permissions(items: list[Item] | None) -> Iterator[Item]:
    """Yield each source of each permission on its own, since the description belongs to the source."""
    for item in items or ():
        shared = {name: item.get(name) for name in ("IpProtocol", "FromPort", "ToPort")}
        for member in ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs"):
            for source in item.get(member) or ():
                yield {**shared, **source}


def _block(scope: Scope, group: str, item: Item) -> dict[str, object]:
    is_self = item.get("GroupId") == group
    other = None if is_self else _group_name(scope, item)
    return {
        "protocol": item.get("IpProtocol"),
        "from_port": item.get("FromPort"),
        "to_port": item.get("ToPort"),
        "description": item.get("Description"),
        "cidr_blocks": [item["CidrIp"]] if item.get("CidrIp") else [],
        "ipv6_cidr_blocks": [item["CidrIpv6"]] if item.get("CidrIpv6") else [],
        "prefix_list_ids": [item["PrefixListId"]] if item.get("PrefixListId") else [],
        "security_groups": [other] if other else [],
        "self": is_self,
    }


def _group_name(scope: Scope, item: Item) -> str | None:
    """Name a referenced group as Terraform does: `account/id` when it belongs to another account."""
    group, owner = item.get("GroupId"), item.get("UserId")
    return f"{owner}/{group}" if group and owner not in (None, "", scope.account) else group


def _is_untouched_default(group: Item) -> bool:
    """Say whether a group is a VPC's default group with no more than the rules AWS put into it.

    Source: Amazon VPC User Guide, "Default security groups": all from the group itself, all to everywhere.
    """
    if group.get("GroupName") != "default":
        return False
    into, out = list(_permissions(group.get("IpPermissions"))), list(_permissions(group.get("IpPermissionsEgress")))
    is_inward = all(item.get("IpProtocol") == "-1" and item.get("GroupId") == group["GroupId"] for item in into)
    is_outward = all(
        item.get("IpProtocol") == "-1" and item.get("CidrIp", item.get("CidrIpv6")) in _EVERYWHERE for item in out
    )
    return is_inward and is_outward


def read_rules(scope: Scope) -> Iterator[Finding]:
    for item in scope.pages("ec2", "describe_security_group_rules", "SecurityGroupRules"):
        tags, group = tag_map(item.get("Tags")), item["GroupId"]
        direction = "egress" if item["IsEgress"] else "ingress"
        has_ports = item.get("IpProtocol") != "-1"
        rule = {
            "security_group_id": group,
            "ip_protocol": item.get("IpProtocol"),
            "from_port": item.get("FromPort") if has_ports else None,
            "to_port": item.get("ToPort") if has_ports else None,
            "cidr_ipv4": item.get("CidrIpv4"),
            "cidr_ipv6": item.get("CidrIpv6"),
            "prefix_list_id": item.get("PrefixListId"),
            "referenced_security_group_id": _group_name(scope, item.get("ReferencedGroupInfo") or {}),
            "description": item.get("Description"),
            "tags": tags,
        }
        kind = EGRESS if item["IsEgress"] else INGRESS
        yield LiveResource(
            type=kind,
            document=item,
            key=item["SecurityGroupRuleId"],
            region=scope.region,
            cloud_id=scope.arn(
                "ec2", f"security-group-rule/{item['SecurityGroupRuleId']}", account=item.get("GroupOwnerId")
            ),
            parent=Parent("aws_security_group", group, direction),
            aliases=((kind, rule_key(group, direction, rule)),),
            tags=tags,
            attributes=rule,
        )


SERVICE = Service(
    "ec2_security",
    (
        Listing(types=("aws_security_group",), read=read_groups, permissions=("ec2:DescribeSecurityGroups",)),
        Listing(types=(INGRESS, EGRESS), read=read_rules, permissions=("ec2:DescribeSecurityGroupRules",)),
    ),
)
