"""The AWS type table: `SPECS` by Terraform type."""

from __future__ import annotations

from collections.abc import Mapping

from ...domain.specs import TypeSpec, index
from . import (
    audit,
    caches,
    catalogues,
    cloudwatch,
    dynamodb,
    ec2_compute,
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
    people,
    rds,
    rds_clusters,
    route53,
    runtime,
    s3,
    secretsmanager,
    sns,
    sqs,
    ssm,
    stores,
)
from .catalogue import READABLE

SPECS = index(
    (
        *audit.SPECS,
        *caches.SPECS,
        *catalogues.SPECS,
        *cloudwatch.SPECS,
        *dynamodb.SPECS,
        *ec2_compute.SPECS,
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
        *people.SPECS,
        *rds.SPECS,
        *rds_clusters.SPECS,
        *route53.SPECS,
        *runtime.SPECS,
        *s3.SPECS,
        *secretsmanager.SPECS,
        *sns.SPECS,
        *sqs.SPECS,
        *ssm.SPECS,
        *stores.SPECS,
    )
)
# With the types that Cloud Control reads: nothing of them is compared, but a state's resources are told apart by their keys.
DECLARABLE: Mapping[str, TypeSpec] = {
    **{name: TypeSpec(name, {}, key=item.key) for name, item in READABLE.items()},
    **SPECS,
}
