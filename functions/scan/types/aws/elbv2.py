"""Load balancers of the second generation (application, network, gateway), their listeners, rules and targets.

Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...domain.resources import Attributes, Parent
from ...domain.shapes import (
    Canonical,
    Shape,
    block,
    boolean,
    cidr,
    constant,
    dns_name,
    folded_text,
    list_of,
    members,
    number,
    number_or_zero,
    set_of,
    string_map,
    tags,
    text,
)
from ...domain.specs import TypeSpec
from .standins import stand_in

HEADER_SETTINGS = (
    "routing_http_request_x_amzn_mtls_clientcert_header_name",
    "routing_http_request_x_amzn_mtls_clientcert_issuer_header_name",
    "routing_http_request_x_amzn_mtls_clientcert_leaf_header_name",
    "routing_http_request_x_amzn_mtls_clientcert_serial_number_header_name",
    "routing_http_request_x_amzn_mtls_clientcert_subject_header_name",
    "routing_http_request_x_amzn_mtls_clientcert_validity_header_name",
    "routing_http_request_x_amzn_tls_cipher_suite_header_name",
    "routing_http_request_x_amzn_tls_version_header_name",
    "routing_http_response_access_control_allow_credentials_header_value",
    "routing_http_response_access_control_allow_headers_header_value",
    "routing_http_response_access_control_allow_methods_header_value",
    "routing_http_response_access_control_allow_origin_header_value",
    "routing_http_response_access_control_expose_headers_header_value",
    "routing_http_response_access_control_max_age_header_value",
    "routing_http_response_content_security_policy_header_value",
    "routing_http_response_strict_transport_security_header_value",
    "routing_http_response_x_content_type_options_header_value",
    "routing_http_response_x_frame_options_header_value",
)

_sign_in: Mapping[str, Shape] = {
    "authentication_request_extra_params": string_map,
    "on_unauthenticated_request": text,
    "scope": text,
    "session_cookie_name": text,
    "session_timeout": number,
}
_action_members = members(
    {
        "type": text,
        "target_group_arn": text,
        "forward": block(
            {
                "target_group": set_of(members({"arn": text, "weight": number})),
                "stickiness": block({"enabled": boolean, "duration": number}),
            }
        ),
        "redirect": block(
            {"host": text, "path": text, "port": text, "protocol": text, "query": text, "status_code": text}
        ),
        "fixed_response": block({"content_type": text, "message_body": text, "status_code": text}),
        "authenticate_cognito": block(
            {**_sign_in, "user_pool_arn": text, "user_pool_client_id": text, "user_pool_domain": text}
        ),
        "authenticate_oidc": block(
            {
                **_sign_in,
                "authorization_endpoint": text,
                "client_id": text,
                "issuer": text,
                "token_endpoint": text,
                "user_info_endpoint": text,
            }
        ),
    }
)


def action(value: object) -> Canonical:
    """One action. `target_group_arn` is short for a `forward` to that one group, which the API reports in both forms.

    A weight says nothing when there is only one group, and neither does stickiness that is off.
    """
    found = _action_members(value)
    if not isinstance(found, dict):
        return None
    short, forward = found.pop("target_group_arn"), found.pop("forward")
    groups: Canonical = None
    stickiness: Canonical = None
    if isinstance(forward, dict):
        groups, stickiness = forward["target_group"], forward["stickiness"]
    if isinstance(stickiness, dict) and not stickiness["enabled"]:
        stickiness = None
    if isinstance(groups, tuple) and len(groups) == 1 and isinstance(groups[0], dict):
        groups = groups[0]["arn"]
    return {
        **found,
        "forward": {"target_group": groups or short, "stickiness": stickiness} if groups or short else None,
    }


_CONDITION = members(
    {
        "host_header": block({"values": set_of(dns_name)}),
        "path_pattern": block({"values": set_of(text)}),
        "http_request_method": block({"values": set_of(text)}),
        "source_ip": block({"values": set_of(cidr)}),
        "http_header": block({"http_header_name": folded_text, "values": set_of(text)}),
        "query_string": set_of(members({"key": text, "value": text})),
    }
)


def enabled_log(value: object) -> Canonical:
    """Where logs go; where they would go says nothing while they are off."""
    found = block({"enabled": boolean, "bucket": text, "prefix": text})(value)
    return found if isinstance(found, dict) and found["enabled"] else None


def client_certificates(value: object) -> Canonical:
    """How client certificates are asked for; `off` is what a listener without the block has."""
    found = block(
        {
            "mode": text,
            "trust_store_arn": text,
            "ignore_client_certificate_expiry": boolean,
            "advertise_trust_store_ca_names": text,
        }
    )(value)
    return None if isinstance(found, dict) and found["mode"] == "off" else found


def attachment_key(attributes: Attributes) -> str | None:
    """Key of a registered target; without a port it is registered on the port of its group."""
    group, target, port = (attributes.get(name) for name in ("target_group_arn", "target_id", "port"))
    return f"{group}|{target}|{port or ''}" if group and target else None


def _registered_in(attributes: Attributes) -> Parent | None:
    return Parent("aws_lb_target_group", str(attributes.get("target_group_arn")), "targets")


_LB = TypeSpec(
    "aws_lb",
    {
        "name": text,
        "internal": boolean,
        "load_balancer_type": text,
        "ip_address_type": text,
        "security_groups": set_of(text),
        "subnets": set_of(text),
        "customer_owned_ipv4_pool": text,
        "enforce_security_group_inbound_rules_on_private_link_traffic": text,
        "access_logs": enabled_log,
        "connection_logs": enabled_log,
        "client_keep_alive": number,
        "desync_mitigation_mode": text,
        "dns_record_client_routing_policy": text,
        "drop_invalid_header_fields": boolean,
        "enable_cross_zone_load_balancing": boolean,
        "enable_deletion_protection": boolean,
        "enable_http2": boolean,
        "enable_tls_version_and_cipher_suite_headers": boolean,
        "enable_waf_fail_open": boolean,
        "enable_xff_client_port": boolean,
        "enable_zonal_shift": boolean,
        "idle_timeout": number,
        "preserve_host_header": boolean,
        "xff_header_processing_mode": text,
        "tags": tags,
    },
)
_LISTENER = TypeSpec(
    "aws_lb_listener",
    {
        "load_balancer_arn": text,
        "port": number_or_zero,
        "protocol": text,
        "ssl_policy": text,
        "certificate_arn": text,
        "alpn_policy": text,
        "mutual_authentication": client_certificates,
        "default_action": list_of(action),
        "tcp_idle_timeout_seconds": number,
        "routing_http_response_server_enabled": boolean,
        **dict.fromkeys(HEADER_SETTINGS, text),
        "tags": tags,
    },
)
_RULE = TypeSpec(
    "aws_lb_listener_rule",
    {
        "listener_arn": text,
        "priority": number,
        "action": list_of(action),
        "condition": set_of(_CONDITION),
        "tags": tags,
    },
)
_GROUP = TypeSpec(
    "aws_lb_target_group",
    {
        "name": text,
        "port": number,
        "protocol": text,
        "protocol_version": text,
        "target_type": text,
        "vpc_id": text,
        "ip_address_type": text,
        "health_check": block(
            {
                "enabled": boolean,
                "healthy_threshold": number,
                "interval": number,
                "matcher": text,
                "path": text,
                "port": text,
                "protocol": text,
                "timeout": number,
                "unhealthy_threshold": number,
            }
        ),
        "stickiness": block({"enabled": boolean, "type": text, "cookie_duration": number_or_zero, "cookie_name": text}),
        "connection_termination": boolean,
        "deregistration_delay": number,
        "lambda_multi_value_headers_enabled": boolean,
        "load_balancing_algorithm_type": text,
        "load_balancing_anomaly_mitigation": text,
        "load_balancing_cross_zone_enabled": text,
        "preserve_client_ip": text,
        "proxy_protocol_v2": boolean,
        "slow_start": number,
        "targets": constant,
        "tags": tags,
    },
    inline={"targets": ("aws_lb_target_group_attachment",)},
)
_ATTACHMENT = TypeSpec("aws_lb_target_group_attachment", {}, key=attachment_key, parent=_registered_in)

SPECS = (
    _LB,
    _LISTENER,
    _RULE,
    _GROUP,
    _ATTACHMENT,
    stand_in("aws_alb", "aws_lb"),
    stand_in("aws_alb_listener", "aws_lb_listener"),
    stand_in("aws_alb_listener_rule", "aws_lb_listener_rule"),
    stand_in("aws_alb_target_group", "aws_lb_target_group"),
    stand_in(
        "aws_alb_target_group_attachment", "aws_lb_target_group_attachment", key=attachment_key, parent=_registered_in
    ),
)
