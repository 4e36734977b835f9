"""Changes to security groups and their rules."""

from __future__ import annotations

from typing import Any

from tests.support.aws_account import CREATED, Mutation

from ._changes import Attributes, changed, ec2_tag, missing, unmanaged
from ._network_vpc import FIXED, NO_MOTO

_INGRESS = "aws_vpc_security_group_ingress_rule"
_EGRESS = "aws_vpc_security_group_egress_rule"


def _permission(port: int, cidr: str, protocol: str = "tcp") -> dict[str, Any]:
    return {"IpProtocol": protocol, "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}


def _allow(client: Any, group: str, port: int, cidr: str = "0.0.0.0/0") -> str:
    reply = client.authorize_security_group_ingress(GroupId=group, IpPermissions=[_permission(port, cidr)])
    return str(reply["SecurityGroupRules"][0]["SecurityGroupRuleId"])


def _allow_out(client: Any, group: str, port: int, cidr: str = "0.0.0.0/0") -> str:
    reply = client.authorize_security_group_egress(GroupId=group, IpPermissions=[_permission(port, cidr)])
    return str(reply["SecurityGroupRules"][0]["SecurityGroupRuleId"])


def _ssh(**more: object) -> Any:
    """Change the ssh rule; the API wants the whole rule, so earlier changes are repeated."""

    def apply(client: Any, rule: Attributes) -> object:
        return client.modify_security_group_rules(
            GroupId=rule["security_group_id"],
            SecurityGroupRules=[
                {"SecurityGroupRuleId": rule["id"], "SecurityGroupRule": {"Description": "ssh", **more}}
            ],
        )

    return apply


_SSH = "aws_vpc_security_group_ingress_rule.ssh"
_OUT = "aws_vpc_security_group_egress_rule.six"
_TCP = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "10.0.0.0/8"}
_OPEN = {**_TCP, "CidrIpv4": "0.0.0.0/0"}


def _rule(**more: object) -> Any:
    def apply(client: Any, rule: Attributes) -> object:
        return client.modify_security_group_rules(
            GroupId=rule["security_group_id"],
            SecurityGroupRules=[{"SecurityGroupRuleId": rule["id"], "SecurityGroupRule": more}],
        )

    return apply


_SIX = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv6": "::/0"}

MUTATIONS: tuple[Mutation, ...] = (
    # Rules inside the group: opened to the world, closed, described anew.
    changed("aws_security_group.inline", "ingress", lambda client, it: _allow(client, it["id"], 22)),
    changed("aws_security_group.inline", "egress", lambda client, it: _allow_out(client, it["id"], 25)),
    changed(
        "aws_security_group.inline",
        "ingress",
        lambda client, it: client.revoke_security_group_ingress(
            GroupId=it["id"], IpPermissions=[_permission(443, "192.168.0.0/16")]
        ),
    ),
    changed("aws_security_group.none", "ingress", lambda client, it: _allow(client, it["id"], 3389)),
    changed("aws_default_security_group.main", "ingress", lambda client, it: _allow(client, it["id"], 23)),
    ec2_tag("aws_security_group.inline"),
    unmanaged(
        "aws_vpc.main",
        "aws_security_group",
        lambda client, it: str(client.create_security_group(GroupName="by-hand", Description="x", VpcId=it["id"])["GroupId"]),
    ),
    # Rules with an id of their own.
    changed(_SSH, "cidr_ipv4", _ssh(**_OPEN)),
    changed(_SSH, "from_port", _ssh(**{**_OPEN, "FromPort": 20})),
    changed(_SSH, "to_port", _ssh(**{**_OPEN, "FromPort": 20, "ToPort": 30})),
    changed(_SSH, "ip_protocol", _ssh(**{**_OPEN, "FromPort": 20, "ToPort": 30, "IpProtocol": "udp"})),
    changed(
        _SSH,
        "description",
        _ssh(**{**_OPEN, "FromPort": 20, "ToPort": 30, "IpProtocol": "udp", "Description": "by hand"}),
    ),
    ec2_tag(_SSH),
    Mutation(
        "aws_security_group.one_by_one",
        {("unmanaged", CREATED, "")},
        lambda call, it: _allow(call("ec2"), it["id"], 8443),
        also=(_INGRESS,),
    ),
    changed(_OUT, "from_port", _rule(**{**_SIX, "FromPort": 400})),
    changed(_OUT, "to_port", _rule(**{**_SIX, "FromPort": 400, "ToPort": 500})),
    changed(_OUT, "ip_protocol", _rule(**{**_SIX, "FromPort": 400, "ToPort": 500, "IpProtocol": "udp"})),
    changed(
        _OUT,
        "description",
        _rule(**{**_SIX, "FromPort": 400, "ToPort": 500, "IpProtocol": "udp", "Description": "by hand"}),
    ),
    ec2_tag(_OUT),
    changed(
        "aws_vpc_security_group_egress_rule.all",
        "cidr_ipv4",
        _rule(IpProtocol="-1", FromPort=-1, ToPort=-1, CidrIpv4="10.0.0.0/8"),
    ),
    Mutation(
        "aws_security_group.one_by_one",
        {("unmanaged", CREATED, "")},
        lambda call, it: _allow_out(call("ec2"), it["id"], 8443),
        also=(_EGRESS,),
    ),
    missing(
        "aws_vpc_security_group_ingress_rule.peer",
        lambda client, it: client.revoke_security_group_ingress(
            GroupId=it["security_group_id"], SecurityGroupRuleIds=[it["id"]]
        ),
    ),
    missing(
        "aws_vpc_security_group_egress_rule.all",
        lambda client, it: client.revoke_security_group_egress(
            GroupId=it["security_group_id"], SecurityGroupRuleIds=[it["id"]]
        ),
    ),
    # The older stand-alone form: one resource for several rules.
    Mutation(
        "aws_security_group.older",
        {("unmanaged", CREATED, "")},
        lambda call, it: _allow(call("ec2"), it["id"], 21),
        also=(_INGRESS,),
    ),
    changed(
        "aws_security_group_rule.web",
        "description",
        lambda client, it: client.update_security_group_rule_descriptions_ingress(
            GroupId=it["security_group_id"],
            IpPermissions=[
                {
                    "IpProtocol": "tcp",
                    "FromPort": 80,
                    "ToPort": 80,
                    "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "by hand"}],
                }
            ],
        ),
    ),
    missing(
        "aws_security_group_rule.web",
        lambda client, it: client.revoke_security_group_ingress(
            GroupId=it["security_group_id"], IpPermissions=[_permission(80, "172.16.0.0/12")]
        ),
    ),
    missing(
        "aws_security_group_rule.from_self",
        lambda client, it: client.revoke_security_group_ingress(
            GroupId=it["security_group_id"], SecurityGroupRuleIds=[it["security_group_rule_id"]]
        ),
    ),
    Mutation(
        "aws_security_group.older",
        {
            ("missing", "aws_security_group.older", ""),
            ("missing", "aws_security_group_rule.from_other", ""),
            ("missing", "aws_security_group_rule.out", ""),
        },
        lambda call, it: call("ec2").delete_security_group(GroupId=it["id"]),
    ),
)  # fmt: skip

EXCEPTIONS: dict[str, str] = {
    **dict.fromkeys((f"aws_security_group.{name}" for name in ("name", "description", "vpc_id")), FIXED),
    f"{_INGRESS}.security_group_id": FIXED,
    f"{_EGRESS}.security_group_id": FIXED,
    f"{_INGRESS}.cidr_ipv6": NO_MOTO,
    f"{_EGRESS}.cidr_ipv6": NO_MOTO,
    f"{_INGRESS}.prefix_list_id": NO_MOTO,
    f"{_EGRESS}.prefix_list_id": NO_MOTO,
    f"{_INGRESS}.referenced_security_group_id": NO_MOTO,
    f"{_EGRESS}.referenced_security_group_id": NO_MOTO,
}
