"""Reads load balancers, listeners, rules, target groups and their targets.

AWS lists listeners per load balancer, rules per listener, and tells settings per resource; tags come twenty at a time.
Source: Elastic Load Balancing API Reference, version 2015-12-01.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice

from ...domain.resources import LiveResource, Parent
from ...types.aws.elbv2 import HEADER_SETTINGS
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_IAM = "elasticloadbalancing"
_TAGS_PER_CALL = 20
LB_SETTINGS: Mapping[str, str] = {
    "client_keep_alive": "client_keep_alive.seconds",
    "desync_mitigation_mode": "routing.http.desync_mitigation_mode",
    "dns_record_client_routing_policy": "dns_record.client_routing_policy",
    "drop_invalid_header_fields": "routing.http.drop_invalid_header_fields.enabled",
    "enable_cross_zone_load_balancing": "load_balancing.cross_zone.enabled",
    "enable_deletion_protection": "deletion_protection.enabled",
    "enable_http2": "routing.http2.enabled",
    "enable_tls_version_and_cipher_suite_headers": "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
    "enable_waf_fail_open": "waf.fail_open.enabled",
    "enable_xff_client_port": "routing.http.xff_client_port.enabled",
    "enable_zonal_shift": "zonal_shift.config.enabled",
    "idle_timeout": "idle_timeout.timeout_seconds",
    "preserve_host_header": "routing.http.preserve_host_header.enabled",
    "xff_header_processing_mode": "routing.http.xff_header_processing.mode",
}
LISTENER_SETTINGS: Mapping[str, str] = {
    "tcp_idle_timeout_seconds": "tcp.idle_timeout.seconds",
    "routing_http_response_server_enabled": "routing.http.response.server.enabled",
    **{
        name: name.replace("routing_http_", "routing.http.")
        .replace("request_", "request.")
        .replace("response_", "response.")
        .replace("_header_name", ".header_name")
        .replace("_header_value", ".header_value")
        for name in HEADER_SETTINGS
    },
}
GROUP_SETTINGS: Mapping[str, str] = {
    "connection_termination": "deregistration_delay.connection_termination.enabled",
    "deregistration_delay": "deregistration_delay.timeout_seconds",
    "lambda_multi_value_headers_enabled": "lambda.multi_value_headers.enabled",
    "load_balancing_algorithm_type": "load_balancing.algorithm.type",
    "load_balancing_anomaly_mitigation": "load_balancing.algorithm.anomaly_mitigation",
    "load_balancing_cross_zone_enabled": "load_balancing.cross_zone.enabled",
    "preserve_client_ip": "preserve_client_ip.enabled",
    "proxy_protocol_v2": "proxy_protocol_v2.enabled",
    "slow_start": "slow_start.duration_seconds",
}


def _with_tags(scope: Scope, items: Iterable[Item], member: str) -> Iterator[tuple[Item, dict[str, str] | Gap]]:
    """Pair items with their tags, twenty per call; a batch that fails leaves the tags unknown."""
    source = iter(items)
    while batch := list(islice(source, _TAGS_PER_CALL)):
        arns = [item[member] for item in batch]
        found = attempt(_IAM, partial(scope.client("elbv2").describe_tags, ResourceArns=arns))
        if isinstance(found, Gap):
            yield from ((item, found) for item in batch)
        else:
            by_arn = {entry["ResourceArn"]: tag_map(entry.get("Tags")) for entry in found.get("TagDescriptions", ())}
            yield from ((item, by_arn.get(item[member], {})) for item in batch)


def _finding(
    scope: Scope,
    kind: str,
    key: str,
    attributes: dict[str, object],
    tags: dict[str, str] | Gap,
    settings: Item | Gap | None,
    names: Mapping[str, str],
    document: Item,
) -> Iterator[Finding]:
    """Yield one resource, with what could be read of its settings and tags."""
    if isinstance(tags, Gap):
        yield tags.unread(kind, key, "tags")
    else:
        attributes["tags"] = tags
    if isinstance(settings, Gap):
        yield settings.unread(kind, key, *names)
    elif settings is not None:
        known = {item["Key"]: item.get("Value") for item in settings.get("Attributes", ())}
        attributes.update({name: known[setting] for name, setting in names.items() if setting in known})
    yield LiveResource(
        type=kind,
        key=key,
        region=scope.region,
        cloud_id=key,
        tags={} if isinstance(tags, Gap) else tags,
        attributes=attributes,
        document=document,
    )


def _settings(found: Item | Gap) -> dict[str, str]:
    return (
        {} if isinstance(found, Gap) else {item["Key"]: item.get("Value", "") for item in found.get("Attributes", ())}
    )


def read_load_balancers(scope: Scope) -> Iterator[Finding]:
    balancers = scope.pages("elbv2", "describe_load_balancers", "LoadBalancers")
    pairs = ({"item": item, "tags": tags} for item, tags in _with_tags(scope, balancers, "LoadBalancerArn"))
    yield from each(pairs, partial(_balancer, scope))


def _balancer(scope: Scope, pair: Item) -> Iterator[Finding]:
    item, key = pair["item"], pair["item"]["LoadBalancerArn"]
    found = attempt(_IAM, partial(scope.client("elbv2").describe_load_balancer_attributes, LoadBalancerArn=key))
    known = _settings(found)
    attributes: dict[str, object] = {
        "name": item.get("LoadBalancerName"),
        "internal": item.get("Scheme") == "internal",
        "load_balancer_type": item.get("Type"),
        "ip_address_type": item.get("IpAddressType"),
        "security_groups": item.get("SecurityGroups"),
        "subnets": [zone["SubnetId"] for zone in item.get("AvailabilityZones", ()) if zone.get("SubnetId")],
        "customer_owned_ipv4_pool": item.get("CustomerOwnedIpv4Pool"),
        "enforce_security_group_inbound_rules_on_private_link_traffic": item.get(
            "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
        ),
    }
    if isinstance(found, Gap):
        yield found.unread("aws_lb", key, "access_logs", "connection_logs")
    for name, prefix in (("access_logs", "access_logs.s3"), ("connection_logs", "connection_logs.s3")):
        if f"{prefix}.enabled" in known:
            attributes[name] = [
                {
                    "enabled": known[f"{prefix}.enabled"],
                    "bucket": known.get(f"{prefix}.bucket"),
                    "prefix": known.get(f"{prefix}.prefix"),
                }
            ]
    yield from _finding(scope, "aws_lb", key, attributes, pair["tags"], found, LB_SETTINGS, item)


def _listeners(scope: Scope) -> Iterator[Item]:
    for balancer in scope.pages("elbv2", "describe_load_balancers", "LoadBalancers"):
        yield from scope.pages("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=balancer["LoadBalancerArn"])


def read_listeners(scope: Scope) -> Iterator[Finding]:
    found = _with_tags(scope, _listeners(scope), "ListenerArn")
    yield from each(({"item": item, "tags": tags} for item, tags in found), partial(_listener, scope))


def _listener(scope: Scope, pair: Item) -> Iterator[Finding]:
    item, key = pair["item"], pair["item"]["ListenerArn"]
    certificates, mutual = item.get("Certificates") or [], item.get("MutualAuthentication")
    attributes: dict[str, object] = {
        "load_balancer_arn": item.get("LoadBalancerArn"),
        "port": item.get("Port"),
        "protocol": item.get("Protocol"),
        "ssl_policy": item.get("SslPolicy"),
        "certificate_arn": certificates[0].get("CertificateArn") if certificates else None,
        "alpn_policy": (item.get("AlpnPolicy") or [None])[0],
        "default_action": _actions(item.get("DefaultActions")),
    }
    if mutual:
        attributes["mutual_authentication"] = [
            {
                "mode": mutual.get("Mode"),
                "trust_store_arn": mutual.get("TrustStoreArn"),
                "ignore_client_certificate_expiry": mutual.get("IgnoreClientCertificateExpiry"),
                "advertise_trust_store_ca_names": mutual.get("AdvertiseTrustStoreCaNames"),
            }
        ]
    found = attempt(_IAM, partial(scope.client("elbv2").describe_listener_attributes, ListenerArn=key))
    yield from _finding(scope, "aws_lb_listener", key, attributes, pair["tags"], found, LISTENER_SETTINGS, item)


def _sign_in(found: Item, names: Mapping[str, str]) -> dict[str, object]:
    return {
        "authentication_request_extra_params": found.get("AuthenticationRequestExtraParams"),
        "on_unauthenticated_request": found.get("OnUnauthenticatedRequest"),
        "scope": found.get("Scope"),
        "session_cookie_name": found.get("SessionCookieName"),
        "session_timeout": found.get("SessionTimeout"),
        **{name: found.get(member) for name, member in names.items()},
    }


_COGNITO = {
    "user_pool_arn": "UserPoolArn", "user_pool_client_id": "UserPoolClientId", "user_pool_domain": "UserPoolDomain",
}  # fmt: skip
_OIDC = {
    "authorization_endpoint": "AuthorizationEndpoint", "client_id": "ClientId", "issuer": "Issuer",
    "token_endpoint": "TokenEndpoint", "user_info_endpoint": "UserInfoEndpoint",
}  # fmt: skip


def _forward(found: Item) -> dict[str, object]:
    sticky = found.get("TargetGroupStickinessConfig") or {}
    return {
        "target_group": [
            {"arn": group.get("TargetGroupArn"), "weight": group.get("Weight")}
            for group in found.get("TargetGroups") or ()
        ],
        "stickiness": [{"enabled": sticky.get("Enabled"), "duration": sticky.get("DurationSeconds")}] if sticky else [],
    }


def _redirect(found: Item) -> dict[str, object]:
    parts: dict[str, object] = {name.lower(): found.get(name) for name in ("Host", "Path", "Port", "Protocol", "Query")}
    return parts | {"status_code": found.get("StatusCode")}


def _fixed(found: Item) -> dict[str, object]:
    return {
        "content_type": found.get("ContentType"),
        "message_body": found.get("MessageBody"),
        "status_code": found.get("StatusCode"),
    }


_ACTION_PARTS: Mapping[str, tuple[str, Callable[[Item], dict[str, object]]]] = {
    "forward": ("ForwardConfig", _forward),
    "redirect": ("RedirectConfig", _redirect),
    "fixed_response": ("FixedResponseConfig", _fixed),
    "authenticate_cognito": ("AuthenticateCognitoConfig", partial(_sign_in, names=_COGNITO)),
    "authenticate_oidc": ("AuthenticateOidcConfig", partial(_sign_in, names=_OIDC)),
}


def _actions(items: list[Item] | None) -> list[dict[str, object]]:
    return [
        {
            "type": item.get("Type"),
            "target_group_arn": item.get("TargetGroupArn"),
            **{
                name: [build(item[member])] if item.get(member) else []
                for name, (member, build) in _ACTION_PARTS.items()
            },
        }
        for item in sorted(items or (), key=lambda item: item.get("Order") or 0)
    ]


def read_rules(scope: Scope) -> Iterator[Finding]:
    rules = (
        {**rule, "ListenerArn": listener["ListenerArn"]}
        for listener in _listeners(scope)
        for rule in scope.pages("elbv2", "describe_rules", "Rules", ListenerArn=listener["ListenerArn"])
        if not rule.get("IsDefault")  # the listener's own default action
    )
    for item, tags in _with_tags(scope, rules, "RuleArn"):
        attributes: dict[str, object] = {
            "listener_arn": item["ListenerArn"],
            "priority": item.get("Priority"),
            "action": _actions(item.get("Actions")),
            "condition": [_condition(condition) for condition in item.get("Conditions", ())],
        }
        yield from _finding(scope, "aws_lb_listener_rule", item["RuleArn"], attributes, tags, None, {}, item)


_CONDITION_PARTS: Mapping[str, str] = {
    "host_header": "HostHeaderConfig",
    "path_pattern": "PathPatternConfig",
    "http_request_method": "HttpRequestMethodConfig",
    "source_ip": "SourceIpConfig",
}


def _condition(item: Item) -> dict[str, object]:
    field = str(item.get("Field") or "").replace("-", "_")
    if field == "http_header":
        found = item.get("HttpHeaderConfig") or {}
        return {field: [{"http_header_name": found.get("HttpHeaderName"), "values": found.get("Values")}]}
    if field == "query_string":
        pairs = (item.get("QueryStringConfig") or {}).get("Values") or ()
        return {field: [{"key": pair.get("Key"), "value": pair.get("Value")} for pair in pairs]}
    found = item.get(_CONDITION_PARTS.get(field, "")) or {}
    return {field: [{"values": found.get("Values") or item.get("Values")}]}


def read_target_groups(scope: Scope) -> Iterator[Finding]:
    groups = scope.pages("elbv2", "describe_target_groups", "TargetGroups")
    found = _with_tags(scope, groups, "TargetGroupArn")
    yield from each(({"item": item, "tags": tags} for item, tags in found), partial(_group, scope))


def _group(scope: Scope, pair: Item) -> Iterator[Finding]:
    item, key = pair["item"], pair["item"]["TargetGroupArn"]
    attributes: dict[str, object] = {
        "name": item.get("TargetGroupName"),
        "port": item.get("Port"),
        "protocol": item.get("Protocol"),
        "protocol_version": item.get("ProtocolVersion"),
        "target_type": item.get("TargetType"),
        "vpc_id": item.get("VpcId"),
        "ip_address_type": item.get("IpAddressType"),
        "health_check": [_health_check(item)],
        "targets": None,
    }
    found = attempt(_IAM, partial(scope.client("elbv2").describe_target_group_attributes, TargetGroupArn=key))
    sticky = _sticky(_settings(found))
    if isinstance(found, Gap):
        yield found.unread("aws_lb_target_group", key, "stickiness")
    elif sticky:
        attributes["stickiness"] = [sticky]
    yield from _finding(scope, "aws_lb_target_group", key, attributes, pair["tags"], found, GROUP_SETTINGS, item)


def _health_check(item: Item) -> dict[str, object]:
    matcher = item.get("Matcher") or {}
    return {
        "enabled": item.get("HealthCheckEnabled"),
        "healthy_threshold": item.get("HealthyThresholdCount"),
        "interval": item.get("HealthCheckIntervalSeconds"),
        "matcher": matcher.get("HttpCode") or matcher.get("GrpcCode"),
        "path": item.get("HealthCheckPath"),
        "port": item.get("HealthCheckPort"),
        "protocol": item.get("HealthCheckProtocol"),
        "timeout": item.get("HealthCheckTimeoutSeconds"),
        "unhealthy_threshold": item.get("UnhealthyThresholdCount"),
    }


def _sticky(known: Mapping[str, str]) -> dict[str, object]:
    if "stickiness.type" not in known:
        return {}
    kind = known["stickiness.type"]
    duration = {
        "lb_cookie": "stickiness.lb_cookie.duration_seconds",
        "app_cookie": "stickiness.app_cookie.duration_seconds",
    }
    return {
        "enabled": known.get("stickiness.enabled"),
        "type": kind,
        "cookie_duration": known.get(duration.get(kind, "")),
        "cookie_name": known.get("stickiness.app_cookie.cookie_name") if kind == "app_cookie" else None,
    }


def read_targets(scope: Scope) -> Iterator[Finding]:
    """Yield registered targets; one group whose targets cannot be read leaves all of them unchecked."""
    yield from each(scope.pages("elbv2", "describe_target_groups", "TargetGroups"), partial(_targets, scope))


def _targets(scope: Scope, group: Item) -> Iterator[Finding]:
    arn, kind = group["TargetGroupArn"], "aws_lb_target_group_attachment"
    for item in scope.client("elbv2").describe_target_health(TargetGroupArn=arn).get("TargetHealthDescriptions", ()):
        if (item.get("TargetHealth") or {}).get("State") == "draining":  # deregistered, finishing its requests
            continue
        target, port = item["Target"]["Id"], item["Target"].get("Port")
        yield LiveResource(
            type=kind,
            key=f"{arn}|{target}|{port or ''}",
            region=scope.region,
            cloud_id=f"{arn}|{target}",
            parent=Parent("aws_lb_target_group", arn, "targets"),
            aliases=((kind, f"{arn}|{target}|"),) if port in (None, group.get("Port")) else (),
            attributes={},
        )


SERVICE = Service(
    "elbv2",
    (
        Listing(
            types=("aws_lb",),
            read=read_load_balancers,
            permissions=(
                f"{_IAM}:DescribeLoadBalancers",
                f"{_IAM}:DescribeLoadBalancerAttributes",
                f"{_IAM}:DescribeTags",
            ),
        ),
        Listing(
            types=("aws_lb_listener",),
            read=read_listeners,
            permissions=(
                f"{_IAM}:DescribeListeners",
                f"{_IAM}:DescribeLoadBalancers",
                f"{_IAM}:DescribeListenerAttributes",
                f"{_IAM}:DescribeTags",
            ),
        ),
        Listing(
            types=("aws_lb_listener_rule",),
            read=read_rules,
            permissions=(
                f"{_IAM}:DescribeRules",
                f"{_IAM}:DescribeListeners",
                f"{_IAM}:DescribeLoadBalancers",
                f"{_IAM}:DescribeTags",
            ),
        ),
        Listing(
            types=("aws_lb_target_group",),
            read=read_target_groups,
            permissions=(
                f"{_IAM}:DescribeTargetGroups",
                f"{_IAM}:DescribeTargetGroupAttributes",
                f"{_IAM}:DescribeTags",
            ),
        ),
        Listing(
            types=("aws_lb_target_group_attachment",),
            read=read_targets,
            permissions=(f"{_IAM}:DescribeTargetHealth", f"{_IAM}:DescribeTargetGroups"),
        ),
    ),
)
