"""The AWS type table: `SPECS` by Terraform type."""

from __future__ import annotations

from ...domain.specs import index
from . import (
    cloudwatch,
    dynamodb,
    ec2_compute,
    ec2_gateways,
    ec2_links,
    ec2_network,
    ec2_routing,
    ec2_security,
    ec2_templates,
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

SPECS = index(
    (
        *cloudwatch.SPECS,
        *dynamodb.SPECS,
        *ec2_compute.SPECS,
        *ec2_gateways.SPECS,
        *ec2_links.SPECS,
        *ec2_network.SPECS,
        *ec2_routing.SPECS,
        *ec2_security.SPECS,
        *ec2_templates.SPECS,
        *ecr.SPECS,
        *ecs.SPECS,
        *elbv2.SPECS,
        *events.SPECS,
        *iam.SPECS,
        *kms.SPECS,
        *lambda_.SPECS,
        *logs.SPECS,
        *rds.SPECS,
        *route53.SPECS,
        *s3.SPECS,
        *secretsmanager.SPECS,
        *sns.SPECS,
        *sqs.SPECS,
        *ssm.SPECS,
    )
)
