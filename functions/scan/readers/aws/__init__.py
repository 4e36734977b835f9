"""The AWS readers, one module per service; `SERVICES` is what a scan shards over."""

from __future__ import annotations

from . import (
    cloudwatch,
    dynamodb,
    ec2_compute,
    ec2_gateways,
    ec2_links,
    ec2_network,
    ec2_security,
    ecr,
    ecs,
    elbv2,
    events,
    iam,
    kms,
    lambda_,
    logs,
    rds,
    route53,
    s3,
    secretsmanager,
    sns,
    sqs,
    ssm,
)
from .base import Service

SERVICES: tuple[Service, ...] = (
    cloudwatch.SERVICE,
    dynamodb.SERVICE,
    ec2_compute.SERVICE,
    ec2_gateways.SERVICE,
    ec2_links.SERVICE,
    ec2_network.SERVICE,
    ec2_security.SERVICE,
    ecr.SERVICE,
    ecs.SERVICE,
    elbv2.SERVICE,
    events.SERVICE,
    iam.SERVICE,
    kms.SERVICE,
    lambda_.SERVICE,
    logs.SERVICE,
    rds.SERVICE,
    route53.SERVICE,
    s3.SERVICE,
    secretsmanager.SERVICE,
    sns.SERVICE,
    sqs.SERVICE,
    ssm.SERVICE,
)
