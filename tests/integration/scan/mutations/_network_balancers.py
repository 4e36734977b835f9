"""Changes to load balancers, listeners, rules, target groups and targets."""

from __future__ import annotations

from typing import Any

from functions.scan.readers.aws.elbv2 import GROUP_SETTINGS, LB_SETTINGS, LISTENER_SETTINGS
from tests.support.aws_account import CREATED, Mutation

from ._changes import Attributes, changed, missing, unmanaged
from ._network_vpc import FIXED, NO_MOTO

_LB, _GROUP, _LISTENER, _RULE = (
    "aws_lb.web",
    "aws_lb_target_group.web",
    "aws_lb_listener.plain",
    "aws_lb_listener_rule.api",
)
_LB_VALUES = {
    "client_keep_alive": "7200",
    "desync_mitigation_mode": "monitor",
    "drop_invalid_header_fields": "false",
    "enable_cross_zone_load_balancing": "true",
    "enable_deletion_protection": "true",
    "enable_http2": "false",
    "enable_tls_version_and_cipher_suite_headers": "true",
    "enable_waf_fail_open": "true",
    "enable_xff_client_port": "true",
    "enable_zonal_shift": "true",
    "idle_timeout": "300",
    "preserve_host_header": "true",
    "xff_header_processing_mode": "remove",
}
_GROUP_VALUES = {
    "connection_termination": "true",
    "deregistration_delay": "10",
    "lambda_multi_value_headers_enabled": "true",
    "load_balancing_algorithm_type": "least_outstanding_requests",
    "load_balancing_anomaly_mitigation": "on",
    "load_balancing_cross_zone_enabled": "true",
    "preserve_client_ip": "true",
    "proxy_protocol_v2": "true",
    "slow_start": "60",
}


def _lb_setting(address: str, path: str, value: str) -> Mutation:
    return changed(
        address,
        path,
        lambda client, it: client.modify_load_balancer_attributes(
            LoadBalancerArn=it["arn"], Attributes=[{"Key": LB_SETTINGS[path], "Value": value}]
        ),
        "elbv2",
    )


def _log(path: str, prefix: str) -> Mutation:
    pairs = [("enabled", "true"), ("bucket", "elsewhere"), ("prefix", "x")]
    attributes = [{"Key": f"{prefix}.s3.{name}", "Value": value} for name, value in pairs]
    return changed(
        _LB,
        path,
        lambda client, it: client.modify_load_balancer_attributes(LoadBalancerArn=it["arn"], Attributes=attributes),
        "elbv2",
    )


def _group_setting(path: str, key: str, value: str) -> Mutation:
    return changed(
        _GROUP,
        path,
        lambda client, it: client.modify_target_group_attributes(
            TargetGroupArn=it["arn"], Attributes=[{"Key": key, "Value": value}]
        ),
        "elbv2",
    )


def _health(member: str, **arguments: object) -> Mutation:
    return changed(
        _GROUP,
        f"health_check.{member}",
        lambda client, it: client.modify_target_group(TargetGroupArn=it["arn"], **arguments),
        "elbv2",
    )


def _tag(address: str) -> Mutation:
    return changed(
        address,
        "tags.Extra",
        lambda client, it: client.add_tags(ResourceArns=[it["arn"]], Tags=[{"Key": "Extra", "Value": "1"}]),
        "elbv2",
    )


def _arn_of(client: Any, name: str) -> str:
    return str(client.describe_target_groups(Names=[name])["TargetGroups"][0]["TargetGroupArn"])


def _forward(client: Any, name: str) -> list[dict[str, str]]:
    return [{"Type": "forward", "TargetGroupArn": _arn_of(client, name)}]


def _create_listener(client: Any, balancer: Attributes) -> str:
    reply = client.create_listener(
        LoadBalancerArn=balancer["arn"], Port=9999, Protocol="HTTP", DefaultActions=_forward(client, "web")
    )
    return str(reply["Listeners"][0]["ListenerArn"])


def _create_rule(client: Any, listener: Attributes) -> str:
    reply = client.create_rule(
        ListenerArn=listener["arn"],
        Priority=99,
        Conditions=[{"Field": "path-pattern", "Values": ["/hidden"]}],
        Actions=_forward(client, "other"),
    )
    return str(reply["Rules"][0]["RuleArn"])


def _create_balancer(client: Any, balancer: Attributes) -> str:
    reply = client.create_load_balancer(Name="by-hand", Subnets=balancer["subnets"])
    return str(reply["LoadBalancers"][0]["LoadBalancerArn"])


def _create_group(client: Any, group: Attributes) -> str:
    reply = client.create_target_group(Name="by-hand", Protocol="HTTP", Port=81, VpcId=group["vpc_id"])
    return str(reply["TargetGroups"][0]["TargetGroupArn"])


def _register(client: Any, group: Attributes) -> str:
    client.register_targets(TargetGroupArn=group["arn"], Targets=[{"Id": "10.0.10.77", "Port": 7777}])
    return f"{group['arn']}|10.0.10.77|7777"


def _move_subnets(call: Any, balancer: Attributes) -> None:
    """Exchange the subnet of the first zone for another one in that zone."""
    subnets = call("ec2").describe_subnets(Filters=[{"Name": "vpc-id", "Values": [balancer["vpc_id"]]}])["Subnets"]
    here = [item for item in subnets if item["SubnetId"] in balancer["subnets"]]
    first, *rest = here
    other = next(item for item in subnets if item["AvailabilityZone"] == first["AvailabilityZone"] and item not in here)
    chosen = [other["SubnetId"], *(item["SubnetId"] for item in rest)]
    call("elbv2").set_subnets(LoadBalancerArn=balancer["arn"], Subnets=chosen)


def _move_groups(call: Any, balancer: Attributes) -> None:
    groups = call("ec2").describe_security_groups(Filters=[{"Name": "group-name", "Values": ["one-by-one"]}])
    group = groups["SecurityGroups"][0]["GroupId"]
    call("elbv2").set_security_groups(LoadBalancerArn=balancer["arn"], SecurityGroups=[group])


_BALANCERS = (
    *(_lb_setting(_LB, path, value) for path, value in _LB_VALUES.items()),
    _lb_setting("aws_lb.network", "dns_record_client_routing_policy", "availability_zone_affinity"),
    _log("access_logs", "access_logs"),
    _log("connection_logs", "connection_logs"),
    changed(
        _LB,
        "ip_address_type",
        lambda client, it: client.set_ip_address_type(LoadBalancerArn=it["arn"], IpAddressType="dualstack"),
        "elbv2",
    ),
    Mutation(_LB, {("changed", _LB, "subnets")}, _move_subnets),
    Mutation(_LB, {("changed", _LB, "security_groups")}, _move_groups),
    _tag(_LB),
    _tag("aws_alb.inner"),
    unmanaged(_LB, "aws_lb", _create_balancer, "elbv2"),
)

_GROUPS = (
    *(_group_setting(path, GROUP_SETTINGS[path], value) for path, value in _GROUP_VALUES.items()),
    _group_setting("stickiness.enabled", "stickiness.enabled", "false"),
    _group_setting("stickiness.cookie_duration", "stickiness.lb_cookie.duration_seconds", "60"),
    _health("path", HealthCheckPath="/other"),
    _health("matcher", Matcher={"HttpCode": "200-499"}),
    _health("interval", HealthCheckIntervalSeconds=100),
    _health("timeout", HealthCheckTimeoutSeconds=9),
    _health("healthy_threshold", HealthyThresholdCount=7),
    _health("unhealthy_threshold", UnhealthyThresholdCount=8),
    _health("port", HealthCheckPort="8081"),
    _tag(_GROUP),
    unmanaged(_GROUP, "aws_lb_target_group", _create_group, "elbv2"),
    Mutation(
        "aws_lb_target_group.other",
        {("unmanaged", CREATED, "")},
        lambda call, it: _register(call("elbv2"), it),
        also=("aws_lb_target_group_attachment",),
    ),
    # Targets of a group without declared attachments are somebody else's business: an autoscaling group, a service.
    Mutation(
        "aws_lb_target_group.tcp",
        set(),
        lambda call, it: call("elbv2").register_targets(
            TargetGroupArn=it["arn"], Targets=[{"Id": _any_instance(call)}]
        ),
        also=("aws_lb_target_group_attachment",),
    ),
    missing(
        "aws_lb_target_group_attachment.web",
        lambda client, it: client.deregister_targets(
            TargetGroupArn=it["target_group_arn"], Targets=[{"Id": it["target_id"]}]
        ),
        "elbv2",
    ),
    missing(
        "aws_lb_target_group_attachment.other",
        lambda client, it: client.deregister_targets(
            TargetGroupArn=it["target_group_arn"], Targets=[{"Id": it["target_id"], "Port": it["port"]}]
        ),
        "elbv2",
    ),
)


def _any_instance(call: Any) -> str:
    running = [{"Name": "instance-state-name", "Values": ["running"]}]
    return str(call("ec2").describe_instances(Filters=running)["Reservations"][0]["Instances"][0]["InstanceId"])


_HEADERS = {name: ("X-Other" if name.endswith("header_name") else "other") for name in LISTENER_SETTINGS}
_HEADERS |= {"tcp_idle_timeout_seconds": "100", "routing_http_response_server_enabled": "true"}


def _listener_setting(path: str) -> Mutation:
    return changed(
        "aws_lb_listener.tcp" if path == "tcp_idle_timeout_seconds" else _LISTENER,
        path,
        lambda client, it: client.modify_listener_attributes(
            ListenerArn=it["arn"], Attributes=[{"Key": LISTENER_SETTINGS[path], "Value": _HEADERS[path]}]
        ),
        "elbv2",
    )


_LISTENERS = (
    *(_listener_setting(path) for path in _HEADERS),
    changed(_LISTENER, "port", lambda client, it: client.modify_listener(ListenerArn=it["arn"], Port=8888), "elbv2"),
    changed(
        _LISTENER,
        "default_action[0].forward.target_group",
        lambda client, it: client.modify_listener(ListenerArn=it["arn"], DefaultActions=_forward(client, "other")),
        "elbv2",
    ),
    _tag(_LISTENER),
    unmanaged(_LB, "aws_lb_listener", _create_listener, "elbv2"),
)

_RULES = (
    changed(
        _RULE,
        "priority",
        lambda client, it: client.set_rule_priorities(RulePriorities=[{"RuleArn": it["arn"], "Priority": 15}]),
        "elbv2",
    ),
    changed(
        _RULE,
        "action[0].forward.target_group",
        lambda client, it: client.modify_rule(RuleArn=it["arn"], Actions=_forward(client, "web")),
        "elbv2",
    ),
    changed(
        _RULE,
        "condition",
        lambda client, it: client.modify_rule(
            RuleArn=it["arn"],
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*", "/v2/*"]}}],
        ),
        "elbv2",
    ),
    _tag(_RULE),
    unmanaged(_LISTENER, "aws_lb_listener_rule", _create_rule, "elbv2"),
    missing("aws_lb_listener_rule.closed", lambda client, it: client.delete_rule(RuleArn=it["arn"]), "elbv2"),
    missing("aws_lb_listener.http", lambda client, it: client.delete_listener(ListenerArn=it["arn"]), "elbv2"),
    Mutation(
        "aws_lb.network",
        {("missing", "aws_lb.network", ""), ("missing", "aws_lb_listener.tcp", "")},
        lambda call, it: call("elbv2").delete_load_balancer(LoadBalancerArn=it["arn"]),
    ),
    missing(
        "aws_lb_target_group.tcp", lambda client, it: client.delete_target_group(TargetGroupArn=it["arn"]), "elbv2"
    ),
)

MUTATIONS = (*_BALANCERS, *_GROUPS, *_LISTENERS, *_RULES)

EXCEPTIONS: dict[str, str] = {
    **dict.fromkeys(
        (f"aws_lb.{name}" for name in ("name", "internal", "load_balancer_type", "customer_owned_ipv4_pool")), FIXED
    ),
    "aws_lb.enforce_security_group_inbound_rules_on_private_link_traffic": NO_MOTO,
    "aws_lb_listener.load_balancer_arn": FIXED,
    "aws_lb_listener.mutual_authentication": NO_MOTO,
    "aws_lb_listener.alpn_policy": NO_MOTO,
    "aws_lb_listener.protocol": "needs a certificate, whose kind the group does not hold",
    "aws_lb_listener.ssl_policy": "needs a certificate, whose kind the group does not hold",
    "aws_lb_listener.certificate_arn": "needs a certificate, whose kind the group does not hold",
    "aws_lb_listener_rule.listener_arn": FIXED,
    **dict.fromkeys(
        (
            f"aws_lb_target_group.{name}"
            for name in ("name", "port", "protocol", "protocol_version", "target_type", "vpc_id", "ip_address_type")
        ),
        FIXED,
    ),
}
