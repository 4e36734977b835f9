"""What an index of the cloud lists: ARNs, told apart by what they name and by who made it.

Decides the Terraform type of an ARN and whether anybody could manage the thing. Must not read, match or store.
Source: AWS General Reference, "Amazon Resource Names"; service documentation of each default that is named here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

GENERIC = "aws_resource"  # stands for whatever only an index lists, when the index cannot be read

_NAME = re.compile(r"[^a-z0-9]+")
# Things that AWS makes in every account, by service and the beginning of what follows it.
_MADE_BY_AWS = (
    ("appconfig", "deploymentstrategy/AppConfig."),
    ("apprunner", "autoscalingconfiguration/DefaultConfiguration"),
    ("athena", "datacatalog/AwsDataCatalog"),
    ("athena", "workgroup/primary"),
    ("backup", "backup-vault:aws/"),
    ("backup", "backup-vault:Default"),
    ("cassandra", "/keyspace/system"),
    ("codedeploy", "deploymentconfig:CodeDeployDefault."),
    ("dax", "parameterGroup/default."),
    ("elasticache", "parametergroup:default."),
    ("elasticache", "user:default"),
    ("elasticache", "usergroup:default"),
    ("events", "event-bus/default"),
    ("events", "rule/AutoScalingManagedRule"),
    ("iam", "role/aws-service-role/"),
    ("iam", "role/aws-reserved/"),
    ("kms", "alias/aws/"),
    ("memorydb", "acl/open-access"),
    ("memorydb", "parametergroup/default."),
    ("memorydb", "user/default"),
    ("rds", "cluster-pg:default."),
    ("rds", "cluster-snapshot:rds:"),
    ("rds", "og:default:"),
    ("rds", "pg:default."),
    ("rds", "secgrp:default"),
    ("rds", "snapshot:rds:"),
    ("rds", "subgrp:default"),
    ("redshift", "parametergroup:default."),
    ("resource-explorer-2", ""),
    ("route53resolver", "resolver-rule/rslvr-autodefined-"),
    ("s3", "storage-lens/default-account-dashboard"),
    ("scheduler", "schedule-group/default"),
    ("ssm", "document/AWS-"),
    ("ssm", "document/AmazonCloudWatch-"),
    ("ssm", "patchbaseline/aws"),
    ("xray", "group/Default"),
    ("xray", "sampling-rule/Default"),
)
# Parts of other things, or traces of a run: nobody writes them into a configuration.
_PARTS = frozenset(
    {
        "backup:recovery-point", "batch:job", "bedrock:model-invocation-job", "cloudformation:changeset", "codebuild:build",
        "ec2:fleet", "ec2:network-interface", "ec2:reserved-instances", "ec2:security-group-rule", "ec2:spot-instances-request",
        "ecs:container-instance", "ecs:task", "ecs:task-set", "eks:podidentityassociation", "glue:session", "iam:mfa",
        "rds:auto-backup", "sagemaker:processing-job", "sagemaker:training-job", "sagemaker:transform-job", "ssm:automation-execution",
        "ssm:managed-instance", "ssm:session", "states:execution", "transcribe:transcription-job",
    }
)  # fmt: skip
_MADE_BY_SERVICE = (
    "aws:backup:source-resource",
    "aws:autoscaling:groupName",
    "aws:ec2launchtemplate:id",
    "eks:nodegroup-name",
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One thing that an index lists.

    Attributes:
        arn: its name.
        type: Terraform type, a generic name when no type is known.
        region: region, or `global`.
        tags: as far as the index tells.
    """

    arn: str
    type: str
    region: str
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The last part of the ARN, by which states know things that have no ARN there."""
        return re.split(r"[/:]", self.arn)[-1]


def listed(
    arn: str,
    account: str,
    *,
    by_form: Mapping[str, str],
    cloud_formation: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> Listed | None:
    """Tell what an ARN names; None when nobody could manage it: AWS made it, another account owns it, it is a part.

    Args:
        arn: as an index has it.
        account: the scanned account.
        by_form: Terraform types by `service:kind`.
        cloud_formation: Terraform type by the CloudFormation type that the index tells, when it tells one.
        tags: as far as the index tells.
    """
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or parts[4] not in ("", account):
        return None
    service, region, rest = parts[2], parts[3] or "global", parts[5]
    form = f"{service}:{kind_of(service, rest)}"
    known = tags or {}
    is_made = any(service == owner and rest.startswith(begin) for owner, begin in _MADE_BY_AWS)
    if is_made or form in _PARTS or any(name in known for name in _MADE_BY_SERVICE):
        return None
    return Listed(arn, cloud_formation or by_form.get(form) or _generic(form), region, dict(known))


def kind_of(service: str, rest: str) -> str:
    """Return the kind of thing that an ARN names, from what follows the account."""
    if service == "s3":
        return rest.split("/", 1)[0] if rest.startswith(("accesspoint/", "storage-lens/")) else "bucket"
    if service in {"sns", "sqs"}:
        return "topic" if service == "sns" else "queue"
    return re.split(r"[/:]", rest.lstrip("/"), maxsplit=1)[0]


def _generic(form: str) -> str:
    return "aws_" + _NAME.sub("_", form.lower()).strip("_")
