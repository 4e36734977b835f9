"""Reads secrets without their values: metadata, policy, rotation, replicas.

Must never call `GetSecretValue` or `BatchGetSecretValue`.
Source: AWS Secrets Manager API Reference, the operations named in the listing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...domain.resources import LiveResource, Parent
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map


def read_secrets(scope: Scope) -> Iterator[Finding]:
    """List secrets; policy and replicas take a call each. Secrets that wait for their deletion are not listed."""
    client = scope.client("secretsmanager")
    items = scope.pages("secretsmanager", "list_secrets", "SecretList")
    yield from each(items, lambda item: _secret(scope, client, item))


def _secret(scope: Scope, client: Any, item: Item) -> Iterable[Finding]:
    if item.get("DeletedDate"):
        return []
    arn, tags = item["ARN"], tag_map(item.get("Tags"))
    attributes: dict[str, object] = {
        "description": item.get("Description"),
        "kms_key_id": item.get("KmsKeyId"),
        "tags": tags,
    }
    # The owner of these is a service (as RDS is for `rds!...`) or the primary secret in another region.
    cloud_made = bool(item.get("OwningService")) or item.get("PrimaryRegion") not in (None, "", scope.region)
    findings: list[Finding] = []
    policy = attempt("secretsmanager", lambda: client.get_resource_policy(SecretId=arn))
    if isinstance(policy, Gap):
        findings += [
            policy.unread("aws_secretsmanager_secret", arn, "policy"),
            policy.unread("aws_secretsmanager_secret_policy", arn),
        ]
    else:
        attributes["policy"] = policy.get("ResourcePolicy")
        findings += _policy(scope, arn, policy, cloud_made=cloud_made)
    details = attempt("secretsmanager", lambda: client.describe_secret(SecretId=arn))
    if isinstance(details, Gap):
        findings.append(details.unread("aws_secretsmanager_secret", arn, "replica"))
    else:
        attributes["replica"] = [
            {"region": copy.get("Region"), "kms_key_id": copy.get("KmsKeyId")}
            for copy in details.get("ReplicationStatus") or ()
        ]
    findings += _rotation(scope, arn, item, cloud_made=cloud_made)
    secret = LiveResource(
        type="aws_secretsmanager_secret",
        document=item,
        key=arn,
        region=scope.region,
        cloud_id=arn,
        cloud_made=cloud_made,
        tags=tags,
        attributes=attributes,
    )
    return [secret, *findings]


def _policy(scope: Scope, arn: str, reply: Item, *, cloud_made: bool) -> Iterator[LiveResource]:
    if reply.get("ResourcePolicy"):
        yield LiveResource(
            type="aws_secretsmanager_secret_policy",
            key=arn,
            region=scope.region,
            cloud_id=arn,
            cloud_made=cloud_made,
            parent=Parent("aws_secretsmanager_secret", arn, "policy"),
            attributes={"policy": reply["ResourcePolicy"]},
        )


def _rotation(scope: Scope, arn: str, item: Item, *, cloud_made: bool) -> Iterator[LiveResource]:
    if not item.get("RotationEnabled"):
        return
    rules = item.get("RotationRules") or {}
    schedule = rules.get("ScheduleExpression")
    yield LiveResource(
        type="aws_secretsmanager_secret_rotation",
        key=arn,
        region=scope.region,
        cloud_id=arn,
        cloud_made=cloud_made,
        parent=Parent("aws_secretsmanager_secret", arn, "rotation"),
        attributes={
            "rotation_lambda_arn": item.get("RotationLambdaARN"),
            "rotation_rules": [
                {
                    # AWS derives the days from a schedule; only one of the two is anybody's choice.
                    "automatically_after_days": None if schedule else rules.get("AutomaticallyAfterDays"),
                    "duration": rules.get("Duration"),
                    "schedule_expression": schedule,
                }
            ],
        },
    )


SERVICE = Service(
    "secretsmanager",
    (
        Listing(
            types=(
                "aws_secretsmanager_secret",
                "aws_secretsmanager_secret_policy",
                "aws_secretsmanager_secret_rotation",
            ),
            read=read_secrets,
            permissions=(
                "secretsmanager:ListSecrets",
                "secretsmanager:GetResourcePolicy",
                "secretsmanager:DescribeSecret",
            ),
        ),
    ),
)
