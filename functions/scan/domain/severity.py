"""How bad a drift is, and which rule says so. Rules are data, first match wins; a rule only ever looks at one drift."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .comparison import Drift

Severity: TypeAlias = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")

_STATEFUL = frozenset(
    {
        "aws_db_instance", "aws_dynamodb_table", "aws_s3_bucket", "aws_ebs_volume", "aws_kms_key", "aws_sqs_queue",
        "aws_secretsmanager_secret", "aws_ecr_repository", "aws_route53_zone", "aws_cloudwatch_log_group",
    }
)  # fmt: skip
_IDENTITY_PREFIX = "aws_iam_"
_RULE_TYPES = frozenset(
    {"aws_security_group", "aws_security_group_rule", "aws_vpc_security_group_ingress_rule", "aws_network_acl",
     "aws_network_acl_rule", "aws_default_security_group", "aws_vpc_security_group_egress_rule"}
)  # fmt: skip
_PROTECTIONS = frozenset(
    {
        "deletion_protection", "deletion_protection_enabled", "enable_deletion_protection", "backup_retention_period",
        "storage_encrypted", "encrypted", "enable_key_rotation", "block_public_acls", "block_public_policy",
        "ignore_public_acls", "restrict_public_buckets", "versioning_configuration", "versioning", "publicly_accessible",
        "server_side_encryption", "server_side_encryption_configuration", "point_in_time_recovery", "rule",
        "image_tag_mutability", "metadata_options", "kms_key_id", "kms_master_key_id", "sqs_managed_sse_enabled",
        "disable_api_termination", "multi_az", "policy", "assume_role_policy", "is_enabled", "key_state",
    }
)  # fmt: skip
_WORLD = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A severity and the rule that set it."""

    severity: Severity
    rule: str


@dataclass(frozen=True, slots=True)
class SeverityRule:
    """One rule.

    Attributes:
        id: stable name, shown with the item.
        severity: what it says.
        applies: whether it speaks about a drift.
    """

    id: str
    severity: Severity
    applies: Callable[[Drift], bool]


def judge(drift: Drift) -> Verdict:
    """Return the severity of a drift and the rule that set it."""
    for rule in _RULES:
        if rule.applies(drift):
            return Verdict(rule.severity, rule.id)
    return Verdict("low", "changed-attribute")


def _top(path: str | None) -> str:
    return (path or "").split(".", 1)[0].split("[", 1)[0]


def _opens_to_world(drift: Drift) -> bool:
    """Ingress from anywhere that the state does not have."""
    is_ingress = drift.type in _RULE_TYPES and "egress" not in f"{drift.type}.{drift.path}"
    before, after = (json.dumps(side, default=str) for side in (drift.before, drift.after))
    return is_ingress and any(world in after and world not in before for world in _WORLD)


def _is_public_policy(drift: Drift) -> bool:
    before, after = (json.dumps(side, default=str) for side in (drift.before, drift.after))
    wide = ('"Principal": "*"', '"AWS": ["*"]')
    return _top(drift.path) in {"policy", "assume_role_policy"} and any(
        mark in after and mark not in before for mark in wide
    )


def _grants_admin(drift: Drift) -> bool:
    return drift.kind == "unmanaged" and drift.type.startswith(_IDENTITY_PREFIX) and "AdministratorAccess" in drift.key


_RULES: tuple[SeverityRule, ...] = (
    SeverityRule("tags-changed", "low", lambda drift: drift.kind == "changed" and _top(drift.path) == "tags"),
    SeverityRule("public-ingress", "critical", _opens_to_world),
    SeverityRule("public-access", "critical", _is_public_policy),
    SeverityRule("admin-grant", "critical", _grants_admin),
    SeverityRule(
        "stateful-resource-missing", "critical", lambda drift: drift.kind == "missing" and drift.type in _STATEFUL
    ),
    SeverityRule(
        "identity-unmanaged", "high",
        lambda drift: drift.kind == "unmanaged" and drift.type.startswith(_IDENTITY_PREFIX),
    ),
    SeverityRule(
        "network-rule-unmanaged", "high", lambda drift: drift.kind == "unmanaged" and drift.type in _RULE_TYPES
    ),
    SeverityRule("resource-missing", "high", lambda drift: drift.kind == "missing"),
    SeverityRule("network-rule-changed", "high", lambda drift: drift.kind == "changed" and drift.type in _RULE_TYPES),
    SeverityRule("identity-changed", "high", lambda drift: drift.kind == "changed" and drift.type.startswith(_IDENTITY_PREFIX)),
    SeverityRule("protection-changed", "high", lambda drift: drift.kind == "changed" and _top(drift.path) in _PROTECTIONS),
    SeverityRule("resource-unmanaged", "medium", lambda drift: drift.kind == "unmanaged"),
    SeverityRule("attribute-changed", "medium", lambda drift: drift.kind == "changed"),
)  # fmt: skip
