"""Reads Amazon MQ and AWS Backup.

Source: Amazon MQ API Reference and AWS Backup Developer Guide, the actions named in each listing.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each
from .forms import blocks, in_snake, tagged

_GONE = ("NotFoundException", "ResourceNotFoundException")

_BY_AWS = "Auto-generated default for "  # of a revision that nobody wrote; with that name it came with a broker


def read_configurations(scope: Scope) -> Iterator[Finding]:
    """List the configurations of brokers; what they say is a document of its own for each revision, and is not read."""
    client = scope.client("mq")
    token: dict[str, str] = {}
    while True:
        reply = client.list_configurations(MaxResults=100, **token)
        for item in reply.get("Configurations") or ():
            arn, tags = item["Arn"], item.get("Tags") or {}
            description = (item.get("LatestRevision") or {}).get("Description") or item.get("Description") or ""
            attributes: dict[str, object] = {
                **in_snake(item, "AuthenticationStrategy", "EngineType", "EngineVersion"),
                "description": description,
                "tags": tags,
            }
            is_made = item["Name"].endswith("-configuration") and description.startswith(_BY_AWS)
            yield LiveResource(
                "aws_mq_configuration", arn, scope.region, attributes, arn, cloud_made=is_made, tags=tags
            )
        if not reply.get("NextToken"):
            return
        token = {"NextToken": reply["NextToken"]}


def read_brokers(scope: Scope) -> Iterator[Finding]:
    """List brokers; each takes a call. Passwords of their users are never told by AWS."""
    client, kind = scope.client("mq"), "aws_mq_broker"

    def one(item: Item) -> Iterator[Finding]:
        arn = item["BrokerArn"]
        found = attempt("mq", lambda: client.describe_broker(BrokerId=item["BrokerId"]), *_GONE)
        if isinstance(found, Gap):
            yield found.unread(kind, arn)
            return
        if not found:
            return
        tags = found.get("Tags") or {}
        logs = found.get("Logs") or {}
        attributes: dict[str, object] = {
            **in_snake(
                found, "AuthenticationStrategy", "AutoMinorVersionUpgrade", "DeploymentMode", "EngineType", "EngineVersion",
                "HostInstanceType", "PubliclyAccessible", "SecurityGroups", "StorageType", "SubnetIds",
            ),
            "logs": [{"audit": logs.get("Audit"), "general": logs.get("General")}],
            "tags": tags,
        }  # fmt: skip
        yield LiveResource(kind, arn, scope.region, attributes, arn, tags=tags)

    yield from each(scope.pages("mq", "list_brokers", "BrokerSummaries"), one)


def read_vaults(scope: Scope) -> Iterator[Finding]:
    """List vaults with their locks; the ones named `Default` and `aws/efs/…` are made by AWS."""
    client, kind = scope.client("backup"), "aws_backup_vault"

    def one(item: Item) -> Iterator[Finding]:
        arn, name = item["BackupVaultArn"], item["BackupVaultName"]
        attributes: dict[str, object] = {"kms_key_arn": item.get("EncryptionKeyArn")}
        is_made = name == "Default" or name.startswith("aws/")
        yield from tagged(
            scope, kind, arn, attributes, arn, lambda: client.list_tags(ResourceArn=arn).get("Tags") or {}, *_GONE,
            cloud_made=is_made,
        )  # fmt: skip
        if item.get("Locked"):
            days = in_snake(item, "MaxRetentionDays", "MinRetentionDays")
            yield LiveResource("aws_backup_vault_lock_configuration", arn, scope.region, days, arn)

    yield from each(scope.pages("backup", "list_backup_vaults", "BackupVaultList"), one)


def read_plans(scope: Scope) -> Iterator[Finding]:
    """List plans; each takes a call."""
    client, kind = scope.client("backup"), "aws_backup_plan"

    def one(item: Item) -> Iterator[Finding]:
        arn = item["BackupPlanArn"]
        reply = attempt("backup", lambda: client.get_backup_plan(BackupPlanId=item["BackupPlanId"]), *_GONE)
        if isinstance(reply, Gap):
            yield reply.unread(kind, arn)
            return
        if not reply:
            return
        plan = reply["BackupPlan"]
        attributes: dict[str, object] = {
            "advanced_backup_setting": blocks(plan.get("AdvancedBackupSettings") or [], frozenset({"BackupOptions"})),
            "name": plan.get("BackupPlanName"),
            "rule": [_rule(rule) for rule in plan.get("Rules") or ()],
        }
        yield from tagged(
            scope, kind, arn, attributes, arn, lambda: client.list_tags(ResourceArn=arn).get("Tags") or {}, *_GONE
        )

    yield from each(scope.pages("backup", "list_backup_plans", "BackupPlansList"), one)


def _rule(rule: Item) -> dict[str, object]:
    copies = [
        {
            "destination_vault_arn": copy.get("DestinationBackupVaultArn"),
            "lifecycle": _lifecycle(copy.get("Lifecycle") or {}),
        }
        for copy in rule.get("CopyActions") or ()
    ]
    return {
        **in_snake(rule, "EnableContinuousBackup", "RecoveryPointTags", "RuleName", "ScheduleExpressionTimezone"),
        "completion_window": rule.get("CompletionWindowMinutes"),
        "copy_action": copies,
        "lifecycle": _lifecycle(rule.get("Lifecycle") or {}),
        "schedule": rule.get("ScheduleExpression"),
        "start_window": rule.get("StartWindowMinutes"),
        "target_vault_name": rule.get("TargetBackupVaultName"),
    }


def _lifecycle(found: Item) -> object:
    written = {
        "cold_storage_after": found.get("MoveToColdStorageAfterDays"),
        "delete_after": found.get("DeleteAfterDays"),
        "opt_in_to_archive_for_supported_resources": found.get("OptInToArchiveForSupportedResources"),
    }
    return [written] if found else []


SERVICE = Service(
    "brokers",
    (
        Listing(("aws_mq_configuration",), read_configurations, ("mq:ListConfigurations",)),
        Listing(("aws_mq_broker",), read_brokers, ("mq:ListBrokers", "mq:DescribeBroker")),
        Listing(
            ("aws_backup_vault", "aws_backup_vault_lock_configuration"),
            read_vaults,
            ("backup:ListBackupVaults", "backup:ListTags"),
        ),
        Listing(
            ("aws_backup_plan",), read_plans, ("backup:ListBackupPlans", "backup:GetBackupPlan", "backup:ListTags")
        ),
    ),
)
