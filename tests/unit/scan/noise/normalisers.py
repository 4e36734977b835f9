"""The normalisers of the first generation: attributes that cannot be compared, type by type.

DriftWise names what it compares (`TypeSpec.shapes`), so that an attribute in no shape is silent by itself; the cases show that
the silence ends where the attribute beside it begins.
"""

from __future__ import annotations

import json

from functions.scan.domain.resources import LiveResource

from .harness import Family, change, fold, live, one, read

_ALLOW = {"Effect": "Allow", "Action": ["a:Get", "a:List"], "Resource": "*"}
_POLICY = json.dumps({"Version": "2012-10-17", "Statement": [_ALLOW]}, indent=2)
_SAME = {"Statement": {"Resource": ["*"], "Action": ["a:list", "a:get"], "Effect": "Allow"}, "Version": "2012-10-17"}
_WIDER = json.dumps({"Version": "2012-10-17", "Statement": [{**_ALLOW, "Action": ["a:*"]}]})
_WITH_POLICY = {
    "aws_iam_policy": {"id": "arn:p"},
    "aws_iam_role_policy": {"id": "r:p"},
    "aws_kms_key": {"id": "k"},
    "aws_s3_bucket_policy": {"bucket": "b"},
    "aws_sns_topic_policy": {"arn": "arn:t"},
    "aws_sqs_queue_policy": {"queue_url": "https://sqs.us-east-1.amazonaws.com/1/q"},
    "aws_ecr_repository_policy": {"registry_id": "1", "repository": "r"},
    "aws_secretsmanager_secret_policy": {"secret_arn": "arn:s"},
}
_FILTER = '{ "kind": ["order", "refund"] }'
_RULE = {"type": "egress", "security_group_id": "sg-1", "protocol": "-1", "from_port": 0, "to_port": 65535, "cidr_blocks": ["10.0.0.0/8"]}  # fmt: skip
_ACL = {"network_acl_id": "acl-1", "rule_number": "10", "egress": True, "protocol": "-1", "rule_action": "allow"}
_INLINE = {"protocol": "tcp", "from_port": 443, "to_port": 443, "self": False}


def _outgoing(**members: object) -> tuple[LiveResource, ...]:
    rule = {"SecurityGroupRuleId": "sgr-1", "GroupId": "sg-1", "IsEgress": True, "CidrIpv4": "10.0.0.0/8", **members}
    return read("aws_vpc_security_group_egress_rule", describe_security_group_rules={"SecurityGroupRules": [rule]})


def _silent(kind: str, identity: dict[str, str], *names: str, compared: str, value: object, other: object) -> Family:
    """Make the family of arguments that only Terraform knows, beside an attribute that is compared."""
    state = {**identity, compared: value, **dict.fromkeys(names, "something")}
    return Family(
        f"silent {kind}",
        f"Terraform-only, write-only or volatile attributes of {kind}: {', '.join(names)}",
        f"In no shape of {kind}: never compared.",
        **one(kind, state, {compared: value, **dict.fromkeys(names, "else")}, {compared: other}, compared),
    )


FAMILIES: tuple[Family, ...] = (
    _silent("aws_vpc", {"id": "vpc-1"}, "timeouts", compared="enable_dns_support", value=True, other=False),
    _silent("aws_db_instance", {"arn": "arn:d"}, "password", "skip_final_snapshot", "final_snapshot_identifier", "apply_immediately",
            "allow_major_version_upgrade", "delete_automated_backups", "snapshot_identifier", "latest_restorable_time", "status",
            compared="deletion_protection", value=True, other=False),
    _silent("aws_s3_bucket", {"id": "b"}, "force_destroy", "bucket_prefix", compared="request_payer", value="BucketOwner", other="Requester"),
    _silent("aws_iam_user", {"id": "u"}, "force_destroy", compared="path", value="/", other="/admins/"),
    _silent("aws_route53_zone", {"id": "Z1"}, "force_destroy", compared="comment", value="a", other="b"),
    _silent("aws_lambda_function", {"arn": "arn:f"}, "filename", "publish", "source_code_size", "last_modified", "source_code_hash",
            compared="code_sha256", value="a=", other="b="),
    _silent("aws_iam_role", {"id": "r"}, "force_detach_policies", "name_prefix", compared="max_session_duration", value=3600, other=43200),
    _silent("aws_kms_key", {"id": "k"}, "deletion_window_in_days", "bypass_policy_lockout_safety_check", compared="is_enabled", value=True, other=False),
    _silent("aws_route53_record", {"zone_id": "Z1", "fqdn": "a.b", "type": "A"}, "allow_overwrite", compared="ttl", value=60, other=61),
    _silent("aws_security_group", {"id": "sg-1"}, "revoke_rules_on_delete", "name_prefix", compared="name", value="a", other="b"),
    _silent("aws_key_pair", {"arn": "arn:k"}, "public_key", "key_name_prefix", compared="fingerprint", value="aa:bb", other="cc:dd"),
    _silent("aws_lambda_event_source_mapping", {"id": "m"}, "state", "state_transition_reason", "last_modified", "last_processing_result",
            compared="enabled", value=True, other=False),
    _silent("aws_sns_topic_subscription", {"topic_arn": "arn:t", "protocol": "sqs", "endpoint": "arn:q"}, "confirmation_timeout_in_minutes",
            "endpoint_auto_confirms", compared="raw_message_delivery", value=True, other=False),
    _silent("aws_cloudfront_distribution", {"id": "E1"}, "retain_on_delete", "wait_for_deployment", "etag", "status", "last_modified_time",
            compared="price_class", value="PriceClass_100", other="PriceClass_All"),
    Family("silent secrets", "Access key secrets and SMTP passwords", "Not needed: `aws_iam_access_key` has no spec here, so that neither is stored or compared"),
    *(Family(f"policy {kind}", "Policy JSON is parsed and written anew", "`domain/shapes.policy`",
             **one(kind, {**identity, "policy": _POLICY}, {"policy": _SAME}, {"policy": _WIDER}, "policy.Statement"))
      for kind, identity in _WITH_POLICY.items()),
    *(Family(f"document {name}", "Delivery and filter policies: JSON in strings", "`domain/shapes.document`",
             **one("aws_sns_topic_subscription", {"topic_arn": "arn:t", "protocol": "sqs", "endpoint": "arn:q", name: _FILTER},
                   {name: {"kind": ["order", "refund"]}}, {name: '{"kind": ["order"]}'}, f"{name}.kind"))
      for name in ("filter_policy", "delivery_policy", "redrive_policy")),
    Family("empty permissions boundary", "An empty permissions boundary is none", "`domain/shapes.text`",
           **one("aws_iam_role", {"id": "r", "permissions_boundary": ""}, {"permissions_boundary": None}, {"permissions_boundary": "arn:b"}, "permissions_boundary")),
    Family(
        "ports without a protocol", "SG rule ports dropped for protocols other than tcp, udp, icmp", "`types/aws/ec2_security.port_of`",
        (fold("every protocol", ("aws_security_group_rule", _RULE), _outgoing(IpProtocol="-1", FromPort=-1, ToPort=-1)),
         fold("TCP by number", ("aws_security_group_rule", {**_RULE, "protocol": "6"}), _outgoing(IpProtocol="tcp", FromPort=0, ToPort=65535))),
        (change("ports of TCP", ("aws_security_group_rule", {**_RULE, "protocol": "tcp", "to_port": 22}), _outgoing(IpProtocol="tcp", FromPort=0, ToPort=65535),
                ("missing", "aws_security_group_rule.x", ""), ("unmanaged", "sgr-1", "")),),
    ),
    Family(
        "rule numbers", "Rule numbers to whole numbers", "`types/aws/ec2_routing.acl_rule_key`",
        (fold("a number as text", ("aws_network_acl_rule", _ACL), live("aws_network_acl_rule", "acl-1|egress|10", protocol=-1, rule_action="ALLOW")),),
        (change("another number", ("aws_network_acl_rule", _ACL), live("aws_network_acl_rule", "acl-1|egress|11", protocol="-1", rule_action="allow"),
                ("missing", "aws_network_acl_rule.x", ""), ("unmanaged", "acl-1|egress|11", "")),),
    ),
    Family("inline rules", "Inline rules of groups: dropped altogether by others", "Compared here, one by one: `types/aws/ec2_security.inline_rules`",
           **one("aws_security_group", {"id": "sg-1", "ingress": [{**_INLINE, "cidr_blocks": ["10.0.0.0/8", "10.1.0.0/16"]}]},
                 {"ingress": [{**_INLINE, "cidr_blocks": ["10.1.0.0/16"]}, {**_INLINE, "cidr_blocks": ["10.0.0.0/8"]}]},
                 {"ingress": [{**_INLINE, "cidr_blocks": ["10.0.0.0/8", "0.0.0.0/0"]}]}, "ingress")),
)  # fmt: skip
