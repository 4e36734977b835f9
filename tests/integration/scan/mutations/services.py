"""What can be changed behind Terraform's back in the `services` group: one tuple per kind of service, here put together."""

from __future__ import annotations

from functions.scan.types.aws import cloudwatch, dynamodb, ecr, ecs, events, logs, rds, route53, sns, sqs
from tests.support.aws_account import Mutation

from . import services_data, services_messages, services_runtime

SPECS = (
    *sqs.SPECS,
    *sns.SPECS,
    *dynamodb.SPECS,
    *rds.SPECS,
    *logs.SPECS,
    *cloudwatch.SPECS,
    *ecr.SPECS,
    *route53.SPECS,
    *ecs.SPECS,
    *events.SPECS,
)

MUTATIONS: tuple[Mutation, ...] = (
    *services_data.MUTATIONS,
    *services_runtime.MUTATIONS,
    *services_messages.MUTATIONS,
)

EXCEPTIONS: dict[str, str] = {
    **services_data.EXCEPTIONS,
    **services_runtime.EXCEPTIONS,
    **services_messages.EXCEPTIONS,
}
