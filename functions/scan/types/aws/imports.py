"""How each AWS type is imported: its import id, what a configuration needs beyond the compared attributes, what it must not say.

Owns the table. Source: Terraform AWS provider 5.100 documentation, section "Import" of each resource; that a plan takes each over
without a change is proved by `tests/integration/scan/test_import_plans.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..import_rules import ImportRule, Source


def _key(source: Source) -> str:
    return source.key


def _named(attribute: str, **more: Any) -> ImportRule:
    """Import by the name at the end of the ARN, which is also an argument."""
    return ImportRule(lambda source: source.name, lambda source: {attribute: source.name}, **more)


def _pathed(attribute: str, *, slash: str = "", **more: Any) -> ImportRule:
    """Import by all of the ARN's resource behind its kind."""
    return ImportRule(
        lambda source: slash + source.resource, lambda source: {attribute: slash + source.resource}, **more
    )


def _keyed(attribute: str, **more: Any) -> ImportRule:
    return ImportRule(_key, lambda source: {attribute: source.key}, **more)


_BY_KEY = ImportRule(_key)
_BY_BUCKET = _keyed("bucket")


def _acl_rule_id(source: Source) -> str:
    is_egress = "true" if source.part(1) == "egress" else "false"
    return f"{source.part(0)}:{source.part(2)}:{source.attributes.get('protocol')}:{is_egress}"


def _acl_rule(source: Source) -> Mapping[str, object]:
    return {
        "network_acl_id": source.part(0),
        "rule_number": int(source.part(2)),
        "egress": source.part(1) == "egress",
        "rule_action": source.attributes.get("rule_action"),
    }


def _route(source: Source) -> Mapping[str, object]:
    target = source.part(1)
    name = (
        "destination_prefix_list_id"
        if target.startswith("pl-")
        else "destination_ipv6_cidr_block"
        if ":" in target
        else "destination_cidr_block"
    )
    return {"route_table_id": source.part(0), name: target}


def _service(source: Source) -> Mapping[str, object]:
    """The provider reads a task definition as `family:revision`."""
    definition = str(source.attributes.get("task_definition") or "")
    return {"name": source.name, "task_definition": definition.rsplit("/", 1)[-1]}


def _target_group(source: Source) -> Mapping[str, object]:
    """Stickiness that is off has no duration, for which the provider would plan its default."""
    blocks = source.attributes.get("stickiness") or ()
    is_on = any(str(item.get("enabled")).lower() == "true" for item in blocks)
    return {} if is_on else {"stickiness": None}


def _secret_name(source: Source) -> str:
    return source.resource.rsplit("-", 1)[0]


RULES: Mapping[str, ImportRule] = {
    "aws_cloudwatch_event_bus": _named("name"),
    "aws_cloudwatch_event_rule": _named("name"),
    "aws_cloudwatch_event_target": ImportRule(
        lambda source: "/".join(source.key.split("|")),
        lambda source: {"event_bus_name": source.part(0), "rule": source.part(1), "target_id": source.part(2)},
    ),
    "aws_cloudwatch_log_group": _pathed("name"),
    "aws_cloudwatch_metric_alarm": _named("alarm_name"),
    "aws_db_parameter_group": _named("name"),
    "aws_db_subnet_group": _named("name"),
    "aws_dynamodb_table": _named("name"),
    "aws_ebs_volume": _BY_KEY,
    "aws_ecr_repository": _pathed("name"),
    "aws_ecs_cluster": _named("name"),
    "aws_ecs_service": ImportRule(lambda source: source.resource, _service, unreadable=("wait_for_steady_state",)),
    "aws_eip": _BY_KEY,
    "aws_iam_group": _keyed("name"),
    "aws_iam_group_policy_attachment": ImportRule(
        lambda source: f"{source.part(0)}/{source.part(1)}", lambda source: {"group": source.part(0), "policy_arn": source.part(1)}
    ),
    "aws_iam_instance_profile": _keyed("name"),
    "aws_iam_policy": ImportRule(_key, lambda source: {"name": source.name}),
    "aws_iam_role": _keyed("name"),
    "aws_iam_role_policy": ImportRule(
        _key, lambda source: {"role": source.part(0, ":"), "name": source.part(1, ":")}
    ),
    "aws_iam_role_policy_attachment": ImportRule(
        lambda source: f"{source.part(0)}/{source.part(1)}", lambda source: {"role": source.part(0), "policy_arn": source.part(1)}
    ),
    "aws_iam_user": _keyed("name"),
    "aws_iam_user_group_membership": ImportRule(
        lambda source: f"{source.part(0)}/{source.part(1)}", lambda source: {"user": source.part(0), "groups": [source.part(1)]}
    ),
    "aws_iam_user_policy": ImportRule(_key, lambda source: {"user": source.part(0, ":"), "name": source.part(1, ":")}),
    "aws_iam_user_policy_attachment": ImportRule(
        lambda source: f"{source.part(0)}/{source.part(1)}", lambda source: {"user": source.part(0), "policy_arn": source.part(1)}
    ),
    "aws_instance": ImportRule(
        _key, left_out=frozenset({"root_block_device"}), unreadable=("user_data_replace_on_change",)  # the block's tags are not read
    ),
    "aws_internet_gateway": _BY_KEY,
    "aws_kms_alias": ImportRule(lambda source: f"alias/{source.resource}", lambda source: {"name": f"alias/{source.resource}"}),
    "aws_kms_key": _BY_KEY,
    "aws_launch_template": _BY_KEY,
    "aws_lb": _BY_KEY,
    "aws_lb_listener": _BY_KEY,
    "aws_lb_listener_rule": _BY_KEY,
    "aws_lb_target_group": ImportRule(
        _key, _target_group, unreadable=("lambda_multi_value_headers_enabled", "proxy_protocol_v2")
    ),
    "aws_nat_gateway": _BY_KEY,
    "aws_network_acl": _BY_KEY,
    "aws_network_acl_rule": ImportRule(_acl_rule_id, _acl_rule),
    "aws_route": ImportRule(lambda source: f"{source.part(0)}_{source.part(1)}", _route),
    "aws_route53_record": ImportRule(
        lambda source: "_".join(part for part in source.key.split("|") if part),
        lambda source: {"zone_id": source.part(0), "name": source.part(1), "type": source.part(2)},
    ),
    "aws_route53_zone": _BY_KEY,
    "aws_route_table": _BY_KEY,
    "aws_route_table_association": ImportRule(
        lambda source: f"{source.key}/{source.attributes.get('route_table_id')}", lambda source: {"subnet_id": source.key}
    ),
    "aws_s3_bucket": _BY_BUCKET,
    "aws_s3_bucket_lifecycle_configuration": _BY_BUCKET,
    "aws_s3_bucket_ownership_controls": _BY_BUCKET,
    "aws_s3_bucket_policy": _BY_BUCKET,
    "aws_s3_bucket_public_access_block": _BY_BUCKET,
    "aws_s3_bucket_server_side_encryption_configuration": _BY_BUCKET,
    "aws_s3_bucket_versioning": _BY_BUCKET,
    "aws_secretsmanager_secret": ImportRule(
        _key,
        lambda source: {"name": _secret_name(source)},
        unreadable=("force_overwrite_replica_secret", "recovery_window_in_days"),
    ),
    "aws_security_group": _BY_KEY,
    "aws_sns_topic": ImportRule(_key, lambda source: {"name": source.name}),
    "aws_sns_topic_policy": ImportRule(_key, lambda source: {"arn": source.key}),
    "aws_sns_topic_subscription": ImportRule(
        lambda source: source.cloud_id,
        lambda source: {"topic_arn": source.part(0), "protocol": source.part(1), "endpoint": source.part(2)},
        unreadable=("confirmation_timeout_in_minutes", "endpoint_auto_confirms"),
    ),
    "aws_sqs_queue": ImportRule(lambda source: f"https://{source.key}", lambda source: {"name": source.name}),
    "aws_ssm_parameter": _pathed("name", slash="/", left_out=frozenset({"version", "insecure_value"})),
    "aws_subnet": _BY_KEY,
    "aws_vpc": _BY_KEY,
    "aws_vpc_security_group_egress_rule": _BY_KEY,
    "aws_vpc_security_group_ingress_rule": _BY_KEY,
}  # fmt: skip
