"""Secrets Manager: secrets without their values, policies, rotation.

Source: Terraform AWS provider 5.100, resource documentation of each type; AWS Secrets Manager API Reference.
"""

from __future__ import annotations

from ...domain.resources import Attributes, Parent
from ...domain.shapes import block, default_is, members, number_or_zero, policy, schedule, set_of, tags, text
from ...domain.specs import TypeSpec, by

# A replica without a key of its own reports the AWS-managed one by its alias; the state may leave it out.
_REPLICA_KEY = default_is("alias/aws/secretsmanager", text)


def _parent_of_policy(attributes: Attributes) -> Parent | None:
    arn = attributes.get("secret_arn")
    return Parent("aws_secretsmanager_secret", str(arn), "policy") if arn else None


SPECS = (
    TypeSpec(
        "aws_secretsmanager_secret",
        {
            "description": text,
            "kms_key_id": text,
            "policy": policy,
            "replica": set_of(members({"region": text, "kms_key_id": _REPLICA_KEY})),
            "tags": tags,
        },
        inline={"policy": ("aws_secretsmanager_secret_policy",)},
    ),
    TypeSpec(
        "aws_secretsmanager_secret_policy",
        {"policy": policy},
        key=by("secret_arn"),
        parent=_parent_of_policy,
    ),
    TypeSpec(
        "aws_secretsmanager_secret_rotation",
        {
            "rotation_lambda_arn": text,
            "rotation_rules": block(
                {"automatically_after_days": number_or_zero, "duration": text, "schedule_expression": schedule}
            ),
        },
    ),
)
